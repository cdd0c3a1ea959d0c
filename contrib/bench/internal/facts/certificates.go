package facts

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"math/rand/v2"
	"net"
	"time"
)

// kind is what the certificates of a fleet have in common.
type kind struct {
	name string
	rsa  bool // a key of 2,048 bits; otherwise one on P-256
	full bool // all the extensions that are usual, and not only those of a device's certificate
}

// What each certificate has instead of these, in the one that all are made of.
var (
	serialMark  = bytes.Repeat([]byte{0x5a}, 20)
	subjectMark = []byte("device-00000000")
	keyIDMark   = []byte("key identifier mark.")
)

// points is how many keys on P-256 there are: each has to be made, and takes its time.
const points = 256

// certificates makes some, each different, in one piece of memory. They look as AWS IoT issues them; their signatures are
// all that of the one they are made of, which parsing does not ask about.
func (k kind) certificates(n int) ([][]byte, error) {
	random := rand.NewChaCha8([32]byte{1})
	key := func() ([]byte, error) {
		d := make([]byte, 32)
		random.Read(d)
		d[0] = 1 // below the order of the group
		private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d)
		if err != nil {
			return nil, err
		}
		return private.PublicKey.Bytes()
	}
	keys := make([][]byte, points)
	for i := range keys {
		var err error
		if keys[i], err = key(); err != nil {
			return nil, err
		}
	}
	keyMark := keys[0]
	modulus := make([]byte, 256)
	if k.rsa {
		random.Read(modulus)
		modulus[0] |= 0x80
		keyMark = modulus
	}
	template, err := k.template(keyMark)
	if err != nil {
		return nil, err
	}
	var at [4]int
	for i, mark := range [][]byte{serialMark, subjectMark, keyIDMark, keyMark} {
		if at[i] = bytes.Index(template, mark); at[i] < 0 || bytes.Count(template, mark) != 1 {
			return nil, fmt.Errorf("%s: %q is not once in what the certificates are made of", k.name, mark)
		}
	}
	all := make([]byte, 0, n*len(template))
	list := make([][]byte, n)
	for i := range list {
		start := len(all)
		all = append(all, template...)
		der := all[start:len(all):len(all)]
		serial := der[at[0] : at[0]+len(serialMark)]
		random.Read(serial)
		serial[0] = serial[0]&0x3f | 0x40
		copy(der[at[1]:], fmt.Sprintf("device-%08d", i))
		random.Read(der[at[2] : at[2]+len(keyIDMark)])
		if k.rsa {
			random.Read(der[at[3]+1 : at[3]+len(modulus)])
		} else {
			copy(der[at[3]:], keys[i%points])
		}
		list[i] = der
	}
	return list, nil
}

// template makes the certificate that all are made of.
func (k kind) template(key []byte) ([]byte, error) {
	signer, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{7}, 32))
	if err != nil {
		return nil, err
	}
	issuer, err := name(asn1.ObjectIdentifier{2, 5, 4, 11},
		"Amazon Web Services O=Amazon.com Inc. L=Seattle ST=Washington C=US")
	if err != nil {
		return nil, err
	}
	subject, err := name(asn1.ObjectIdentifier{2, 5, 4, 3}, string(subjectMark))
	if err != nil {
		return nil, err
	}
	c := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serialMark), RawSubject: subject,
		NotBefore: time.Date(2024, 6, 1, 12, 0, 0, 0, time.UTC), NotAfter: time.Date(2049, 12, 31, 23, 59, 59, 0, time.UTC),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true, SubjectKeyId: keyIDMark,
	}
	if k.full {
		c.DNSNames = []string{"pump-1.example.com", "pump-1.internal.example"}
		c.IPAddresses = []net.IP{net.IPv4(10, 0, 0, 1)}
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
		c.OCSPServer, c.IssuingCertificateURL = []string{"http://ocsp.example.com"}, []string{"http://ca.example.com/ca.crt"}
		c.CRLDistributionPoints = []string{"http://ca.example.com/ca.crl"}
		c.PolicyIdentifiers = []asn1.ObjectIdentifier{{1, 3, 6, 1, 4, 1, 99999, 1}}
	}
	var public any = &rsa.PublicKey{N: new(big.Int).SetBytes(key), E: 65537}
	if !k.rsa {
		if public, err = ecdsa.ParseUncompressedPublicKey(elliptic.P256(), key); err != nil {
			return nil, err
		}
	}
	parent := &x509.Certificate{RawSubject: issuer, SubjectKeyId: []byte("the authority's key.")}
	return x509.CreateCertificate(nil, c, parent, public, signer)
}

// name makes a name of one attribute, in UTF-8.
func name(kind asn1.ObjectIdentifier, value string) ([]byte, error) {
	v := asn1.RawValue{Tag: asn1.TagUTF8String, Bytes: []byte(value)}
	return asn1.Marshal(pkix.RDNSequence{{{Type: kind, Value: v}}})
}

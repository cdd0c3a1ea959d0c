package certfacts

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"hash/maphash"
	"time"
)

// seed makes the hashes of names: one a process, so that they can be compared.
var seed = maphash.MakeSeed()

// errSerial is what is wrong with a serial number that a GODEBUG setting lets pass.
var errSerial = errors.New("negative serial number")

// Facts are what a certificate says, as crypto/x509 understands it. The zero value says nothing.
type Facts struct {
	NotBefore    time.Time // in UTC, both ends of the validity included
	NotAfter     time.Time
	KeyAlgorithm x509.PublicKeyAlgorithm
	KeyBits      int // size of the public key; 0: the algorithm is not known, or is DSA
	Version      int // 1, 2 or 3

	BasicConstraints bool // whether there is such an extension
	IsCA             bool
	MaxPathLen       int // how many CA certificates may follow; -1: no limit is given

	// Serial is the serial number, big-endian without leading zeros; empty for 0.
	Serial Part
	// Issuer and Subject are names in DER; one without attributes has two bytes.
	Issuer, Subject Part
	// PublicKey is the SubjectPublicKeyInfo in DER.
	PublicKey Part
	// Modulus is that of an RSA key, big-endian without leading zeros. The key may be for RSASSA-PSS, which
	// KeyAlgorithm does not know. Empty for other keys, for one for RSASSA-PSS of an odd form, and for one that is not
	// in whole bytes, whose modulus is no part of the DER.
	Modulus Part
	// Point is that of an ECDSA key, uncompressed: 4, x and y. Empty for other keys, and for one that is not in whole
	// bytes.
	Point Part
	// AuthorityKeyID and SubjectKeyID are the identifiers of the issuer's key and of the subject's.
	AuthorityKeyID, SubjectKeyID Part

	// IssuerHash and SubjectHash are of the names. Equal names have equal hashes, in one process only.
	IssuerHash, SubjectHash uint64
}

// Part is where some bytes are in the DER that was parsed: from Start, until before End. The zero value is the
// part of what is absent.
type Part struct{ Start, End uint32 }

// Len returns how many bytes p has.
func (p Part) Len() int { return int(p.End - p.Start) }

// Of returns the bytes of p, a part of the DER that was parsed; empty for what is absent.
func (p Part) Of(der []byte) []byte { return der[p.Start:p.End:p.End] }

// Parse returns the facts of a certificate in DER, which it neither keeps nor changes. An error is that of
// crypto/x509, except that a negative serial number is always one; the Facts are zero then. Whether the point of an
// ECDSA key lies on its curve is left to [Facts.CheckKey]. It may be called concurrently.
func Parse(der []byte) (f Facts, err error) {
	if f.read(der) {
		return f, nil
	}
	x, err := x509.ParseCertificate(der)
	if err != nil {
		return Facts{}, err
	}
	if x.SerialNumber.Sign() < 0 {
		return Facts{}, errSerial
	}
	return factsOf(der, x), nil
}

// CheckKey tells whether the public key is one: the error of crypto/x509 if it is ECDSA's and its point is not on
// the curve. der is what was parsed. Other keys are checked by [Parse]. It may be called concurrently.
func (f *Facts) CheckKey(der []byte) error {
	if f.KeyAlgorithm != x509.ECDSA {
		return nil
	}
	var curve ecdh.Curve
	switch f.KeyBits {
	case 256:
		curve = ecdh.P256()
	case 384:
		curve = ecdh.P384()
	case 521:
		curve = ecdh.P521()
	}
	if curve != nil {
		if _, err := curve.NewPublicKey(f.Point.Of(der)); err == nil {
			return nil
		}
	}
	_, err := x509.ParseCertificate(der)
	return err
}

// hash sets the hashes of the names.
func (f *Facts) hash(der []byte) {
	f.IssuerHash = maphash.Bytes(seed, f.Issuer.Of(der))
	f.SubjectHash = maphash.Bytes(seed, f.Subject.Of(der))
}

// factsOf returns the facts of a certificate that crypto/x509 has parsed.
func factsOf(der []byte, x *x509.Certificate) Facts {
	f := Facts{
		NotBefore: x.NotBefore.UTC(), NotAfter: x.NotAfter.UTC(),
		KeyAlgorithm: x.PublicKeyAlgorithm, Version: x.Version,
		BasicConstraints: x.BasicConstraintsValid, IsCA: x.IsCA, MaxPathLen: x.MaxPathLen,
		Serial: find(der, x.SerialNumber.Bytes()),
		Issuer: find(der, x.RawIssuer), Subject: find(der, x.RawSubject), PublicKey: find(der, x.RawSubjectPublicKeyInfo),
		AuthorityKeyID: find(der, x.AuthorityKeyId), SubjectKeyID: find(der, x.SubjectKeyId),
	}
	if !x.BasicConstraintsValid {
		f.MaxPathLen = -1
	}
	switch k := x.PublicKey.(type) {
	case *rsa.PublicKey:
		f.KeyBits, f.Modulus = k.N.BitLen(), find(der, k.N.Bytes())
	case *ecdsa.PublicKey:
		f.KeyBits = k.Curve.Params().BitSize
		if point, err := k.Bytes(); err == nil {
			f.Point = find(der, point)
		}
	case ed25519.PublicKey:
		f.KeyBits = 8 * len(k)
	case nil:
		f.Modulus = modulusPSS(der, f.PublicKey)
	}
	f.hash(der)
	return f
}

// find returns a Part that holds b, which the parser has from der; nothing if it had to shift bits. Which Part does not
// matter: whatever b is found as, the bytes are the same.
func find(der, b []byte) Part {
	i := bytes.Index(der, b)
	if i < 0 {
		return Part{}
	}
	return part(i, i+len(b))
}

// part fits in its 32 bits: no length that crypto/x509 takes has more.
func part(start, end int) Part { return Part{uint32(start), uint32(end)} }

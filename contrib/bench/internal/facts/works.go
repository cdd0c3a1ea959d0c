// Package facts compares how the facts of certificates are read from their DER: here, and with crypto/x509.
package facts

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"hash/maphash"

	"github.com/fleetaudit/fleetaudit/checks/certfacts"
	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/compare"
)

// Works returns the facts of many certificates, each different, one after another: what one core does.
func Works() []compare.Work {
	var list []compare.Work
	for _, k := range []kind{
		{name: "P-256"}, {name: "P-256, all extensions", full: true},
		{name: "RSA-2048", rsa: true}, {name: "RSA-2048, all extensions", rsa: true, full: true},
	} {
		list = append(list, compare.Work{
			Name: "certificate facts/" + k.name, Unit: "certificate", Size: 10_000, Growth: 100_000,
			Contenders: []compare.Contender{
				{Name: "certfacts", New: func(n int) (compare.Task, error) { return k.ours(n, false) }},
				{Name: "crypto/x509", Target: 30, New: k.standard},
			},
		})
	}
	curve := kind{name: "P-256, point on the curve"}
	return append(list, compare.Work{
		Name: "certificate facts with the key checked/" + curve.name, Unit: "certificate", Size: 10_000, Growth: 100_000,
		Contenders: []compare.Contender{
			{Name: "certfacts", New: func(n int) (compare.Task, error) { return curve.ours(n, true) }},
			{Name: "crypto/x509", New: curve.standard},
		},
	})
}

// ours reads facts without crypto/x509, and checks keys if asked to.
func (k kind) ours(n int, checkKey bool) (compare.Task, error) {
	list, err := k.certificates(n)
	if err != nil {
		return compare.Task{}, err
	}
	var d digest
	return compare.Task{
		Do: func() error {
			d = digest{}
			for i, der := range list {
				f, err := certfacts.Parse(der)
				if err == nil && checkKey {
					err = f.CheckKey(der)
				}
				if err != nil {
					return fmt.Errorf("certificate %d: %w", i, err)
				}
				d.times(f.NotBefore, f.NotAfter)
				d.bytes(f.Serial.Of(der), f.AuthorityKeyID.Of(der), f.SubjectKeyID.Of(der))
				d.key(f.KeyAlgorithm, f.KeyBits)
				d.constraints(f.BasicConstraints, f.IsCA, f.MaxPathLen)
				d.names(f.IssuerHash, f.SubjectHash)
			}
			return nil
		},
		Answer: func() any { return d.sum },
	}, nil
}

// standard reads them from what crypto/x509 parses. It has no function that reads less.
func (k kind) standard(n int) (compare.Task, error) {
	list, err := k.certificates(n)
	if err != nil {
		return compare.Task{}, err
	}
	var d digest
	seed := maphash.MakeSeed()
	return compare.Task{
		Do: func() error {
			d = digest{}
			for i, der := range list {
				c, err := x509.ParseCertificate(der)
				if err != nil {
					return fmt.Errorf("certificate %d: %w", i, err)
				}
				bits := 0
				switch key := c.PublicKey.(type) {
				case *rsa.PublicKey:
					bits = key.N.BitLen()
				case *ecdsa.PublicKey:
					bits = key.Params().BitSize
				}
				d.times(c.NotBefore, c.NotAfter)
				d.bytes(c.SerialNumber.Bytes(), c.AuthorityKeyId, c.SubjectKeyId)
				d.key(c.PublicKeyAlgorithm, bits)
				d.constraints(c.BasicConstraintsValid, c.IsCA, c.MaxPathLen)
				d.names(maphash.Bytes(seed, c.RawIssuer), maphash.Bytes(seed, c.RawSubject))
			}
			return nil
		},
		Answer: func() any { return d.sum },
	}, nil
}

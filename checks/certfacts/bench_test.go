package certfacts_test

import (
	"crypto/x509"
	"testing"

	"github.com/fleetaudit/fleetaudit/checks/certfacts"
)

func BenchmarkParse(b *testing.B) {
	ec := device()
	rsa := device()
	rsa.key, rsa.algorithm = rsaKey(modulus(256)), tlv(sequence, tlv(identifier, sha256WithRSA), x("0500"))
	rsa.outer, rsa.signature = rsa.algorithm, tlv(bitString, "\x00"+modulus(255))
	for _, c := range []struct {
		name string
		form
	}{{"P-256", ec}, {"P-256 full", full(ec)}, {"RSA-2048", rsa}, {"RSA-2048 full", full(rsa)}} {
		der := c.der()
		b.Run(c.name+"/ours", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := certfacts.Parse(der); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.name+"/x509", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := x509.ParseCertificate(der); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCheckKey(b *testing.B) {
	der := []byte(device().der())
	f, err := certfacts.Parse(der)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := f.CheckKey(der); err != nil {
			b.Fatal(err)
		}
	}
}

package certificate_test

import (
	"crypto/x509"
	"math/big"
	"testing"

	"github.com/fleetaudit/fleetaudit/checks/certificate"
	"github.com/fleetaudit/fleetaudit/checks/checktest"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

// serial gives a CA certificate a number.
func serial(n int64) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.SerialNumber = big.NewInt(n) }
}

func TestRevokedCACertificateStillActive(t *testing.T) {
	root := newCA(t, "root", nil)
	all, broken, unknown := scoped(func(s inventory.CertificateStatus) inventory.Certificate {
		return with(s, newCA(t, "sub", root, serial(5)).Certificate)
	})
	suicidal := newCA(t, "suicidal", nil, serial(8)) // a root that lists itself
	lost := newCA(t, "lost", newCA(t, "missing", nil), serial(9))
	missing := newCA(t, "missing", nil) // of that name, but not in the inventory
	all = append(all, root.Certificate, newCA(t, "good", root, serial(6)).Certificate, suicidal.Certificate, lost.Certificate)
	broken = append(broken, suicidal.Certificate)
	c := checktest.Case{Time: now, WantScanned: int64(len(broken) + len(unknown) + 3)}
	for _, b := range broken {
		c.Want = append(c.Want, ca(b, revoked))
	}
	for _, u := range unknown {
		c.Want = append(c.Want, ca(u, notEvaluable))
	}
	contents := inventory.Contents{
		CACertificates: all,
		CRLs:           []inventory.CRL{root.crl(t, 5), suicidal.crl(t, 8), missing.crl(t, 9)},
	}
	contract(t, c, contents, certificate.RevokedCACertificateStillActive, caSource, crlSource)
}

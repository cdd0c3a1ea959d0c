package certificate_test

import (
	"crypto/rsa"
	"testing"

	"github.com/fleetaudit/fleetaudit/checks/certificate"
	"github.com/fleetaudit/fleetaudit/checks/checktest"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

func TestCACertificateKeyQualityScope(t *testing.T) {
	root := newCA(t, "root", nil)
	all, broken, unknown := scoped(func(s inventory.CertificateStatus) inventory.Certificate {
		n := rocaModulus(t)
		if s == inventory.CertificateStatusPendingTransfer {
			n = debianModulus(t)
		}
		return with(s, newCAWithKey(t, "sub", publicOnly{&rsa.PublicKey{N: n, E: 65537}}, root).Certificate)
	})
	all = append(all, root.Certificate)
	c := checktest.Case{Time: now, WantScanned: int64(len(broken) + len(unknown) + 1)}
	for _, b := range broken {
		code := rocaKey
		if b.Status == inventory.CertificateStatusPendingTransfer {
			code = debianKey
		}
		c.Want = append(c.Want, ca(b, code))
	}
	for _, u := range unknown {
		c.Want = append(c.Want, ca(u, notEvaluable))
	}
	contents := inventory.Contents{CACertificates: all, WeakKeys: debianList(t)}
	contract(t, c, contents, certificate.CACertificateKeyQuality, caSource)
}

package certificate_test

import (
	"crypto/rsa"
	"testing"

	"github.com/fleetaudit/fleetaudit/checks/certificate"
	"github.com/fleetaudit/fleetaudit/checks/checktest"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

func TestDeviceCertificateKeyQualityScope(t *testing.T) {
	root := newCA(t, "root", nil)
	all, broken, unknown := scoped(func(s inventory.CertificateStatus) inventory.Certificate {
		n := rocaModulus(t)
		if s == inventory.CertificateStatusPendingTransfer {
			n = debianModulus(t)
		}
		return with(s, root.holder(t, &rsa.PublicKey{N: n, E: 65537}))
	})
	all = append(all, root.issue(t, 6))
	c := checktest.Case{Time: now, WantScanned: int64(len(broken) + len(unknown) + 1)}
	for _, b := range broken {
		code := rocaKey
		if b.Status == inventory.CertificateStatusPendingTransfer {
			code = debianKey
		}
		c.Want = append(c.Want, device(b, code))
	}
	for _, u := range unknown {
		c.Want = append(c.Want, device(u, notEvaluable))
	}
	contents := inventory.Contents{DeviceCertificates: all, WeakKeys: debianList(t)}
	contract(t, c, contents, certificate.DeviceCertificateKeyQuality, deviceSource)
}

package certificate_test

import (
	"testing"

	"github.com/fleetaudit/fleetaudit/checks/certificate"
	"github.com/fleetaudit/fleetaudit/checks/checktest"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

func TestCACertificateExpiring(t *testing.T) {
	for _, row := range expiryRows {
		c := newCA(t, "root", nil, expires(now.Add(row.after))).Certificate
		inv := inventory.New(inventory.Contents{CACertificates: []inventory.Certificate{c}})
		var want []checktest.Finding
		if row.want != "" {
			want = append(want, ca(c, row.want))
		}
		checktest.Run(t, certificate.CACertificateExpiring(inv), checktest.Case{Time: now, Want: want, WantScanned: 1})
	}
}

func TestCACertificateExpiringScope(t *testing.T) {
	all, broken, unknown := scoped(func(s inventory.CertificateStatus) inventory.Certificate {
		return with(s, newCA(t, "root", nil, expires(now.Add(day))).Certificate)
	})
	c := checktest.Case{Time: now, WantScanned: int64(len(broken) + len(unknown))}
	for _, b := range broken {
		c.Want = append(c.Want, ca(b, approaching))
	}
	for _, u := range unknown {
		c.Want = append(c.Want, ca(u, notEvaluable))
	}
	contract(t, c, inventory.Contents{CACertificates: all}, certificate.CACertificateExpiring, caSource)
}

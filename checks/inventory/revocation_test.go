package inventory_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"iter"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

// verdict is a Revocation in a word: "active", "revoked" with its reason, or "unknown" with a part of why.
func verdict(r inventory.Revocation) string {
	switch {
	case r.Revoked && r.Unknown == "" && r.CRL != nil && !r.At.IsZero():
		return "revoked " + r.Reason
	case r.Revoked:
		return fmt.Sprintf("revoked, but %+v", r)
	case r.Unknown != "":
		return "unknown " + r.Unknown
	}
	return "active"
}

type entries = []x509.RevocationListEntry

// delta makes a CRL a delta.
func delta(c *x509.RevocationList) { c.ExtraExtensions = []pkix.Extension{critical(27, 2, 1, 1)} }

// scope gives a CRL an issuing distribution point, and makes it cover user certificates only.
func scope(c *x509.RevocationList) {
	c.ExtraExtensions = append(c.ExtraExtensions, critical(28, 0x30, 3, 0x81, 1, 0xff))
}

// caScope gives a CRL an issuing distribution point, and makes it cover CA certificates only.
func caScope(c *x509.RevocationList) {
	c.ExtraExtensions = append(c.ExtraExtensions, critical(28, 0x30, 3, 0x82, 1, 0xff))
}

func TestRevocations(t *testing.T) {
	ca := newCA(t, "CA", nil)
	twin := newCA(t, "CA", nil) // another CA of the same name
	other := newCA(t, "other", nil)
	plain := withoutKeyID(t, newCA(t, "plain", nil)) // its certificates do not name a key
	plainTwin := withoutKeyID(t, newCA(t, "plain", nil))
	keyed := newCA(t, "plain", nil) // has a key identifier, unlike those of its name
	noSign := newCA(t, "no cRLSign", nil, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign })
	noUsage := newCA(t, "no usage", nil, func(c *x509.Certificate) { c.KeyUsage = 0 })
	expired := newCA(t, "expired", nil, func(c *x509.Certificate) { c.NotAfter = now.AddDate(-1, 0, 0) })
	inactive := ca.certificate()
	inactive.Status = inventory.CertificateStatusInactive
	device := ca.issue(t, 5)
	indirect := func(reason int) entries { // about other's certificate 5
		e := entry(5, 3, reason)
		e.ExtraExtensions = []pkix.Extension{certificateIssuer(t, other)}
		return entries{e}
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	rsaCA, rsaTwin := withoutKeyID(t, newCAWithKey(t, "RSA", rsaKey, nil)), withoutKeyID(t, newCA(t, "RSA", nil))
	const sha256WithRSA, md5WithRSA = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04"
	md5 := inventory.NewCertificate(replaced(t, replaced(t, rsaCA.issue(t, 5).Raw, sha256WithRSA, md5WithRSA), sha256WithRSA, md5WithRSA), "ACTIVE")
	sticky := append(indirect(0), entry(6, 3, 1)) // an issuer goes on until the next one
	forged := func(a *authority, e entries) inventory.CRL {
		liar := &authority{a.Certificate, newCA(t, "liar", nil).key}
		template := &x509.RevocationList{Number: big.NewInt(9), ThisUpdate: now, NextUpdate: now, RevokedCertificateEntries: e}
		return inventory.NewCRL(createCRL(t, template, liar))
	}
	cas := func(list ...*authority) (c []inventory.Certificate) {
		for _, a := range list {
			c = append(c, a.certificate())
		}
		return c
	}
	crls := func(list ...inventory.CRL) []inventory.CRL { return list }
	const (
		active  = "active"
		revoked = "revoked unspecified"
	)
	for _, test := range []struct {
		name string
		cas  []inventory.Certificate
		crls []inventory.CRL
		cert inventory.Certificate
		want string // of an unknown one, a part
	}{
		{"no CRL, no CA", nil, nil, device, active},
		{"no CRL", cas(ca), nil, device, active},
		{"empty CRL", cas(ca), crls(ca.crl(t, 1, 1, nil)), device, active},
		{"listed", cas(ca), crls(ca.crl(t, 1, 1, entries{entry(5, 3, 0)})), device, revoked},
		{"listed with a reason", cas(ca), crls(ca.crl(t, 1, 1, entries{entry(5, 3, 1)})), device, "revoked keyCompromise"},
		{"listed with a reason without name", cas(ca), crls(ca.crl(t, 1, 1, entries{entry(5, 3, 77)})), device, "revoked 77"},
		{"listed among others", cas(ca), crls(ca.crl(t, 1, 1, entries{entry(9, 3, 0), entry(500, 3, 0), entry(5, 3, 0), entry(1, 3, 0)})), device, revoked},
		{"listed as a negative number", cas(ca), crls(ca.crl(t, 1, 1, entries{entry(-5, 3, 0)})), device, active},
		{"others listed", cas(ca), crls(ca.crl(t, 1, 1, entries{entry(9, 3, 0), entry(1285, 3, 0), entry(1, 3, 0)})), device, active},
		{"on hold", cas(ca), crls(ca.crl(t, 1, 1, entries{entry(5, 3, 6)})), device, "revoked certificateHold"},
		{"taken off hold in a complete CRL", cas(ca), crls(ca.crl(t, 1, 1, entries{entry(5, 3, 8)})), device, active},
		{"listed twice, off hold and revoked", cas(ca), crls(ca.crl(t, 1, 1, entries{entry(5, 4, 8), entry(5, 3, 1)})), device, "revoked keyCompromise"},
		{"revoked from today", cas(ca), crls(ca.crl(t, 1, 1, entries{entry(5, 0, 0)})), device, revoked},
		{"revoked from tomorrow", cas(ca), crls(ca.crl(t, 1, 1, entries{entry(5, -1, 0)})), device, active},
		{"expired CRL", cas(ca), crls(ca.crl(t, 1, 900, entries{entry(5, 901, 0)})), device, revoked},
		{"CRL of tomorrow alone", cas(ca), crls(ca.crl(t, 1, -1, entries{entry(5, 3, 0)})), device, revoked},
		{"CRL of tomorrow, revoked tomorrow", cas(ca), crls(ca.crl(t, 1, -1, entries{entry(5, -1, 0)})), device, active},
		{"CRL of tomorrow beside one of today", cas(ca), crls(ca.crl(t, 2, -1, entries{entry(5, 3, 0)}), ca.crl(t, 1, 0, nil)), device, active},
		{"newest decides: gone", cas(ca), crls(ca.crl(t, 1, 5, entries{entry(5, 6, 0)}), ca.crl(t, 2, 1, nil)), device, active},
		{"newest decides: new", cas(ca), crls(ca.crl(t, 2, 1, entries{entry(5, 2, 0)}), ca.crl(t, 1, 5, nil)), device, revoked},
		{"same time, number decides", cas(ca), crls(ca.crl(t, 1, 1, nil), ca.crl(t, 2, 1, entries{entry(5, 2, 0)}), ca.crl(t, 0, 1, nil)), device, revoked},

		{"newer delta adds", cas(ca), crls(ca.crl(t, 1, 5, nil), ca.crl(t, 2, 1, entries{entry(5, 2, 0)}, delta)), device, revoked},
		{"older delta does not", cas(ca), crls(ca.crl(t, 2, 1, nil), ca.crl(t, 1, 5, entries{entry(5, 6, 0)}, delta)), device, active},
		{"newer delta takes off hold", cas(ca), crls(ca.crl(t, 1, 5, entries{entry(5, 6, 6)}), ca.crl(t, 2, 1, entries{entry(5, 6, 8)}, delta)), device, active},
		{"newer delta is silent", cas(ca), crls(ca.crl(t, 1, 5, entries{entry(5, 6, 0)}), ca.crl(t, 2, 1, entries{entry(6, 2, 0)}, delta)), device, revoked},
		{"newest delta decides", cas(ca), crls(ca.crl(t, 1, 5, nil), ca.crl(t, 2, 3, entries{entry(5, 4, 6)}, delta), ca.crl(t, 3, 1, entries{entry(5, 4, 8)}, delta)), device, active},
		{"delta of tomorrow", cas(ca), crls(ca.crl(t, 1, 5, nil), ca.crl(t, 2, -1, entries{entry(5, 2, 0)}, delta)), device, active},
		{"delta alone lists it", cas(ca), crls(ca.crl(t, 2, 1, entries{entry(5, 2, 0)}, delta)), device, revoked},
		{"delta alone does not", cas(ca), crls(ca.crl(t, 2, 1, nil, delta)), device, "unknown is a delta CRL without its complete one"},
		{"delta of today, complete of tomorrow", cas(ca), crls(ca.crl(t, 1, 1, entries{entry(5, 2, 0)}, delta), ca.crl(t, 2, -1, nil)), device, active},
		{"delta of another scope", cas(ca), crls(ca.crl(t, 1, 5, entries{entry(5, 6, 6)}), ca.crl(t, 2, 1, entries{entry(5, 6, 8)}, delta, scope)), device, "revoked certificateHold"},
		{"newer CRL of another scope", cas(ca), crls(ca.crl(t, 1, 5, entries{entry(5, 6, 0)}), ca.crl(t, 2, 1, nil, scope)), device, revoked},

		{"CA missing", nil, crls(ca.crl(t, 1, 1, nil)), device, "unknown no CA certificate of its issuer's name and key"},
		{"CA missing, listed", nil, crls(ca.crl(t, 1, 1, entries{entry(5, 3, 0)})), device, "unknown no CA certificate of its issuer's name and key"},
		{"CA missing, namesake there", cas(twin), crls(ca.crl(t, 1, 1, entries{entry(5, 3, 0)})), device, "unknown no CA certificate of its issuer's name and key"},
		{"another issuer's CA is missing", cas(ca), crls(other.crl(t, 1, 1, nil)), device, active},
		{"signature is wrong", cas(ca), crls(forged(ca, nil)), device, "unknown cannot be verified: x509: ECDSA verification failure"},
		{"signature is wrong, listed", cas(ca), crls(forged(ca, entries{entry(5, 3, 0)})), device, "unknown cannot be verified"},
		{"signature is wrong, a right one is older", cas(ca), crls(forged(ca, entries{entry(5, 3, 0)}), ca.crl(t, 1, 400, nil)), device, "unknown cannot be verified"},
		{"signature is wrong, a right one is older and lists it", cas(ca), crls(forged(ca, nil), ca.crl(t, 1, 400, entries{entry(5, 500, 0)})), device, revoked},
		{"signature is wrong, a right one is as new", cas(ca), crls(forged(ca, entries{entry(5, 3, 0)}), ca.crl(t, 1, 0, nil)), device, active},
		{"CRL of user certificates only, about a CA", cas(ca), crls(ca.crl(t, 1, 1, entries{entry(1, 3, 2)}, scope)), ca.certificate(), active},
		{"CRL of CA certificates only, about a device", cas(ca), crls(ca.crl(t, 1, 1, entries{entry(5, 3, 0)}, caScope)), device, active},
		{"CRL of CA certificates only, about a CA", cas(ca), crls(ca.crl(t, 1, 1, entries{entry(1, 3, 2)}, caScope)), ca.certificate(), "revoked cACompromise"},
		{"signature is wrong, a right one of CA certificates only", cas(ca), crls(forged(ca, entries{entry(5, 3, 0)}), ca.crl(t, 1, 0, nil, caScope)), device, "unknown cannot be verified"},
		{"signature is wrong, a right delta there", cas(ca), crls(ca.crl(t, 1, 1, nil, delta), forged(ca, nil)), device, "unknown cannot be verified"},
		{"signature of a namesake is wrong", cas(ca, twin), crls(forged(twin, nil)), device, active},
		{"signed by a namesake", cas(ca, twin), crls(twin.crl(t, 1, 1, entries{entry(5, 3, 0)})), device, active},
		{"signed by a namesake, and by its own", cas(twin, ca), crls(twin.crl(t, 1, 1, nil), ca.crl(t, 1, 1, entries{entry(5, 3, 0)})), device, revoked},
		{"serial number of another issuer", cas(ca, other), crls(other.crl(t, 1, 1, entries{entry(5, 3, 0)})), device, active},
		{"unusable CRL", cas(ca), crls(ca.crl(t, 1, 1, nil, func(c *x509.RevocationList) { c.ExtraExtensions = []pkix.Extension{critical(99)} })), device, "unknown cannot be used: critical extension 2.5.29.99 is not known"},
		{"unusable CRL beside a good one", cas(ca), crls(inventory.NewCRL(withVersion(t, ca.crlDER(t, 1, 1, nil), 7)), ca.crl(t, 1, 1, nil)), device, active},
		{"CRL that is none", cas(ca), crls(inventory.NewCRL([]byte("x"))), device, active},
		{"attribute certificates", cas(ca), crls(ca.crl(t, 1, 1, entries{entry(5, 3, 0)}, func(c *x509.RevocationList) {
			c.ExtraExtensions = []pkix.Extension{critical(28, 0x30, 3, 0x85, 1, 0xff)}
		})), device, active},

		{"CA is inactive", []inventory.Certificate{inactive}, crls(ca.crl(t, 1, 1, entries{entry(5, 3, 0)})), device, revoked},
		{"CA has expired", cas(expired), crls(expired.crl(t, 1, 1, entries{entry(5, 3, 0)})), expired.issue(t, 5), revoked},
		{"CA may not sign CRLs", cas(noSign), crls(noSign.crl(t, 1, 1, entries{entry(5, 3, 0)})), noSign.issue(t, 5), "unknown cannot be verified: x509: invalid signature: parent certificate cannot sign"},
		{"CA has no key usage", cas(noUsage), crls(noUsage.crl(t, 1, 1, entries{entry(5, 3, 0)})), noUsage.issue(t, 5), revoked},
		{"CA may not, its other certificate may", append(cas(noSign), renewed(t, noSign).certificate()), crls(noSign.crl(t, 1, 1, entries{entry(5, 3, 0)})), noSign.issue(t, 5), revoked},
		{"CA does not parse", []inventory.Certificate{inventory.NewCertificate(ca.Raw[1:], "ACTIVE")}, crls(ca.crl(t, 1, 1, nil)), device, "unknown no CA certificate"},

		{"no key identifiers", cas(plain), crls(inventory.NewCRL(plain.version1CRL(t, 1, 5))), plain.issue(t, 5), revoked},
		{"no key identifiers, version 1, not listed", cas(plain), crls(inventory.NewCRL(plain.version1CRL(t, 1, 6))), plain.issue(t, 5), active},
		{"no key identifiers, two CAs, its own", cas(plainTwin, plain), crls(inventory.NewCRL(plain.version1CRL(t, 1, 5))), plain.issue(t, 5), revoked},
		{"no key identifiers, two CAs, the other", cas(plainTwin, plain), crls(inventory.NewCRL(plainTwin.version1CRL(t, 1, 5))), plain.issue(t, 5), active},
		{"no key identifiers, two CAs, neither", cas(plainTwin, plain), crls(inventory.NewCRL(plainTwin.version1CRL(t, 1, 5))), withoutKeyID(t, newCA(t, "plain", nil)).issue(t, 5), active},
		{"key identifier fits a CA that has none", cas(plain, keyed), crls(inventory.NewCRL(keyed.version1CRL(t, 1, 5))), keyed.issue(t, 5), revoked},
		{"key identifier, CRL of a CA that has none", cas(plain, keyed), crls(inventory.NewCRL(plain.version1CRL(t, 1, 5))), keyed.issue(t, 5), active},
		{"no key identifier, unverified CRL of another key", cas(plain), crls(keyed.crl(t, 1, 1, nil)), plain.issue(t, 5), "unknown cannot be verified"},
		{"key identifier of its CA, unverified CRL of another key", cas(ca), crls(twin.crl(t, 1, 1, nil)), inventory.NewCertificate(replaced(t, ca.issue(t, 5).Raw, "\x55\x1d\x23", "\x55\x1d\x7f"), "ACTIVE"), active},

		{"no key identifiers, two CAs, signed with MD5", cas(rsaTwin, rsaCA), crls(inventory.NewCRL(rsaCA.crlDER(t, 1, 1, entries{entry(5, 3, 0)}))), md5, "unknown the issuer cannot be told: x509: cannot verify signature: insecure algorithm MD5-RSA"},
		{"no key identifiers, one CA, signed with MD5", cas(rsaCA), crls(inventory.NewCRL(rsaCA.crlDER(t, 1, 1, entries{entry(5, 3, 0)}))), md5, revoked},

		{"indirect CRL, its own number", cas(ca, other), crls(ca.crl(t, 1, 1, indirect(0))), device, active},
		{"indirect CRL, listed", cas(ca, other), crls(ca.crl(t, 1, 1, indirect(0))), other.issue(t, 5), "unknown of another issuer lists it"},
		{"indirect CRL, goes on", cas(ca, other), crls(ca.crl(t, 1, 1, sticky)), other.issue(t, 6), "unknown of another issuer lists it"},
		{"indirect CRL, goes on, its own", cas(ca, other), crls(ca.crl(t, 1, 1, sticky)), ca.issue(t, 6), active},
		{"indirect CRL, not listed", cas(ca, other), crls(ca.crl(t, 1, 1, indirect(0))), other.issue(t, 7), active},
		{"indirect CRL, off hold", cas(ca, other), crls(ca.crl(t, 1, 1, indirect(8))), other.issue(t, 5), active},
		{"indirect CRL and its own", cas(ca, other), crls(ca.crl(t, 1, 1, indirect(0)), other.crl(t, 1, 1, nil)), other.issue(t, 5), active},

		{"root lists itself", cas(ca), crls(ca.crl(t, 1, 1, entries{entry(1, 3, 2)})), ca.certificate(), "revoked cACompromise"},
		{"certificate does not parse", cas(ca), nil, inventory.NewCertificate([]byte("x"), "ACTIVE"), "unknown x509: malformed certificate"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := verdict(revocations(t, inventory.Contents{CACertificates: test.cas, CRLs: test.crls}).Of(&test.cert))
			if part, ok := strings.CutPrefix(test.want, "unknown "); ok {
				if !strings.HasPrefix(got, "unknown ") || !strings.Contains(got, part) {
					t.Errorf("got %q, want it unknown: %q", got, part)
				}
			} else if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestRevocationTime: the second in which a certificate is revoked counts, the one before does not.
func TestRevocationTime(t *testing.T) {
	ca := newCA(t, "CA", nil)
	inv := inventory.New(inventory.Contents{
		CACertificates: []inventory.Certificate{ca.certificate()},
		CRLs:           []inventory.CRL{ca.crl(t, 1, 10, entries{entry(5, 3, 4)})},
	})
	device := ca.issue(t, 5)
	since := now.AddDate(0, 0, -3)
	for at, want := range map[time.Time]inventory.Revocation{
		since.Add(-time.Nanosecond): {},
		since:                       {Revoked: true, At: since, Reason: "superseded"},
		since.Add(time.Hour):        {Revoked: true, At: since, Reason: "superseded"},
	} {
		r, err := inv.Revocations(context.Background(), &checks.Pass{Time: at})
		require.NoError(t, err)
		got := r.Of(&device)
		got.CRL = nil
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("at %v (-want +got):\n%s", at, diff)
		}
	}
}

// TestManyEntries: every entry of a CRL is found, in whatever order they stand, with the earliest of those
// about one certificate; and no other.
func TestManyEntries(t *testing.T) {
	ca := newCA(t, "CA", nil)
	var list entries
	for n := range int64(300) {
		serial := 2 * (n*7919%300 + 1) * (1 + n%3*1_000_000_007)
		list = append(list, entry(serial, int(1+n%5), 0), entry(serial, int(3+n%5), 0), entry(serial, int(2+n%5), 0))
	}
	r := revocations(t, inventory.Contents{
		CACertificates: []inventory.Certificate{ca.certificate()}, CRLs: []inventory.CRL{ca.crl(t, 1, 1, list)},
	})
	for i := 1; i < len(list); i += 3 {
		serial := list[i].SerialNumber.Int64()
		device := ca.issue(t, serial)
		if got := r.Of(&device); !got.Revoked || !got.At.Equal(list[i].RevocationTime) {
			t.Errorf("serial number %d: %+v, want it revoked at %v", serial, got, list[i].RevocationTime)
		}
		device = ca.issue(t, serial+1)
		if got := r.Of(&device); got != (inventory.Revocation{}) {
			t.Errorf("serial number %d: %+v, which is not listed", serial+1, got)
		}
	}
}

// TestVerificationIsRemembered: the second audit does not need the CA's key any more.
func TestVerificationIsRemembered(t *testing.T) {
	ca := newCA(t, "CA", nil)
	contents := inventory.Contents{
		CACertificates: []inventory.Certificate{ca.certificate()},
		CRLs:           []inventory.CRL{ca.crl(t, 1, 1, entries{entry(5, 3, 0)})},
	}
	inv := inventory.New(contents)
	device := ca.issue(t, 5)
	audit := func() string {
		r, err := inv.Revocations(context.Background(), &checks.Pass{Time: now})
		require.NoError(t, err)
		return verdict(r.Of(&device))
	}
	const revoked = "revoked unspecified"
	if got := audit(); got != revoked {
		t.Fatalf("got %q", got)
	}
	contents.CACertificates[0].Raw = contents.CACertificates[0].Raw[:len(contents.CACertificates[0].Raw)-1]
	if got := audit(); got != revoked {
		t.Errorf("got %q when the CA certificate cannot be parsed again", got)
	}
	inv.Replace(inventory.Contents{})
	if got := audit(); got != "active" {
		t.Errorf("got %q without CRLs", got)
	}
	inv.Replace(contents)
	if got := audit(); !strings.HasPrefix(got, "unknown") {
		t.Errorf("got %q: what no audit uses must be forgotten", got)
	}
}

func TestRevocationsFail(t *testing.T) {
	broken := errors.New("table is locked")
	fails := func(yield func(inventory.Certificate, error) bool) { yield(inventory.Certificate{}, broken) }
	inv := inventory.New(inventory.Contents{})
	inv.CACertificates = &checks.Source[inventory.Certificate]{
		Name: "CAs", All: func(context.Context) iter.Seq2[inventory.Certificate, error] { return fails },
	}
	if _, err := inv.Revocations(context.Background(), &checks.Pass{Time: now}); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	if _, err := new(inventory.Inventory).Revocations(context.Background(), &checks.Pass{Time: now}); err == nil || !strings.Contains(err.Error(), "CACertificates or CRLs is nil") {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(broken)
	ca := newCA(t, "CA", nil)
	inv = inventory.New(inventory.Contents{CRLs: []inventory.CRL{ca.crl(t, 1, 1, nil)}})
	if _, err := inv.Revocations(ctx, &checks.Pass{Time: now}); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

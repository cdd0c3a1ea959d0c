package inventory_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

// TestCRLOfNobody: a CRL that not even tells its issuer makes nothing unknown, but is logged.
func TestCRLOfNobody(t *testing.T) {
	var log strings.Builder
	inv := inventory.New(inventory.Contents{CRLs: []inventory.CRL{inventory.NewCRL([]byte("x"))}})
	pass := &checks.Pass{Time: now, Logger: slog.New(slog.NewTextHandler(&log, nil))}
	_, err := inv.Revocations(context.Background(), pass)
	require.NoError(t, err)
	if !strings.Contains(log.String(), "CRL of an unknown issuer cannot be used") {
		t.Errorf("log: %q", log.String())
	}
}

// TestManyNamesakes: a signature is tried with some keys, not with thousands, and says so.
func TestManyNamesakes(t *testing.T) {
	ca := withoutKeyID(t, newCA(t, "CA", nil))
	contents := inventory.Contents{CACertificates: []inventory.Certificate{ca.certificate()}}
	for range 16 {
		contents.CACertificates = append(contents.CACertificates, withoutKeyID(t, newCA(t, "CA", nil)).certificate())
	}
	device := ca.issue(t, 5)
	contents.CRLs = []inventory.CRL{inventory.NewCRL(ca.version1CRL(t, 1, 5))}
	r := revocations(t, contents)
	const why = "more than 16 CA certificates of one name"
	if got := verdict(r.Of(&device)); !strings.HasPrefix(got, "unknown") || !strings.Contains(got, why) {
		t.Errorf("got %q", got)
	}
	if _, unknown := r.Chain(&device); !strings.Contains(unknown, why) {
		t.Errorf("got %q", unknown)
	}
	contents.CACertificates = contents.CACertificates[:16]
	if got := verdict(revocations(t, contents).Of(&device)); got != "revoked unspecified" {
		t.Errorf("got %q with 16 of them", got)
	}
}

// TestManyNamesakesOfACRL: the same where it is the CRL that does not name its key.
func TestManyNamesakesOfACRL(t *testing.T) {
	ca := newCA(t, "CA", nil)
	contents := inventory.Contents{CRLs: []inventory.CRL{inventory.NewCRL(ca.version1CRL(t, 1, 5))}}
	for range 16 {
		contents.CACertificates = append(contents.CACertificates, newCA(t, "CA", nil).certificate())
	}
	contents.CACertificates = append(contents.CACertificates, ca.certificate())
	device := ca.issue(t, 5)
	if got := verdict(revocations(t, contents).Of(&device)); !strings.Contains(got, "cannot be verified: more than 16 CA certificates of one name") {
		t.Errorf("got %q", got)
	}
	contents.CACertificates = contents.CACertificates[1:]
	if got := verdict(revocations(t, contents).Of(&device)); got != "revoked unspecified" {
		t.Errorf("got %q with 16 of them", got)
	}
}

// TestHugeKey: a key that takes long to check signatures with is not tried.
func TestHugeKey(t *testing.T) {
	ca := newCA(t, "CA", nil)
	template := *ca.Certificate
	template.SubjectKeyId = ca.SubjectKeyId
	key := &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 16999, 1), E: 65537}
	der, err := x509.CreateCertificate(rand.Reader, &template, ca.Certificate, key, ca.key)
	require.NoError(t, err)
	device := ca.issue(t, 5)
	got := verdict(revocations(t, inventory.Contents{
		CACertificates: []inventory.Certificate{inventory.NewCertificate(der, "ACTIVE")}, CRLs: []inventory.CRL{ca.crl(t, 1, 1, nil)},
	}).Of(&device))
	if !strings.Contains(got, "the CA's key has 17000 bits, more than 16384") {
		t.Errorf("got %q", got)
	}
}

// TestChain has chains as "serial name" of each certificate, nearest first.
func TestChain(t *testing.T) {
	serial := func(n int64) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.SerialNumber = big.NewInt(n) }
	}
	root := newCA(t, "root", nil, serial(10))
	root2 := newCA(t, "root 2", nil, serial(20))
	sub := newCA(t, "sub", root, serial(11))
	cross := newCAWithKey(t, "sub", sub.key, root2, serial(21))
	low := newCA(t, "low", sub, serial(12))
	// Two CAs that signed each other, and one that signed itself under its own name with another key.
	a := newCA(t, "a", nil, serial(30))
	b := newCA(t, "b", a, serial(31))
	aByB := newCAWithKey(t, "a", a.key, b, serial(32))
	for _, test := range []struct {
		name   string
		cas    []*authority
		issuer *authority
		want   []string
	}{
		{"no CA", nil, root, nil},
		{"root", []*authority{root}, root, []string{"0a root"}},
		{"another's root", []*authority{root2}, root, nil},
		{"three", []*authority{root, sub, low}, low, []string{"0c low", "0b sub", "0a root"}},
		{"hole", []*authority{root, low}, low, []string{"0c low"}},
		{"cross-signed", []*authority{root, root2, cross, sub, low}, low, []string{"0c low", "15 sub", "0b sub", "14 root 2", "0a root"}},
		{"loop", []*authority{b, aByB}, b, []string{"1f b", "20 a"}},
		{"loop with a root", []*authority{a, b, aByB}, a, []string{"1e a", "20 a", "1f b"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var contents inventory.Contents
			for _, a := range test.cas {
				contents.CACertificates = append(contents.CACertificates, a.certificate())
			}
			device := test.issuer.issue(t, 5)
			links, unknown := revocations(t, contents).Chain(&device)
			var got []string
			for _, l := range links {
				got = append(got, l.CA.Serial()+strings.Replace(l.CA.Subject(), "CN=", " ", 1))
			}
			if diff := cmp.Diff(test.want, got); diff != "" || unknown != "" {
				t.Errorf("unknown %q, chain (-want +got):\n%s", unknown, diff)
			}
		})
	}
}

// TestLongChain: the walk up ends, and says so.
func TestLongChain(t *testing.T) {
	top := newCA(t, "CA 0", nil)
	contents := inventory.Contents{CACertificates: []inventory.Certificate{top.certificate()}}
	for i := range 100 {
		top = newCA(t, fmt.Sprint("CA ", i+1), top)
		contents.CACertificates = append(contents.CACertificates, top.certificate())
	}
	device := top.issue(t, 5)
	if links, unknown := revocations(t, contents).Chain(&device); len(links) != 100 || unknown != "more than 100 CA certificates are in its chain" {
		t.Errorf("%d links, unknown %q", len(links), unknown)
	}
}

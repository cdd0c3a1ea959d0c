package inventory_test

import (
	"crypto/x509"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

// TestRevocationsWithoutShortcuts holds what is found in few steps against what is found when every certificate's DER
// is looked at: over certificates of CAs that share names and keys, or lack key identifiers, with CRLs of every kind.
func TestRevocationsWithoutShortcuts(t *testing.T) {
	root := newCA(t, "root", nil)
	plain := withoutKeyID(t, newCA(t, "A", nil))
	cas := []*authority{
		root, newCA(t, "A", root), newCA(t, "A", root), plain, newCA(t, "B", root), newCA(t, "B", nil),
		newCA(t, "root", root), newCA(t, "C", nil, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign }),
	}
	cas = append(cas, renewed(t, cas[1]))
	isCA := func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = true, true }
	var certs []inventory.Certificate
	var crls []inventory.CRL
	for i, ca := range cas {
		certs = append(certs, ca.certificate())
		for serial := range int64(4) {
			certs = append(certs, ca.issue(t, serial), ca.issue(t, serial, isCA),
				ca.issue(t, serial, func(c *x509.Certificate) { c.Subject = ca.Subject }))
		}
		for n, edit := range [][]func(*x509.RevocationList){nil, {delta}, {scope}, {caScope}, nil} {
			list := entries{entry(int64(n%3), 3, 1), entry(1+int64(i%3), 2, 8*(n%2))}
			if n == 4 {
				list[1].ExtraExtensions = append(list[1].ExtraExtensions, certificateIssuer(t, cas[(i+1)%len(cas)]))
			}
			crls = append(crls, ca.crl(t, int64(n), 5-n, list, edit...))
		}
	}
	text := func(r *inventory.Revocations, c *inventory.Certificate) string {
		chain, unknown := r.Chain(c)
		words := verdict(r.Of(c)) + ", chain " + unknown
		for _, l := range chain {
			words += fmt.Sprint(" ", l.CA.ID, " ", verdict(l.Revocation))
		}
		return words
	}
	r := rand.New(rand.NewPCG(7, 8))
	seen := make(map[string]int)
	for range 150 {
		var contents inventory.Contents
		for _, ca := range cas {
			if r.IntN(2) == 0 {
				contents.CACertificates = append(contents.CACertificates, ca.certificate())
			}
		}
		for range r.IntN(9) {
			contents.CRLs = append(contents.CRLs, crls[r.IntN(len(crls))])
		}
		quick, slow := revocations(t, contents), revocations(t, contents).Forgetful()
		for i := range certs {
			if r.IntN(3) > 0 {
				continue
			}
			forgetful := certs[i].Forgetful()
			want := text(slow, &forgetful)
			seen[verdict(slow.Of(&forgetful))[:6]]++
			got := []string{text(quick, &certs[i]), text(quick, &forgetful)}
			if diff := cmp.Diff([]string{want, want}, got); diff != "" {
				t.Fatalf("%s, serial number %s, issued by %s: as it is, and without what is kept of it (-want +got):\n%s",
					certs[i].Subject(), certs[i].Serial(), certs[i].Issuer(), diff)
			}
		}
	}
	for _, words := range []string{"active", "revoke", "unknow"} {
		require.Greater(t, seen[words], 100, "%s is tried too little: %v", words, seen)
	}
}

// TestManyIssuers: each of many CAs, with and without a key identifier, is told from the others.
func TestManyIssuers(t *testing.T) {
	var cas []*authority
	var contents inventory.Contents
	for i := range 60 {
		ca := newCA(t, fmt.Sprint("CA ", i/2), nil)
		if i%2 == 0 && i%3 == 0 {
			ca = withoutKeyID(t, ca)
		}
		cas = append(cas, ca)
		contents.CACertificates = append(contents.CACertificates, ca.certificate())
	}
	r := revocations(t, contents)
	for i, ca := range cas {
		for _, c := range []inventory.Certificate{ca.issue(t, 5), ca.issue(t, 5).Forgetful()} {
			links, unknown := r.Chain(&c)
			if len(links) == 0 || links[0].CA.ID != contents.CACertificates[i].ID || unknown != "" {
				t.Errorf("issuer of a certificate of CA %d: %d links, unknown %q", i, len(links), unknown)
			}
		}
	}
	stranger := newCA(t, "stranger", nil).issue(t, 5)
	if links, unknown := r.Chain(&stranger); links != nil || unknown != "" {
		t.Errorf("a stranger's certificate has %d links, unknown %q", len(links), unknown)
	}
}

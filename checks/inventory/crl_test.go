package inventory_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

// crlFacts are a CRL's, in a form that can be compared.
type crlFacts struct {
	ThisUpdate, NextUpdate time.Time
	Issuer, AKI, Number    string
	Delta                  bool
	Len                    int
}

func crlFactsOf(c *inventory.CRL) crlFacts {
	f := crlFacts{c.ThisUpdate, c.NextUpdate, string(c.RawIssuer), string(c.AuthorityKeyID), "", c.Delta, c.Len()}
	if c.Number != nil {
		f.Number = c.Number.String()
	}
	return f
}

func TestCRLFacts(t *testing.T) {
	ca := newCA(t, "root", nil)
	der := ca.crlDER(t, 7, 1, []x509.RevocationListEntry{entry(5, 3, 1), entry(4, 2, 0)})
	c := inventory.NewCRL(der)
	want := crlFacts{now.AddDate(0, 0, -1), now.AddDate(0, 0, 6), string(ca.RawSubject), string(ca.SubjectKeyId), "7", false, 2}
	if diff := cmp.Diff(want, crlFactsOf(&c)); diff != "" || c.Unusable != "" {
		t.Errorf("Unusable %q, facts (-want +got):\n%s", c.Unusable, diff)
	}
	if c.Issuer() != "CN=root" || c.String() != "CRL "+c.ID || len(c.ID) != 64 {
		t.Errorf("issuer %q, name %q", c.Issuer(), c.String())
	}
	c.Origin = inventory.Origin{File: "x.crl", Offset: 3}
	if c.String() != "CRL x.crl:3" {
		t.Errorf("name %q", c.String())
	}
}

func TestCRLVersion1(t *testing.T) {
	ca := newCA(t, "root", nil)
	c := inventory.NewCRL(ca.version1CRL(t, 1, 5, 6))
	want := crlFacts{now.AddDate(0, 0, -1), now.AddDate(0, 0, 6), string(ca.RawSubject), "", "", false, 2}
	if diff := cmp.Diff(want, crlFactsOf(&c)); diff != "" || c.Unusable != "" {
		t.Errorf("Unusable %q, facts (-want +got):\n%s", c.Unusable, diff)
	}
}

// critical makes an extension.
func critical(last int, value ...byte) pkix.Extension {
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, last}, Critical: true, Value: value}
}

// TestCRLThatCannotBeReliedOn: it says why, and still says whose it is.
func TestCRLThatCannotBeReliedOn(t *testing.T) {
	ca := newCA(t, "root", nil)
	extended := func(e ...pkix.Extension) []byte {
		return ca.crlDER(t, 1, 1, nil, func(c *x509.RevocationList) { c.ExtraExtensions = e })
	}
	entryExtended := func(e ...pkix.Extension) []byte {
		r := entry(0xab, 1, 0)
		r.ExtraExtensions = e
		return ca.crlDER(t, 1, 1, []x509.RevocationListEntry{r})
	}
	good := extended()
	for _, test := range []struct {
		name string
		der  []byte
		want string
	}{
		{"good", good, ""},
		{"unknown extension, not critical", extended(pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3}}), ""},
		{"known critical extensions", extended(critical(28, 0x30, 0), critical(27, 2, 1, 1)), ""},
		{"unknown critical extension", extended(critical(99)), "critical extension 2.5.29.99 is not known"},
		{"critical extension elsewhere", extended(pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true}), "critical extension 1.2.3 is not known"},
		{"malformed distribution point", extended(critical(28, 0x30, 5)), "malformed issuing distribution point"},
		{"data after distribution point", extended(critical(28, 0x30, 0, 0)), "malformed issuing distribution point"},
		{"unknown critical entry extension", entryExtended(critical(99)), "entry ab: critical extension 2.5.29.99 is not known"},
		{"entry's issuer is no name", entryExtended(critical(29, 0x30, 2, 0x82, 0)), "entry ab: malformed certificate issuer"},
		{"entry's issuer is nothing", entryExtended(critical(29)), "entry ab: malformed certificate issuer"},
		{"version 3", withVersion(t, good, 2), "x509: unsupported crl version: 2"},
		{"time that is none", replaced(t, good, "Z", "z"), "x509: malformed UTCTime"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := inventory.NewCRL(test.der)
			if c.Unusable != test.want {
				t.Errorf("Unusable %q, want %q", c.Unusable, test.want)
			}
			if c.Issuer() != "CN=root" {
				t.Errorf("issuer %q", c.Issuer())
			}
		})
	}
	for name, der := range map[string][]byte{
		"empty": nil, "text": []byte("hello"), "truncated": good[:len(good)-1], "trailing": append(good, 0),
		"certificate of nothing": {0x30, 0}, "too large": make([]byte, inventory.MaxCRL+1), "no list": {0x30, 10, 2, 1, 1, 0x30, 0, 3, 3, 0, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			c := inventory.NewCRL(der)
			if c.Unusable == "" || len(c.RawIssuer) > 0 || c.Len() > 0 {
				t.Errorf("Unusable %q, issuer %x, %d entries", c.Unusable, c.RawIssuer, c.Len())
			}
		})
	}
}

func FuzzNewCRL(f *testing.F) {
	for _, der := range fleetDER(f) {
		f.Add(der)
	}
	ca := newCA(f, "root", nil)
	device := ca.issue(f, 5)
	indirect := entry(9, 1, 6)
	indirect.ExtraExtensions = []pkix.Extension{certificateIssuer(f, newCA(f, "other", nil))}
	f.Add(ca.crlDER(f, 1, 1, []x509.RevocationListEntry{entry(5, 3, 1), indirect}))
	f.Add(ca.crlDER(f, 1, 1, nil, func(c *x509.RevocationList) {
		c.ExtraExtensions = []pkix.Extension{critical(28, 0x30, 3, 0x84, 1, 0xff)}
	}))
	f.Fuzz(func(t *testing.T, der []byte) {
		c := inventory.NewCRL(der)
		if !utf8.ValidString(c.Unusable) || !utf8.ValidString(c.Issuer()) {
			t.Errorf("text is not UTF-8: %q, %q", c.Unusable, c.Issuer())
		}
		x, err := x509.ParseRevocationList(der)
		switch {
		case c.Unusable == "" && err == nil:
			negative := 0
			for _, e := range x.RevokedCertificateEntries {
				if e.SerialNumber.Sign() < 0 {
					negative++
				}
			}
			want := crlFacts{x.ThisUpdate, x.NextUpdate, string(x.RawIssuer), string(x.AuthorityKeyId), "", c.Delta, len(x.RevokedCertificateEntries) - negative}
			if x.Number != nil {
				want.Number = x.Number.String()
			}
			if diff := cmp.Diff(want, crlFactsOf(&c)); diff != "" {
				t.Errorf("facts (-want +got):\n%s", diff)
			}
		case c.Unusable == "" && err.Error() != "x509: unsupported crl version":
			t.Errorf("crypto/x509 says %v", err)
		}
		// Nothing may panic on what has been read, whatever it is.
		revocations(t, inventory.Contents{CACertificates: []inventory.Certificate{ca.certificate()}, CRLs: []inventory.CRL{c}}).
			Of(&device)
	})
}

package certificate_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/certificate"
	"github.com/fleetaudit/fleetaudit/checks/checktest"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/model"
)

const intermediateRevoked = "INTERMEDIATE_CA_REVOKED_BY_ISSUER"

// TestIntermediateCARevoked has the CA certificates and CRLs of an inventory, a device certificate, and
// which of the CA certificates are found, by subject.
func TestIntermediateCARevoked(t *testing.T) {
	root, root2 := newCA(t, "root", nil, serial(1)), newCA(t, "root 2", nil, serial(2))
	sub := newCA(t, "sub", root, serial(11))
	subInactive := *sub
	subInactive.Status = "INACTIVE"
	cross := newCAWithKey(t, "sub", sub.key, root2, serial(21))
	low := newCA(t, "low", sub, serial(12))
	twin := newCA(t, "sub", root, serial(13)) // of the same name, with another key
	a := newCA(t, "a", nil, serial(30))
	b := newCA(t, "b", a, serial(31))
	aByB := newCAWithKey(t, "a", a.key, b, serial(32))
	rekeyed := newCA(t, "root", root, serial(41), func(c *x509.Certificate) { c.AuthorityKeyId = root.x509.SubjectKeyId })

	cas := func(list ...*authority) (c []inventory.Certificate) {
		for _, a := range list {
			c = append(c, a.Certificate)
		}
		return c
	}
	crls := func(list ...inventory.CRL) []inventory.CRL { return list }
	for _, test := range []struct {
		name   string
		cas    []inventory.Certificate
		crls   []inventory.CRL
		device inventory.Certificate
		want   string // subjects of those that are found, "?" behind those that cannot be judged
	}{
		{"nothing revoked", cas(root, sub, low), crls(root.crl(t), sub.crl(t)), low.issue(t, 5), ""},
		{"device revoked, not its CA", cas(root, sub), crls(root.crl(t), sub.crl(t, 5)), sub.issue(t, 5), ""},
		{"issuer revoked", cas(root, sub), crls(root.crl(t, 11)), sub.issue(t, 5), "sub"},
		{"issuer revoked and inactive", cas(root, &subInactive), crls(root.crl(t, 11)), sub.issue(t, 5), "sub"},
		{"issuer's issuer revoked", cas(low, sub, root), crls(root.crl(t, 11), sub.crl(t)), low.issue(t, 5), "sub"},
		{"both revoked", cas(low, sub, root), crls(root.crl(t, 11), sub.crl(t, 12)), low.issue(t, 5), "low sub"},
		{"device is not in scope", cas(root, sub), crls(root.crl(t, 11)), with("REVOKED", sub.issue(t, 5)), ""},
		{"device of the root", cas(root, sub), crls(root.crl(t, 11)), root.issue(t, 5), ""},
		{"root lists itself", cas(root, sub), crls(root.crl(t, 1)), sub.issue(t, 5), ""},
		{"self-issued with a new key", cas(root, rekeyed), crls(root.crl(t, 41)), rekeyed.issue(t, 5), "root"},
		{"namesake revoked", cas(root, sub, twin), crls(root.crl(t, 13)), sub.issue(t, 5), ""},
		{"namesake's device", cas(root, sub, twin), crls(root.crl(t, 13)), twin.issue(t, 5), "sub"},
		{"intermediate is missing", cas(root), crls(root.crl(t, 11)), sub.issue(t, 5), ""},
		{"root is missing", cas(sub), crls(root.crl(t, 11)), sub.issue(t, 5), "sub?"},
		{"CRL of another root", cas(root, root2, sub), crls(root2.crl(t, 11)), sub.issue(t, 5), ""},
		{"cross-signed, one path revoked", cas(root, root2, sub, cross), crls(root.crl(t), root2.crl(t, 21)), sub.issue(t, 5), "sub"},
		{"cross-signed, both paths revoked", cas(root, root2, sub, cross, low), crls(root.crl(t, 11), root2.crl(t, 21)), low.issue(t, 5), "sub sub"},
		{"CA certificate that is there twice", cas(root, sub, sub), crls(root.crl(t, 11)), sub.issue(t, 5), "sub"},
		{"loop", cas(b, aByB), crls(a.crl(t, 31)), b.issue(t, 5), "b"},
		{"loop, all of it", cas(a, b, aByB), crls(a.crl(t, 31), b.crl(t, 32)), b.issue(t, 5), "a b"},
	} {
		t.Run(test.name, func(t *testing.T) {
			inv := inventory.New(inventory.Contents{
				DeviceCertificates: []inventory.Certificate{test.device}, CACertificates: test.cas, CRLs: test.crls,
			})
			job := run(t, certificate.IntermediateCARevoked(inv))
			var got []string
			for _, f := range job.Findings {
				name := strings.TrimPrefix(f.Resource.AdditionalInfo["ISSUER_CERTIFICATE_SUBJECT"], "CN=")
				if f.ReasonCode == notEvaluable {
					name += "?"
				}
				got = append(got, name)
				want := []model.RelatedResource{{
					ResourceType:       model.ResourceTypeDeviceCertificate,
					ResourceIdentifier: model.ResourceIdentifier{DeviceCertificateID: test.device.ID},
				}}
				if diff := cmp.Diff(want, f.Related); diff != "" {
					t.Errorf("related resources of %s (-want +got):\n%s", name, diff)
				}
			}
			slices.Sort(got)
			if diff := cmp.Diff(test.want, strings.Join(got, " ")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// run runs a check as of now.
func run(t *testing.T, check checks.Check) (out checks.Outcome) {
	t.Helper()
	var r checks.Runner
	job := &checks.Job{Check: check, Spec: new(check.Spec()), Pass: checks.Pass{Time: now}, End: func(o checks.Outcome) { out = o }}
	r.Run(t.Context(), []*checks.Job{job})
	if out.Err != nil {
		t.Fatal(out.Err)
	}
	return out
}

// TestIntermediateCARevokedResource: what is reported can be asked for with ListAuditFindings, and
// nothing of it is lost.
func TestIntermediateCARevokedResource(t *testing.T) {
	root := newCA(t, "root", nil)
	long, longer := new(big.Int).Lsh(big.NewInt(1), 79), new(big.Int).Lsh(big.NewInt(1), 80)
	x := strings.Repeat("x", 998)
	for _, test := range []struct {
		name    string
		subject pkix.Name
		serial  *big.Int
		want    model.IssuerCertificateIdentifier // without IssuerID
	}{
		{"plain", pkix.Name{CommonName: "sub"}, big.NewInt(5), model.IssuerCertificateIdentifier{IssuerCertificateSubject: "CN=sub", IssuerCertificateSerialNumber: "05"}},
		{"longest serial", pkix.Name{CommonName: "sub"}, long, model.IssuerCertificateIdentifier{IssuerCertificateSubject: "CN=sub", IssuerCertificateSerialNumber: "80000000000000000000"}},
		{"longer serial", pkix.Name{CommonName: "sub"}, longer, model.IssuerCertificateIdentifier{IssuerCertificateSubject: "CN=sub"}},
		{"other letters", pkix.Name{CommonName: "Süd"}, big.NewInt(0xabc), model.IssuerCertificateIdentifier{IssuerCertificateSerialNumber: "0abc"}},
		{"longest subject", pkix.Name{CommonName: x[:997]}, longer, model.IssuerCertificateIdentifier{IssuerCertificateSubject: "CN=" + x[:997]}},
		{"longer subject", pkix.Name{CommonName: x}, longer, model.IssuerCertificateIdentifier{}},
		{"no subject", pkix.Name{}, big.NewInt(7), model.IssuerCertificateIdentifier{IssuerCertificateSerialNumber: "07"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			sub := newCA(t, "", root, func(c *x509.Certificate) { c.Subject, c.SerialNumber = test.subject, test.serial })
			template := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: now, NextUpdate: now,
				RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: test.serial, RevocationTime: now}}}
			inv := inventory.New(inventory.Contents{
				DeviceCertificates: []inventory.Certificate{sub.issue(t, 5)},
				CACertificates:     []inventory.Certificate{root.Certificate, sub.Certificate},
				CRLs:               []inventory.CRL{inventory.NewCRL(createCRL(t, template, root))},
			})
			test.want.IssuerID = sub.ID
			id := model.ResourceIdentifier{IssuerCertificateIdentifier: test.want}
			out := checktest.Run(t, certificate.IntermediateCARevoked(inv), checktest.Case{
				Time: now, Want: []checktest.Finding{{Resource: id, ReasonCode: intermediateRevoked}},
			})
			info := map[string]string{
				"REVOCATION_TIME": "1717243200000", "REVOCATION_REASON": "unspecified",
				"ISSUER_CERTIFICATE_SUBJECT":       sub.x509.Subject.ToRDNSequence().String(),
				"ISSUER_CERTIFICATE_SERIAL_NUMBER": strings.Repeat("0", len(test.serial.Text(16))%2) + test.serial.Text(16),
			}
			for _, f := range out.Findings {
				if diff := cmp.Diff(info, f.Resource.AdditionalInfo); diff != "" {
					t.Errorf("additional information (-want +got):\n%s", diff)
				}
				if p := model.Check(&model.ListAuditFindingsInput{TaskID: "t", ResourceIdentifier: f.Resource.ResourceIdentifier}); len(p) > 0 {
					t.Errorf("cannot be asked for: %v", p)
				}
			}
		})
	}
}

// TestIntermediateCARevokedLongChain: a chain that is too long to walk is not taken for a good one.
func TestIntermediateCARevokedLongChain(t *testing.T) {
	top := newCA(t, "CA", nil)
	contents := inventory.Contents{CACertificates: []inventory.Certificate{top.Certificate}}
	for i := range 100 {
		top = newCA(t, fmt.Sprint("CA ", i), top)
		contents.CACertificates = append(contents.CACertificates, top.Certificate)
	}
	contents.DeviceCertificates = []inventory.Certificate{top.issue(t, 5)}
	out := checktest.Run(t, certificate.IntermediateCARevoked(inventory.New(contents)), checktest.Case{
		Time: now, Want: []checktest.Finding{device(contents.DeviceCertificates[0], notEvaluable)},
	})
	const want = "Chain of the certificate cannot be walked: more than 100 CA certificates are in its chain"
	if len(out.Findings) == 1 && out.Findings[0].Reason != want {
		t.Errorf("reason %q", out.Findings[0].Reason)
	}
}

// TestIntermediateCARevokedContract has many devices below two intermediates, in every status.
func TestIntermediateCARevokedContract(t *testing.T) {
	root := newCA(t, "root", nil)
	bad, good := newCA(t, "bad", root, serial(11)), newCA(t, "good", root, serial(12))
	all, broken, unknown := scoped(func(s inventory.CertificateStatus) inventory.Certificate {
		return with(s, bad.issue(t, 5))
	})
	all = append(all, good.issue(t, 5))
	contents := inventory.Contents{
		DeviceCertificates: all,
		CACertificates:     []inventory.Certificate{root.Certificate, bad.Certificate, good.Certificate},
		CRLs:               []inventory.CRL{root.crl(t, 11)},
	}
	c := checktest.Case{Time: now, WantScanned: int64(len(broken) + len(unknown) + 1), Want: []checktest.Finding{{
		Resource: model.ResourceIdentifier{IssuerCertificateIdentifier: model.IssuerCertificateIdentifier{
			IssuerCertificateSubject: "CN=bad", IssuerID: bad.ID, IssuerCertificateSerialNumber: "0b",
		}},
		ReasonCode: intermediateRevoked,
	}}}
	for _, u := range unknown {
		c.Want = append(c.Want, device(u, notEvaluable))
	}
	contract(t, c, contents, certificate.IntermediateCARevoked, deviceSource, caSource, crlSource)

	out := checktest.Run(t, certificate.IntermediateCARevoked(inventory.New(contents)), c)
	var want, got []string
	for _, b := range broken {
		want = append(want, b.ID)
	}
	slices.Sort(want)
	for _, f := range out.Findings {
		for _, r := range f.Related {
			got = append(got, r.ResourceIdentifier.DeviceCertificateID)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("device certificates below (-want +got):\n%s", diff)
	}
}

package certificate_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetaudit/fleetaudit/checks/certificate"
	"github.com/fleetaudit/fleetaudit/checks/checktest"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

const revoked = "CERTIFICATE_REVOKED_BY_ISSUER"

func TestRevokedDeviceCertificateStillActive(t *testing.T) {
	ca, silent, missing := newCA(t, "CA", nil), newCA(t, "silent", nil), newCA(t, "missing", nil)
	all, broken, unknown := scoped(func(s inventory.CertificateStatus) inventory.Certificate {
		return with(s, ca.issue(t, 5))
	})
	// The same serial number of an issuer without CRL, and of one whose CRL cannot be verified.
	lost := missing.issue(t, 7)
	all = append(all, ca.issue(t, 6), silent.issue(t, 5), lost, with("INACTIVE", lost))
	unknown = append(unknown, lost)
	c := checktest.Case{Time: now, WantScanned: int64(len(broken) + len(unknown) + 2)}
	for _, b := range broken {
		c.Want = append(c.Want, device(b, revoked))
	}
	for _, u := range unknown {
		c.Want = append(c.Want, device(u, notEvaluable))
	}
	contents := inventory.Contents{
		DeviceCertificates: all,
		CACertificates:     []inventory.Certificate{ca.Certificate, silent.Certificate},
		CRLs:               []inventory.CRL{ca.crl(t, 5), missing.crl(t, 5)},
	}
	contract(t, c, contents, certificate.RevokedDeviceCertificateStillActive, deviceSource, caSource, crlSource)
}

// TestRevokedWords has the words and additional information of findings.
func TestRevokedWords(t *testing.T) {
	ca := newCA(t, "CA", nil)
	contents := inventory.Contents{
		DeviceCertificates: []inventory.Certificate{ca.issue(t, 5)},
		CACertificates:     []inventory.Certificate{ca.Certificate},
		CRLs:               []inventory.CRL{ca.crl(t, 5)},
	}
	c := checktest.Case{Time: now, Want: []checktest.Finding{device(contents.DeviceCertificates[0], revoked)}}
	for _, f := range checktest.Run(t, certificate.RevokedDeviceCertificateStillActive(inventory.New(contents)), c).Findings {
		info := map[string]string{"REVOCATION_TIME": "1717070400000", "REVOCATION_REASON": "keyCompromise"}
		if diff := cmp.Diff(info, f.Resource.AdditionalInfo); diff != "" || f.Reason != "Certificate is revoked by its issuer and still active." {
			t.Errorf("reason %q, additional information (-want +got):\n%s", f.Reason, diff)
		}
	}

	contents.CACertificates = nil
	contents.CRLs[0].Origin = inventory.Origin{File: "ca.crl", Offset: 12}
	c.Want[0].ReasonCode = notEvaluable
	for _, f := range checktest.Run(t, certificate.RevokedDeviceCertificateStillActive(inventory.New(contents)), c).Findings {
		const want = "Revocation status of the certificate is unknown: CRL ca.crl:12 of the issuer cannot be verified: " +
			"no CA certificate of its issuer's name and key is in the inventory"
		if f.Reason != want || f.Resource.AdditionalInfo != nil {
			t.Errorf("reason %q, additional information %v", f.Reason, f.Resource.AdditionalInfo)
		}
	}
}

package certificate_test

import (
	"crypto/x509"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetaudit/fleetaudit/checks/certificate"
	"github.com/fleetaudit/fleetaudit/checks/checktest"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

const (
	approaching = "CERTIFICATE_APPROACHING_EXPIRATION"
	past        = "CERTIFICATE_PAST_EXPIRATION"
)

func expires(at time.Time) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.NotAfter = at }
}

// expiryRow is a certificate that ends some time after the audit, and what is said about it with a
// threshold of 30 days.
type expiryRow struct {
	after time.Duration
	want  string // empty: nothing
}

var expiryRows = []expiryRow{
	{-1000 * day, past}, {-time.Second, past},
	{0, approaching}, {time.Second, approaching}, {30*day - time.Second, approaching}, {30 * day, approaching},
	{30*day + time.Second, ""}, {60 * day, ""}, {3652 * day, ""},
}

func TestDeviceCertificateExpiring(t *testing.T) {
	root := newCA(t, "root", nil)
	for _, row := range expiryRows {
		c := root.issue(t, 5, expires(now.Add(row.after)))
		inv := inventory.New(inventory.Contents{DeviceCertificates: []inventory.Certificate{c}})
		var want []checktest.Finding
		if row.want != "" {
			want = append(want, device(c, row.want))
		}
		checktest.Run(t, certificate.DeviceCertificateExpiring(inv), checktest.Case{Time: now, Want: want, WantScanned: 1})
	}
}

// TestDeviceCertificateExpiringThreshold: 60 days, to the second.
func TestDeviceCertificateExpiringThreshold(t *testing.T) {
	root := newCA(t, "root", nil)
	near, far := root.issue(t, 5, expires(now.Add(60*day))), root.issue(t, 6, expires(now.Add(60*day+time.Second)))
	inv := inventory.New(inventory.Contents{DeviceCertificates: []inventory.Certificate{near, far}})
	checktest.Run(t, certificate.DeviceCertificateExpiring(inv), checktest.Case{
		Time: now, Config: map[string]string{"CERT_EXPIRATION_THRESHOLD_IN_DAYS": "60"},
		Want: []checktest.Finding{device(near, approaching)},
	})
}

func TestDeviceCertificateExpiringScope(t *testing.T) {
	root := newCA(t, "root", nil)
	all, broken, unknown := scoped(func(s inventory.CertificateStatus) inventory.Certificate {
		return with(s, root.issue(t, 5, expires(now.Add(-day))))
	})
	c := checktest.Case{Time: now, WantScanned: int64(len(broken) + len(unknown))}
	for _, b := range broken {
		c.Want = append(c.Want, device(b, past))
	}
	for _, u := range unknown {
		c.Want = append(c.Want, device(u, notEvaluable))
	}
	contract(t, c, inventory.Contents{DeviceCertificates: all}, certificate.DeviceCertificateExpiring, deviceSource)
}

// TestExpiringWords has the words and additional information of findings.
func TestExpiringWords(t *testing.T) {
	root := newCA(t, "root", nil)
	end := time.Date(2024, 6, 20, 0, 0, 0, 0, time.UTC)
	late := time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	for _, test := range []struct {
		cert           inventory.Certificate
		at             time.Time
		reason, millis string
	}{
		{root.issue(t, 5, expires(end)), end.Add(time.Millisecond), "Certificate is past its expiration.", "1718841600000"},
		{root.issue(t, 5, expires(end)), end, "Certificate is approaching its expiration.", "1718841600000"},
		{root.issue(t, 5, expires(late)), late, "Certificate is approaching its expiration.", "253402300799000"},
		{damaged("ACTIVE"), now, "Certificate cannot be parsed: x509: malformed certificate", ""},
		{with("active", root.issue(t, 5)), now, `Certificate status "active" is none of AWS's.`, ""},
	} {
		inv := inventory.New(inventory.Contents{DeviceCertificates: []inventory.Certificate{test.cert}})
		code := notEvaluable
		var info map[string]string
		if test.millis != "" {
			info = map[string]string{"EXPIRATION_TIME": test.millis}
			if code = approaching; test.at.After(test.cert.NotAfter) {
				code = past
			}
		}
		out := checktest.Run(t, certificate.DeviceCertificateExpiring(inv),
			checktest.Case{Time: test.at, Want: []checktest.Finding{device(test.cert, code)}})
		for _, f := range out.Findings {
			if diff := cmp.Diff(info, f.Resource.AdditionalInfo); f.Reason != test.reason || diff != "" {
				t.Errorf("reason %q, want %q; additional information (-want +got):\n%s", f.Reason, test.reason, diff)
			}
		}
	}
}

package certificate_test

import (
	"crypto/x509"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetaudit/fleetaudit/checks/certificate"
	"github.com/fleetaudit/fleetaudit/checks/checktest"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

const old = "CERTIFICATE_PAST_AGE_THRESHOLD"

func TestDeviceCertificateAge(t *testing.T) {
	root := newCA(t, "root", nil)
	const unknown = time.Duration(-1)
	for _, row := range []struct {
		threshold int           // days
		valid     time.Duration // since when
		created   time.Duration // since when
		want      bool
	}{
		{365, 365 * day, unknown, true},
		{365, 365*day - time.Second, unknown, false},
		{365, 366 * day, unknown, true},
		{365, -day, unknown, false}, // not valid yet
		{365, 0, unknown, false},
		{30, 30 * day, unknown, true},
		{30, 30*day - time.Second, unknown, false},
		{3652, 3652 * day, unknown, true},
		{3652, 3651 * day, unknown, false},
		{365, 1000 * day, 364 * day, false}, // registered later than issued
		{365, 1000 * day, 365 * day, true},
		{365, day, 365 * day, true}, // issued with a validity that begins later
		{365, day, 365*day - time.Nanosecond, false},
	} {
		c := root.issue(t, 5, func(c *x509.Certificate) { c.NotBefore = now.Add(-row.valid) })
		since := c.NotBefore
		if row.created != unknown {
			since = now.Add(-row.created)
			c.CreatedAt = since
		}
		var want []checktest.Finding
		if row.want {
			want = append(want, device(c, old))
		}
		inv := inventory.New(inventory.Contents{DeviceCertificates: []inventory.Certificate{c}})
		out := checktest.Run(t, certificate.DeviceCertificateAge(inv), checktest.Case{
			Time: now, Want: want, WantScanned: 1,
			Config: map[string]string{"CERT_AGE_THRESHOLD_IN_DAYS": strconv.Itoa(row.threshold)},
		})
		for _, f := range out.Findings {
			info := map[string]string{"ACTIVE_SINCE": strconv.FormatInt(since.UnixMilli(), 10)}
			if diff := cmp.Diff(info, f.Resource.AdditionalInfo); f.Reason != "Certificate is past its age threshold." || diff != "" {
				t.Errorf("%+v: reason %q, additional information (-want +got):\n%s", row, f.Reason, diff)
			}
		}
	}
}

func TestDeviceCertificateAgeScope(t *testing.T) {
	root := newCA(t, "root", nil)
	all, broken, unknown := scoped(func(s inventory.CertificateStatus) inventory.Certificate {
		return with(s, root.issue(t, 5, func(c *x509.Certificate) { c.NotBefore = now.AddDate(-2, 0, 0) }))
	})
	c := checktest.Case{Time: now, WantScanned: int64(len(broken) + len(unknown))}
	for _, b := range broken {
		c.Want = append(c.Want, device(b, old))
	}
	for _, u := range unknown {
		c.Want = append(c.Want, device(u, notEvaluable))
	}
	contract(t, c, inventory.Contents{DeviceCertificates: all}, certificate.DeviceCertificateAge, deviceSource)
}

package certificate

import (
	"context"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/internal/baseline"
	"github.com/fleetaudit/fleetaudit/checks/internal/finding"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/model"
)

// DeviceCertificateAge makes the check DEVICE_CERTIFICATE_AGE_CHECK over inv's device certificates.
func DeviceCertificateAge(inv *inventory.Inventory) checks.Check {
	const (
		threshold = "CERT_AGE_THRESHOLD_IN_DAYS"
		code      = "CERTIFICATE_PAST_AGE_THRESHOLD"
	)
	src := inv.DeviceCertificates
	spec := checks.Spec{
		Name:  "DEVICE_CERTIFICATE_AGE_CHECK",
		Title: "Device certificate is old",
		Doc: "Looks at the age of each device certificate that is ACTIVE or PENDING_TRANSFER, and reports it once " +
			"the age has reached the threshold, in days of 24 hours. AWS does not say where age begins. Here it is " +
			"when the certificate was registered, and where that is not known, the start of its validity. The " +
			"additional information has it as ACTIVE_SINCE, in epoch milliseconds.",
		Remediation:  "Rotate the certificate: give the device a new one, see that it connects with it, then revoke the old one.",
		URL:          baseline.AWSPage("device-certificate-age-check"),
		Severity:     model.AuditFindingSeverityLow,
		ResourceType: model.ResourceTypeDeviceCertificate,
		Params: []checks.Param{{
			Name: threshold, Doc: "The age at which a certificate is reported.",
			Unit: "days", Default: 365, Min: 30, Max: 3652,
		}},
		ReasonCodes: []checks.ReasonCode{{Code: code, Doc: "It is as old as the threshold, or older."}},
		References: []checks.Reference{
			baseline.ETSI303645("5.5-8: secure management processes for critical security parameters"),
			baseline.IEC62443("CR 1.5: authenticator management, periodic change"),
		},
		Source: src,
	}
	return checks.New(spec, func(ctx context.Context, pass *checks.Pass) error {
		age := pass.Config.Days(threshold)
		judge := func(_ context.Context, pass *checks.Pass, c *inventory.Certificate) error {
			since := c.CreatedAt
			if since.IsZero() {
				since = c.NotBefore
			}
			if !since.Add(age).After(pass.Time) {
				finding.Report(pass, device(c), code, "Certificate is past its age threshold.",
					map[string]string{"ACTIVE_SINCE": finding.EpochMillis(since)})
			}
			return nil
		}
		return checks.Scan(ctx, pass, src, scoped(device, judge))
	})
}

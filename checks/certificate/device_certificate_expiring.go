package certificate

import (
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/internal/baseline"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/model"
)

// DeviceCertificateExpiring makes the check DEVICE_CERTIFICATE_EXPIRING_CHECK over inv's device
// certificates.
func DeviceCertificateExpiring(inv *inventory.Inventory) checks.Check {
	const threshold = "CERT_EXPIRATION_THRESHOLD_IN_DAYS"
	return expiring(checks.Spec{
		Name:  "DEVICE_CERTIFICATE_EXPIRING_CHECK",
		Title: "Device certificate is expiring",
		Doc: "Looks at the end of validity of each device certificate that is ACTIVE or PENDING_TRANSFER. It is past " +
			"its expiration when notAfter lies before the time of the audit, and approaching it when notAfter is " +
			"at most the threshold, in days of 24 hours, later. A certificate gets one of the two findings. The " +
			"start of validity is not looked at.",
		Remediation: "Give the device a new certificate, see that it connects with it, then deactivate the one that " +
			"expires.",
		URL:          baseline.AWSPage("audit-chk-device-cert-approaching-expiration"),
		Severity:     model.AuditFindingSeverityMedium,
		ResourceType: model.ResourceTypeDeviceCertificate,
		Params: []checks.Param{{
			Name: threshold, Doc: "How long before its end of validity a certificate is reported.",
			Unit: "days", Default: 30, Min: 30, Max: 3652,
		}},
		ReasonCodes: []checks.ReasonCode{
			{Code: approachingExpiration, Doc: "It expires within the threshold."},
			{Code: pastExpiration, Doc: "It has expired."},
		},
		References: []checks.Reference{
			baseline.ETSI303645("5.5-8: secure management processes for critical security parameters"),
			baseline.IEC62443("CR 1.8: public key infrastructure certificates"),
		},
	}, inv.DeviceCertificates, device, func(c checks.Config) time.Duration { return c.Days(threshold) })
}

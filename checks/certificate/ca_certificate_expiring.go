package certificate

import (
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/internal/baseline"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/model"
)

// CACertificateExpiring makes the check CA_CERTIFICATE_EXPIRING_CHECK over inv's CA certificates.
func CACertificateExpiring(inv *inventory.Inventory) checks.Check {
	return expiring(checks.Spec{
		Name:  "CA_CERTIFICATE_EXPIRING_CHECK",
		Title: "CA certificate is expiring",
		Doc: "Looks at the end of validity of each CA certificate that is ACTIVE or PENDING_TRANSFER. It is past " +
			"its expiration when notAfter lies before the time of the audit, and approaching it when notAfter is " +
			"at most 30 times 24 hours later. A certificate gets one of the two findings. The threshold is fixed. " +
			"The start of validity is not looked at.",
		Remediation: "Register a new CA certificate, have devices get certificates that it signed, then deactivate " +
			"the one that expires.",
		URL:          baseline.AWSPage("audit-chk-ca-cert-approaching-expiration"),
		Severity:     model.AuditFindingSeverityMedium,
		ResourceType: model.ResourceTypeCACertificate,
		ReasonCodes: []checks.ReasonCode{
			{Code: approachingExpiration, Doc: "It expires within 30 days."},
			{Code: pastExpiration, Doc: "It has expired."},
		},
		References: []checks.Reference{
			baseline.ETSI303645("5.5-8: secure management processes for critical security parameters"),
			baseline.IEC62443("CR 1.8: public key infrastructure certificates"),
		},
	}, inv.CACertificates, ca, func(checks.Config) time.Duration { return 30 * days })
}

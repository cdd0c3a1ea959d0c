package certificate

import (
	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/internal/baseline"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/model"
)

// RevokedCACertificateStillActive makes the check REVOKED_CA_CERTIFICATE_STILL_ACTIVE_CHECK over inv's CA
// certificates.
func RevokedCACertificateStillActive(inv *inventory.Inventory) checks.Check {
	return stillActive(checks.Spec{
		Name:  "REVOKED_CA_CERTIFICATE_STILL_ACTIVE_CHECK",
		Title: "Revoked CA certificate is still active",
		Doc: "Reports each CA certificate that is ACTIVE or PENDING_TRANSFER although its issuer has revoked it. A " +
			"root that its own CRL lists is revoked too." + whatCounts,
		Remediation: "Deactivate the CA certificate, review the device certificates that were registered with it, " +
			"and replace those in use.",
		URL:          baseline.AWSPage("audit-chk-revoked-ca-cert"),
		Severity:     model.AuditFindingSeverityCritical,
		ResourceType: model.ResourceTypeCACertificate,
		ReasonCodes:  []checks.ReasonCode{{Code: revokedByIssuer, Doc: "A CRL of its issuer lists it."}},
		References: []checks.Reference{
			baseline.NISTIR8259A("Logical Access to Interfaces"),
			baseline.ETSI303645("5.5-8: secure management processes for critical security parameters"),
			baseline.IEC62443("CR 1.9: strength of public key-based authentication, revocation status"),
		},
	}, inv, inv.CACertificates, ca)
}

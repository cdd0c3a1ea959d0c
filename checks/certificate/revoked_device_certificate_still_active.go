package certificate

import (
	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/internal/baseline"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/model"
)

// RevokedDeviceCertificateStillActive makes the check REVOKED_DEVICE_CERTIFICATE_STILL_ACTIVE_CHECK over
// inv's device certificates.
func RevokedDeviceCertificateStillActive(inv *inventory.Inventory) checks.Check {
	return stillActive(checks.Spec{
		Name:  "REVOKED_DEVICE_CERTIFICATE_STILL_ACTIVE_CHECK",
		Title: "Revoked device certificate is still active",
		Doc: "Reports each device certificate that is ACTIVE or PENDING_TRANSFER although its issuer has revoked " +
			"it." + whatCounts,
		Remediation: "Find out why the certificate was revoked, deactivate it, and give the device a new one if it " +
			"can be trusted.",
		URL:          baseline.AWSPage("audit-chk-revoked-device-cert"),
		Severity:     model.AuditFindingSeverityMedium,
		ResourceType: model.ResourceTypeDeviceCertificate,
		ReasonCodes:  []checks.ReasonCode{{Code: revokedByIssuer, Doc: "A CRL of its issuer lists it."}},
		References: []checks.Reference{
			baseline.NISTIR8259A("Logical Access to Interfaces"),
			baseline.ETSI303645("5.5-8: secure management processes for critical security parameters"),
			baseline.IEC62443("CR 1.9: strength of public key-based authentication, revocation status"),
		},
	}, inv, inv.DeviceCertificates, device)
}

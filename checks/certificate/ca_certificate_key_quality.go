package certificate

import (
	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/internal/baseline"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/model"
)

// CACertificateKeyQuality makes the check CA_CERTIFICATE_KEY_QUALITY_CHECK over inv's CA certificates and
// its list of weak keys, which each pass asks for anew.
func CACertificateKeyQuality(inv *inventory.Inventory) checks.Check {
	return keyQuality(checks.Spec{
		Name:  "CA_CERTIFICATE_KEY_QUALITY_CHECK",
		Title: "CA certificate has a weak key",
		Doc: "Reports each CA certificate that is ACTIVE or PENDING_TRANSFER and has a key that others can compute, " +
			"for the way in which it was made. Whoever does can issue certificates in the CA's name." + whichKeys,
		Remediation: "Make a new CA with a key of sound software or hardware, register it, replace the device " +
			"certificates that the old one signed, then deactivate the old one.",
		URL:          baseline.AWSPage("audit-chk-ca-cert-key-quality"),
		Severity:     model.AuditFindingSeverityCritical,
		ResourceType: model.ResourceTypeCACertificate,
	}, inv, inv.CACertificates, ca)
}

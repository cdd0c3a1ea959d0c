package certificate

import (
	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/internal/baseline"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/model"
)

// DeviceCertificateKeyQuality makes the check DEVICE_CERTIFICATE_KEY_QUALITY_CHECK over inv's device
// certificates and its list of weak keys, which each pass asks for anew.
func DeviceCertificateKeyQuality(inv *inventory.Inventory) checks.Check {
	return keyQuality(checks.Spec{
		Name:  "DEVICE_CERTIFICATE_KEY_QUALITY_CHECK",
		Title: "Device certificate has a weak key",
		Doc: "Reports each device certificate that is ACTIVE or PENDING_TRANSFER and has a key that others can " +
			"compute, for the way in which it was made. Whoever does can pass for the device." + whichKeys,
		Remediation: "Give the device a certificate with a key of sound software or hardware, see that it connects " +
			"with it, then revoke the old one. Update the firmware of the chip that made it, or the operating system, " +
			"before it makes the new key.",
		URL:          baseline.AWSPage("audit-chk-device-cert-key-quality"),
		Severity:     model.AuditFindingSeverityCritical,
		ResourceType: model.ResourceTypeDeviceCertificate,
	}, inv, inv.DeviceCertificates, device)
}

// Package builtin lists the checks that come with the library.
package builtin

import (
	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/certificate"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

// All makes every built-in check over the Sources of inv, in the order of their names. Sources that are
// assigned to inv later are not seen.
//
// A check is added with two files, the check and its test, in the folder of its family, and one line
// here.
func All(inv *inventory.Inventory) []checks.Check {
	return []checks.Check{
		certificate.CACertificateExpiring(inv),
		certificate.DeviceCertificateAge(inv),
		certificate.DeviceCertificateExpiring(inv),
		certificate.IntermediateCARevoked(inv),
		certificate.RevokedCACertificateStillActive(inv),
		certificate.RevokedDeviceCertificateStillActive(inv),
	}
}

// Package builtin lists the checks that come with the library.
package builtin

import (
	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/account"
	"github.com/fleetaudit/fleetaudit/checks/certificate"
	"github.com/fleetaudit/fleetaudit/checks/connection"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/checks/permission"
)

// All makes every built-in check over the Sources of inv, in the order of their names. Sources that are
// assigned to inv later are not seen.
//
// A check is added with two files, the check and its test, in the folder of its family, and one line
// here.
func All(inv *inventory.Inventory) []checks.Check {
	return []checks.Check{
		permission.AuthenticatedCognitoRole(inv),
		certificate.CACertificateExpiring(inv),
		certificate.CACertificateKeyQuality(inv),
		connection.ConflictingClientIDs(inv),
		certificate.DeviceCertificateAge(inv),
		certificate.DeviceCertificateExpiring(inv),
		certificate.DeviceCertificateKeyQuality(inv),
		connection.DeviceCertificateShared(inv),
		certificate.IntermediateCARevoked(inv),
		permission.IoTPolicyOverlyPermissive(inv),
		permission.IoTPolicyPotentialMisconfiguration(inv),
		permission.IoTRoleAliasUnusedServices(inv),
		permission.IoTRoleAliasOverlyPermissive(inv),
		account.LoggingDisabled(inv),
		certificate.RevokedCACertificateStillActive(inv),
		certificate.RevokedDeviceCertificateStillActive(inv),
		permission.UnauthenticatedCognitoRole(inv),
	}
}

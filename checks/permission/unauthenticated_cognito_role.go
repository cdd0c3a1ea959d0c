package permission

import (
	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/internal/baseline"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/model"
)

// UnauthenticatedCognitoRole makes the check UNAUTHENTICATED_COGNITO_ROLE_OVERLY_PERMISSIVE_CHECK over inv's
// identity pools.
func UnauthenticatedCognitoRole(inv *inventory.Inventory) checks.Check {
	rules := []rule{admin(), broadDataPlane()}
	return checks.Each(checks.Spec{
		Name:  "UNAUTHENTICATED_COGNITO_ROLE_OVERLY_PERMISSIVE_CHECK",
		Title: "Role of unauthenticated Cognito identities is overly permissive",
		Doc: whichPools("unauthenticated") + " Anybody can be such an identity, so any access to actions of AWS IoT for " +
			"administrators is reported, to things or to anything else, to read or to write, and so are data plane " +
			"actions that are allowed broadly." + onePool + whatIsBroad + whatIsAdmin,
		Remediation: "Take out actions for administrators, and name the resources that a guest needs. If guests need " +
			"none, disable unauthenticated identities in the pool.",
		URL:           baseline.AWSPage("audit-chk-unauth-cognito-role-permissive"),
		Severity:      model.AuditFindingSeverityCritical,
		ResourceType:  model.ResourceTypeCognitoIdentityPool,
		Retrospective: true,
		ReasonCodes:   codes(rules...),
		References:    leastPrivilege(),
	}, inv.IdentityPools, perPool(func(p *inventory.IdentityPool) []inventory.Role { return p.Unauthenticated }, nil, rules...))
}

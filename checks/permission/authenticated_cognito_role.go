package permission

import (
	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/internal/baseline"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/model"
)

// AuthenticatedCognitoRole makes the check AUTHENTICATED_COGNITO_ROLE_OVERLY_PERMISSIVE_CHECK over inv's
// identity pools.
func AuthenticatedCognitoRole(inv *inventory.Inventory) checks.Check {
	published := []rule{broadThingAdminRead(), nonThingAdmin(), thingAdminWrite()}
	lastResort := broadDataPlane()
	lastResort.Doc += " Only of a role of which none of the other codes says that it is too permissive."
	return checks.Each(checks.Spec{
		Name:  "AUTHENTICATED_COGNITO_ROLE_OVERLY_PERMISSIVE_CHECK",
		Title: "Role of authenticated Cognito identities is overly permissive",
		Doc: whichPools("authenticated") + " Such an identity may read the administrative data of things that the role " +
			"names. It is reported that a role allows reading that of many things, managing things, or any other action " +
			"of AWS IoT for administrators, on any resource.\n\n" +
			"Data plane actions that are allowed broadly are reported too. AWS's page calls them noncompliant, and " +
			"lists no reason code for them. The code here is the one of the other checks, and is used only of a role " +
			"that none of the published codes fits: where AWS has a code, the codes are AWS's." +
			onePool + whatIsBroad + whatIsAdmin,
		Remediation: "Take out actions for administrators, and name the resources that an identity needs, for instance " +
			"with the variable ${cognito-identity.amazonaws.com:sub}.",
		URL:           baseline.AWSPage("audit-chk-auth-cognito-role-permissive"),
		Severity:      model.AuditFindingSeverityCritical,
		ResourceType:  model.ResourceTypeCognitoIdentityPool,
		Retrospective: true,
		ReasonCodes:   codes(append(published, lastResort)...),
		References:    leastPrivilege(),
	}, inv.IdentityPools, perPool(func(p *inventory.IdentityPool) []inventory.Role { return p.Authenticated }, &lastResort, published...))
}

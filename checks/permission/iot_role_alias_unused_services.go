package permission

import (
	"slices"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/internal/baseline"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/model"
)

// IoTRoleAliasUnusedServices makes the check IOT_ROLE_ALIAS_ALLOWS_ACCESS_TO_UNUSED_SERVICES_CHECK over inv's
// role aliases.
func IoTRoleAliasUnusedServices(inv *inventory.Inventory) checks.Check {
	const unusedServices = "ALLOWS_ACCESS_TO_UNUSED_SERVICES"
	return checks.Each(checks.Spec{
		Name:  "IOT_ROLE_ALIAS_ALLOWS_ACCESS_TO_UNUSED_SERVICES_CHECK",
		Title: "Role alias allows access to services that are not used",
		Doc: whichAliases + "It is reported when the role allows an action of a service that it did not use in the last " +
			"year. " + reasonLists("services") + " A pattern that fits many, such as *, always has such a service, " +
			"whatever the role used. Where it is not known what that is, an alias whose role is allowed a service by " +
			"name is RESOURCE_NOT_EVALUABLE. A service that the role has been given lately, and that devices are yet to " +
			"use, is reported too: when it was given is not known." + lastYearIs,
		Remediation: "Take the services that are not used out of the role's policies. If devices are yet to use them, " +
			"suppress the finding for a while.",
		URL:           baseline.AWSPage("audit-chk-role-alias-unused-svcs"),
		Severity:      model.AuditFindingSeverityMedium,
		ResourceType:  model.ResourceTypeRoleAlias,
		Retrospective: true,
		ReasonCodes:   []checks.ReasonCode{{Code: unusedServices, Doc: "It allows an action of a service that the role did not use in the last year."}},
		References:    leastPrivilege(),
	}, inv.RoleAliases, perAlias(func(a *aliasPass) {
		var unused, untold []string
		for _, service := range a.Services() {
			switch {
			case manyServices(service):
				unused = append(unused, service)
			case a.alias.LastUsed == nil:
				untold = append(untold, service)
			case !slices.Contains(a.used, service):
				unused = append(unused, service)
			}
		}
		if len(unused) > 0 {
			a.report(unusedServices, sentence("Role allows access to services that it did not use in the last 365 days", unused))
		}
		if len(untold) > 0 {
			a.unknown = append(a.unknown, sentence("Role allows access to services, and it is not known which ones it used in "+
				"the last 365 days", untold))
		}
	}))
}

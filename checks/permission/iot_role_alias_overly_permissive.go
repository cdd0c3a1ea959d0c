package permission

import (
	"slices"
	"strings"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/internal/baseline"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/model"
)

// IoTRoleAliasOverlyPermissive makes the check IOT_ROLE_ALIAS_OVERLY_PERMISSIVE_CHECK over inv's role aliases.
func IoTRoleAliasOverlyPermissive(inv *inventory.Inventory) checks.Check {
	const (
		allOfUsed = "ALLOWS_BROAD_ACCESS_TO_USED_SERVICES"
		auditing  = "ALLOWS_ACCESS_TO_SECURITY_AUDITING_SERVICES"
	)
	iot := []rule{broadThingAdminRead(), nonThingAdmin(), thingAdminWrite(), broadDataPlane()}
	return checks.Each(checks.Spec{
		Name:  "IOT_ROLE_ALIAS_OVERLY_PERMISSIVE_CHECK",
		Title: "Role alias is overly permissive",
		Doc: whichAliases + "Whoever has a device's certificate has the role's permissions. It is reported that the role " +
			"allows all actions of a service that it used in the last year (dynamodb:*); any access to a service of " +
			"security auditing (iam, cloudtrail, guardduty, inspector, trustedadvisor; and inspector2, which is what " +
			"inspector has become); and what is too much in AWS IoT: actions for administrators, and broad access to " +
			"reading things and to the data plane. " +
			reasonLists("actions or services") + "\n\n" +
			"Which actions are all of a service's is told by the pattern (dynamodb:*, *), or by a NotAction that leaves " +
			"out but some of them. The resource does not matter, for AWS's page speaks of actions alone. Full " +
			"access to a service that was not used is for IOT_ROLE_ALIAS_ALLOWS_ACCESS_TO_UNUSED_SERVICES_CHECK to " +
			"report. Where it is not known what the role used, and it allows all actions of a service, it cannot be told " +
			"whether that is too much: the alias is RESOURCE_NOT_EVALUABLE, beside the other findings." +
			lastYearIs + whatIsBroad + whatIsAdmin,
		Remediation: "Give the role the actions and resources that devices use, for instance with the variable " +
			"${credentials-iot:ThingName}, and nothing of services for administrators and auditors.",
		URL:           baseline.AWSPage("audit-chk-iot-role-alias-permissive"),
		Severity:      model.AuditFindingSeverityCritical,
		ResourceType:  model.ResourceTypeRoleAlias,
		Retrospective: true,
		ReasonCodes: append([]checks.ReasonCode{
			{Code: allOfUsed, Doc: "It allows all actions of a service that the role used in the last year."},
			{Code: auditing, Doc: "It allows an action of a service of security auditing."},
		}, codes(iot...)...),
		References: leastPrivilege(),
	}, inv.RoleAliases, perAlias(func(a *aliasPass) {
		if full := a.AllOf(a.used...); len(full) > 0 {
			a.report(allOfUsed, sentence("Role allows all actions of services that it used in the last 365 days", full))
		}
		if a.alias.LastUsed == nil {
			if full := a.full(); len(full) > 0 {
				a.unknown = append(a.unknown, sentence("Role allows all actions of services, and it is not known which ones it "+
					"used in the last 365 days", full))
			}
		}
		security := a.AnyOf("cloudtrail", "guardduty", "iam", "inspector", "inspector2", "trustedadvisor")
		if len(security) > 0 {
			a.report(auditing, sentence("Role allows access to security auditing services", security))
		}
		for _, r := range iot {
			if actions := r.actions(a.Set); len(actions) > 0 {
				a.report(r.Code, sentence(r.says, actions))
			}
		}
	}))
}

// full returns the services of which all actions are allowed, as the policies have them.
func (a *aliasPass) full() []string {
	// Any service that a pattern fits will do, since the pattern allows the same of all of them.
	some := strings.NewReplacer("*", "x", "?", "x").Replace
	services := a.Services()
	examples := make([]string, len(services))
	for i, service := range services {
		examples[i] = some(service)
	}
	all := make(map[string]bool)
	for _, service := range a.AllOf(examples...) {
		all[service] = true
	}
	return slices.DeleteFunc(services, func(service string) bool { return !all[some(service)] })
}

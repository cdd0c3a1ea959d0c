package permission

import (
	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/internal/baseline"
	"github.com/fleetaudit/fleetaudit/checks/internal/finding"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/checks/policy"
	"github.com/fleetaudit/fleetaudit/model"
)

// IoTPolicyOverlyPermissive makes the check IOT_POLICY_OVERLY_PERMISSIVE_CHECK over inv's policy versions.
func IoTPolicyOverlyPermissive(inv *inventory.Inventory) checks.Check {
	return checks.Each(checks.Spec{
		Name:  "IOT_POLICY_OVERLY_PERMISSIVE_CHECK",
		Title: "IoT policy is overly permissive",
		Doc: whichPolicies + "It is reported when it allows data plane actions broadly: with them one device reaches " +
			"the data of others. " + reasonLists("actions") + alone +
			"A Deny in another policy of the same device does not help it." + whatIsBroad,
		Remediation: "Make a version that names the device's own resources, for instance with the variable " +
			"${iot:Connection.Thing.ThingName}, and make it the default version.",
		URL:          baseline.AWSPage("audit-chk-iot-policy-permissive"),
		Severity:     model.AuditFindingSeverityCritical,
		ResourceType: model.ResourceTypeIoTPolicy,
		ReasonCodes:  codes(broadDataPlane()),
		References:   leastPrivilege(),
	}, inv.PolicyVersions, perPolicy(func(pass *checks.Pass, id model.ResourceIdentifier, s policy.Set) {
		if actions := s.BroadDataPlane(); len(actions) > 0 {
			finding.Report(pass, id, broadDataPlaneCode, sentence("Policy allows broad access to IoT data plane actions", actions), nil)
		}
	}))
}

package permission

import (
	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/internal/baseline"
	"github.com/fleetaudit/fleetaudit/checks/internal/finding"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/checks/policy"
	"github.com/fleetaudit/fleetaudit/model"
)

// IoTPolicyPotentialMisconfiguration makes the check IOT_POLICY_POTENTIAL_MISCONFIGURATION_CHECK over inv's
// policy versions.
func IoTPolicyPotentialMisconfiguration(inv *inventory.Inventory) checks.Check {
	const (
		wildcards  = "POLICY_CONTAINS_MQTT_WILDCARDS_IN_DENY_STATEMENT"
		receivable = "TOPIC_FILTERS_INTENDED_TO_DENY_ALLOWED_USING_WILDCARDS"
	)
	return checks.Each(checks.Spec{
		Name:  "IOT_POLICY_POTENTIAL_MISCONFIGURATION_CHECK",
		Title: "IoT policy denies less than it seems to",
		Doc: whichPolicies + "It is reported for either of two mistakes, and for both if it has both. " +
			reasonLists("resources") + "\n\n" +
			"The MQTT wildcards + and # in a resource of a Deny: a policy is matched with * and ?, and there they are " +
			"plain characters, so the statement denies only a topic filter that has them in the same place.\n\n" +
			"A Deny of iot:Subscribe for some topics, while a topic filter stays allowed that brings their messages all the " +
			"same, since it has + or # where the denied one has letters: it denies asking for them, not getting them. A " +
			"Deny of iot:Receive for the topics mends it. No + or # stands for a first level that begins with $, so a Deny " +
			"of $aws/* needs no mending. A Deny of iot:Receive counts if it is of all of the topics, and has no conditions but " +
			"those of the Deny of iot:Subscribe. Whether anything allows iot:Receive is not looked at, since another policy of the " +
			"device may. A resource with + or # in it is the first mistake, and is not reported for the second as well." +
			alone +
			"AWS says that the check may report policies that do what their author meant, and so may this one: a topic " +
			"of which subscribing is denied, and receiving is not, may be meant that way.",
		Remediation: "In statements that deny, write * where + or # stands. Where subscribing is denied, deny " +
			"iot:Receive for the same topics (topic/ in the place of topicfilter/). If the policy does what it should, " +
			"suppress the finding.",
		URL:          baseline.AWSPage("audit-chk-iot-misconfigured-policies"),
		Severity:     model.AuditFindingSeverityMedium,
		ResourceType: model.ResourceTypeIoTPolicy,
		ReasonCodes: []checks.ReasonCode{
			{Code: wildcards, Doc: "A Deny has + or # in its resource, which deny nothing there."},
			{Code: receivable, Doc: "Subscribing to a topic is denied, and its messages can be had with a wider topic filter."},
		},
		References: leastPrivilege(),
	}, inv.PolicyVersions, perPolicy(func(pass *checks.Pass, id model.ResourceIdentifier, s policy.Set) {
		if resources := s.WildcardsInDeny(); len(resources) > 0 {
			finding.Report(pass, id, wildcards, sentence("Policy contains MQTT wildcards in Deny statements, where they are plain "+
				"characters", resources), nil)
		}
		if resources := s.DeniedButReceivable(); len(resources) > 0 {
			finding.Report(pass, id, receivable, sentence("Policy denies topic filters, but allows others that bring the "+
				"same messages, and does not deny receiving them", resources), nil)
		}
	}))
}

package permission

import (
	"slices"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/checks/policy"
)

// rule is what a role may not be allowed.
type rule struct {
	checks.ReasonCode
	says    string                    // of a role that breaks it, before the list of actions
	actions func(policy.Set) []string // that break it
}

// broadDataPlaneCode is a reason code of four checks.
const broadDataPlaneCode = "ALLOWS_BROAD_ACCESS_TO_IOT_DATA_PLANE_ACTIONS"

func broadDataPlane() rule {
	return rule{
		checks.ReasonCode{Code: broadDataPlaneCode, Doc: "It allows connecting, publishing, subscribing, or the API " +
			"of shadows, job executions and retained messages, for many devices."},
		"Role allows broad access to IoT data plane actions", policy.Set.BroadDataPlane,
	}
}

func broadThingAdminRead() rule {
	return rule{
		checks.ReasonCode{Code: "ALLOWS_BROAD_ACCESS_TO_IOT_THING_ADMIN_READ_ACTIONS",
			Doc: "It allows reading the administrative data of many things."},
		"Role allows broad access to IoT thing admin read actions", policy.Set.BroadThingAdminRead,
	}
}

func nonThingAdmin() rule {
	return rule{
		checks.ReasonCode{Code: "ALLOWS_ACCESS_TO_IOT_NON_THING_ADMIN_ACTIONS",
			Doc: "It allows an action of AWS IoT that is for administrators and not about things."},
		"Role allows access to IoT non-thing admin actions", policy.Set.NonThingAdmin,
	}
}

func thingAdminWrite() rule {
	return rule{
		checks.ReasonCode{Code: "ALLOWS_ACCESS_TO_IOT_THING_ADMIN_WRITE_ACTIONS",
			Doc: "It allows managing or modifying a thing."},
		"Role allows access to IoT thing admin write actions", policy.Set.ThingAdminWrite,
	}
}

func admin() rule {
	return rule{
		checks.ReasonCode{Code: "ALLOWS_ACCESS_TO_IOT_ADMIN_ACTIONS",
			Doc: "It allows an action of AWS IoT that is for administrators, on any resource."},
		"Role allows access to IoT admin actions",
		func(s policy.Set) []string {
			return slices.Concat(s.ThingAdminWrite(), s.ThingAdminRead(), s.NonThingAdmin())
		},
	}
}

// codes returns the reason codes of rules, for a Spec.
func codes(rules ...rule) (all []checks.ReasonCode) {
	for _, r := range rules {
		all = append(all, r.ReasonCode)
	}
	return all
}

// set returns what a role may do, as far as its policies can be read.
func set(role *inventory.Role) (s policy.Set) {
	for _, p := range role.Policies {
		if p.Document != nil {
			s = append(s, p.Document)
		}
	}
	return s
}

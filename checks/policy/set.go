package policy

import (
	"slices"
	"strings"
)

// Set is everything that one principal holds: the documents count together, and a Deny in one goes before an
// Allow in another. It is safe for concurrent use.
//
// Its methods say what is allowed, never less than is so: where that cannot be told, a thing counts as allowed.
// Adding an Allow never makes an answer smaller. Conditions do not limit an Allow, since they do not say whose
// resource it is, but for those that tie iot:Connect to the device's own name. A Deny takes away from an Allow
// only what is certain: it must have no conditions (but for the same ones), and deny the whole pattern that the
// Allow has, or the whole kind of resource.
//
// Lists of actions have AWS's spelling ("iot:Publish"), each once and in a fixed order; nil is none.
type Set []*Document

// BroadDataPlane returns the actions of devices (MQTT, shadows, jobs) that are allowed on resources of other
// devices: those of which a pattern has a wildcard where the name of a device begins. Such are client/*, thing/*,
// topic/*, topic/$aws/things/*/shadow/update, topicfilter/#; not topic/$aws/things/lamp-1/*, topic/lamps/* or
// thing/lamp-*, nor what begins with a variable that the device does not set. ${iot:ClientId}, which it does set, is
// a wildcard in client/, and elsewhere as good as the right to connect. iot:Receive is never among them.
// The order is that of AWS's messages.
func (s Set) BroadDataPlane() []string {
	a := s.analyse()
	var found []string
	for _, n := range []noun{client, topic, topicFilter, thing} {
		a.effort = maxEffort // for each of what are four questions
		var actions []string
		for _, known := range dataPlane {
			if known.noun == n {
				actions = append(actions, known.action)
			}
		}
		found = append(found, a.broad(n, actions)...)
	}
	var all []string
	for _, a := range dataPlane {
		if slices.Contains(found, a.action) {
			all = append(all, a.action)
		}
	}
	return all
}

// ThingAdminWrite returns the actions that change things and are allowed on any resource of AWS IoT.
func (s Set) ThingAdminWrite() []string { return s.analyse().allowed(thingAdminWrite) }

// ThingAdminRead returns the actions that read about a thing and are allowed on any resource of AWS IoT.
func (s Set) ThingAdminRead() []string { return s.analyse().allowed(thingAdminRead) }

// BroadThingAdminRead returns the actions that read about a thing and are allowed on all things: thing/*, not
// thing/lamp-*.
func (s Set) BroadThingAdminRead() []string { return s.analyse().broad(thing, thingAdminRead) }

// NonThingAdmin returns the actions of AWS IoT that are neither about a thing nor those of devices, and are
// allowed on any of its resources. An action that is not known, and a pattern that fits none that is, counts as one.
func (s Set) NonThingAdmin() []string {
	known := lower(allActions())
	a := s.analyse()
	var unknown []string
	for _, r := range a.allows {
		for i, action := range r.actions {
			if strings.HasPrefix(action, "iot:") && !slices.ContainsFunc(known, func(k string) bool { return Match(action, k) }) {
				unknown = append(unknown, r.Actions[i])
			}
		}
	}
	slices.Sort(unknown)
	return a.allowed(append(nonThingAdmin(), slices.Compact(unknown)...))
}

// broad returns those of actions, whose resources are of n, that are allowed broadly.
func (a *analysis) broad(n noun, actions []string) []string {
	bans := a.bans(n)
	return a.granted(actions, func(r rule) (left [][]ban) {
		if n == client && r.tiesClient(r.variables) {
			return nil
		}
		for _, x := range r.reach(n, &a.effort) {
			for _, space := range n.broad(x.name) {
				whole := below(space)
				left = append(left, a.those(bans, func(b ban) bool {
					return b.covers(x.resource, x.plain, &a.effort) || b.covers(x.resource, whole, &a.effort) || b.leavesNarrow(n, space)
				}))
			}
		}
		return left
	})
}

// allowed returns those of actions that are allowed on any resource of AWS IoT.
func (a *analysis) allowed(actions []string) []string {
	bans := a.bans("")
	return a.granted(actions, func(r rule) (left [][]ban) {
		for _, x := range r.reach("", &a.effort) {
			left = append(left, a.those(bans, func(b ban) bool { return b.covers(x.resource, x.name, &a.effort) }))
		}
		return left
	})
}

// granted returns those of actions that an Allow is about and no ban takes away. Of an Allow, banned returns the bans
// on each thing that it gives, whatever their actions.
func (a *analysis) granted(actions []string, banned func(rule) [][]ban) []string {
	names := lower(actions)
	found := make([]bool, len(names))
	for _, r := range a.allows {
		var about []int // which of the actions that have not been found
		for i, name := range names {
			if !found[i] && r.acts(name) {
				about = append(about, i)
			}
		}
		if len(about) == 0 {
			continue
		}
		for _, bans := range banned(r) {
			for _, i := range about {
				found[i] = found[i] || !slices.ContainsFunc(bans, func(b ban) bool { return b.acts(names[i]) })
			}
		}
	}
	var all []string
	for i, yes := range found {
		if yes {
			all = append(all, actions[i])
		}
	}
	return all
}

// those returns the bans of which is is true, or none where that would take too long: then what is allowed stays so.
func (a *analysis) those(bans []ban, is func(ban) bool) []ban {
	var all []ban
	for _, b := range bans {
		if a.effort < 0 {
			return nil
		}
		if is(b) {
			all = append(all, b)
		}
	}
	return all
}

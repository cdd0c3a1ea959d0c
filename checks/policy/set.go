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
	isKnown := func(action string) bool {
		if !strings.ContainsAny(action, "*?") {
			return slices.Contains(known, action)
		}
		return slices.ContainsFunc(known, func(k string) bool {
			fits, _ := a.effort.match(action, k)
			return fits
		})
	}
	var unknown []string
	for _, r := range a.allows {
		for i, action := range r.actions {
			if strings.HasPrefix(action, "iot:") && !isKnown(action) {
				unknown = append(unknown, r.Actions[i])
			}
		}
	}
	slices.Sort(unknown)
	return a.allowed(append(nonThingAdmin(), slices.Compact(unknown)...))
}

// broad returns those of actions, whose resources are of n, that are allowed broadly.
func (a *analysis) broad(n noun, actions []string) []string {
	return a.granted(actions, a.bans(n), func(r rule, voided func(func(*ban) bool)) {
		if n == client && r.tiesClient(r.variables) {
			return
		}
		for _, x := range r.reach(n, &a.effort) {
			for _, space := range n.broad(x.name) {
				whole := below(space)
				voided(func(b *ban) bool {
					return b.covers(x.resource, x.plain, &a.effort) || b.covers(x.resource, whole, &a.effort) || b.leavesNarrow(space)
				})
			}
		}
	})
}

// allowed returns those of actions that are allowed on any resource of AWS IoT.
func (a *analysis) allowed(actions []string) []string {
	return a.granted(actions, a.bans(""), func(r rule, voided func(func(*ban) bool)) {
		for _, x := range r.reach("", &a.effort) {
			voided(func(b *ban) bool { return b.covers(x.resource, x.name, &a.effort) })
		}
	})
}

// granted returns those of actions that an Allow is about and no ban takes away. Of each thing that an Allow gives, each
// says to voided by which bans it is taken away, whatever their actions.
func (a *analysis) granted(actions []string, bans []*ban, each func(r rule, voided func(by func(*ban) bool))) []string {
	names := lower(actions)
	places := make(map[string][]int)
	for i, name := range names {
		places[name] = append(places[name], i)
	}
	denied := make([]bitset, len(bans))
	for i, b := range bans {
		denied[i] = a.about(b.rule, names, places)
	}
	found := newBitset(len(names))
	for _, r := range a.allows {
		wanted := a.about(r, names, places)
		wanted.remove(found)
		if wanted.empty() {
			continue
		}
		each(r, func(by func(*ban) bool) {
			left := slices.Clone(wanted)
			for i, b := range bans {
				if !a.effort.take(len(left)) {
					break // what is allowed stays so
				}
				if left.meets(denied[i]) && by(b) {
					left.remove(denied[i])
				}
			}
			found.add(left)
			wanted.remove(left)
		})
	}
	var all []string
	for i, action := range actions {
		if found.has(i) {
			all = append(all, action)
		}
	}
	return all
}

// about returns which of actions, given in lower case and with their places among them, a rule is about. When no effort
// is left an Allow is about all, and a Deny about none.
func (a *analysis) about(r rule, actions []string, places map[string][]int) bitset {
	about := newBitset(len(actions))
	if !a.effort.take(len(about)) {
		if r.Effect == Allow {
			about.fill(len(actions))
		}
		return about
	}
	if len(r.wild) > 0 {
		for i, action := range actions {
			if r.acts(action, &a.effort) {
				about.set(i)
			}
		}
		return about
	}
	// There may be as many rules as actions, so only those that the rule names are looked at.
	for name := range r.literals {
		for _, i := range places[name] {
			about.set(i)
		}
	}
	if len(r.notActions) > 0 {
		named := about
		about = newBitset(len(actions))
		about.fill(len(actions))
		about.remove(named)
	}
	return about
}

// those returns the bans of which is is true, or none where that would take too long: then what is allowed stays so.
func (a *analysis) those(bans []*ban, is func(*ban) bool) []*ban {
	var all []*ban
	for _, b := range bans {
		if !a.effort.spend() {
			return nil
		}
		if is(b) {
			all = append(all, b)
		}
	}
	return all
}

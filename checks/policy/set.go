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
	a := s.analyseFor(iot)
	var found []string
	for i := range ofDevices {
		a.effort = maxEffort // for each of what are four questions
		found = append(found, a.broad(ofDevices[i].noun, ofDevices[i].asked)...)
	}
	if len(found) == 0 {
		return nil
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
func (s Set) ThingAdminWrite() []string { return s.analyseFor(iot).allowed(ofThingAdminWrite) }

// ThingAdminRead returns the actions that read about a thing and are allowed on any resource of AWS IoT.
func (s Set) ThingAdminRead() []string { return s.analyseFor(iot).allowed(ofThingAdminRead) }

// BroadThingAdminRead returns the actions that read about a thing and are allowed on all things: thing/*, not
// thing/lamp-*.
func (s Set) BroadThingAdminRead() []string { return s.analyseFor(iot).broad(thing, ofThingAdminRead) }

// NonThingAdmin returns the actions of AWS IoT that are neither about a thing nor those of devices, and are
// allowed on any of its resources. An action that is not known, and a pattern that fits none that is, counts as one.
func (s Set) NonThingAdmin() []string {
	a := s.analyseFor(iot)
	isKnown := func(action string) bool {
		if !isWild(action) {
			_, ok := ofAll.places[action]
			return ok
		}
		return slices.ContainsFunc(ofAll.names, func(k string) bool {
			fits, _ := a.effort.match(action, k)
			return fits
		})
	}
	var unknown []string
	for i := range a.allows {
		for _, action := range a.allows[i].Actions {
			if !mayBegin(action, iot) {
				continue
			}
			if name := strings.ToLower(action); strings.HasPrefix(name, iot+":") && !isKnown(name) {
				unknown = append(unknown, action)
			}
		}
	}
	if len(unknown) == 0 {
		return a.allowed(ofNonThingAdmin)
	}
	slices.Sort(unknown)
	return a.allowed(newQuestion(slices.Concat(ofNonThingAdmin.actions, slices.Compact(unknown))))
}

// broad returns those of actions, whose resources are of n, that are allowed broadly.
func (a *analysis) broad(n noun, q *question) []string { return a.granted(q, n, spaces[n]) }

// allowed returns those of actions that are allowed on any resource of AWS IoT.
func (a *analysis) allowed(q *question) []string { return a.granted(q, "", nil) }

// granted returns those of actions that an Allow is about and no ban takes away: on any resource of AWS IoT, or if in is
// not nil, on a resource of n that is broad in one of these spaces.
func (a *analysis) granted(q *question, n noun, in []space) []string {
	if len(a.allows) == 0 {
		return nil
	}
	g := granting{analysis: a, q: q, noun: n, found: a.newBitset(len(q.names)), left: a.newBitset(len(q.names))}
	for i := range a.allows {
		r := &a.allows[i]
		wanted := a.about(r, q)
		wanted.remove(g.found)
		if wanted.empty() || n == client && r.tiesClient(r.names != nil) {
			continue
		}
		a.reach(r, n, func(x *resource) bool {
			if in == nil {
				g.grant(r, x, nil, wanted)
				return !wanted.empty()
			}
			name := n.unshare(x.name)
			for j := range in {
				if name.wildAfter(in[j].prefix) && !wanted.empty() {
					g.grant(r, x, &in[j], wanted)
				}
			}
			return !wanted.empty()
		})
	}
	if g.found.empty() {
		return nil
	}
	var all []string
	for i, action := range q.actions {
		if g.found.has(i) {
			all = append(all, action)
		}
	}
	return all
}

// granting is the work on which actions of a question are granted.
type granting struct {
	*analysis
	q      *question
	noun   noun
	bans   []*ban
	denied []bitset // what bans are about; nil: nothing had to be compared with them yet
	found  bitset
	left   bitset
}

// grant finds those of the wanted actions, which r allows on x, that no ban takes away, and then they are wanted no more.
// The resource is broad in a space, unless that is nil.
func (g *granting) grant(r *rule, x *resource, in *space, wanted bitset) {
	if g.denied == nil {
		g.bans = g.analysis.bans(g.noun)
		g.denied = make([]bitset, len(g.bans))
		for i, b := range g.bans {
			g.denied[i] = g.about(b.rule, g.q)
		}
	}
	copy(g.left, wanted)
	if len(g.bans) > 0 {
		plain := r.byLetter(x, g.noun)
		for i, b := range g.bans {
			if !g.effort.take(len(g.left)) {
				break // what is allowed stays so
			}
			if g.left.meets(g.denied[i]) && b.voids(x, plain, in, &g.effort) {
				g.left.remove(g.denied[i])
			}
		}
	}
	g.found.add(g.left)
	wanted.remove(g.left)
}

// voids tells whether the ban takes away a resource, whose name is plain by the letter, that is broad in a space.
func (b *ban) voids(x *resource, plain glob, in *space, e *effort) bool {
	return b.covers(x, plain, e) || in != nil && (b.covers(x, in.whole, e) || b.leavesNarrow(*in))
}

// about returns which of the actions of a question a rule is about. When no effort is left an Allow is about all, and a
// Deny about none.
func (a *analysis) about(r *rule, q *question) bitset {
	about := a.newBitset(len(q.names))
	if !a.effort.take(len(about)) {
		if r.Effect == Allow {
			about.fill(len(q.names))
		}
		return about
	}
	// There may be as many rules as actions, so only those that the rule names are looked at.
	for _, name := range r.literals {
		for _, i := range q.places[name] {
			about.set(i)
		}
	}
	if len(r.wild) > 0 {
		for i, action := range q.names {
			a.effort.spend()
			if about.has(i) {
				continue
			}
			fits, told := r.wildFits(action, &a.effort)
			if fits || !told && r.not != (r.Effect == Allow) {
				about.set(i) // when it is not told an Allow is about it, and a Deny is not
			}
		}
	}
	if r.not {
		about.negate(len(q.names))
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

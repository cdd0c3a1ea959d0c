package policy

import (
	"slices"
	"strings"
)

// WildcardsInDeny returns the resources of Deny statements about MQTT's actions in whose topic or topic filter there
// is + or #, in the order of the documents, each once. MQTT's wildcards are no wildcards in a policy: such a Deny
// denies the filter that is spelt so, and no other.
func (s Set) WildcardsInDeny() []string {
	a := s.analyse()
	var all []string
	for _, r := range a.denies {
		if !slices.ContainsFunc(mqtt, func(action string) bool { return r.acts(strings.ToLower(action)) }) {
			continue
		}
		for _, p := range slices.Concat(r.Resources, r.NotResources) {
			if strings.ContainsAny(p, "+#") && r.hasMQTTWildcard(p, &a.effort) {
				all = append(all, p)
			}
		}
	}
	return once(all)
}

// once returns the first of each.
func once(list []string) []string {
	seen := make(map[string]bool, len(list))
	return slices.DeleteFunc(list, func(s string) bool {
		again := seen[s]
		seen[s] = true
		return again
	})
}

// hasMQTTWildcard tells whether a resource can be a topic or a topic filter, and has + or # in it.
func (r rule) hasMQTTWildcard(pattern string, e *effort) bool {
	for _, x := range r.resources([]string{pattern}, dialect{}) {
		for _, n := range []noun{topic, topicFilter} {
			for _, left := range x.name.after(string(n)) {
				if x.ofIoT(e) && slices.ContainsFunc(left, func(t token) bool { return t.kind == literal && (t.r == '+' || t.r == '#') }) {
					return true
				}
			}
		}
	}
	return false
}

// DeniedButReceivable returns the topic filters that must not be subscribed to, though what is published there can be
// received all the same: a wider filter may be subscribed to ("building/#" where "building/lab/*" is denied), and
// receiving is not denied. They stand in the order of the documents, each once. Those of WildcardsInDeny are not among
// them: they deny something else than they say. Whether receiving is allowed at all is not looked at, since a
// principal may hold other policies.
func (s Set) DeniedButReceivable() []string {
	a := s.analyse()
	receipt := a.denied("iot:receive")
	subscribing := a.those(a.bans(""), func(b ban) bool { return b.acts("iot:subscribe") })
	whole := below(string(topicFilter))
	var wider []target // which filters are allowed, and may bring messages
	for _, r := range a.allows {
		if !r.acts("iot:subscribe") {
			continue
		}
		for _, x := range r.reach(topicFilter, &a.effort) {
			if !slices.ContainsFunc(subscribing, func(b ban) bool {
				return b.covers(x.resource, x.plain, &a.effort) || b.covers(x.resource, whole, &a.effort)
			}) && !a.ends(receipt, nil, x.resource) {
				wider = append(wider, x)
			}
		}
	}
	if len(wider) == 0 {
		return nil
	}
	var all []string
	for _, d := range a.denied("iot:subscribe") {
		for _, x := range d.resources {
			if d.hasMQTTWildcard(x.text, &a.effort) || !x.ofIoT(&a.effort) || a.ends(receipt, d.Conditions, x) {
				continue
			}
			if slices.ContainsFunc(wider, func(w target) bool { return a.overlap(w, x) }) {
				all = append(all, x.text)
			}
		}
	}
	return once(all)
}

// denied returns the Denies of an action, given in lower case, on what they name.
func (a *analysis) denied(action string) []ban {
	var all []ban
	for _, r := range a.denies {
		if r.acts(action) {
			all = append(all, ban{rule: r, resources: r.resources(r.Resources, dialect{})})
		}
	}
	return all
}

// overlap tells whether some topics that filters of w are about are denied by the filters of d.
func (a *analysis) overlap(w target, d resource) bool {
	if a.effort < 0 {
		return true
	}
	for _, mine := range w.name.after(string(topicFilter)) {
		for _, denied := range d.name.after(string(topicFilter)) {
			if mine.meets(denied, &a.effort) {
				return true
			}
		}
	}
	return false
}

// ends tells whether the Denies of receiving end all receipt of what is published to the topics of filters, where
// the given conditions hold: one does that has none, or the same.
func (a *analysis) ends(receipt []ban, given []Condition, filters resource) bool {
	var topics []glob
	for _, left := range filters.name.after(string(topicFilter)) {
		topics = append(topics, append(dialect{}.compile(string(topic)), left...))
	}
	return slices.ContainsFunc(receipt, func(r ban) bool {
		return (len(r.Conditions) == 0 || sameConditions(r.Conditions, given)) && slices.ContainsFunc(r.resources, func(x resource) bool {
			return a.effort >= 0 && !slices.ContainsFunc(topics, func(t glob) bool { return !x.covers(filters, t, &a.effort) })
		})
	})
}

// sameConditions tells whether two statements have the same conditions, in any order.
func sameConditions(a, b []Condition) bool {
	within := func(list, other []Condition) bool {
		return !slices.ContainsFunc(list, func(c Condition) bool {
			return !slices.ContainsFunc(other, func(x Condition) bool {
				return x.Operator == c.Operator && strings.EqualFold(x.Key, c.Key) &&
					slices.Equal(slices.Sorted(slices.Values(x.Values)), slices.Sorted(slices.Values(c.Values)))
			})
		})
	}
	return within(a, b) && within(b, a)
}

package policy

import (
	"iter"
	"slices"
	"strings"
)

// WildcardsInDeny returns the resources of Deny statements about MQTT's actions in whose topic or topic filter there
// is + or #, sorted, each once. MQTT's wildcards are no wildcards in a policy: such a Deny denies the filter that is
// spelt so, and no other.
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
	slices.Sort(all)
	return slices.Compact(all)
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
// received all the same: another filter that brings it may be subscribed to ("building/#" where "building/lab/*" is
// denied), and receiving is not denied. They are sorted, each once. Those of WildcardsInDeny are not among them: they
// deny something else than they say. Whether receiving is allowed at all is not looked at, since a principal may hold
// other policies.
func (s Set) DeniedButReceivable() []string {
	a := s.analyse()
	receipt := a.denied("iot:receive")
	subscribing := a.those(a.bans(""), func(b ban) bool { return b.acts("iot:subscribe") })
	whole := below(string(topicFilter))
	var left []target // which filters are allowed, and may bring messages
	for _, r := range a.allows {
		if !r.acts("iot:subscribe") {
			continue
		}
		for _, x := range r.reach(topicFilter, &a.effort) {
			if !slices.ContainsFunc(subscribing, func(b ban) bool {
				return b.covers(x.resource, x.plain, &a.effort) || b.covers(x.resource, whole, &a.effort)
			}) && !a.ends(receipt, nil, x.resource) {
				left = append(left, x)
			}
		}
	}
	if len(left) == 0 {
		return nil
	}
	var all []string
	for _, d := range a.denied("iot:subscribe") {
		for _, x := range d.resources {
			if d.hasMQTTWildcard(x.text, &a.effort) || !x.ofIoT(&a.effort) || a.ends(receipt, d.Conditions, x) {
				continue
			}
			if slices.ContainsFunc(left, func(w target) bool { return a.reaches(w, x) }) {
				all = append(all, x.text)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
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

// reaches tells whether one of the filters of w brings messages of topics that are denied as filters by d, and is not
// denied by it itself.
func (a *analysis) reaches(w target, d resource) bool {
	mine := w.name.after(string(topicFilter))
	wild := !slices.ContainsFunc(w.plain.after(string(topicFilter)), func(g glob) bool {
		return len(g) > 0 && g[0] != letter('+') && g[0] != letter('#')
	})
	for _, denied := range d.name.after(string(topicFilter)) {
		if wild && reserved(denied) {
			continue
		}
		brings := func(filters glob) bool {
			return slices.ContainsFunc(mine, func(g glob) bool { return g.meets(filters, &a.effort) })
		}
		if bounds(denied) > maxBounds {
			if brings(denied) {
				return true
			}
			continue
		}
		for around := range waysAround(denied) {
			if brings(around) && !denied.covers(around, &a.effort) {
				return true
			}
		}
	}
	return false
}

// maxBounds is at how many places of a pattern levels may begin or end for the ways around it to be tried, which are as
// many squared. AWS IoT has topics of a dozen levels at most. Of a pattern with more, each filter that is allowed and
// has something in common with it counts as one.
const maxBounds = 50

func bounds(denied glob) (n int) {
	for _, t := range denied {
		if t.wildcard() || t == letter('/') {
			n++
		}
	}
	return n
}

func letter(r rune) token { return token{kind: literal, r: r} }

// reserved tells whether topics begin with $, for which MQTT's wildcards do not stand.
func reserved(topics glob) bool { return len(topics) > 0 && topics[0] == letter('$') }

// waysAround yields filters that bring what is published to the topics of denied: with + in the place of one level, or #
// in that of all that follow. Those with both, or with more of them, need not be tried, unless a filter is allowed
// that must have them because of a ? in it.
func waysAround(denied glob) iter.Seq[glob] {
	slash := letter('/')
	return func(yield func(glob) bool) {
		for begin := 0; begin <= len(denied); begin++ {
			var before glob // of the level that begins here
			switch {
			case begin == 0:
				if reserved(denied) {
					continue
				}
			case denied[begin-1] == slash:
				before = denied[:begin:begin]
			case denied[begin-1].kind == one: // which may be the /
				before = append(denied[:begin-1:begin-1], slash)
			case denied[begin-1].kind == many: // which may end in /
				before = append(denied[:begin:begin], slash)
			default:
				continue
			}
			if !yield(append(slices.Clone(before), letter('#'))) {
				return
			}
			for end := begin; end <= len(denied) && (end == begin || denied[end-1] != slash); end++ {
				var after glob // the level that ends here
				switch {
				case end == len(denied):
				case denied[end] == slash:
					after = denied[end:]
				case denied[end].kind == one:
					after = append(glob{slash}, denied[end+1:]...)
				case denied[end].kind == many:
					after = append(glob{slash}, denied[end:]...)
				default:
					continue
				}
				if !yield(slices.Concat(before, glob{letter('+')}, after)) {
					return
				}
			}
		}
		yield(append(slices.Clone(denied), slash, letter('#'))) // which brings the level above as well
	}
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

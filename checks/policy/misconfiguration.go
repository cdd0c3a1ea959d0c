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
	a := s.analyseFor(iot)
	var all []string
	for i := range a.denies {
		r := &a.denies[i]
		if !slices.ContainsFunc(mqtt, func(action string) bool { return r.mayAct(action, &a.effort) }) {
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
func (r *rule) hasMQTTWildcard(pattern string, e *effort) bool {
	for _, x := range r.resources([]string{pattern}, dialect{}) {
		for _, n := range []noun{topic, topicFilter} {
			for _, left := range x.name.after(string(n)) {
				if x.ofIoT(e) && slices.ContainsFunc(left, func(t token) bool { return t == '+' || t == '#' }) {
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
	a := s.analyseFor(iot)
	numbers := make(numbering)
	receipts := a.receipts(numbers)
	always := receiptsWithin(receipts, nil, &a.effort)
	var left []filters
	for _, f := range a.subscribable() {
		if !a.end(always, f.resource) {
			left = append(left, f)
		}
	}
	if len(left) == 0 {
		return nil
	}
	var all []string
	for i := range a.denies {
		r := &a.denies[i]
		if !r.mayAct("iot:subscribe", &a.effort) {
			continue
		}
		there := receiptsWithin(receipts, numbers.of(r.Conditions), &a.effort)
		for _, x := range r.resources(r.Resources, dialect{}) {
			if r.hasMQTTWildcard(x.text, &a.effort) || !x.ofIoT(&a.effort) || a.end(there, x) {
				continue
			}
			topics := x.name.after(string(topicFilter))
			if slices.ContainsFunc(left, func(f filters) bool { return a.bring(f, topics) }) {
				all = append(all, x.text)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// filters are topic filters that an Allow of iot:Subscribe gives.
type filters struct {
	resource
	globs []glob // of what may follow topicfilter/
	wild  bool   // all of them begin with one of MQTT's wildcards
}

// subscribable returns the topic filters that may be subscribed to.
func (a *analysis) subscribable() []filters {
	subscribing := slices.DeleteFunc(a.bans(""), func(b *ban) bool { return !b.acts("iot:subscribe", &a.effort) })
	whole := below(string(topicFilter))
	var all []filters
	for i := range a.allows {
		r := &a.allows[i]
		if !r.acts("iot:subscribe", &a.effort) {
			continue
		}
		a.reach(r, topicFilter, func(x *resource) bool {
			plain := r.byLetter(x, topicFilter)
			voiding := a.those(subscribing, func(b *ban) bool {
				return b.covers(x, plain, &a.effort) || b.covers(x, whole, &a.effort)
			})
			globs := x.name.after(string(topicFilter))
			if len(voiding) > 0 || len(globs) == 0 {
				return true
			}
			wild := !slices.ContainsFunc(plain.after(string(topicFilter)), func(g glob) bool {
				return len(g) > 0 && g[0] != '+' && g[0] != '#'
			})
			all = append(all, filters{*x, globs, wild})
			a.tokens = nil // x is kept
			return true
		})
	}
	return all
}

// receipt is a Deny of iot:Receive, on resources or with except on all others.
type receipt struct {
	*rule
	resources []resource
	except    bool
	given     []int // its conditions
}

func (a *analysis) receipts(numbers numbering) []*receipt {
	var all []*receipt
	for i := range a.denies {
		if r := &a.denies[i]; r.acts("iot:receive", &a.effort) {
			all = append(all, &receipt{
				rule: r, resources: r.resources(slices.Concat(r.Resources, r.NotResources), dialect{}),
				except: len(r.NotResources) > 0, given: numbers.of(r.Conditions),
			})
		}
	}
	return all
}

// receiptsWithin returns those that hold wherever the given conditions do: they have no others.
func receiptsWithin(all []*receipt, given []int, e *effort) (within []*receipt) {
	for _, r := range all {
		if e.take(len(r.given)+1) && subset(r.given, given) {
			within = append(within, r)
		}
	}
	return within
}

// end tells whether one of the receipts is of all that is published to the topics of filters.
func (a *analysis) end(receipts []*receipt, filters resource) bool {
	var topics []glob
	for _, left := range filters.name.after(string(topicFilter)) {
		topics = append(topics, append(dialect{}.compile(string(topic)), left...))
	}
	return slices.ContainsFunc(receipts, func(r *receipt) bool {
		if r.except {
			return !slices.ContainsFunc(r.resources, func(x resource) bool {
				return slices.ContainsFunc(topics, func(t glob) bool { return x.meets(&filters, t, &a.effort) })
			})
		}
		return slices.ContainsFunc(r.resources, func(x resource) bool {
			return a.effort.spend() && !slices.ContainsFunc(topics, func(t glob) bool { return !x.covers(&filters, t, &a.effort) })
		})
	})
}

// bring tells whether one of the filters brings messages of the topics that are denied as filters by a pattern of which
// this is left after topicfilter/, and is not denied by it itself.
func (a *analysis) bring(f filters, topics []glob) bool {
	for _, denied := range topics {
		if !a.effort.spend() {
			return true
		}
		if f.wild && reserved(denied) {
			continue
		}
		brings := func(filters glob) bool {
			return slices.ContainsFunc(f.globs, func(g glob) bool { return g.meets(filters, &a.effort) })
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
		if t.wildcard() || t == '/' {
			n++
		}
	}
	return n
}

// reserved tells whether topics begin with $, for which MQTT's wildcards do not stand.
func reserved(topics glob) bool { return len(topics) > 0 && topics[0] == '$' }

// waysAround yields filters that bring what is published to the topics of denied: with + in the place of one level, or #
// in that of all that follow. Those with both, or with more of them, need not be tried, unless a filter is allowed
// that must have them because of a ? in it.
func waysAround(denied glob) iter.Seq[glob] {
	const slash token = '/'
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
			case denied[begin-1] == one: // which may be the /
				before = append(denied[:begin-1:begin-1], slash)
			case denied[begin-1] == many: // which may end in /
				before = append(denied[:begin:begin], slash)
			default:
				continue
			}
			if !yield(append(slices.Clone(before), '#')) {
				return
			}
			for end := begin; end <= len(denied) && (end == begin || denied[end-1] != slash); end++ {
				var after glob // the level that ends here
				switch {
				case end == len(denied):
				case denied[end] == slash:
					after = denied[end:]
				case denied[end] == one:
					after = append(glob{slash}, denied[end+1:]...)
				case denied[end] == many:
					after = append(glob{slash}, denied[end:]...)
				default:
					continue
				}
				if !yield(slices.Concat(before, glob{'+'}, after)) {
					return
				}
			}
		}
		yield(append(slices.Clone(denied), slash, '#')) // which brings the level above as well
	}
}

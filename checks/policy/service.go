package policy

import (
	"maps"
	"slices"
	"strings"
)

// Services returns the prefixes of the services of which an action is allowed, in lower case, sorted, each once
// ("dynamodb"). What is allowed of services in general stands as it is: "*", or "s*". An Allow with NotAction is of
// services in general too.
func (s Set) Services() []string {
	a := s.analyse()
	bans := a.bans("")
	found := make(map[string]bool)
	for _, r := range a.allows {
		if len(r.notActions) > 0 {
			if a.grants(r, anything, bans) {
				found["*"] = true
			}
			continue
		}
		for i, action := range r.actions {
			service, _, _ := strings.Cut(action, ":")
			if !found[service] && a.grants(r, r.patterns[i], bans) {
				found[service] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// AnyOf returns those of services, given by their prefixes in lower case ("iam"), of which an action is allowed.
func (s Set) AnyOf(services ...string) []string {
	return s.of(services, func(a *analysis, r rule, whole glob, bans []*ban) bool {
		if len(r.notActions) > 0 {
			return !r.excepts(whole, &a.effort)
		}
		return slices.ContainsFunc(r.patterns, func(p glob) bool {
			return p.meets(whole, &a.effort) && a.grants(r, p, bans)
		})
	})
}

// AllOf returns those of services, given by their prefixes in lower case, of which all actions are allowed, as
// dynamodb:* does, or all but some that a NotAction names. On which resources does not matter.
func (s Set) AllOf(services ...string) []string {
	return s.of(services, func(a *analysis, r rule, whole glob, _ []*ban) bool {
		if len(r.notActions) > 0 {
			return !r.excepts(whole, &a.effort)
		}
		return r.allActs(whole, &a.effort) || a.effort < 0
	})
}

// of returns those of services that some Allow is for, given the pattern of all their actions and the bans, and that no
// ban takes away.
func (s Set) of(services []string, is func(a *analysis, r rule, whole glob, bans []*ban) bool) []string {
	a := s.analyse()
	bans := a.bans("")
	var all []string
	for _, service := range services {
		whole := dialect{}.compile(service + ":?*")
		if slices.ContainsFunc(a.allows, func(r rule) bool { return is(a, r, whole, bans) && a.grants(r, whole, bans) }) {
			all = append(all, service)
		}
	}
	return all
}

// excepts tells whether one NotAction fits all that x does.
func (r rule) excepts(x glob, e *effort) bool {
	return slices.ContainsFunc(r.patterns, func(p glob) bool { return p.covers(x, e) })
}

// grants tells whether some of what an Allow gives of actions, in lower case, is left by the bans.
func (a *analysis) grants(r rule, actions glob, bans []*ban) bool {
	bans = a.those(bans, func(b *ban) bool { return b.allActs(actions, &a.effort) })
	if len(bans) == 0 {
		return true
	}
	given, ok := a.given[r.Statement]
	if !ok {
		given = r.resources(r.Resources, dialect{})
		if len(r.NotResources) > 0 {
			everything, _ := dialect{}.resource("*")
			given = []resource{everything}
		}
		a.given[r.Statement] = given
	}
	return slices.ContainsFunc(given, func(x resource) bool {
		return !slices.ContainsFunc(bans, func(b *ban) bool { return a.effort.spend() && b.covers(x, x.name, &a.effort) })
	})
}

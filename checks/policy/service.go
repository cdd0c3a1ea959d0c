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
	for i := range a.allows {
		r := &a.allows[i]
		if r.not {
			if a.grants(r, anything, bans) {
				found["*"] = true
			}
			continue
		}
		for j, action := range r.Actions {
			service, _, _ := strings.Cut(action, ":")
			service = strings.ToLower(service)
			if !found[service] && (len(bans) == 0 || a.grants(r, r.globs()[j], bans)) {
				found[service] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// AnyOf returns those of services, given by their prefixes in lower case ("iam"), of which an action is allowed.
func (s Set) AnyOf(services ...string) []string {
	return s.of(services, func(a *analysis, r *rule, whole glob, bans []*ban) bool {
		if r.not {
			return !r.excepts(whole, &a.effort)
		}
		return slices.ContainsFunc(r.globs(), func(p glob) bool {
			return p.meets(whole, &a.effort) && a.grants(r, p, bans)
		})
	})
}

// AllOf returns those of services, given by their prefixes in lower case, of which all actions are allowed, as
// dynamodb:* does, or all but some that a NotAction names. On which resources does not matter.
func (s Set) AllOf(services ...string) []string {
	return s.of(services, func(a *analysis, r *rule, whole glob, _ []*ban) bool {
		if r.not {
			return !r.excepts(whole, &a.effort)
		}
		return r.allActs(whole, &a.effort) || a.effort < 0
	})
}

// of returns those of services that some Allow is for, given the pattern of all their actions and the bans, and that no
// ban takes away.
func (s Set) of(services []string, is func(a *analysis, r *rule, whole glob, bans []*ban) bool) []string {
	a := s.analyse()
	bans := a.bans("")
	var all []string
	for _, service := range services {
		whole := dialect{}.compile(service + ":?*")
		for i := range a.allows {
			if r := &a.allows[i]; is(a, r, whole, bans) && a.grants(r, whole, bans) {
				all = append(all, service)
				break
			}
		}
	}
	return all
}

// excepts tells whether one NotAction fits all that x does.
func (r *rule) excepts(x glob, e *effort) bool {
	return slices.ContainsFunc(r.globs(), func(p glob) bool { return p.covers(x, e) })
}

// grants tells whether some of what an Allow gives of actions, in lower case, is left by the bans.
func (a *analysis) grants(r *rule, actions glob, bans []*ban) bool {
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
		if a.given == nil {
			a.given = make(map[*Statement][]resource)
		}
		a.given[r.Statement] = given
	}
	return slices.ContainsFunc(given, func(x resource) bool {
		return !slices.ContainsFunc(bans, func(b *ban) bool { return a.effort.spend() && b.covers(&x, x.name, &a.effort) })
	})
}

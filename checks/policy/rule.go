package policy

import (
	"slices"
	"strings"
)

// version2012 is the version of policies that have variables.
const version2012 = "2012-10-17"

// rule is a statement made ready to be asked. Its actions are in lower case.
type rule struct {
	*Statement
	variables           bool
	actions, notActions []string
	patterns            []glob          // actions or notActions, taken apart
	literals            map[string]bool // those of them that have no wildcards
	wild                []string        // the others
}

// analysis is the work on one question about a Set.
type analysis struct {
	allows, denies []rule
	effort         effort
	given          map[*Statement][]resource // what those Allows are about of which grants was asked
}

// analyse makes the statements of all documents ready.
func (s Set) analyse() *analysis {
	a := &analysis{effort: maxEffort, given: make(map[*Statement][]resource)}
	for _, d := range s {
		if d == nil {
			continue
		}
		for i := range d.Statements {
			st := &d.Statements[i]
			r := rule{
				Statement: st, variables: d.Version == version2012,
				actions: lower(st.Actions), notActions: lower(st.NotActions), literals: make(map[string]bool),
			}
			for _, p := range slices.Concat(r.actions, r.notActions) { // of which one is empty
				r.patterns = append(r.patterns, dialect{}.compile(p))
				if strings.ContainsAny(p, "*?") {
					r.wild = append(r.wild, p)
				} else {
					r.literals[p] = true
				}
			}
			if st.Effect == Allow {
				a.allows = append(a.allows, r)
			} else {
				a.denies = append(a.denies, r)
			}
		}
	}
	return a
}

func lower(list []string) []string {
	all := make([]string, len(list))
	for i, s := range list {
		all[i] = strings.ToLower(s)
	}
	return all
}

// acts tells whether the rule is about an action, given in lower case. When no effort is left an Allow is, and a Deny
// is not.
func (r rule) acts(action string, e *effort) bool {
	acts, told := r.tell(action, e)
	return acts || !told && r.Effect == Allow
}

// mayAct is acts for a Deny that is judged itself: when no effort is left it is about the action.
func (r rule) mayAct(action string, e *effort) bool {
	acts, told := r.tell(action, e)
	return acts || !told
}

// tell tells whether the rule is about an action; told is false when the steps that it may take are not left.
func (r rule) tell(action string, e *effort) (acts, told bool) {
	not := len(r.notActions) > 0
	e.spend()
	if r.literals[action] {
		return !not, true
	}
	for _, p := range r.wild {
		fits, told := e.match(p, action)
		switch {
		case !told:
			return false, false
		case fits:
			return !not, true
		}
	}
	return not, true
}

// allActs tells whether the rule is about every action that x, in lower case, fits.
func (r rule) allActs(x glob, e *effort) bool {
	if len(r.notActions) > 0 {
		return !slices.ContainsFunc(r.patterns, func(p glob) bool { return p.meets(x, e) })
	}
	return slices.ContainsFunc(r.patterns, func(p glob) bool { return *e >= 0 && p.covers(x, e) })
}

// resources takes patterns of the rule's apart, leaving out those that fit no ARN.
func (r rule) resources(patterns []string, d dialect) []resource {
	d.variables = r.variables
	var all []resource
	for _, p := range patterns {
		if res, ok := d.resource(p); ok {
			all = append(all, res)
		}
	}
	return all
}

// target is what an Allow is about, as its kind is read and by the letter.
type target struct {
	resource
	plain glob // the name by the letter
}

// reach returns the resources of AWS IoT that an Allow is about, as those of n are read. All but some resources are
// everything, unless the whole kind is among the some.
func (r rule) reach(n noun, e *effort) []target {
	d := n.reading()
	if len(r.NotResources) > 0 {
		everything, _ := d.resource("arn:*:iot:*:*:*")
		for _, x := range r.resources(r.NotResources, dialect{}) {
			if x.covers(everything, below(string(n)), e) {
				return nil
			}
		}
		return []target{{everything, everything.name}}
	}
	byLetter := d
	byLetter.filter = false
	plain := r.resources(r.Resources, byLetter)
	var all []target
	for i, x := range r.resources(r.Resources, d) {
		if x.ofIoT(e) {
			x.service = dialect{}.compile(iot)
			all = append(all, target{x, plain[i].name})
		}
	}
	return all
}

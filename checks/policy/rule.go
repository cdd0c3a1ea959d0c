package policy

import (
	"slices"
	"strings"
)

// version2012 is the version of policies that have variables.
const version2012 = "2012-10-17"

// rule is a statement made ready to be asked.
type rule struct {
	*Statement
	names          *names   // of its variables; nil: it has none
	not            bool     // it is about all actions but these
	literals, wild []string // its actions in lower case: those without wildcards, and those with
	patterns       []glob   // what globs has returned
}

// analysis is the work on one question about a Set.
type analysis struct {
	allows, denies []rule
	effort         effort
	names          names
	literals, wild []string                  // of all rules, one rule after another
	words          []uint64                  // for bitsets
	tokens         glob                      // for one resource at a time
	given          map[*Statement][]resource // what those Allows are about of which grants was asked
}

// few is space for what most policies that have anything to do with a question need.
type few struct {
	allows [4]rule
	words  [16]uint64
}

// analyse makes the statements of all documents ready.
func (s Set) analyse() *analysis { return s.analyseFor("") }

// analyseFor makes those statements ready that may be about actions which begin with prefix, in lower case. What others
// there are in them does not count.
func (s Set) analyseFor(prefix string) *analysis {
	a := &analysis{effort: maxEffort}
	for _, d := range s {
		if d == nil {
			continue
		}
		for i := range d.Statements {
			st := &d.Statements[i]
			r := rule{Statement: st, not: len(st.NotActions) > 0}
			if d.Version == version2012 {
				r.names = &a.names
			}
			named := st.Actions
			if r.not {
				named = st.NotActions
			}
			r.literals, r.wild = a.lower(named, prefix)
			switch {
			case !r.not && len(r.literals)+len(r.wild) == 0:
			case st.Effect == Allow:
				if a.allows == nil {
					few := new(few)
					a.allows, a.words = few.allows[:0], few.words[:]
				}
				a.allows = append(a.allows, r)
			default:
				a.denies = append(a.denies, r)
			}
		}
	}
	return a
}

// lower returns those of patterns of actions that may begin with prefix, in lower case.
func (a *analysis) lower(patterns []string, prefix string) (literals, wild []string) {
	l, w := len(a.literals), len(a.wild)
	for _, p := range patterns {
		switch {
		case !mayBegin(p, prefix):
		case isWild(p):
			a.wild = append(a.wild, strings.ToLower(p))
		default:
			a.literals = append(a.literals, strings.ToLower(p))
		}
	}
	return a.literals[l:len(a.literals):len(a.literals)], a.wild[w:len(a.wild):len(a.wild)]
}

// isWild tells whether a pattern has wildcards.
func isWild(pattern string) bool {
	for i := range len(pattern) {
		if pattern[i] == '*' || pattern[i] == '?' {
			return true
		}
	}
	return false
}

// acts tells whether the rule is about an action, given in lower case. When no effort is left an Allow is, and a Deny
// is not.
func (r *rule) acts(action string, e *effort) bool {
	acts, told := r.tell(action, e)
	return acts || !told && r.Effect == Allow
}

// mayAct is acts for a Deny that is judged itself: when no effort is left it is about the action.
func (r *rule) mayAct(action string, e *effort) bool {
	acts, told := r.tell(action, e)
	return acts || !told
}

// tell tells whether the rule is about an action; told is false when the steps that it may take are not left.
func (r *rule) tell(action string, e *effort) (acts, told bool) {
	e.spend()
	if slices.Contains(r.literals, action) {
		return !r.not, true
	}
	fits, told := r.wildFits(action, e)
	return told && fits != r.not, told
}

// wildFits tells whether a pattern with wildcards fits an action.
func (r *rule) wildFits(action string, e *effort) (fits, told bool) {
	for _, p := range r.wild {
		if fits, told = e.match(p, action); fits || !told {
			return fits, told
		}
	}
	return false, true
}

// globs returns the actions, taken apart, in the order of the document.
func (r *rule) globs() []glob {
	if r.patterns == nil {
		for _, p := range slices.Concat(r.Actions, r.NotActions) { // of which one is empty
			r.patterns = append(r.patterns, dialect{}.compile(strings.ToLower(p)))
		}
	}
	return r.patterns
}

// allActs tells whether the rule is about every action that x, in lower case, fits.
func (r *rule) allActs(x glob, e *effort) bool {
	if r.not {
		return !slices.ContainsFunc(r.globs(), func(p glob) bool { return p.meets(x, e) })
	}
	return slices.ContainsFunc(r.globs(), func(p glob) bool { return *e >= 0 && p.covers(x, e) })
}

// in returns how the rule's patterns are read where d is.
func (r *rule) in(d dialect) dialect {
	d.variables, d.names = r.names != nil, r.names
	return d
}

// resources takes patterns of the rule's apart, leaving out those that fit no ARN.
func (r *rule) resources(patterns []string, d dialect) []resource {
	d = r.in(d)
	all := make([]resource, 0, len(patterns))
	for _, p := range patterns {
		if res, ok := d.resource(p); ok {
			all = append(all, res)
		}
	}
	return all
}

// reach calls yield with each of the resources of AWS IoT that an Allow is about, as those of n are read, until it returns
// false. Some that have nothing to do with n may be left out. All but some resources are everything, unless the whole
// kind is among the some. What yield is given is good until it returns.
func (a *analysis) reach(r *rule, n noun, yield func(x *resource) bool) {
	if len(r.NotResources) > 0 {
		everything := resource{allOfIoT, anything, iotsService, anything, anything, anything}
		for _, x := range r.resources(r.NotResources, dialect{}) {
			if x.covers(&everything, below(string(n)), &a.effort) {
				return
			}
		}
		yield(&everything)
		return
	}
	d := r.in(n.reading())
	for _, p := range r.Resources {
		if fields, count := d.fields(p); count == len(fields) && !mayBegin(fields[count-1], string(n)) {
			continue
		}
		a.tokens = slices.Grow(a.tokens[:0], len(p))
		x, ok := d.resourceIn(a.tokens, p)
		if !ok || !x.ofIoT(&a.effort) {
			continue
		}
		x.service = iotsService
		if !yield(&x) {
			return
		}
	}
}

// allOfIoT is the pattern of all resources of AWS IoT.
const allOfIoT = "arn:*:iot:*:*:*"

// byLetter returns the name, by the letter, of what reach yields for n.
func (r *rule) byLetter(x *resource, n noun) glob {
	if n != topicFilter {
		return x.name
	}
	plain, _ := r.in(dialect{}).resource(x.text)
	return plain.name
}

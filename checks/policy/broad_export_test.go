package policy

import "slices"

// WildAfter tells whether a pattern of topic filters has a wildcard after prefix: in the way that questions are answered,
// and by looking at all that is left.
func WildAfter(pattern, prefix string) (quick, slow bool) {
	g := dialect{filter: true}.compile(pattern)
	slow = slices.ContainsFunc(g.after(prefix), func(left glob) bool { return len(left) > 0 && left[0].wildcard() })
	return g.wildAfter(prefix), slow
}

// MayBegin lets tests ask a pattern at a glance.
func MayBegin(pattern, prefix string) bool { return mayBegin(pattern, prefix) }

// SameVariable tells whether two variables, with the dollars and braces around them, are one for a Set.
func SameVariable(a, b string) bool {
	d := dialect{variables: true, names: new(names)}
	return slices.Equal(d.compile(a), d.compile(b))
}

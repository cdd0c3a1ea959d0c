package policy

import (
	"fmt"
	"slices"
	"strings"
)

// Condition keys that say who is connecting, in lower case.
const (
	isAttached = "iot:connection.thing.isattached" // the thing that the client id names belongs to who connects
	clientID   = "iot:clientid"
	thingName  = "iot:connection.thing.thingname" // which is the client id of a thing
)

// tiesClient tells whether the conditions of an Allow let a device connect under names of its own only: as a
// thing that is attached to it, or by a condition on the client id. Of one that holds where its key is missing
// (IfExists, ForAllValues) it does not.
func (s *Statement) tiesClient(variables bool) bool {
	for _, c := range s.Conditions {
		switch operator := strings.TrimPrefix(c.Operator, "ForAnyValue:"); strings.ToLower(c.Key) {
		case isAttached:
			switch operator {
			case "Bool", "StringEquals", "StringEqualsIgnoreCase", "StringLike":
				if c.all("true") {
					return true
				}
			}
		case clientID, thingName:
			switch operator {
			case "StringEquals", "StringEqualsIgnoreCase", "StringLike":
				if c.narrow(operator == "StringLike", variables) {
					return true
				}
			}
		}
	}
	return false
}

// untiesClient tells whether a Deny is for connecting under names that are not the device's own: what
// tiesClient wants, turned around. It must have no other condition.
func (s *Statement) untiesClient(variables bool) bool {
	if len(s.Conditions) != 1 {
		return false
	}
	c := s.Conditions[0]
	switch strings.ToLower(c.Key) {
	case isAttached:
		switch strings.TrimSuffix(c.Operator, "IfExists") {
		case "Bool", "StringEquals", "StringEqualsIgnoreCase", "StringLike":
			return c.any("false")
		case "StringNotEquals", "StringNotEqualsIgnoreCase", "StringNotLike":
			return c.all("true")
		}
	case clientID, thingName:
		switch operator := strings.TrimSuffix(c.Operator, "IfExists"); operator {
		case "StringNotEquals", "StringNotEqualsIgnoreCase", "StringNotLike":
			return c.narrow(operator == "StringNotLike", variables)
		}
	}
	return false
}

// all tells whether no value but v satisfies the condition.
func (c Condition) all(v string) bool {
	for _, have := range c.Values {
		if !strings.EqualFold(have, v) {
			return false
		}
	}
	return len(c.Values) > 0
}

// any tells whether v satisfies the condition.
func (c Condition) any(v string) bool {
	for _, have := range c.Values {
		if strings.EqualFold(have, v) {
			return true
		}
	}
	return false
}

// narrow tells whether each value names something, and is not what the device says itself.
func (c Condition) narrow(like, variables bool) bool {
	for _, v := range c.Values {
		g := dialect{variables: variables, chosen: clientID}.compile(v)
		if len(g) == 0 || g[0].wildcard() && (like || !strings.ContainsRune("*?", rune(v[0]))) {
			return false
		}
	}
	return len(c.Values) > 0
}

// numbering gives numbers to conditions: the same to those that are the same but for the case of the key, and the order
// and number of values.
type numbering map[string]int

// of returns the numbers of conditions, sorted.
func (n numbering) of(conditions []Condition) []int {
	all := make([]int, len(conditions))
	for i, c := range conditions {
		id := fmt.Sprintf("%q", append([]string{c.Operator, strings.ToLower(c.Key)}, sorted(c.Values)...))
		if _, ok := n[id]; !ok {
			n[id] = len(n)
		}
		all[i] = n[id]
	}
	slices.Sort(all)
	return all
}

// sorted returns the strings of a list in order, each once.
func sorted(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }

// subset tells whether all numbers of a are in b. Both are sorted.
func subset(a, b []int) bool {
	for _, x := range a {
		i, ok := slices.BinarySearch(b, x)
		if !ok {
			return false
		}
		b = b[i:]
	}
	return true
}

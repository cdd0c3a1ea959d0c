package policy_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/fleetaudit/fleetaudit/checks/policy"
)

// brings tells whether MQTT delivers what is published to a topic to subscribers of a filter.
func brings(filter, topic string) bool {
	if strings.HasPrefix(topic, "$") && strings.ContainsAny(filter[:1], "+#") {
		return false
	}
	filters, topics := strings.Split(filter, "/"), strings.Split(topic, "/")
	for i, f := range filters {
		switch {
		case f == "#":
			return true
		case i >= len(topics), f != "+" && f != topics[i]:
			return i == len(topics) && f == "#"
		}
	}
	return len(filters) == len(topics)
}

// paths returns all paths of at most n of levels.
func paths(levels []string, n int) []string {
	all, last := []string{}, []string{""}
	for range n {
		var next []string
		for _, head := range last {
			for _, level := range levels {
				next = append(next, head+level)
			}
		}
		all, last = append(all, next...), nil
		for _, p := range next {
			last = append(last, p+"/")
		}
	}
	return all
}

// TestDeniedButReceivableIsItsDefinition looks among all short filters for one that is allowed, is not denied, and
// brings messages of a topic that is denied as a filter.
func TestDeniedButReceivableIsItsDefinition(t *testing.T) {
	const prefix = "arn:aws:iot:us-east-1:123456789012:topicfilter/"
	topics := paths([]string{"a", "b", "ab", "$a"}, 3)
	filters := paths([]string{"a", "b", "ab", "$a", "+"}, 3)
	for _, f := range filters {
		filters = append(filters, f+"/#")
	}
	filters = append(filters, "#")
	brought := make(map[string][]string) // topics by filters that are no topics
	for _, f := range filters {
		for _, topic := range topics {
			if strings.ContainsAny(f, "+#") && brings(f, topic) {
				brought[f] = append(brought[f], topic)
			}
		}
	}
	pattern := func(r *rand.Rand, from []string, marks bool) string {
		p := []byte(from[r.IntN(len(from))])
		for i := range p {
			switch n := r.IntN(12); {
			case n == 0:
				p[i] = '*'
			case n == 1 && marks:
				p[i] = '?'
			case n == 2:
				return string(p[:i]) + "*"
			}
		}
		return string(p)
	}
	longer := paths([]string{"a", "b", "ab", "$a", "+"}, 4)
	longerTopics := slices.DeleteFunc(slices.Clone(longer), func(s string) bool { return strings.Contains(s, "+") })
	for _, f := range slices.Clone(longer) {
		longer = append(longer, f+"/#")
	}
	long := func(allowed, denied string) bool {
		for _, f := range append(longer, "#") {
			if policy.Match(allowed, f) && !policy.Match(denied, f) {
				for _, topic := range longerTopics {
					if policy.Match(denied, topic) && brings(f, topic) {
						return true
					}
				}
			}
		}
		return false
	}
	var found, more int
	const count = 4000
	for seed := range uint64(count) {
		r := rand.New(rand.NewPCG(seed, 0))
		allowed, denied := pattern(r, filters, false), pattern(r, topics, true)
		set := policy.Set{document(t, "Allow iot:Subscribe "+prefix+allowed+"; Deny iot:Subscribe "+prefix+denied)}
		got := len(set.DeniedButReceivable()) > 0
		witness := ""
		for f, topics := range brought {
			if policy.Match(allowed, f) && !policy.Match(denied, f) {
				for _, topic := range topics {
					if policy.Match(denied, topic) {
						witness = f + " brings " + topic
					}
				}
			}
		}
		switch {
		case witness != "" && !got:
			t.Errorf("seed %d: Allow %s, Deny %s: %s", seed, allowed, denied, witness)
		case witness != "":
			found++
		case got && !long(allowed, denied):
			more++
		}
	}
	if found < count/10 || more > found/5 {
		t.Errorf("%d of %d are receivable, %d more are said to be", found, count, more)
	}
}

// TestDeniedButReceivableOfManyLevels: with more levels than there can be, what is allowed and what is denied need only
// have a filter in common.
func TestDeniedButReceivableOfManyLevels(t *testing.T) {
	const prefix = "arn:aws:iot:us-east-1:123456789012:topicfilter/"
	denied := prefix + strings.Repeat("a/", 60) + "*"
	for _, row := range []struct {
		allowed string
		want    []string
	}{
		{"*", []string{denied}},
		{"a/*", []string{denied}},
		{"b/*", nil},
		{strings.Repeat("a/", 60) + "b", nil}, // denied as a whole
	} {
		set := policy.Set{document(t, "Allow iot:Subscribe "+prefix+row.allowed+"; Deny iot:Subscribe "+denied)}
		if got := set.DeniedButReceivable(); !slices.Equal(got, row.want) {
			t.Errorf("Allow %s: %v", row.allowed, got)
		}
	}
	// None of the filters ?x has + or # as a level that could bring what x? are, though xx is one of both.
	for levels, want := range map[int]bool{2: false, 49: false, 50: true, 51: true} {
		path := prefix + strings.Repeat("a/", levels)
		set := policy.Set{document(t, "Allow iot:Subscribe "+path+"?x; Deny iot:Subscribe "+path+"x?")}
		if got := set.DeniedButReceivable(); (len(got) > 0) != want {
			t.Errorf("%d levels: %v", levels, got)
		}
	}
}

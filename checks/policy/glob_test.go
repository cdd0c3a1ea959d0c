package policy_test

import (
	"strings"
	"testing"

	"github.com/fleetaudit/fleetaudit/checks/policy"
)

// words returns all words over letters that have at most n of them.
func words(letters string, n int) []string {
	all := []string{""}
	for last := all; n > 0; n-- {
		var next []string
		for _, w := range last {
			for _, l := range letters {
				next = append(next, w+string(l))
			}
		}
		all, last = append(all, next...), next
	}
	return all
}

// TestPatternsAgainstAllWords holds the comparison of patterns against what they match among all short words. The
// letter c is in no pattern, so that it stands for all that a wildcard alone matches.
func TestPatternsAgainstAllWords(t *testing.T) {
	texts := words("abc", 6)
	patterns := words("ab*?", 4)
	matched := make([]map[int]bool, len(patterns))
	for i, p := range patterns {
		matched[i] = make(map[int]bool)
		for j, text := range texts {
			if policy.Match(p, text) {
				matched[i][j] = true
			}
		}
	}
	subset := func(a, b map[int]bool) bool {
		for k := range a {
			if !b[k] {
				return false
			}
		}
		return true
	}
	overlap := func(a, b map[int]bool) bool {
		for k := range a {
			if b[k] {
				return true
			}
		}
		return false
	}
	var covered, missed, met int
	for i, g := range patterns {
		for j, x := range patterns {
			got, want := policy.Covers(g, x), subset(matched[j], matched[i])
			switch {
			case got && !want:
				t.Errorf("%q is said to cover %q", g, x)
			case got:
				covered++
			case want && !(strings.Contains(g, "?") && strings.Contains(g, "*")):
				t.Errorf("%q is not said to cover %q", g, x)
			case want:
				missed++
			}
			if got, want := policy.Meets(g, x), overlap(matched[i], matched[j]); got != want {
				// Two patterns of four may need a word of up to eight letters.
				if !got || len(g)+len(x) <= 6 {
					t.Errorf("%q meets %q: %v", g, x, got)
				}
			} else if got {
				met++
			}
		}
	}
	if covered < 1000 || met < 1000 || missed > covered/5 {
		t.Errorf("%d pairs cover, %d more are given up, %d meet", covered, missed, met)
	}
}

// TestAfter: what is left of a pattern after a prefix matches exactly the words that the pattern matches with the
// prefix in front.
func TestAfter(t *testing.T) {
	texts := words("abc", 4)
	for _, g := range words("ab*?", 4) {
		for _, prefix := range words("ab", 2) {
			for _, text := range texts {
				if got, want := policy.After(g, prefix, text), policy.Match(g, prefix+text); got != want {
					t.Fatalf("%q after %q and %q: %v", g, prefix, text, got)
				}
			}
		}
	}
}

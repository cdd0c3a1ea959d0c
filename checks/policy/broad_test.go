package policy_test

import (
	"strings"
	"testing"

	"github.com/fleetaudit/fleetaudit/checks/policy"
)

// TestWildAfter holds the quick way to find a wildcard where a name begins against the slow one.
func TestWildAfter(t *testing.T) {
	found := 0
	for _, prefix := range []string{"", "a", "a/", "a/b/", "b//"} {
		for _, pattern := range words("ab/*?+#", 4) {
			quick, slow := policy.WildAfter(pattern, prefix)
			if quick != slow {
				t.Errorf("%q after %q: %v, and of all that is left %v", pattern, prefix, quick, slow)
			}
			if quick {
				found++
			}
		}
	}
	if found < 1000 {
		t.Errorf("only %d patterns have a wildcard", found)
	}
}

// TestMayBegin: a pattern that is passed over at a glance fits nothing that begins with the prefix.
func TestMayBegin(t *testing.T) {
	texts := words("aAb", 3)
	passed := 0
	for _, prefix := range []string{"", "a", "ab", "a/b", "iot"} {
		for _, pattern := range words("aAb/*?", 4) {
			if policy.MayBegin(pattern, prefix) {
				continue
			}
			passed++
			for _, text := range texts {
				if policy.Match(strings.ToLower(pattern), strings.ToLower(prefix+text)) {
					t.Errorf("%q is passed over, and fits %q", pattern, prefix+text)
				}
			}
		}
		for _, pattern := range []string{prefix, strings.ToUpper(prefix) + ":x", prefix + "*", "*", "?*", "${a}", "${a", "é", "+/x", "#"} {
			if !policy.MayBegin(pattern, prefix) && pattern != "" {
				t.Errorf("%q is passed over for %q", pattern, prefix)
			}
		}
	}
	if passed < 1000 {
		t.Errorf("only %d patterns are passed over", passed)
	}
}

// TestVariables: a variable goes by its name, without case, white space around it or a default value.
func TestVariables(t *testing.T) {
	all := []string{"${a}", "${ A }", "${a, 'b'}", "${b}", "${a b}", "${*}", "${?}", "${aws:UserAgent}"}
	same := map[[2]int]bool{{0, 1}: true, {0, 2}: true, {1, 2}: true}
	for i, a := range all {
		for j, b := range all {
			if want := i == j || same[[2]int{min(i, j), max(i, j)}]; policy.SameVariable(a, b) != want {
				t.Errorf("%s and %s: %v", a, b, !want)
			}
		}
	}
}

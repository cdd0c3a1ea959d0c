package policy_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/fleetaudit/fleetaudit/checks/policy"
)

func TestMatch(t *testing.T) {
	long := strings.Repeat("ab", 100)
	for _, row := range []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true},
		{"", "a", false},
		{"a", "", false},
		{"*", "", true},
		{"*", "a/b\n", true},
		{"**", "", true},
		{"?", "", false},
		{"?", "a", true},
		{"?", "é", true},
		{"?", "😀", true},
		{"??", "é", false},
		{"??", "e\u0301", true},
		{"?", "ab", false},
		{"*?", "", false},
		{"?*", "a", true},
		{"*?*", "", false},
		{"*?*?*", "a", false},
		{"*?*?*", "ab", true},
		{"iot:Publish", "iot:Publish", true},
		{"iot:Publish", "iot:publish", false},
		{"iot:Publish", "iot:PublishX", false},
		{"iot:*", "iot:Publish", true},
		{"iot:*", "iot:", true},
		{"iot:*", "iot", false},
		{"iot:P*h", "iot:Ph", true},
		{"iot:Ph*h", "iot:Ph", false},
		{"*ish", "iot:Publish", true},
		{"*:Pub*sh", "iot:Publish", true},
		{"*:Pub*shh", "iot:Publish", false},
		{"i?t:*", "iot:Publish", true},
		{"i?t:*", "it:Publish", false},
		{"*P?b*", "iot:Publish", true},
		{"*P?a*", "iot:Publish", false},
		{"*a*b*c", "a_b_c_b", false},
		{"*a*b*c", "a_b_c_b_c", true},
		{"aba*aba", "aba", false},
		{"aba*aba", "abaaba", true},
		{"a?a*a?a", "axaa", false},
		{"a?a*a?a", "axaaya", true},
		{"*aab*", "aaab", true},
		{"*a?b*", "aaxab", false},
		{"*a?b*", "aaxaxb", true},
		{"*é?l*", "téxlé", true},
		{"*Ł?*", "Ax", false},      // the same lowest byte
		{"*A?*", "Łx", false},      //
		{"*\u4e41?*", "Ax", false}, //
		{"*A?*", "\u4e41x", false}, //
		{"*\U00010041?*", "Ax", false},
		{"*\U00010041?*", "\u0141\U00010041x", true},
		{"+", "a", false},
		{"#", "a", false},
		{"[a]", "a", false},
		{`\*`, `\x`, true},
		{"${iot:ClientId}", "${iot:ClientId}", true},
		{"*" + long + "c*", long + "a" + long + "c", true},
		{"*" + long + "c*", long + long + "bc", false},
		{"x*" + long + "?*", "x" + long, false},
		{"x*" + long + "?*", "x" + long + "a", true},
		{"*" + long + "*" + long + "*", long + "c" + long, true},
		{"*" + long + "*" + long + "*", "c" + long + strings.Repeat("c", 400) + long[1:], false},
		{"*" + long + "*" + long + "*", "c" + long + strings.Repeat("c", 400) + long, true},
		{"*" + long + "*b*", strings.Repeat("d", 400) + long, false},
		{"*" + long + "c*", strings.Repeat("d", 400) + "ab" + long + "c", true},
		{"*" + long + "c*", strings.Repeat("d", 400) + "ab" + long + "ac", false},
		{"*" + long[:100] + "?*", strings.Repeat("c", 150) + long[:100], false},
		{"*" + long[:100] + "?*", strings.Repeat("c", 150) + long[:101], true},
		{"*" + long[:63] + "?*", long[2:66], true},
		{"*" + long[:64] + "?*", long[2:66], false},
		{"*" + long[:64] + "?*", long[2:67], true},
		{"*" + long[:65] + "*?", long[2:67], false},
		{"*" + long[:65] + "*?", long[2:68], true},
	} {
		if got := policy.Match(row.pattern, row.s); got != row.want {
			t.Errorf("%q on %q: %v", row.pattern, row.s, got)
		}
	}
}

// slowMatch is Match by its definition, in time len(pattern) times len(s).
func slowMatch(pattern, s string) bool {
	// fits[i] says that what of the pattern is done fits the first i characters of s.
	text := []rune(s)
	fits := make([]bool, len(text)+1)
	fits[0] = true
	for _, c := range pattern {
		if c == '*' {
			for i := range text {
				fits[i+1] = fits[i+1] || fits[i]
			}
			continue
		}
		for i := len(text); i > 0; i-- {
			fits[i] = fits[i-1] && (c == '?' || c == text[i-1])
		}
		fits[0] = false
	}
	return fits[len(text)]
}

// TestMatchIsItsDefinition tries patterns that are strings with parts replaced by wildcards, and then spoiled, of
// few characters, so that much almost fits.
func TestMatchIsItsDefinition(t *testing.T) {
	alphabets := [][]rune{[]rune("a"), []rune("ab"), []rune("ab?*"), []rune("AáŁ\u4e41😀\U00010041")}
	var matched, unmatched int
	for seed := range uint64(1500) {
		r := rand.New(rand.NewPCG(seed, 0))
		alphabet := alphabets[r.IntN(len(alphabets))]
		s := make([]rune, r.IntN(1+r.IntN(1+r.IntN(2000))))
		period := 1 + r.IntN(90)
		for i := range s {
			if s[i] = alphabet[r.IntN(len(alphabet))]; i >= period && r.IntN(200) > 0 {
				s[i] = s[i-period]
			}
		}
		pattern := slices.Clone(s)
		marks := r.IntN(2) == 0
		for i := range pattern {
			if marks && r.IntN(40) == 0 {
				pattern[i] = '?'
			}
		}
		for range r.IntN(6) {
			from := r.IntN(len(pattern) + 1)
			to := min(len(pattern), from+r.IntN(40))
			pattern = slices.Replace(pattern, from, to, '*')
		}
		if len(pattern) > 0 && r.IntN(2) == 0 {
			pattern[r.IntN(len(pattern))] = alphabet[r.IntN(len(alphabet))]
		}
		want := slowMatch(string(pattern), string(s))
		if want {
			matched++
		} else {
			unmatched++
		}
		if got := policy.Match(string(pattern), string(s)); got != want {
			t.Fatalf("seed %d: %q on %q: %v", seed, string(pattern), string(s), got)
		}
	}
	if matched < 300 || unmatched < 300 {
		t.Errorf("%d match and %d do not, which is too few of one", matched, unmatched)
	}
}

// TestMatchPlaces has a run fit in one place only, which is each place in turn.
func TestMatchPlaces(t *testing.T) {
	for _, size := range []int{3, 70} {
		run := "b?" + strings.Repeat("a", size-2)
		for place := 1; place < 700; place++ {
			before, after := strings.Repeat("a", place), strings.Repeat("a", 700-place)
			s := before + run + after
			if !policy.Match("*a*"+run+"*", s) || !policy.Match("*a*"+run+"*", before+run) {
				t.Errorf("a run of %d is not found at %d", size, place)
			}
			if policy.Match("*a*"+run+"*", s[:place+size-1]) || policy.Match("*a*"+run+"*b*", s) || policy.Match("*b*"+run+"*", s) {
				t.Errorf("a run of %d is found near %d", size, place)
			}
		}
	}
}

// TestMatchLiterals looks for long runs without ? in what is made of their beginnings.
func TestMatchLiterals(t *testing.T) {
	var found, missed int
	for seed := range uint64(5000) {
		r := rand.New(rand.NewPCG(seed, 0))
		run := make([]byte, 65+r.IntN(100))
		period := 1 + r.IntN(30)
		for i := range run {
			if run[i] = "ab"[r.IntN(2)]; i >= period && r.IntN(30) > 0 {
				run[i] = run[i-period]
			}
		}
		s := strings.Repeat("c", 100)
		for range 20 {
			s += string(run[:r.IntN(len(run))])
		}
		if r.IntN(2) == 0 {
			s += string(run)
		}
		want := strings.Contains(s, string(run))
		if want {
			found++
		} else {
			missed++
		}
		if got := policy.Match("*"+string(run)+"*", s); got != want {
			t.Fatalf("seed %d: %s in %s: %v", seed, run, s, got)
		}
	}
	if found < 1000 || missed < 1000 {
		t.Errorf("%d are found and %d are not, which is too few of one", found, missed)
	}
}

// TestMatchManyCharacters: a character is told from others however many a pattern has.
func TestMatchManyCharacters(t *testing.T) {
	far := strings.Repeat("y", 3000)
	for n := 240; n < 270; n++ {
		var all strings.Builder
		for c := range rune(n) {
			all.WriteRune('一' + c)
		}
		pattern, z := "*?"+all.String()+"?*", strings.Repeat("z", 70)
		for s, want := range map[string]bool{
			far: false, far + strings.Repeat("ź", 70): false, far + strings.Repeat("ź", 70) + far: false, // U+017A, and z is U+007A
			far + z + "?": true, far + z + far: true, far + z: false, far + z[1:] + far: false,
		} {
			if got := policy.Match(pattern+z+"?*", far+all.String()+s); got != want {
				t.Errorf("%d characters, and %.10s... to %.10s...: %v", n, s, s[3000:], got)
			}
		}
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("", "", uint8(0))
	f.Add("arn:aws:iot:*:topic/a?/*", "arn:aws:iot:eu-west-1:123456789012:topic/ab/c", uint8(0))
	f.Add("*a?b*b", "aaxabb", uint8(70))
	f.Add("*\xff?", "\xffé", uint8(3))
	f.Fuzz(func(t *testing.T, pattern, s string, times uint8) {
		if len(pattern) > 200 || len(s) > 200 {
			return
		}
		// Runs are looked for in another way when they are long.
		for _, row := range [][2]string{
			{pattern, s},
			{"*" + strings.Repeat(pattern, int(times)) + "*", strings.Repeat(s, int(times)) + pattern},
			{"*" + strings.Repeat(s, int(times)) + pattern, strings.Repeat(s, int(times)+1)},
		} {
			got := policy.Match(row[0], row[1])
			valid := utf8.ValidString(row[0]) && utf8.ValidString(row[1])
			if valid && len(row[0])*len(row[1]) < 1e6 && got != slowMatch(row[0], row[1]) {
				t.Errorf("%q on %q: %v", row[0], row[1], got)
			}
		}
	})
}

// hostile are patterns and strings of up to size bytes that are dear for one way of matching or another. None
// matches.
var hostile = []struct {
	name string
	of   func(size int) (pattern, s string)
}{
	{"stars", func(size int) (string, string) { // *a*a*a*b*
		return strings.Repeat("*a", size/2-2) + "*b*", strings.Repeat("a", size)
	}},
	{"questions", func(size int) (string, string) { // ?*?*?*b*
		return strings.Repeat("?*", size/2-2) + "b*", strings.Repeat("a", size)
	}},
	{"half", func(size int) (string, string) { // *aaaab*
		return "*" + strings.Repeat("a", size/2) + "b*", strings.Repeat("a", size)
	}},
	{"period", func(size int) (string, string) { // every 17th character begins what almost is there
		unit := "x" + strings.Repeat("b", 16)
		return "*" + strings.Repeat(unit, size/34) + "y*", strings.Repeat(unit, size/17)
	}},
	{"short", func(size int) (string, string) { // as long as a run can be that is looked for in the simplest way
		return strings.Repeat("*"+strings.Repeat("a", 63), size/128) + "*" + strings.Repeat("a", 63) + "b*", strings.Repeat("a", size)
	}},
	{"marks", func(size int) (string, string) { // *a?a?a?b*
		return "*" + strings.Repeat("a?", size/4) + "b*", strings.Repeat("a", size)
	}},
	{"mark", func(size int) (string, string) { // *aaaa?b*
		return "*" + strings.Repeat("a", size/2) + "?b*", strings.Repeat("a", size)
	}},
	{"odd", func(size int) (string, string) { // *a?a?a?aa*, where only the last place looked at tells it from ababab
		return "*" + strings.Repeat("a?", size/128*32-1) + "aa*", strings.Repeat("ab", size/2)
	}},
	{"pairs", func(size int) (string, string) { // *a?*a?*a?b*
		return strings.Repeat("*a?", size/3-2) + "*a?b*", strings.Repeat("a", size)
	}},
	{"far", func(size int) (string, string) { // each run is just too far away to be found at once
		run := "a" + strings.Repeat("?", 30) + "b"
		return strings.Repeat("*"+run, size/170) + "*c?c*", strings.Repeat(strings.Repeat("a", 140)+strings.Replace(run, "?", "a", -1), size/172)
	}},
	{"wide", func(size int) (string, string) { // the same in characters of three bytes
		return "*" + strings.Repeat("一", size/6) + "?丁*", strings.Repeat("一", size/3)
	}},
	{"many", func(size int) (string, string) { // as many different characters as possible
		var all strings.Builder
		for c := '\u0800'; all.Len() < size-3; c++ {
			all.WriteRune(c)
		}
		return "*" + all.String()[:size/6*3] + "?b*", all.String()
	}},
	{"emoji", func(size int) (string, string) { // only the last place looked at differs, and the string has a wide character
		return "*" + strings.Repeat("?", 64) + strings.Repeat("ab", size*3/10) + "?baaa*", "😀" + strings.Repeat("ab", size/2-2)
	}},
	{"odd and wide", func(size int) (string, string) {
		return "*" + strings.Repeat("a?", size/128*32-1) + "aa*", "😀" + strings.Repeat("ab", size/2-2)
	}},
	{"emoji and many", func(size int) (string, string) { // the same, and too many different characters to number them
		var all strings.Builder
		for c := range rune(min(260, size/10)) {
			all.WriteRune('\u0800' + c)
		}
		return "*" + strings.Repeat("?", 64) + strings.Repeat("ab", size*3/10) + "?baaa*" + all.String() + "?*",
			strings.Repeat("ab", size/2)
	}},
}

// TestMatchHostile compares what is dear with the definition, where that can be had, and has it over in no time: a
// matcher that backtracks would not return.
func TestMatchHostile(t *testing.T) {
	for _, row := range hostile {
		for _, size := range []int{1000, 40_000} {
			pattern, s := row.of(size)
			if len(pattern) > size || len(s) > size || len(pattern) < size/6 {
				t.Errorf("%s of %d: %d and %d bytes", row.name, size, len(pattern), len(s))
			}
			if policy.Match(pattern, s) || size == 1000 && slowMatch(pattern, s) {
				t.Errorf("%s of %d matches", row.name, size)
			}
		}
	}
}

// BenchmarkMatch measures 10 kB patterns on 10 kB strings, and how many times as long twice that takes. Both are the
// least of all rounds, which is what other work on the machine disturbs least.
func BenchmarkMatch(b *testing.B) {
	for _, row := range hostile {
		b.Run(row.name, func(b *testing.B) {
			least := [2]time.Duration{time.Hour, time.Hour}
			pattern, s := row.of(10_000)
			pattern2, s2 := row.of(20_000)
			b.ReportAllocs()
			for b.Loop() {
				begin := time.Now()
				policy.Match(pattern, s)
				middle := time.Now()
				policy.Match(pattern2, s2)
				least = [2]time.Duration{min(least[0], middle.Sub(begin)), min(least[1], time.Since(middle))}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(least[0].Nanoseconds())/1000, "µs/10kB")
			b.ReportMetric(float64(least[1])/float64(least[0]), "times/20kB")
		})
	}
}

// BenchmarkActions is the same for what is made of a pattern of actions, whose case does not matter.
func BenchmarkActions(b *testing.B) {
	for _, row := range []struct{ name, unit string }{{"stars", "*A"}, {"questions", "?*"}, {"pairs", "*A?"}} {
		b.Run(row.name, func(b *testing.B) {
			var sets [2]policy.Set
			for i := range sets {
				action := "IOT:" + strings.Repeat(row.unit, 10_000*(i+1)/len(row.unit)) + "*Z"
				sets[i] = policy.Set{{Version: "2012-10-17", Statements: []policy.Statement{
					{Effect: policy.Allow, Actions: []string{action}, Resources: []string{"*"}},
					{Effect: policy.Deny, Actions: []string{strings.ToLower(action)}, Resources: []string{"arn:aws:s3:::a"}},
				}}}
			}
			least := [2]time.Duration{time.Hour, time.Hour}
			for b.Loop() {
				for i, s := range sets {
					begin := time.Now()
					s.BroadDataPlane()
					least[i] = min(least[i], time.Since(begin))
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(least[0].Nanoseconds())/1000, "µs/10kB")
			b.ReportMetric(float64(least[1])/float64(least[0]), "times/20kB")
		})
	}
}

package checktest

import (
	"slices"
	"strings"
)

// lines makes sorted lines of findings.
func lines[F any](findings []F, line func(F) string) []string {
	all := make([]string, len(findings))
	for i, f := range findings {
		all[i] = line(f)
	}
	slices.Sort(all)
	return all
}

// diff lists what only one of two sorted lists has: "-" is before what is missing in got, "+" before what
// want has not. It is empty if they are the same.
func diff(want, got []string) string {
	var b strings.Builder
	for len(want) > 0 || len(got) > 0 {
		switch {
		case len(got) == 0 || len(want) > 0 && want[0] < got[0]:
			b.WriteString("- " + want[0] + "\n")
			want = want[1:]
		case len(want) == 0 || got[0] < want[0]:
			b.WriteString("+ " + got[0] + "\n")
			got = got[1:]
		default:
			want, got = want[1:], got[1:]
		}
	}
	return b.String()
}

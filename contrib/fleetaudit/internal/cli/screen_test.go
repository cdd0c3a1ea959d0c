package cli_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/terminal"
)

var escapes = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// TestWidths asks for every width, and measures every line.
func TestWidths(t *testing.T) {
	for _, args := range []string{
		"audit testdata/fleet --as-of 2030-01-01",
		"audit testdata/fleet --as-of 2030-01-01 --all --color always",
		"audit testdata/fleet/ca testdata/fleet/devices --as-of 2030-01-01",
		"audit " + example + " --as-of " + exampleAsOf + " --all",
		"checks",
		"schedule next --frequency DAILY --at 02:30 --zone Europe/Berlin --from 2026-03-28",
	} {
		for _, width := range []int{terminal.MinWidth, 80, 97, 120, 200} {
			got := run(t, words(fmt.Sprintf("%s --width %d", args, width))...)
			for line := range strings.Lines(escapes.ReplaceAllString(got.stdout, "")) {
				line = strings.TrimSuffix(line, "\n")
				if w := terminal.Width(line); w > width {
					t.Errorf("%s --width %d: a line of %d columns: %s", args, width, w, line)
				}
				if strings.TrimRight(line, " ") != line {
					t.Errorf("%s --width %d: white space at the end of %q", args, width, line)
				}
			}
		}
	}
}

// TestColor removes the colours, and looks at what is left.
func TestColor(t *testing.T) {
	for _, args := range []string{
		"audit testdata/fleet --as-of 2030-01-01",
		"audit testdata/sound --as-of 2030-01-01",
		"audit " + example + " --as-of " + exampleAsOf,
		"checks",
		"checks CA_CERTIFICATE_EXPIRING_CHECK",
		"schedule next --frequency DAILY --at 02:30 --zone Europe/Berlin --from 2026-03-28",
	} {
		plain, never := run(t, words(args)...), run(t, words(args+" --color never")...)
		colored := run(t, words(args+" --color always")...)
		if diff := cmp.Diff(plain.stdout, never.stdout); diff != "" {
			t.Errorf("%s: what is no terminal gets colours:\n%s", args, diff)
		}
		if i := strings.IndexFunc(plain.stdout, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("%s: the text holds %q", args, plain.stdout[i:][:1])
		}
		if !strings.Contains(colored.stdout, "\x1b[1m") {
			t.Errorf("%s: there are no colours", args)
		}
		if diff := cmp.Diff(plain.stdout, escapes.ReplaceAllString(colored.stdout, "")); diff != "" {
			t.Errorf("%s: colours change the text:\n%s", args, diff)
		}
		if got := plain.stderr + colored.stderr; strings.Contains(got, "\x1b") || strings.Contains(got, "%") {
			t.Errorf("%s: progress is written though nobody watches: %q", args, got)
		}
	}
}

package terminal_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/terminal"
)

func ExampleClean() {
	fmt.Println(terminal.Clean("pump\x1b[2J \u202egnp.exe"))
	// Output: pump\x1b[2J \u202egnp.exe
}

func ExampleWrap() {
	for _, line := range terminal.Wrap("Run REVOKED_CA_CERTIFICATE_STILL_ACTIVE_CHECK", 24, "_") {
		fmt.Println(line)
	}
	// Output:
	// Run
	// REVOKED_CA_CERTIFICATE_
	// STILL_ACTIVE_CHECK
}

func TestClean(t *testing.T) {
	for _, row := range [][2]string{
		{"", ""},
		{"CN=Főtanúsítvány 株式会社 é", "CN=Főtanúsítvány 株式会社 é"},
		{"a\tb\nc\rd\x00e\x7ff", `a\x09b\x0ac\x0dd\x00e\x7ff`},
		{"\x1b]0;title\x07", `\x1b]0;title\x07`},
		{"\u009b2J", `\u009b2J`},
		{"\u202e\u2066\u200b\ufeff", `\u202e\u2066\u200b\ufeff`},
		{"\u2028\u2029", `\u2028\u2029`},
		{"\U000e0001", `\ue0001`},
		{"\xff\xfe!", "\ufffd!"},
	} {
		if got := terminal.Clean(row[0]); got != row[1] {
			t.Errorf("Clean(%q) = %q, want %q", row[0], got, row[1])
		}
	}
}

func TestOneLine(t *testing.T) {
	for _, row := range [][2]string{
		{"one", "one"},
		{"one\ntwo\r\n\nthree\n", "one; two; three"},
		{"\n", ""},
		{"\x1b\n\x07", `\x1b; \x07`},
	} {
		if got := terminal.OneLine(row[0]); got != row[1] {
			t.Errorf("OneLine(%q) = %q, want %q", row[0], got, row[1])
		}
	}
}

func TestWrap(t *testing.T) {
	for _, row := range []struct {
		text   string
		width  int
		breaks string
		want   []string
	}{
		{"", 10, "", []string{""}},
		{"  one   two  ", 10, "", []string{"one two"}},
		{"one two three", 7, "", []string{"one two", "three"}},
		{"one\n\ntwo", 10, "", []string{"one", "", "two"}},
		{"abcdefgh", 3, "", []string{"abc", "def", "gh"}},
		{"ab/cd/ef", 4, "/", []string{"ab/", "cd/", "ef"}},
		{"ab/cdefgh", 4, "/", []string{"ab/", "cdef", "gh"}},
		{"x abcdefgh y", 4, "", []string{"x", "abcd", "efgh", "y"}},
		{"株式会社", 4, "", []string{"株式", "会社"}},
		{"株式会社", 1, "", []string{"株", "式", "会", "社"}}, // what does not fit goes alone
		{"one two", 0, "", []string{"o", "n", "e", "t", "w", "o"}},
	} {
		if diff := cmp.Diff(row.want, terminal.Wrap(row.text, row.width, row.breaks)); diff != "" {
			t.Errorf("Wrap(%q, %d, %q) (-want +got):\n%s", row.text, row.width, row.breaks, diff)
		}
	}
}

func TestShorten(t *testing.T) {
	for _, row := range []struct {
		text  string
		width int
		want  string
	}{
		{"", 5, ""},
		{"short", 5, "short"},
		{"longer", 5, "lo..."},
		{"株式会社", 8, "株式会社"},
		{"株式会社", 7, "株式..."},
		{"株式会社", 6, "株..."},
		{"longer", 1, "l..."}, // no width makes it empty
	} {
		if got := terminal.Shorten(row.text, row.width); got != row.want {
			t.Errorf("Shorten(%q, %d) = %q, want %q", row.text, row.width, got, row.want)
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add("CN=pump-1,O=Example", 5, "/")
	f.Add("\x1b[2J\u202e株式\n会社\xff", 2, "_")
	f.Fuzz(func(t *testing.T, s string, width int, breaks string) {
		clean := terminal.Clean(s)
		if i := strings.IndexFunc(clean, func(r rune) bool { return r != ' ' && !unicode.IsGraphic(r) }); i >= 0 || !utf8.ValidString(clean) {
			t.Errorf("Clean(%q) = %q", s, clean)
		}
		if again := terminal.Clean(clean); again != clean {
			t.Errorf("Clean(Clean(%q)) = %q, not %q", s, again, clean)
		}
		if line := terminal.OneLine(s); strings.ContainsAny(line, "\r\n\x1b") {
			t.Errorf("OneLine(%q) = %q", s, line)
		}
		width = max(2, width%300) // a character takes two columns at most
		lines := terminal.Wrap(clean, width, breaks)
		for _, line := range lines {
			if terminal.Width(line) > width {
				t.Errorf("Wrap(%q, %d, %q) has the line %q of %d columns", clean, width, breaks, line, terminal.Width(line))
			}
		}
		squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
		if got := squeeze(strings.Join(lines, "")); got != squeeze(clean) {
			t.Errorf("Wrap(%q, %d, %q) has the text %q", clean, width, breaks, got)
		}
		if short := terminal.Shorten(clean, width); terminal.Width(short) > max(width, 5) {
			t.Errorf("Shorten(%q, %d) = %q has %d columns", clean, width, short, terminal.Width(short))
		}
	})
}

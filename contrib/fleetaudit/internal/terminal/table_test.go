package terminal_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/terminal"
)

func ExampleScreen_Table() {
	columns := []terminal.Column{{Title: "NAME"}, {Title: "SIZE", Right: true}, {Title: "NOTE"}}
	rows := [][]terminal.Cell{
		{{Text: "pump", Ink: terminal.Bold}, {Text: "7"}, {}},
		{{Text: "valve"}, {Text: "1,024"}, {}},
	}
	fmt.Print(terminal.Screen{Width: 80}.Table("  ", columns, rows))
	// Output:
	//   NAME    SIZE
	//   ────────────
	//   pump       7
	//   valve  1,024
}

func TestTable(t *testing.T) {
	const long = "one two three four five six seven eight nine ten"
	for _, test := range []struct {
		name    string
		screen  terminal.Screen
		columns []terminal.Column
		rows    [][]terminal.Cell
		want    string
	}{
		{"nothing", terminal.Screen{Width: 80}, []terminal.Column{{Title: "A"}}, nil, ""},
		{"all empty", terminal.Screen{Width: 80}, []terminal.Column{{Title: "A"}}, [][]terminal.Cell{{{}}}, ""},
		{"no head", terminal.Screen{Width: 80}, []terminal.Column{{}, {}},
			[][]terminal.Cell{{{Text: "a"}, {Text: "b"}}, {{Text: "ccc"}, {Text: "d"}}}, "a    b\nccc  d\n"},
		{"wraps", terminal.Screen{Width: 22}, []terminal.Column{{}, {Flex: true}},
			[][]terminal.Cell{{{Text: "a"}, {Text: long}}}, "a  one two three four\n   five six seven\n   eight nine ten\n"},
		{"cuts", terminal.Screen{Width: 22}, []terminal.Column{{}, {Cut: true}},
			[][]terminal.Cell{{{Text: "a"}, {Text: long}}}, "a  one two three fo...\n"},
		{"gives way no further", terminal.Screen{Width: 5}, []terminal.Column{{}, {Cut: true}},
			[][]terminal.Cell{{{Text: "abcdef"}, {Text: long}}}, "abcdef  one two t...\n"},
		{"the widest gives way first", terminal.Screen{Width: 40}, []terminal.Column{{Cut: true}, {Cut: true}},
			[][]terminal.Cell{{{Text: "one two three"}, {Text: long}}}, "one two three  one two three four fiv...\n"},
		{"no narrower than the title", terminal.Screen{Width: 30}, []terminal.Column{{Title: "SIXTEEN (COLUMN)", Flex: true}, {Title: "B", Cut: true}},
			[][]terminal.Cell{{{Text: "one two three four"}, {Text: long}}},
			"SIXTEEN (COLUMN)  B\n──────────────────────────────\none two three     one two t...\nfour\n"},
		{"every line is painted", terminal.Screen{Width: 16, Color: true}, []terminal.Column{{Flex: true}, {}},
			[][]terminal.Cell{{{Text: "one two three four", Ink: terminal.Red}, {Text: "b"}}},
			"\x1b[31mone two three\x1b[0m  b\n\x1b[31mfour\x1b[0m\n"},
		{"wide characters", terminal.Screen{Width: 80}, []terminal.Column{{}, {}},
			[][]terminal.Cell{{{Text: "株式"}, {Text: "b"}}, {{Text: "c"}, {Text: "d"}}}, "株式  b\nc     d\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, test.screen.Table("", test.columns, test.rows)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzTable(f *testing.F) {
	f.Add("pump", "CN=pump-1,O=Example\nNew", "12", 20)
	f.Fuzz(func(t *testing.T, a, b, c string, width int) {
		screen := terminal.Screen{Width: terminal.MinWidth + max(0, width)%100}
		rows := [][]terminal.Cell{
			{{Text: terminal.Shorten(terminal.Clean(a), 20)}, {Text: terminal.Clean(b)}, {Text: terminal.Clean(c)}},
			{{Text: terminal.Shorten(terminal.Clean(c), 20)}, {Text: terminal.Clean(a)}, {Text: terminal.Clean(b)}},
		}
		got := screen.Table(" ", []terminal.Column{{Title: "A"}, {Title: "B", Flex: true}, {Title: "C", Cut: true, Right: true}}, rows)
		for line := range strings.Lines(got) {
			if w := terminal.Width(strings.TrimSuffix(line, "\n")); w > screen.Width {
				t.Errorf("%q, %q, %q: the line %q has %d columns, more than %d", a, b, c, line, w, screen.Width)
			}
		}
	})
}

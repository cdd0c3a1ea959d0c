package terminal_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/terminal"
)

func TestNewScreen(t *testing.T) {
	pipe, writer, err := os.Pipe() // a file that is no terminal
	require.NoError(t, err)
	defer pipe.Close()
	defer writer.Close()
	for _, row := range []struct {
		columns string
		color   terminal.Color
		width   int
		want    terminal.Screen
	}{
		{"", terminal.ColorAuto, 0, terminal.Screen{Width: 100}},
		{"", terminal.ColorNever, 90, terminal.Screen{Width: 90}},
		{"", terminal.ColorAlways, 90, terminal.Screen{Width: 90, Color: true}},
		{"", terminal.ColorAuto, 1, terminal.Screen{Width: terminal.MinWidth}},
		{"", terminal.ColorAuto, 1 << 40, terminal.Screen{Width: terminal.MaxWidth}},
		{"", terminal.ColorAuto, -1, terminal.Screen{Width: terminal.MinWidth}},
		{"133", terminal.ColorAuto, 0, terminal.Screen{Width: 133}},
		{"133", terminal.ColorAuto, 90, terminal.Screen{Width: 90}},
		{"wide", terminal.ColorAuto, 0, terminal.Screen{Width: 100}},
		{"0", terminal.ColorAuto, 0, terminal.Screen{Width: 100}},
		{"-7", terminal.ColorAuto, 0, terminal.Screen{Width: 100}},
	} {
		t.Setenv("COLUMNS", row.columns)
		if got := terminal.NewScreen(writer, row.color, row.width); got != row.want {
			t.Errorf("COLUMNS=%s, color %s, width %d: %+v, want %+v", row.columns, row.color, row.width, got, row.want)
		}
	}
	if terminal.IsTerminal(writer) || terminal.IsTerminal(new(bytes.Buffer)) {
		t.Error("what is no terminal is taken for one")
	}
}

func TestPaint(t *testing.T) {
	for _, row := range []struct {
		color     bool
		ink       terminal.Ink
		text, out string
	}{
		{true, terminal.Alarm, "x", "\x1b[1;31mx\x1b[0m"},
		{true, terminal.Plain, "x", "x"},
		{true, terminal.Red, "", ""},
		{false, terminal.Red, "x", "x"},
	} {
		if got := (terminal.Screen{Color: row.color}).Paint(row.ink, row.text); got != row.out {
			t.Errorf("color %v, ink %q: %q, want %q", row.color, row.ink, got, row.out)
		}
	}
}

func TestProgressWithoutTerminal(t *testing.T) {
	var b bytes.Buffer
	p := terminal.NewProgress(&b, terminal.ColorAlways)
	p.Show(-1, "Reading")
	p.Show(0.5, "half")
	p.Stop()
	if p.Active() || b.Len() > 0 {
		t.Errorf("active %v, written %q", p.Active(), b.String())
	}
}

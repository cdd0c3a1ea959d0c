// Package terminal knows what text may look like where it is going to be read: how wide, in which
// colours, and without what would harm a terminal.
package terminal

import (
	"fmt"
	"io"
	"os"
	"strconv"

	"golang.org/x/term"
)

// Color says when to write in colours.
type Color string

// The three answers. ColorAuto is for terminals, unless the environment sets NO_COLOR or TERM=dumb.
const (
	ColorAuto   Color = "auto"
	ColorAlways Color = "always"
	ColorNever  Color = "never"
)

// Values lists every Color.
func (Color) Values() []Color { return []Color{ColorAuto, ColorAlways, ColorNever} }

// Widths in columns.
const (
	MinWidth     = 72 // less than that is not written for
	MaxWidth     = 500
	defaultWidth = 100 // where there is no terminal to ask
)

// Screen is what a text is written for.
type Screen struct {
	Width int // in columns
	Color bool
}

// NewScreen looks at where w leads. A width of 0 is that of the terminal, or of the environment's
// COLUMNS, or 100. Width that is not from MinWidth to MaxWidth becomes the nearest that is.
func NewScreen(w io.Writer, color Color, width int) Screen {
	if width == 0 {
		width = widthOf(w)
	}
	s := Screen{Width: min(max(width, MinWidth), MaxWidth)}
	switch color {
	case ColorAlways:
		s.Color = true
	case ColorAuto:
		s.Color = IsTerminal(w) && os.Getenv("NO_COLOR") == "" && !isDumb()
	}
	return s
}

func widthOf(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
	}
	if width, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && width > 0 {
		return width
	}
	return defaultWidth
}

// IsTerminal tells whether somebody may be watching what is written to w.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// isDumb tells whether the environment says that the terminal knows no escape codes.
func isDumb() bool { return os.Getenv("TERM") == "dumb" }

// Ink is how a text is to look.
type Ink string

// The inks, as the terminal's own sixteen colours have them: what a person has set those to is readable.
const (
	Plain  Ink = ""
	Bold   Ink = "1"
	Faint  Ink = "2"
	Red    Ink = "31"
	Green  Ink = "32"
	Yellow Ink = "33"
	Blue   Ink = "34"
	Alarm  Ink = "1;31"
)

// Paint returns text in an ink, if the Screen has colours. The text must be one line.
func (s Screen) Paint(ink Ink, text string) string {
	if !s.Color || ink == Plain || text == "" {
		return text
	}
	return fmt.Sprintf("\x1b[%sm%s\x1b[0m", ink, text)
}

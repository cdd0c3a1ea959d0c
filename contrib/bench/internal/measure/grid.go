package measure

import (
	"io"
	"strings"
	"unicode/utf8"
)

// Grid is rows of cells; the first has the heads. All rows have as many cells.
type Grid [][]string

// WriteTo writes a table in Markdown whose columns stand below one another as text too.
func (g Grid) WriteTo(w io.Writer) (int64, error) {
	widths := make([]int, len(g[0]))
	for _, row := range g {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	line := func(row []string, fill string) {
		for i, cell := range row {
			b.WriteString("| " + cell + strings.Repeat(fill, widths[i]-utf8.RuneCountInString(cell)) + " ")
		}
		b.WriteString("|\n")
	}
	line(g[0], " ")
	line(make([]string, len(widths)), "-")
	for _, row := range g[1:] {
		line(row, " ")
	}
	n, err := io.WriteString(w, b.String())
	return int64(n), err
}

package terminal

import (
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Column is how a column of a table is set.
type Column struct {
	Title  string
	Right  bool   // aligned to the right, as numbers are
	Flex   bool   // gives way where the screen is too narrow for all: its cells wrap
	Cut    bool   // gives way too: its cells end with "..." where they are cut
	Breaks string // after which a long word of a cell may break; empty: anywhere
}

// Cell is one field of a table. Its text may have several lines.
type Cell struct {
	Text string
	Ink  Ink
}

const (
	gap     = "  " // between columns
	minFlex = 12   // as far as a column gives way, unless its title is wider
)

// Table returns rows as a table, each line indented and ended with a newline. It is as wide as it needs
// to be, and no wider than the Screen as long as columns can give way. Columns with nothing in them are
// left out. Without titles there is no head.
func (s Screen) Table(indent string, columns []Column, rows [][]Cell) string {
	columns, rows = withoutEmpty(columns, rows)
	if len(columns) == 0 {
		return ""
	}
	widths := s.columnWidths(len(indent), columns, rows)
	t := table.NewWriter()
	t.SetStyle(style())
	t.SuppressTrailingSpaces()
	configs := make([]table.ColumnConfig, len(columns))
	head, titled := make(table.Row, len(columns)), false
	for i, c := range columns {
		align := text.AlignLeft
		if c.Right {
			align = text.AlignRight
		}
		configs[i] = table.ColumnConfig{Number: i + 1, Align: align, AlignHeader: align}
		head[i] = s.Paint(Bold, c.Title)
		titled = titled || c.Title != ""
	}
	t.SetColumnConfigs(configs)
	if titled {
		t.AppendHeader(head)
	}
	for _, cells := range rows {
		row := make(table.Row, len(columns))
		for i, cell := range cells {
			// Every line is painted for itself, so that no ink runs into the next column.
			lines := []string{Shorten(cell.Text, widths[i])}
			if !columns[i].Cut {
				lines = Wrap(cell.Text, widths[i], columns[i].Breaks)
			}
			for j := range lines {
				lines[j] = s.Paint(cell.Ink, lines[j])
			}
			row[i] = strings.Join(lines, "\n")
		}
		t.AppendRow(row)
	}
	var b strings.Builder
	for line := range strings.SplitSeq(t.Render(), "\n") {
		// The rule goes on below the gap after the last column, where nothing is.
		b.WriteString(indent + strings.TrimSuffix(line, "──") + "\n")
	}
	return b.String()
}

// withoutEmpty returns the columns that have something in them, and their cells.
func withoutEmpty(columns []Column, rows [][]Cell) ([]Column, [][]Cell) {
	var keep []int
	for i := range columns {
		if slices.ContainsFunc(rows, func(row []Cell) bool { return row[i].Text != "" }) {
			keep = append(keep, i)
		}
	}
	kept := make([]Column, len(keep))
	cells := make([][]Cell, len(rows))
	for j, i := range keep {
		kept[j] = columns[i]
		for k, row := range rows {
			cells[k] = append(cells[k], row[i])
		}
	}
	return kept, cells
}

// style is two spaces between columns and a rule under the head.
func style() table.Style {
	st := table.StyleLight
	st.Options = table.OptionsNoBordersAndSeparators
	st.Options.SeparateHeader = true
	st.Format.Header = text.FormatDefault
	st.Box.PaddingLeft, st.Box.PaddingRight = "", gap
	return st
}

// columnWidths returns how wide the cells of each column may be.
func (s Screen) columnWidths(indent int, columns []Column, rows [][]Cell) []int {
	widths := make([]int, len(columns))
	total := indent + len(gap)*(len(columns)-1)
	for i, c := range columns {
		widths[i] = max(1, Width(c.Title))
		for _, row := range rows {
			widths[i] = max(widths[i], text.LongestLineLen(row[i].Text))
		}
		total += widths[i]
	}
	for ; total > s.Width; total-- {
		widest := -1
		for i, c := range columns {
			if (c.Flex || c.Cut) && widths[i] > max(minFlex, Width(c.Title)) && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			break
		}
		widths[widest]--
	}
	return widths
}

package measure

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Target is what a figure has to be.
type Target struct {
	Limit float64 // 0: there is no target
	Least bool    // the figure must be at least the limit; otherwise at most
}

func (t Target) String() string {
	switch {
	case t.Limit == 0:
		return "-"
	case t.Least:
		return "at least " + Figure(t.Limit)
	}
	return "at most " + Figure(t.Limit)
}

// Met says whether a figure is as it has to be: "yes", "NO", or "-" where there is no target.
func (t Target) Met(v float64) string {
	switch {
	case t.Limit == 0:
		return "-"
	case t.Least == (v >= t.Limit) || v == t.Limit:
		return "yes"
	}
	return "NO"
}

// Row is a line of a Table.
type Row struct {
	What   string
	Cells  []string // one for each contender
	Ratio  Sample   // of each round; empty: none
	Judged Sample   // what the target is for, of each round
	Target Target
}

// Table compares contenders, of which the first is ours.
type Table struct {
	Contenders []string
	Rows       []Row
	Notes      []string
}

// WriteTo writes the table and its notes as text.
func (t Table) WriteTo(w io.Writer) (int64, error) {
	var b strings.Builder
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(tw, "what\t%s\tratio\tspread\ttarget\tmet\n", strings.Join(t.Contenders, "\t"))
	for _, r := range t.Rows {
		ratio := "-"
		if len(r.Ratio) > 0 {
			ratio = Figure(r.Ratio.Median())
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\n", r.What, strings.Join(r.Cells, "\t"), ratio,
			r.Judged.Spread(), r.Target, r.Target.Met(r.Judged.Median()))
	}
	tw.Flush() // a strings.Builder takes everything
	for _, note := range t.Notes {
		fmt.Fprintf(&b, "\n%s", note)
	}
	b.WriteString("\n")
	n, err := io.WriteString(w, b.String())
	return int64(n), err
}

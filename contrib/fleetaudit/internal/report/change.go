package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/terminal"
	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// Finding is a finding of the audit. What is beyond AWS's is there only where audits are kept.
type Finding struct {
	model.AuditFinding
	// FirstSeen is the kept audit, or one before, that found it first. Nil: none that counts did.
	FirstSeen *Sighting `json:"firstSeen,omitempty"`
	// Change is NEW, REOPENED or UNCHANGED since the audit that this one is compared with. Empty: there is none.
	Change findings.State `json:"change,omitempty"`
}

// Sighting is an audit, and when it started.
type Sighting struct {
	TaskID string          `json:"taskId"`
	Time   model.Timestamp `json:"time"`
}

// NewSighting makes a Sighting for a Report; nil if there is none.
func NewSighting(s findings.Sighting) *Sighting {
	if s == (findings.Sighting{}) {
		return nil
	}
	return &Sighting{s.TaskID, model.At(s.Time)}
}

// Changes says what has changed since the audit before, where audits are kept. Findings that are suppressed count too.
type Changes struct {
	Data string `json:"data"` // the folder that was named
	Kept bool   `json:"kept"` // whether this audit is, for the next one to be compared with
	// Since is the audit before. Nil: there was none to compare with, and all numbers are 0.
	Since *Sighting `json:"since,omitempty"`

	NewFindingsCount            int `json:"newFindingsCount"`      // found for the first time
	ReopenedFindingsCount       int `json:"reopenedFindingsCount"` // found again after they had been resolved
	UnchangedFindingsCount      int `json:"unchangedFindingsCount"`
	ResolvedFindingsCount       int `json:"resolvedFindingsCount"`
	NotReevaluatedFindingsCount int `json:"notReevaluatedFindingsCount"`

	Resolved       []Finding `json:"resolved"`       // no longer found, by a check that completed; as they were
	NotReevaluated []Finding `json:"notReevaluated"` // that may still be there: the check did not run, or not to its end
}

// NewChanges begins a Changes without any.
func NewChanges(data string, kept bool) *Changes {
	return &Changes{Data: data, Kept: kept, Resolved: []Finding{}, NotReevaluated: []Finding{}}
}

// Add adds what became of a finding, which was first seen in an audit.
func (c *Changes) Add(change findings.Change, firstSeen *Sighting) {
	f := Finding{change.Finding, firstSeen, change.State}
	switch change.State {
	case findings.StateNew:
		c.NewFindingsCount++
	case findings.StateReopened:
		c.ReopenedFindingsCount++
	case findings.StateUnchanged:
		c.UnchangedFindingsCount++
	case findings.StateResolved:
		c.ResolvedFindingsCount++
		c.Resolved = append(c.Resolved, f)
	case findings.StateNotReevaluated:
		c.NotReevaluatedFindingsCount++
		c.NotReevaluated = append(c.NotReevaluated, f)
	}
}

// mark says in a column since when there is a finding.
func (f Finding) mark() terminal.Cell {
	switch {
	case f.Change == findings.StateNew || f.Change == findings.StateReopened:
		return terminal.Cell{Text: string(f.Change), Ink: terminal.Yellow}
	case f.FirstSeen != nil:
		return terminal.Cell{Text: f.FirstSeen.Time.UTC().Format(time.DateOnly)}
	}
	return terminal.Cell{}
}

// firstSeen is the title of the column of marks.
const firstSeen = "FIRST SEEN"

// marked remembers since when there are the findings of the report, if that says anything: in a first audit all are new.
func (w *writer) marked() {
	if c := w.report.Changes; c == nil || c.Since == nil {
		return
	}
	w.marks = make(map[findings.Fingerprint]Finding, len(w.report.Findings))
	for _, f := range w.report.Findings {
		w.marks[findings.FingerprintOf(f.AuditFinding)] = f
	}
}

// mark is the cell of a finding.
func (w *writer) mark(f model.AuditFinding) terminal.Cell {
	return w.marks[findings.FingerprintOf(f)].mark()
}

// compareChange puts what is new before what is not, since long lists are cut.
func (w *writer) compareChange(a, b model.AuditFinding) int {
	rank := func(f model.AuditFinding) int {
		if w.marks[findings.FingerprintOf(f)].Change == findings.StateUnchanged {
			return 1
		}
		return 0
	}
	return rank(a) - rank(b)
}

// isOlder tells whether a has been there for longer than b.
func (w *writer) isOlder(a, b model.AuditFinding) bool {
	if d := w.compareChange(a, b); d != 0 {
		return d > 0
	}
	x, y := w.marks[findings.FingerprintOf(a)].FirstSeen, w.marks[findings.FingerprintOf(b)].FirstSeen
	return x != nil && y != nil && x.Time.Before(y.Time.Time)
}

// changes writes what is different since the audit before.
func (w *writer) changes() {
	c := w.report.Changes
	switch {
	case c == nil:
		return
	case c.Since == nil:
		w.title("Since the audit before")
		w.prose("  ", terminal.Plain, terminal.Clean(c.Data)+" has no earlier audit that ended: there is nothing to compare with.")
	default:
		w.title("Since the audit of " + instant(c.Since.Time.Time))
		w.prose("  ", terminal.Plain, c.words(w.report.Findings))
	}
	if !c.Kept {
		w.prose("  ", terminal.Yellow, "This audit is not kept: no later one is compared with it.")
	}
	w.resolved(c.Resolved)
	w.notReevaluated(c.NotReevaluated)
}

// words says how many findings there are of each kind, and of those that count how many are suppressed.
func (c *Changes) words(found []Finding) string {
	suppressed := make(map[findings.State]int)
	for _, list := range [][]Finding{found, c.Resolved, c.NotReevaluated} {
		for _, f := range list {
			if isSuppressed(f.AuditFinding) {
				suppressed[f.Change]++
			}
		}
	}
	var parts []string
	for _, p := range []struct {
		n     int
		word  string
		state findings.State
	}{
		{c.NewFindingsCount, "new", findings.StateNew},
		{c.ResolvedFindingsCount, "resolved", findings.StateResolved},
		{c.ReopenedFindingsCount, "reopened", findings.StateReopened},
		{c.UnchangedFindingsCount, "unchanged", findings.StateUnchanged},
		{c.NotReevaluatedFindingsCount, "not re-evaluated", findings.StateNotReevaluated},
	} {
		part := number(p.n) + " " + p.word
		if n := suppressed[p.state]; n > 0 {
			part += " (" + number(n) + " suppressed)"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

// resolved lists what is no longer found.
func (w *writer) resolved(list []Finding) {
	if len(list) == 0 {
		return
	}
	w.b.WriteString("\n")
	w.prose("  ", terminal.Plain, fmt.Sprintf("Resolved (%s): no longer found.", number(len(list))))
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b Finding) int { return rank(a.Severity) - rank(b.Severity) })
	rows := make([][]terminal.Cell, w.cut(len(list), Shown))
	for i := range rows {
		f := list[i]
		f.Change = "" // since when it was there
		rows[i] = []terminal.Cell{
			{Text: terminal.Clean(f.CheckName)}, w.resource(f.NonCompliantResource.ResourceIdentifier)[0],
			{Text: terminal.Clean(reasonOf(f.AuditFinding))}, f.mark(),
		}
	}
	w.b.WriteString(w.screen.Table("  ", []terminal.Column{
		{Title: "CHECK", Flex: true, Breaks: "_"}, {Title: "RESOURCE", Flex: true, Breaks: idBreaks},
		{Title: "REASON", Flex: true, Breaks: "_"}, {Title: firstSeen},
	}, rows))
	w.more("  ", len(list)-len(rows))
	if len(w.report.LoadProblems) > 0 {
		w.prose("  ", terminal.Yellow, "Not everything could be read this time: some of these may be as they were.")
	}
}

// reasonOf is why a resource is non-compliant: in words, if there are any.
func reasonOf(f model.AuditFinding) string {
	if f.ReasonForNonCompliance != "" {
		return f.ReasonForNonCompliance
	}
	return f.ReasonForNonComplianceCode
}

// notReevaluated lists the checks of which nothing new is known.
func (w *writer) notReevaluated(list []Finding) {
	if len(list) == 0 {
		return
	}
	w.b.WriteString("\n")
	w.prose("  ", terminal.Plain, fmt.Sprintf("Not re-evaluated (%s): these checks did not run, or not to their end.", number(len(list))))
	var names []string
	counts := make(map[string]int)
	for _, f := range list {
		if counts[f.CheckName] == 0 {
			names = append(names, f.CheckName)
		}
		counts[f.CheckName]++
	}
	rows := make([][]terminal.Cell, len(names))
	for i, name := range names {
		rows[i] = []terminal.Cell{{Text: terminal.Clean(name)}, {Text: number(counts[name])}}
	}
	w.b.WriteString(w.screen.Table("  ", []terminal.Column{
		{Title: "CHECK", Flex: true, Breaks: "_"}, {Title: "OPEN", Right: true},
	}, rows))
}

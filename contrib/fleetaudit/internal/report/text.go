package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/terminal"
	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// Shown is how many items of a long list are shown.
const Shown = 10

// Text returns the report for people. Long lists are cut at Shown items, unless all is set.
func (r *Report) Text(screen terminal.Screen, all bool) string {
	w := &writer{
		report: r, screen: screen, all: all, oneFile: r.oneFile(), wholeFiles: r.wholeFiles(),
	}
	for _, f := range r.Findings {
		if !isSuppressed(f.AuditFinding) {
			w.open = append(w.open, f.AuditFinding)
		}
	}
	w.marked()
	w.head()
	w.notRead()
	w.table()
	w.failures()
	w.findings()
	w.notEvaluable()
	w.notRun()
	w.notes()
	w.changes()
	w.suppressions()
	w.forecast()
	w.summary()
	return w.b.String()
}

// writer writes a text part by part.
type writer struct {
	b                   strings.Builder
	report              *Report
	screen              terminal.Screen
	all                 bool
	oneFile, wholeFiles bool                             // see Report.oneFile and Report.wholeFiles
	open                []model.AuditFinding             // those that are not suppressed
	marks               map[findings.Fingerprint]Finding // see marked
}

func (w *writer) line(indent string, ink terminal.Ink, text string) {
	w.b.WriteString(strings.TrimRight(indent+w.screen.Paint(ink, text), " ") + "\n")
}

// prose writes text in as many lines as it takes.
func (w *writer) prose(indent string, ink terminal.Ink, text string) {
	for _, line := range terminal.Wrap(text, w.proseWidth(indent), "/") {
		w.line(indent, ink, line)
	}
}

// proseWidth is how wide sentences are set. Lines of more than 120 columns are hard to read.
func (w *writer) proseWidth(indent string) int { return min(w.screen.Width, 120) - len(indent) }

// title begins a part of the report.
func (w *writer) title(text string) {
	w.b.WriteString("\n")
	w.line("", terminal.Bold, text)
}

// cut returns how many of n items to show, about most. It saves no line to hide a single one.
func (w *writer) cut(n, most int) int {
	if w.all || n <= most+1 {
		return n
	}
	return most
}

// more says how many items are not shown.
func (w *writer) more(indent string, n int) {
	if n > 0 {
		w.line(indent, terminal.Faint, fmt.Sprintf("... and %s more (--all shows them)", number(n)))
	}
}

func (w *writer) head() {
	r := w.report
	n := w.cut(len(r.Paths), Shown)
	w.prose("", terminal.Bold, terminal.Clean("Audit of "+strings.Join(r.Paths[:n], ", ")))
	w.more("", len(r.Paths)-n)
	w.prose("", terminal.Plain, "As of "+instant(r.AsOf.Time)+": "+r.Loaded.String())
}

// instant is a time to the minute.
func instant(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

func (w *writer) notRead() {
	r := w.report
	if n := len(r.LoadProblems); n > 0 {
		w.title("Could not be read (file:byte)")
		for _, p := range r.LoadProblems[:w.cut(n, Shown)] {
			w.problem(terminal.Yellow, p)
		}
		w.more("  ", n-w.cut(n, Shown))
	}
	switch n := len(r.Ignored); {
	case n > 0 && w.all:
		w.title("Ignored")
		for _, p := range r.Ignored {
			w.problem(terminal.Faint, p)
		}
	case n > 0:
		w.prose("", terminal.Faint, number(n)+" ignored: second copies, private keys and the like (--all lists them)")
	}
}

func (w *writer) problem(ink terminal.Ink, p LoadProblem) {
	w.prose("  ", ink, terminal.Clean(place(p.File, p.Offset)))
	w.prose("      ", terminal.Plain, terminal.Clean(p.Reason))
}

// place is where something stands in a file.
func place(file string, offset int64) string {
	if offset == 0 {
		return file
	}
	return fmt.Sprintf("%s:%d", file, offset)
}

// table lists the checks that ran: those that need attention first, the worst on top.
func (w *writer) table() {
	r := w.report
	if r.AuditTask == nil {
		return
	}
	w.b.WriteString("\n")
	specs := slices.Clone(r.Specs)
	slices.SortStableFunc(specs, func(a, b checks.Spec) int {
		if d := attention(r.AuditTask.AuditDetails[a.Name]) - attention(r.AuditTask.AuditDetails[b.Name]); d != 0 {
			return d
		}
		return rank(a.Severity) - rank(b.Severity)
	})
	rows := make([][]terminal.Cell, len(specs))
	for i, s := range specs {
		d := r.AuditTask.AuditDetails[s.Name]
		status, ink := statusWords(d, s.Severity)
		open := d.NonCompliantResourcesCount - d.SuppressedNonCompliantResourcesCount
		flagged := terminal.Cell{Text: number(int(open))}
		if open > 0 {
			flagged.Ink = Ink(s.Severity)
		}
		rows[i] = []terminal.Cell{
			{Text: string(s.Severity), Ink: Ink(s.Severity)},
			{Text: s.Name},
			{Text: status, Ink: ink},
			{Text: number(int(d.TotalResourcesCount))},
			flagged,
			{Text: some(int(d.SuppressedNonCompliantResourcesCount))},
		}
	}
	w.b.WriteString(w.screen.Table("", []terminal.Column{
		{Title: "SEVERITY"}, {Title: "CHECK", Flex: true, Breaks: "_"}, {Title: "STATUS"},
		{Title: "CHECKED", Right: true}, {Title: "FLAGGED", Right: true}, {Title: "SUPPRESSED", Right: true},
	}, rows))
}

// attention orders check runs: those that failed, those that found something, those that did not end.
func attention(d model.AuditCheckDetails) int {
	switch d.CheckRunStatus {
	case model.AuditCheckRunStatusFailed:
		return 0
	case model.AuditCheckRunStatusCompletedNonCompliant:
		return 1
	case model.AuditCheckRunStatusCompletedCompliant:
		return 3
	}
	return 2
}

func statusWords(d model.AuditCheckDetails, s model.AuditFindingSeverity) (string, terminal.Ink) {
	switch d.CheckRunStatus {
	case model.AuditCheckRunStatusCompletedCompliant:
		return "compliant", terminal.Green
	case model.AuditCheckRunStatusCompletedNonCompliant:
		return "NON-COMPLIANT", Ink(s)
	case model.AuditCheckRunStatusFailed:
		return "FAILED", terminal.Alarm
	}
	return string(d.CheckRunStatus), terminal.Yellow
}

// Ink is how a severity looks.
func Ink(s model.AuditFindingSeverity) terminal.Ink {
	switch s {
	case model.AuditFindingSeverityCritical:
		return terminal.Alarm
	case model.AuditFindingSeverityHigh:
		return terminal.Red
	case model.AuditFindingSeverityMedium:
		return terminal.Yellow
	}
	return terminal.Blue
}

// failures says why checks failed.
func (w *writer) failures() {
	r := w.report
	if r.AuditTask == nil || r.AuditTask.TaskStatistics.FailedChecks == 0 {
		return
	}
	w.title("Failed checks")
	for _, s := range r.Specs {
		if d := r.AuditTask.AuditDetails[s.Name]; d.CheckRunStatus == model.AuditCheckRunStatusFailed {
			w.line("  ", terminal.Alarm, s.Name)
			w.prose("    ", terminal.Plain, terminal.OneLine(d.ErrorCode+": "+d.Message))
		}
	}
}

// notRun lists the checks that had nothing to look at, by reason.
func (w *writer) notRun() {
	r := w.report
	if len(r.NotRunChecks) == 0 {
		return
	}
	w.title("Not run")
	var reasons []string
	names := make(map[string][]string)
	for _, n := range r.NotRunChecks {
		reason := n.Reason
		if n.CheckRunStatus != "" {
			reason = string(n.CheckRunStatus) + ": " + reason
		}
		if names[reason] == nil {
			reasons = append(reasons, reason)
		}
		names[reason] = append(names[reason], n.CheckName)
	}
	for _, reason := range reasons {
		w.prose("  ", terminal.Plain, reason+":")
		for _, name := range names[reason] {
			w.line("    ", terminal.Faint, name)
		}
	}
}

// summary is what is read first: it stands where the cursor is.
func (w *writer) summary() {
	r := w.report
	w.b.WriteString("\n")
	if r.AuditTask != nil && r.AuditTask.TaskStatus == model.AuditTaskStatusCanceled {
		w.prose("", terminal.Alarm, "Interrupted: this is what had been found by then, not everything.")
	}
	ink, words := terminal.Green, "No findings"
	suppressed := ""
	if n := len(r.Findings) - len(w.open); n > 0 {
		suppressed = ", " + number(n) + " suppressed"
		words += suppressed
	}
	if n := len(w.open); n > 0 {
		var parts []string
		for _, s := range r.Worst().Values() {
			count := 0
			for _, f := range w.open {
				if f.Severity == s {
					count++
				}
			}
			if count > 0 {
				parts = append(parts, number(count)+" "+string(s))
			}
		}
		ink, words = Ink(r.Worst()), plural(n, "finding")+suppressed+": "+strings.Join(parts, ", ")
	}
	var rest []string
	if r.AuditTask == nil {
		ink, words = terminal.Alarm, "No check ran"
	} else {
		stats := r.AuditTask.TaskStatistics
		rest = append(rest, plural(stats.TotalChecks, "check")+" ran")
		if stats.FailedChecks > 0 {
			rest = append(rest, number(stats.FailedChecks)+" failed")
		}
	}
	if n := len(r.NotRunChecks); n > 0 {
		rest = append(rest, number(n)+" had nothing to look at")
	}
	if n := len(r.LoadProblems); n > 0 {
		rest = append(rest, plural(n, "problem")+" while reading")
	}
	w.line("", ink, words)
	if len(rest) > 0 {
		w.prose("", terminal.Plain, strings.Join(rest, ", "))
	}
	if c := r.Changes; c != nil && c.Since != nil {
		w.prose("", terminal.Plain, "Since "+c.Since.Time.UTC().Format(time.DateOnly)+": "+c.words(r.Findings))
	}
	if r.Forecast != nil {
		w.prose("", terminal.Plain, "By "+strings.TrimPrefix(r.Forecast.Summary, "by "))
	}
}

// some is a number, or nothing where that is all there is: a column of nothing is left out.
func some(n int) string {
	if n == 0 {
		return ""
	}
	return number(n)
}

// number writes n with commas between thousands.
func number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

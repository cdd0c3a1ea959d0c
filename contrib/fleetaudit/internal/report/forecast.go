package report

import (
	"slices"
	"time"

	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/terminal"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// Forecast is what checks would find at a later time if nothing in the fleet changed until then, and how that differs
// from what they find as of the audit's time.
type Forecast struct {
	To       model.Timestamp          `json:"to"`
	Summary  string                   `json:"summary"` // in a line
	Checks   []CheckForecast          `json:"checks"`
	Reasons  []ReasonForecast         `json:"reasons"` // those of which the number of findings that count changes
	Lapsed   []model.AuditSuppression `json:"lapsed"`  // that hold at the audit's time, and no longer at To, soonest first
	Findings []ForecastFinding        `json:"findings"`
}

// CheckForecast is how the runs of one check did as of the audit's time, and as of the later one.
type CheckForecast struct {
	CheckName string                     `json:"checkName"`
	Severity  model.AuditFindingSeverity `json:"severity"`
	From      model.AuditCheckDetails    `json:"from"`
	To        model.AuditCheckDetails    `json:"to"`
}

// ReasonForecast counts findings of one check with one reason code.
type ReasonForecast struct {
	CheckName                  string                     `json:"checkName"`
	Severity                   model.AuditFindingSeverity `json:"severity"`
	ReasonForNonComplianceCode string                     `json:"reasonForNonComplianceCode"`
	NewFindingsCount           int                        `json:"newFindingsCount"`
	ResolvedFindingsCount      int                        `json:"resolvedFindingsCount"`
	UnsuppressedFindingsCount  int                        `json:"unsuppressedFindingsCount"` // there at both times, and no longer suppressed
}

// ForecastFinding is a finding that counts at the later time, and not at the audit's.
type ForecastFinding struct {
	model.AuditFinding
	WasSuppressed bool `json:"wasSuppressed"` // it is there at the audit's time, and suppressed; false: it is new
}

// NewForecast makes a Forecast for a Report.
func NewForecast(f *engine.Forecast) *Forecast {
	out := &Forecast{
		To: model.At(f.To), Summary: f.String(),
		Checks: make([]CheckForecast, len(f.Checks)), Reasons: make([]ReasonForecast, len(f.Reasons)),
		Lapsed: append([]model.AuditSuppression{}, f.Lapsed...), Findings: []ForecastFinding{},
	}
	for i, c := range f.Checks {
		out.Checks[i] = CheckForecast{c.CheckName, c.Severity, c.From, c.To}
	}
	for i, r := range f.Reasons {
		out.Reasons[i] = ReasonForecast{r.CheckName, r.Severity, r.ReasonCode, r.New, r.Resolved, r.Unsuppressed}
	}
	for c := range f.Changes() {
		lapsed := c.State == findings.StateUnchanged && c.WasSuppressed
		if (c.State == findings.StateNew || lapsed) && !isSuppressed(c.Finding) {
			c.Finding.TaskStartTime = model.Timestamp{} // there was no task
			out.Findings = append(out.Findings, ForecastFinding{c.Finding, lapsed})
		}
	}
	return out
}

// NotCompared returns the checks of which nothing can be said, since one of their runs did not complete.
func (f *Forecast) NotCompared() []CheckForecast {
	return slices.DeleteFunc(slices.Clone(f.Checks), func(c CheckForecast) bool { status, _ := c.WhyNot(); return status == "" })
}

// WhyNot returns the status of a run that did not complete, and words for it; empty if both did.
func (c CheckForecast) WhyNot() (status model.AuditCheckRunStatus, why string) {
	for _, d := range []model.AuditCheckDetails{c.From, c.To} {
		switch {
		case completed(d.CheckRunStatus):
		case d.CheckRunStatus == model.AuditCheckRunStatusFailed:
			return d.CheckRunStatus, d.ErrorCode + ": " + d.Message
		default:
			return d.CheckRunStatus, string(d.CheckRunStatus)
		}
	}
	return "", ""
}

// date is the day of To, with the time where that is not the day's beginning.
func (f *Forecast) date() string {
	if t := f.To.UTC(); !t.Equal(t.Truncate(24 * time.Hour)) {
		return instant(t)
	}
	return f.To.UTC().Format(time.DateOnly)
}

// forecast writes what is going to be different.
func (w *writer) forecast() {
	f := w.report.Forecast
	if f == nil {
		return
	}
	w.title("By " + f.date())
	w.prose("  ", terminal.Faint, "Nothing in the fleet is taken to change until then, and what checks judge by the past (connections, last "+
		"uses) is taken as it is.")
	w.forecastReasons(f)
	w.suppressionList("Suppressions that lapse (%s)", "EXPIRES", f.Lapsed)
	if not := f.NotCompared(); len(not) > 0 {
		w.b.WriteString("\n")
		w.prose("  ", terminal.Plain, "Not forecast ("+number(len(not))+"): nothing is known of these checks.")
		for _, c := range not {
			_, why := c.WhyNot()
			w.line("    ", terminal.Alarm, c.CheckName)
			w.prose("      ", terminal.Plain, terminal.OneLine(why))
		}
	}
	w.forecastFindings(f)
}

// forecastReasons writes how many findings there will be more and less, the worst severity first.
func (w *writer) forecastReasons(f *Forecast) {
	if len(f.Reasons) == 0 {
		if len(f.NotCompared()) == 0 {
			w.b.WriteString("\n")
			w.prose("  ", terminal.Plain, "What counts now will count then, and nothing else.")
		}
		return
	}
	w.b.WriteString("\n")
	reasons := slices.Clone(f.Reasons)
	slices.SortStableFunc(reasons, func(a, b ReasonForecast) int { return rank(a.Severity) - rank(b.Severity) })
	rows := make([][]terminal.Cell, len(reasons))
	for i, r := range reasons {
		rows[i] = []terminal.Cell{
			{Text: string(r.Severity), Ink: Ink(r.Severity)},
			{Text: r.CheckName},
			{Text: r.ReasonForNonComplianceCode},
			{Text: some(r.NewFindingsCount)},
			{Text: some(r.ResolvedFindingsCount)},
			{Text: some(r.UnsuppressedFindingsCount)},
		}
	}
	w.b.WriteString(w.screen.Table("  ", []terminal.Column{
		{Title: "SEVERITY"}, {Title: "CHECK", Flex: true, Breaks: "_"}, {Title: "REASON CODE", Flex: true, Breaks: "_"},
		{Title: "NEW", Right: true}, {Title: "GONE", Right: true}, {Title: "UNSUPPRESSED", Right: true},
	}, rows))
}

// forecastFindings writes the resources that more will be found about, check by check.
func (w *writer) forecastFindings(f *Forecast) {
	type found struct{ fresh, unsuppressed []model.AuditFinding }
	byCheck := make(map[string]*found)
	for _, finding := range f.Findings {
		c := byCheck[finding.CheckName]
		if c == nil {
			c = new(found)
			byCheck[finding.CheckName] = c
		}
		if finding.WasSuppressed {
			c.unsuppressed = append(c.unsuppressed, finding.AuditFinding)
		} else {
			c.fresh = append(c.fresh, finding.AuditFinding)
		}
	}
	for _, s := range w.worstFirst() {
		c := byCheck[s.Name]
		if c == nil {
			continue
		}
		w.checkTitle(s.Severity, s.Name)
		w.prose("", terminal.Faint, "By "+f.date())
		w.kinds(c.fresh)
		if len(c.unsuppressed) > 0 {
			w.b.WriteString("\n")
			w.prose("  ", terminal.Plain, "No longer suppressed:")
			w.kinds(c.unsuppressed)
		}
	}
}

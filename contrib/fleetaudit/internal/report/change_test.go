package report_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/report"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/terminal"
	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// seen is an audit of a day in May.
func seen(day int) *report.Sighting {
	return report.NewSighting(findings.Sighting{TaskID: fmt.Sprint("task-", day), Time: time.Date(2026, 5, day, 12, 34, 56, 0, time.UTC)})
}

// changed is a report of one check, since an audit of May 20.
func changed(list ...report.Finding) *report.Report {
	r := report.New([]string{"fleet"}, inventory.Loaded{})
	r.AuditTask = &report.Task{TaskStatistics: model.TaskStatistics{TotalChecks: 1}, AuditDetails: map[string]model.AuditCheckDetails{"ANY_CHECK": {}}}
	r.Specs = []checks.Spec{{Name: "ANY_CHECK", Severity: "HIGH"}}
	r.Findings = list
	r.Changes = report.NewChanges("history", true)
	r.Changes.Since = seen(20)
	return r
}

func suppress(f model.AuditFinding) model.AuditFinding {
	f.IsSuppressed = new(true)
	return f
}

// says looks for words in a text, and for words that must not be there.
func says(t *testing.T, r *report.Report, all bool, want, not []string) {
	t.Helper()
	text := r.Text(terminal.Screen{Width: 100}, all)
	for _, words := range want {
		if !strings.Contains(text, words) {
			t.Errorf("the text lacks %q:\n%s", words, text)
		}
	}
	for _, words := range not {
		if strings.Contains(text, words) {
			t.Errorf("the text has %q:\n%s", words, text)
		}
	}
}

func TestSighting(t *testing.T) {
	if s := report.NewSighting(findings.Sighting{}); s != nil {
		t.Errorf("no sighting is %v", s)
	}
	b, err := json.Marshal(seen(3))
	require.NoError(t, err)
	if want := `{"taskId":"task-3","time":1777811696}`; string(b) != want {
		t.Errorf("%s, want %s", b, want)
	}
}

// TestChangesAdd counts what has become of findings, and lists those that are in no other list.
func TestChangesAdd(t *testing.T) {
	c := report.NewChanges("history", false)
	for i, state := range []findings.State{
		findings.StateNew, findings.StateReopened, findings.StateReopened, findings.StateUnchanged, findings.StateUnchanged, findings.StateUnchanged,
		findings.StateResolved, findings.StateResolved, findings.StateResolved, findings.StateResolved, findings.StateNotReevaluated,
	} {
		c.Add(findings.Change{State: state, Finding: finding("ANY_CHECK", "LOW", fmt.Sprint(i))}, seen(i+1))
	}
	got := fmt.Sprint(c.NewFindingsCount, c.ReopenedFindingsCount, c.UnchangedFindingsCount, c.ResolvedFindingsCount, c.NotReevaluatedFindingsCount, len(c.Resolved), len(c.NotReevaluated))
	if want := "1 2 3 4 1 4 1"; got != want || c.Kept || c.Data != "history" {
		t.Errorf("%s, want %s: %+v", got, want, c)
	}
	if f := c.Resolved[3]; f.FirstSeen.TaskID != "task-10" || f.Change != findings.StateResolved || f.NonCompliantResource.ResourceIdentifier.String() != "9:3" {
		t.Errorf("the last one that is resolved is %+v", f)
	}
}

// TestWithoutHistory: nothing is said of it, in no format.
func TestWithoutHistory(t *testing.T) {
	r := changed(report.Finding{AuditFinding: finding("ANY_CHECK", "HIGH", "p")})
	r.Changes = nil
	says(t, r, false, []string{"p:3\n"}, []string{"FIRST SEEN", "ince", "kept"})
	b, err := json.Marshal(r)
	require.NoError(t, err)
	for _, word := range []string{"firstSeen", "change", "kept"} {
		if strings.Contains(string(b), `"`+word) {
			t.Errorf("the JSON has %s: %s", word, b)
		}
	}
}

// TestMarks looks at when findings were first seen.
func TestMarks(t *testing.T) {
	list := []report.Finding{
		{AuditFinding: finding("ANY_CHECK", "HIGH", "old"), FirstSeen: seen(3), Change: findings.StateUnchanged},
		{AuditFinding: finding("ANY_CHECK", "HIGH", "fresh"), FirstSeen: seen(21), Change: findings.StateNew},
		{AuditFinding: finding("ANY_CHECK", "HIGH", "back"), FirstSeen: seen(4), Change: findings.StateReopened},
	}
	const want = "  POLICY:VERSION  FIRST SEEN\n  ──────────────────────────\n  fresh:3         NEW\n  back:3          REOPENED\n  old:3           2026-05-03\n"
	says(t, changed(list...), false, []string{want}, nil)
	// In a first audit that would say nothing.
	r := changed(list...)
	r.Changes.Since = nil
	says(t, r, false, []string{"old:3\n", "Since the audit before\n  history has no earlier audit that ended: there is nothing to compare with.\n"},
		[]string{"FIRST SEEN", "NEW", "not kept", "Since 2026", "0 new"})
	r.Changes.Kept = false
	says(t, r, false, []string{"  This audit is not kept: no later one is compared with it.\n"}, nil)
}

// TestMarksOfWhatIsCut has more new findings than are shown: old ones are not shown instead.
func TestMarksOfWhatIsCut(t *testing.T) {
	var list []report.Finding
	for i := range 30 {
		f := report.Finding{AuditFinding: finding("ANY_CHECK", "HIGH", fmt.Sprint("policy-", i)), FirstSeen: seen(3), Change: findings.StateUnchanged}
		if i >= 18 {
			f.Change = findings.StateNew
		}
		list = append(list, f)
	}
	says(t, changed(list...), false, []string{"policy-27:3     NEW\n", "... and 20 more"}, []string{"policy-28:", "2026-05-03"})
	says(t, changed(list...), true, []string{"policy-29:3     NEW\n  policy-0:3      2026-05-03\n"}, nil)
}

// TestMarksOfWhatCannotBeJudged: several checks say it, of which one said it first.
func TestMarksOfWhatCannotBeJudged(t *testing.T) {
	odd := func(check string, day int, change findings.State) report.Finding {
		f := finding(check, "HIGH", "odd")
		f.ReasonForNonComplianceCode = model.ReasonCodeResourceNotEvaluable
		return report.Finding{AuditFinding: f, FirstSeen: seen(day), Change: change}
	}
	for _, row := range []struct {
		a, b report.Finding
		want string
	}{
		{odd("ANY_CHECK", 21, findings.StateNew), odd("OTHER_CHECK", 21, findings.StateNew), "NEW"},
		{odd("ANY_CHECK", 21, findings.StateNew), odd("OTHER_CHECK", 7, findings.StateUnchanged), "2026-05-07"},
		{odd("ANY_CHECK", 7, findings.StateUnchanged), odd("OTHER_CHECK", 21, findings.StateNew), "2026-05-07"},
		{odd("ANY_CHECK", 7, findings.StateUnchanged), odd("OTHER_CHECK", 6, findings.StateUnchanged), "2026-05-06"},
		{odd("ANY_CHECK", 5, findings.StateUnchanged), odd("OTHER_CHECK", 6, findings.StateUnchanged), "2026-05-05"},
	} {
		r := changed(row.a, row.b)
		r.Specs = append(r.Specs, checks.Spec{Name: "OTHER_CHECK", Severity: "LOW"})
		says(t, r, false, []string{"  odd:3           " + row.want + "\n"}, nil)
	}
}

// TestChangesText looks at the part of the text that says what has changed.
func TestChangesText(t *testing.T) {
	r := changed(
		report.Finding{AuditFinding: suppress(finding("ANY_CHECK", "HIGH", "a")), FirstSeen: seen(21), Change: findings.StateNew},
		report.Finding{AuditFinding: finding("ANY_CHECK", "HIGH", "b"), FirstSeen: seen(21), Change: findings.StateNew},
		report.Finding{AuditFinding: suppress(finding("ANY_CHECK", "HIGH", "c")), FirstSeen: seen(3), Change: findings.StateUnchanged},
	)
	for _, f := range r.Findings {
		r.Changes.Add(findings.Change{State: f.Change, Finding: f.AuditFinding}, f.FirstSeen)
	}
	for i, severity := range []model.AuditFindingSeverity{"LOW", "CRITICAL"} {
		for n := range 7 {
			gone := finding(fmt.Sprint("CHECK_\x1b", i), severity, fmt.Sprint("\x1bgone-", n))
			gone.ReasonForNonCompliance = "It is\n\x1bbad."
			if n == 0 {
				gone = suppress(gone)
				gone.ReasonForNonCompliance = ""
			}
			r.Changes.Add(findings.Change{State: findings.StateResolved, Finding: gone}, seen(n+1))
			r.Changes.Add(findings.Change{State: findings.StateNotReevaluated, Finding: gone}, nil)
		}
	}
	says(t, r, false, []string{
		"\nSince the audit of 2026-05-20 12:34 UTC\n  2 new (1 suppressed), 14 resolved (2 suppressed), 0 reopened, 1 unchanged (1 suppressed), 14 not\n  re-evaluated (2 suppressed)\n",
		"\n  Resolved (14): no longer found.\n  CHECK        RESOURCE      REASON             FIRST SEEN\n",
		"─\n  CHECK_\\x1b1  \\x1bgone-0:3  TOO_BROAD          2026-05-01\n  CHECK_\\x1b1  \\x1bgone-1:3  It is\\x0a\\x1bbad.  2026-05-02\n", // the worst first
		"2026-05-07\n  CHECK_\\x1b0  \\x1bgone-0:3  ",
		"\n  ... and 4 more (--all shows them)\n",
		"\n  Not re-evaluated (14): these checks did not run, or not to their end.\n  CHECK        OPEN\n  ─────────────────\n  CHECK_\\x1b0     7\n  CHECK_\\x1b1     7\n",
		"\nSince 2026-05-20: 2 new (1 suppressed), ",
	}, []string{"\x1b", "Not everything could be read"})
	r.LoadProblems = []report.LoadProblem{{File: "x", Reason: "y"}}
	says(t, r, true, []string{"\n  Not everything could be read this time: some of these may be as they were.\n"}, []string{"more (--all"})
}

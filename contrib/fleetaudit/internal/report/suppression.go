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

// expiringDays is how soon a suppression expires that is told of before it does.
const expiringDays = 30

// Suppressions says what became of the suppressions of an audit, as of its instant. Its lists are sorted by expiry: the
// soonest first, the indefinite ones last. One suppression may be in Expiring and in Unmatched.
type Suppressions struct {
	File        string                   `json:"file"`
	TotalCount  int                      `json:"totalCount"`
	ActiveCount int                      `json:"activeCount"` // of those that hold
	NotRunCount int                      `json:"notRunCount"` // of those that hold and whose checks did not run; they are in no list
	Expired     []model.AuditSuppression `json:"expired"`
	Expiring    []model.AuditSuppression `json:"expiring"`  // that hold, and no longer do in 30 days
	Unmatched   []model.AuditSuppression `json:"unmatched"` // that hold, and whose check completed and found nothing about the resource
}

// Suppress puts into r what became of the suppressions of a file, once the audit has ended. It judges as of the audit's
// instant, where an Engine's SuppressionReport judges as of now.
func (r *Report) Suppress(file string, list []model.AuditSuppression) {
	none := []model.AuditSuppression{}
	out := &Suppressions{File: file, TotalCount: len(list), Expired: none, Expiring: none, Unmatched: none}
	r.Suppressions = out
	type match struct {
		check    string
		resource model.ResourceIdentifier
	}
	soon := r.AsOf.AddDate(0, 0, expiringDays)
	found := make(map[match]bool)
	for _, f := range r.Findings {
		found[match{f.CheckName, f.NonCompliantResource.ResourceIdentifier}] = true
	}
	list = slices.Clone(list)
	slices.SortStableFunc(list, soonerExpiry)
	for _, s := range list {
		status := r.details(s.CheckName).CheckRunStatus
		switch {
		case !findings.Active(s, r.AsOf.Time):
			out.Expired = append(out.Expired, s)
		case status == "":
			out.NotRunCount++
		default:
			out.ActiveCount++
			if !findings.Active(s, soon) {
				out.Expiring = append(out.Expiring, s)
			}
			if completed(status) && !found[match{s.CheckName, s.ResourceIdentifier}] {
				out.Unmatched = append(out.Unmatched, s)
			}
		}
	}
}

func completed(s model.AuditCheckRunStatus) bool {
	return s == model.AuditCheckRunStatusCompletedCompliant || s == model.AuditCheckRunStatusCompletedNonCompliant
}

func soonerExpiry(a, b model.AuditSuppression) int {
	switch aEnds, bEnds := !isIndefinite(a), !isIndefinite(b); {
	case aEnds && bEnds:
		return a.ExpirationDate.Compare(b.ExpirationDate.Time)
	case aEnds:
		return -1
	case bEnds:
		return 1
	}
	return 0
}

func isIndefinite(s model.AuditSuppression) bool {
	return s.SuppressIndefinitely != nil && *s.SuppressIndefinitely
}

func isSuppressed(f model.AuditFinding) bool { return f.IsSuppressed != nil && *f.IsSuppressed }

// details says how the run of a check did; zero if it did not run.
func (r *Report) details(check string) model.AuditCheckDetails {
	if r.AuditTask == nil {
		return model.AuditCheckDetails{}
	}
	return r.AuditTask.AuditDetails[check]
}

// suppressed counts the resources of which a check's findings are suppressed.
func (r *Report) suppressed(check string) int {
	return int(r.details(check).SuppressedNonCompliantResourcesCount)
}

// suppressions writes which suppressions there are, and which of them somebody should look at.
func (w *writer) suppressions() {
	s := w.report.Suppressions
	if s == nil {
		return
	}
	w.title("Suppressions")
	parts := []string{number(s.ActiveCount) + " in force"}
	if n := len(s.Expired); n > 0 {
		parts = append(parts, number(n)+" expired")
	}
	if n := s.NotRunCount; n > 0 {
		parts = append(parts, number(n)+" of checks that did not run")
	}
	w.prose("  ", terminal.Plain, terminal.Clean(s.File)+": "+strings.Join(parts, ", "))
	w.suppressionList("Expired (%s): what is found about these resources counts again.", "EXPIRED", s.Expired)
	w.suppressionList("Expiring within 30 days (%s)", "EXPIRES", s.Expiring)
	w.suppressionList("Matched nothing (%s): the check found nothing about the resource.", "EXPIRES", s.Unmatched)
}

// suppressionList writes suppressions, if there are any, under words with a place for how many there are.
func (w *writer) suppressionList(words, dateTitle string, list []model.AuditSuppression) {
	if len(list) == 0 {
		return
	}
	w.b.WriteString("\n")
	w.prose("  ", terminal.Plain, fmt.Sprintf(words, number(len(list))))
	rows := make([][]terminal.Cell, w.cut(len(list), Shown))
	for i := range rows {
		s := list[i]
		date := "never"
		if !isIndefinite(s) {
			date = s.ExpirationDate.UTC().Format(time.DateOnly)
		}
		rows[i] = []terminal.Cell{{Text: s.CheckName}, w.resource(s.ResourceIdentifier)[0], {Text: date}, {Text: terminal.Clean(s.Description)}}
	}
	w.b.WriteString(w.screen.Table("  ", []terminal.Column{
		{Title: "CHECK", Flex: true, Breaks: "_"}, {Title: "RESOURCE", Flex: true, Breaks: idBreaks},
		{Title: dateTitle}, {Title: "DESCRIPTION", Flex: true},
	}, rows))
	w.more("  ", len(list)-len(rows))
}

package report_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/report"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/terminal"
	"github.com/fleetaudit/fleetaudit/model"
)

// suppression makes one of a check and a policy, which holds until a date, or indefinitely.
func suppression(check, policy, until string) model.AuditSuppression {
	s := model.AuditSuppression{CheckName: check, ResourceIdentifier: id("POLICY:VERSION", policy)}
	if until == "" {
		s.SuppressIndefinitely = new(true)
		return s
	}
	date, err := time.Parse(time.DateOnly, until)
	if err != nil {
		panic(err)
	}
	s.ExpirationDate = model.At(date)
	return s
}

// TestSuppress sorts the suppressions of checks that ended in every way.
func TestSuppress(t *testing.T) {
	const asOf = "2030-01-01"
	task := &report.Task{AuditDetails: map[string]model.AuditCheckDetails{
		"FINE": {CheckRunStatus: "COMPLETED_COMPLIANT"}, "FOUND": {CheckRunStatus: "COMPLETED_NON_COMPLIANT"},
		"FAILED": {CheckRunStatus: "FAILED"}, "CANCELED": {CheckRunStatus: "CANCELED"},
	}}
	for _, row := range []struct {
		name    string
		task    *report.Task
		list    []model.AuditSuppression
		active  int
		notRun  int
		expired string // the policies of these and of the following
		soon    string
		no      string
	}{
		{"none", task, nil, 0, 0, "", "", ""},
		{"of no audit", nil, []model.AuditSuppression{suppression("FINE", "a", ""), suppression("FINE", "b", "2020-01-01")}, 0, 1, "b", "", ""},
		{"of a check that did not run", task, []model.AuditSuppression{suppression("OTHER", "a", ""), suppression("OTHER", "b", "2020-01-01")}, 0, 1, "b", "", ""},
		{"matched", task, []model.AuditSuppression{suppression("FOUND", "p", "")}, 1, 0, "", "", ""},
		{"matched by another check", task, []model.AuditSuppression{suppression("FINE", "p", "")}, 1, 0, "", "", "p"},
		{"unmatched", task, []model.AuditSuppression{suppression("FOUND", "q", ""), suppression("FINE", "a", "2031-01-01")}, 2, 0, "", "", "a q"},
		{"who knows", task, []model.AuditSuppression{suppression("FAILED", "a", ""), suppression("CANCELED", "b", "")}, 2, 0, "", "", ""},
		{"expired", task, []model.AuditSuppression{suppression("FINE", "a", asOf), suppression("FAILED", "b", "2029-12-31"), suppression("FOUND", "p", "1999-01-01")}, 0, 0, "p b a", "", ""},
		{"expiring", task, []model.AuditSuppression{suppression("FOUND", "p", "2030-01-31"), suppression("FAILED", "b", "2030-02-01"), suppression("FAILED", "a", "2030-01-02")}, 3, 0, "", "a p", ""},
		{"expiring, unmatched", task, []model.AuditSuppression{suppression("FINE", "b", ""), suppression("FINE", "a", "2030-01-02"), suppression("FOUND", "c", "")}, 3, 0, "", "a", "a b c"},
	} {
		r := report.New(nil, inventory.Loaded{})
		r.AuditTask, r.AsOf = row.task, suppression("", "", asOf).ExpirationDate
		r.Findings = []report.Finding{{AuditFinding: finding("FOUND", "HIGH", "p")}}
		r.Findings[0].NonCompliantResource.ResourceIdentifier = id("POLICY:VERSION", "p")
		r.Suppress("f.json", row.list)
		policies := func(list []model.AuditSuppression) string {
			var all []string
			for _, s := range list {
				all = append(all, s.ResourceIdentifier.PolicyVersionIdentifier.PolicyName)
			}
			return strings.Join(all, " ")
		}
		s := r.Suppressions
		got := fmt.Sprintf("%s %d %d %d: %q %q %q", s.File, s.TotalCount, s.ActiveCount, s.NotRunCount, policies(s.Expired), policies(s.Expiring), policies(s.Unmatched))
		want := fmt.Sprintf("f.json %d %d %d: %q %q %q", len(row.list), row.active, row.notRun, row.expired, row.soon, row.no)
		if got != want {
			t.Errorf("%s: %s, want %s", row.name, got, want)
		}
		if s.Expired == nil || s.Expiring == nil || s.Unmatched == nil {
			t.Errorf("%s: JSON would have a null", row.name)
		}
	}
}

// TestSuppressionText has long lists at every width, whose lines stay within it.
func TestSuppressionText(t *testing.T) {
	task := &report.Task{AuditDetails: map[string]model.AuditCheckDetails{"POLICY_CHECK": {CheckRunStatus: "COMPLETED_COMPLIANT"}}}
	var list []model.AuditSuppression
	for i := range 13 {
		s := suppression("POLICY_CHECK", fmt.Sprintf("policy-%c", 'a'+i), "2030-01-15")
		s.Description = strings.Repeat("word ", 1+40*(i%2)) + "\x1b[2J"
		list = append(list, s)
	}
	for _, width := range []int{terminal.MinWidth, 100, terminal.MaxWidth} {
		r := report.New([]string{"fleet"}, inventory.Loaded{})
		r.AuditTask, r.AsOf = task, suppression("", "", "2030-01-01").ExpirationDate
		r.Specs = []checks.Spec{{Name: "POLICY_CHECK", Severity: "HIGH"}}
		r.Suppress("f.json", list)
		_, got, _ := strings.Cut(r.Text(terminal.Screen{Width: width}, false), "\nSuppressions\n")
		for line := range strings.Lines(got) {
			if n := terminal.Width(strings.TrimSuffix(line, "\n")); n > width {
				t.Errorf("a line has %d columns of %d: %s", n, width, line)
			}
		}
		for words, n := range map[string]int{
			"  f.json: 13 in force\n": 1, "  Expiring within 30 days (13)\n": 1, "  Matched nothing (13): ": 1,
			"policy-a:2": 2, "policy-j:2": 2, "policy-k:2": 0, "2030-01-15": 20, "  ... and 3 more (--all shows them)\n": 2, `\x1b[2J`: 20, "\x1b": 0,
		} {
			if diff := cmp.Diff(n, strings.Count(got, words)); diff != "" {
				t.Errorf("%q at width %d (-want +got):\n%s\n%s", words, width, diff, got)
			}
		}
	}
}

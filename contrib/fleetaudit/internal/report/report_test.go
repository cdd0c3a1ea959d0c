package report_test

import (
	"strings"
	"testing"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/report"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/terminal"
	"github.com/fleetaudit/fleetaudit/model"
)

// finding makes a finding of a check about a policy.
func finding(check string, severity model.AuditFindingSeverity, policy string) model.AuditFinding {
	return model.AuditFinding{
		CheckName: check, Severity: severity, ReasonForNonComplianceCode: "TOO_BROAD", ReasonForNonCompliance: "It is too broad.",
		NonCompliantResource: model.NonCompliantResource{
			ResourceType:       model.ResourceTypeIoTPolicy,
			ResourceIdentifier: model.ResourceIdentifier{PolicyVersionIdentifier: model.PolicyVersionIdentifier{PolicyName: policy, PolicyVersionID: "3"}},
		},
	}
}

func TestWorst(t *testing.T) {
	r := report.New(nil, inventory.Loaded{})
	for _, severity := range []model.AuditFindingSeverity{"", "LOW", "MEDIUM", "HIGH", "CRITICAL", "LOW"} {
		want := r.Worst()
		if severity != "LOW" || want == "" {
			want = severity
		}
		if severity != "" {
			r.Findings = append(r.Findings, report.Finding{AuditFinding: finding("ANY_CHECK", severity, "p")})
		}
		suppressed := finding("ANY_CHECK", "CRITICAL", "p")
		suppressed.IsSuppressed = new(true)
		r.Findings = append(r.Findings, report.Finding{AuditFinding: suppressed}) // which does not count
		if got := r.Worst(); got != want {
			t.Errorf("worst of %d findings: %q, want %q", len(r.Findings), got, want)
		}
	}
}

// TestText looks for words that one report must have, and those that it must not.
func TestText(t *testing.T) {
	policies := func(n int) []report.Finding {
		var all []report.Finding
		for range n {
			all = append(all, report.Finding{AuditFinding: finding("POLICY_CHECK", "HIGH", "\x1b[31mpolicy")})
		}
		return all
	}
	details := func(status model.AuditCheckRunStatus, total, bad int64) *report.Task {
		return &report.Task{
			TaskStatus:     model.AuditTaskStatusCompleted,
			TaskStatistics: model.TaskStatistics{TotalChecks: 1},
			AuditDetails: map[string]model.AuditCheckDetails{
				"POLICY_CHECK": {CheckRunStatus: status, TotalResourcesCount: total, NonCompliantResourcesCount: bad},
			},
		}
	}
	for _, test := range []struct {
		name     string
		all      bool
		task     *report.Task
		findings []report.Finding
		want     []string
		not      []string
	}{
		{"large numbers", false, details("COMPLETED_NON_COMPLIANT", 1234567, 1234), policies(1234),
			[]string{"1,234,567    1,234\n", "TOO_BROAD (1,234): It is too broad.", "... and 1,224 more (--all shows them)\n", "1,234 findings: 1,234 HIGH\n"}, []string{"\x1b"}},
		{"whole", true, details("COMPLETED_NON_COMPLIANT", 30, 30), policies(30),
			[]string{strings.Repeat(`  \x1b[31mpolicy:3`+"\n", 30)}, []string{"more (", "\x1b"}},
		{"one more is no list to cut", false, details("COMPLETED_NON_COMPLIANT", 11, 11), policies(11),
			[]string{strings.Repeat(`  \x1b[31mpolicy:3`+"\n", 11)}, []string{"more ("}},
		{"two more are", false, details("COMPLETED_NON_COMPLIANT", 12, 12), policies(12),
			[]string{"... and 2 more"}, nil},
		{"compliant", false, details("COMPLETED_COMPLIANT", 1000, 0), nil, []string{"compliant    1,000        0\n", "No findings\n1 check ran\n"}, []string{"What to do"}},
		{"nothing ran", false, nil, nil, []string{"No check ran\n"}, []string{"SEVERITY", "No findings"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := report.New([]string{"fleet"}, inventory.Loaded{})
			r.AuditTask, r.Findings = test.task, test.findings
			if test.task != nil {
				r.Specs = []checks.Spec{{Name: "POLICY_CHECK", Severity: "HIGH", Remediation: "Narrow it."}}
			}
			got := r.Text(terminal.Screen{Width: 80}, test.all)
			for _, words := range test.want {
				if !strings.Contains(got, words) {
					t.Errorf("the text lacks %q:\n%s", words, got)
				}
			}
			for _, words := range test.not {
				if strings.Contains(got, words) {
					t.Errorf("the text has %q:\n%s", words, got)
				}
			}
		})
	}
}

func TestManyPaths(t *testing.T) {
	paths := strings.Split(strings.Repeat("a.pem ", 11)+"last.pem", " ")
	r := report.New(paths, inventory.Loaded{})
	cut, whole := r.Text(terminal.Screen{Width: 80}, false), r.Text(terminal.Screen{Width: 80}, true)
	if strings.Contains(cut, "last.pem") || !strings.Contains(cut, "... and 2 more (--all shows them)\n") {
		t.Errorf("the head is not cut:\n%s", cut)
	}
	if !strings.Contains(whole, "last.pem\n") || strings.Contains(whole, "more (") {
		t.Errorf("the head is cut:\n%s", whole)
	}
}

// Package report is what the command line says about an audit: as one JSON document, or as text for
// people.
package report

import (
	"slices"
	"strings"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/model"
)

// Report is an audit from end to end. Its JSON has AWS's shapes where AWS has one, and no null.
type Report struct {
	Paths        []string        `json:"paths"`
	AsOf         model.Timestamp `json:"asOf"` // the instant as of which checks judged
	Loaded       Counts          `json:"loaded"`
	LoadProblems []LoadProblem   `json:"loadProblems"` // what could not be read
	Ignored      []LoadProblem   `json:"ignored"`      // what was left out on purpose
	NotRunChecks []NotRunCheck   `json:"notRunChecks"`
	Notes        []string        `json:"notes"`            // what limits the worth of what the checks found
	TaskID       string          `json:"taskId,omitempty"` // empty, as AuditTask is nil: no check could run
	AuditTask    *Task           `json:"auditTask,omitempty"`
	Findings     []Finding       `json:"findings"`
	Changes      *Changes        `json:"changes,omitempty"`      // nil: audits are not kept, or no check could run
	Suppressions *Suppressions   `json:"suppressions,omitempty"` // nil: none were given
	Forecast     *Forecast       `json:"forecast,omitempty"`     // nil: none was asked for, or it was interrupted

	// Resources are those that findings, changes or suppressions name and that stand somewhere: certificates by certificate id, policy
	// versions as policy/NAME:VERSION, identity pools by id, role aliases by ARN, and accounts.
	Resources map[string]Resource `json:"resources"`

	// Specs are those of the checks that ran, in order.
	Specs []checks.Spec `json:"-"`
}

// Task is AWS's word for an audit.
type Task = model.DescribeAuditTaskOutput

// LoadProblem is something about a place in a file.
type LoadProblem struct {
	File   string `json:"file"`
	Offset int64  `json:"offset"` // in bytes
	Reason string `json:"reason"`
}

// NotRunCheck is a check that had nothing to look at, so that nothing is known.
type NotRunCheck struct {
	CheckName string `json:"checkName"`
	// CheckRunStatus is WAITING_FOR_DATA_COLLECTION where connections would have to be recorded first; else empty.
	CheckRunStatus model.AuditCheckRunStatus `json:"checkRunStatus,omitempty"`
	Reason         string                    `json:"reason"` // and what to supply
}

// New begins a Report with what was loaded.
func New(paths []string, loaded inventory.Loaded) *Report {
	return &Report{
		Paths:        paths,
		Loaded:       Count(loaded.Contents),
		LoadProblems: problems(loaded.Problems),
		Ignored:      problems(loaded.Ignored),
		NotRunChecks: []NotRunCheck{},
		Notes:        []string{},
		Findings:     []Finding{},
		Resources:    map[string]Resource{},
	}
}

func problems(list []inventory.Problem) []LoadProblem {
	all := make([]LoadProblem, len(list))
	for i, p := range list {
		all[i] = LoadProblem{p.File, p.Offset, p.What}
	}
	return all
}

// Worst returns the severity of the worst finding that is not suppressed, or an empty one if there is none.
func (r *Report) Worst() model.AuditFindingSeverity {
	for _, s := range model.AuditFindingSeverity("").Values() {
		if slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Severity == s && !isSuppressed(f.AuditFinding) }) {
			return s
		}
	}
	return ""
}

// rank is 0 for the worst severity, and more for the others.
func rank(s model.AuditFindingSeverity) int { return slices.Index(s.Values(), s) }

// plural is "1 check" or "2 checks".
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	if stem, ok := strings.CutSuffix(one, "y"); ok && !strings.HasSuffix(stem, "e") {
		return number(n) + " " + stem + "ies"
	}
	if strings.HasSuffix(one, "s") {
		one += "e"
	}
	return number(n) + " " + one + "s"
}

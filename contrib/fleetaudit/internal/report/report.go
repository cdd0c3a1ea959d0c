// Package report is what the command line says about an audit: as one JSON document, or as text for
// people.
package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/model"
)

// Report is an audit from end to end. Its JSON has AWS's shapes where AWS has one, and no null.
type Report struct {
	Paths        []string             `json:"paths"`
	AsOf         model.Timestamp      `json:"asOf"` // the instant as of which checks judged
	Loaded       Counts               `json:"loaded"`
	LoadProblems []LoadProblem        `json:"loadProblems"` // what could not be read
	Ignored      []LoadProblem        `json:"ignored"`      // what was left out on purpose
	NotRunChecks []NotRunCheck        `json:"notRunChecks"`
	Notes        []string             `json:"notes"`            // what limits the worth of what the checks found
	TaskID       string               `json:"taskId,omitempty"` // empty, as AuditTask is nil: no check could run
	AuditTask    *Task                `json:"auditTask,omitempty"`
	Findings     []model.AuditFinding `json:"findings"`

	// Resources are the certificates that findings name, by certificate id.
	Resources map[string]Resource `json:"resources"`

	// Specs are those of the checks that ran, in order.
	Specs []checks.Spec `json:"-"`
}

// Task is AWS's word for an audit.
type Task = model.DescribeAuditTaskOutput

// Counts says how many resources were loaded.
type Counts struct {
	DeviceCertificates int `json:"deviceCertificates"`
	CACertificates     int `json:"caCertificates"`
	CRLs               int `json:"crls"`
}

// LoadProblem is something about a place in a file.
type LoadProblem struct {
	File   string `json:"file"`
	Offset int64  `json:"offset"` // in bytes
	Reason string `json:"reason"`
}

// NotRunCheck is a check that had nothing to look at, so that nothing is known.
type NotRunCheck struct {
	CheckName string `json:"checkName"`
	Reason    string `json:"reason"`
}

// Resource is how a person recognises a certificate.
type Resource struct {
	Subject string `json:"subject,omitempty"` // empty if the certificate does not parse
	File    string `json:"file"`
	Offset  int64  `json:"offset"` // in bytes
}

// New begins a Report with what was loaded.
func New(paths []string, loaded inventory.Loaded) *Report {
	return &Report{
		Paths: paths,
		Loaded: Counts{
			DeviceCertificates: len(loaded.DeviceCertificates),
			CACertificates:     len(loaded.CACertificates),
			CRLs:               len(loaded.CRLs),
		},
		LoadProblems: problems(loaded.Problems),
		Ignored:      problems(loaded.Ignored),
		NotRunChecks: []NotRunCheck{},
		Notes:        []string{},
		Findings:     []model.AuditFinding{},
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

// Name fills Resources from the certificates that were loaded.
func (r *Report) Name(loaded inventory.Loaded) {
	wanted := make(map[string]bool)
	for _, f := range r.Findings {
		wanted[certificateID(f.NonCompliantResource.ResourceIdentifier)] = true
		for _, related := range f.RelatedResources {
			wanted[certificateID(related.ResourceIdentifier)] = true
		}
	}
	for _, certificates := range [][]inventory.Certificate{loaded.DeviceCertificates, loaded.CACertificates} {
		for _, c := range certificates {
			if wanted[c.ID] {
				r.Resources[c.ID] = Resource{c.Subject(), c.Origin.File, c.Origin.Offset}
			}
		}
	}
}

func certificateID(id model.ResourceIdentifier) string {
	return cmp.Or(id.DeviceCertificateID, id.CACertificateID, id.IssuerCertificateIdentifier.IssuerID)
}

// Worst returns the severity of the worst finding, or an empty one if there is none.
func (r *Report) Worst() model.AuditFindingSeverity {
	for _, s := range model.AuditFindingSeverity("").Values() {
		if slices.ContainsFunc(r.Findings, func(f model.AuditFinding) bool { return f.Severity == s }) {
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
	if stem, ok := strings.CutSuffix(one, "y"); ok {
		return number(n) + " " + stem + "ies"
	}
	return number(n) + " " + one + "s"
}

package cli_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/model"
)

// document is what a reader of the JSON may expect, with the types of package model.
type document struct {
	Paths  []string        `json:"paths"`
	AsOf   model.Timestamp `json:"asOf"`
	Loaded struct {
		DeviceCertificates    int `json:"deviceCertificates"`
		CACertificates        int `json:"caCertificates"`
		CRLs                  int `json:"crls"`
		PolicyVersions        int `json:"policyVersions"`
		IdentityPools         int `json:"identityPools"`
		RoleAliases           int `json:"roleAliases"`
		Connections           int `json:"connections"`
		ClientIDs             int `json:"clientIds"`
		ConnectedCertificates int `json:"connectedCertificates"`
		Accounts              int `json:"accounts"`
		WeakKeys              int `json:"weakKeys"`
	} `json:"loaded"`
	LoadProblems []place `json:"loadProblems"`
	Ignored      []place `json:"ignored"`
	NotRunChecks []struct {
		CheckName      string `json:"checkName"`
		CheckRunStatus string `json:"checkRunStatus"`
		Reason         string `json:"reason"`
	} `json:"notRunChecks"`
	Notes        []string                       `json:"notes"`
	TaskID       string                         `json:"taskId"`
	AuditTask    *model.DescribeAuditTaskOutput `json:"auditTask"`
	Findings     []model.AuditFinding           `json:"findings"`
	Suppressions *struct {
		File        string                   `json:"file"`
		TotalCount  int                      `json:"totalCount"`
		ActiveCount int                      `json:"activeCount"`
		NotRunCount int                      `json:"notRunCount"`
		Expired     []model.AuditSuppression `json:"expired"`
		Expiring    []model.AuditSuppression `json:"expiring"`
		Unmatched   []model.AuditSuppression `json:"unmatched"`
	} `json:"suppressions"`
	Forecast *struct {
		To      model.Timestamp `json:"to"`
		Summary string          `json:"summary"`
		Checks  []struct {
			CheckName string                     `json:"checkName"`
			Severity  model.AuditFindingSeverity `json:"severity"`
			From      model.AuditCheckDetails    `json:"from"`
			To        model.AuditCheckDetails    `json:"to"`
		} `json:"checks"`
		Reasons []struct {
			CheckName                  string                     `json:"checkName"`
			Severity                   model.AuditFindingSeverity `json:"severity"`
			ReasonForNonComplianceCode string                     `json:"reasonForNonComplianceCode"`
			NewFindingsCount           int                        `json:"newFindingsCount"`
			ResolvedFindingsCount      int                        `json:"resolvedFindingsCount"`
			UnsuppressedFindingsCount  int                        `json:"unsuppressedFindingsCount"`
		} `json:"reasons"`
		Lapsed   []model.AuditSuppression `json:"lapsed"`
		Findings []struct {
			model.AuditFinding
			WasSuppressed bool `json:"wasSuppressed"`
		} `json:"findings"`
	} `json:"forecast"`
	Resources map[string]struct {
		Subject string `json:"subject"`
		File    string `json:"file"`
		Offset  int64  `json:"offset"`
	} `json:"resources"`
}

type place struct {
	File   string `json:"file"`
	Offset int64  `json:"offset"`
	Reason string `json:"reason"`
}

func decode(t *testing.T, s string) document {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(s))
	d.DisallowUnknownFields()
	var doc document
	require.NoError(t, d.Decode(&doc))
	require.False(t, d.More(), "there is more than one document")
	var tree any
	require.NoError(t, json.Unmarshal([]byte(s), &tree))
	require.False(t, hasNull(tree), "there is a null")
	return doc
}

func hasNull(v any) bool {
	switch v := v.(type) {
	case []any:
		return slices.ContainsFunc(v, hasNull)
	case map[string]any:
		return slices.ContainsFunc(slices.Collect(maps.Values(v)), hasNull)
	}
	return v == nil
}

// TestJSONAgreesWithTable compares the two formats of one audit.
func TestJSONAgreesWithTable(t *testing.T) {
	for _, args := range []string{
		"audit testdata/fleet --as-of 2030-01-01",
		"audit testdata/fleet --as-of 2026-06-01",
		"audit testdata/sound --as-of 2030-01-01",
		"audit testdata/fleet/ca testdata/sound --as-of 2040-01-01T12:00:00+02:00",
		"audit testdata/sound/root.crl --as-of 2030-01-01",
		"audit " + example + " --as-of " + exampleAsOf,
		"audit " + example + " --as-of " + exampleAsOf + " --suppressions " + exampleSuppressions + " --forecast 2024-12-01",
		"audit " + example + " --as-of 2024-07-01 --suppressions " + exampleSuppressions,
		"audit testdata/fleet --as-of 2029-06-01 --forecast 2030-01-01T12:00:00Z",
	} {
		t.Run(args, func(t *testing.T) {
			asJSON, asText := run(t, words(args+" --format json")...), run(t, words(args+" --all --width 200")...)
			if asJSON.code != asText.code || asJSON.stderr != asText.stderr {
				t.Errorf("json exits with %d and says %q, table with %d and %q", asJSON.code, asJSON.stderr, asText.code, asText.stderr)
			}
			doc := decode(t, asJSON.stdout)
			// The rows of the table of checks: SEVERITY CHECK STATUS CHECKED FLAGGED, and SUPPRESSED if it is not 0.
			rows := make(map[string]string)
			for line := range strings.Lines(asText.stdout) {
				if f := strings.Fields(line); (len(f) == 5 || len(f) == 6) && strings.HasSuffix(f[1], "_CHECK") && line[0] != ' ' {
					rows[f[1]] = strings.Join(f[2:], " ")
				}
			}
			want := make(map[string]string)
			severities := make(map[model.AuditFindingSeverity]int)
			if doc.AuditTask != nil {
				for name, d := range doc.AuditTask.AuditDetails {
					status := "NON-COMPLIANT"
					if d.CheckCompliant {
						status = "compliant"
					}
					n := d.SuppressedNonCompliantResourcesCount
					want[name] = fmt.Sprintf("%s %d %d", status, d.TotalResourcesCount, d.NonCompliantResourcesCount-n)
					if n > 0 {
						want[name] += fmt.Sprint(" ", n)
					}
				}
			}
			if diff := cmp.Diff(want, rows); diff != "" {
				t.Errorf("rows (-json +table):\n%s", diff)
			}
			suppressed := 0
			for _, f := range doc.Findings {
				if f.IsSuppressed != nil && *f.IsSuppressed {
					suppressed++
					continue
				}
				severities[f.Severity]++
				shows(t, asText.stdout, f.NonCompliantResource.ResourceIdentifier)
				for _, related := range f.RelatedResources {
					shows(t, asText.stdout, related.ResourceIdentifier)
				}
				if f.TaskID != doc.TaskID || f.IsSuppressed == nil {
					t.Errorf("finding %+v is not of task %s, or lacks isSuppressed", f, doc.TaskID)
				}
			}
			if words := fmt.Sprintf(" findings, %d suppressed: ", suppressed); strings.Contains(asText.stdout, words) != (suppressed > 0) {
				t.Errorf("%d findings are suppressed, and the text does not tell %q", suppressed, words)
			}
			agrees(t, doc, asText.stdout)
			for severity, n := range severities {
				if want := fmt.Sprintf("%d %s", n, severity); !strings.Contains(asText.stdout, want) {
					t.Errorf("the text does not have %q", want)
				}
			}
			for _, p := range doc.LoadProblems {
				if !strings.Contains(asText.stdout, p.File) || !strings.Contains(asText.stdout, p.Reason) {
					t.Errorf("the text does not have the problem %v", p)
				}
			}
			for _, n := range doc.NotRunChecks {
				reason := strings.TrimPrefix(n.CheckRunStatus+": "+n.Reason+":", ": ")
				if !strings.Contains(strings.Join(strings.Fields(asText.stdout), " "), reason) || !strings.Contains(asText.stdout, "    "+n.CheckName+"\n") {
					t.Errorf("the text does not have %v", n)
				}
			}
			for _, n := range doc.Notes {
				if !strings.Contains(strings.Join(strings.Fields(asText.stdout), " "), n) {
					t.Errorf("the text does not have the note %q", n)
				}
			}
			if !strings.Contains(asText.stdout, doc.AsOf.UTC().Format("2006-01-02 15:04 UTC")) {
				t.Errorf("the text does not have the instant %v", doc.AsOf)
			}
		})
	}
}

// agrees looks for the suppressions and the forecast of a document in a report.
func agrees(t *testing.T, doc document, text string) {
	t.Helper()
	var suppressions []model.AuditSuppression
	if s := doc.Suppressions; s != nil {
		suppressions = slices.Concat(s.Expired, s.Expiring, s.Unmatched)
		if words := fmt.Sprintf("%s: %d in force", s.File, s.ActiveCount); !strings.Contains(text, words) || s.TotalCount != s.ActiveCount+s.NotRunCount+len(s.Expired) {
			t.Errorf("%+v: the text does not have %q, or counts do not add up", s, words)
		}
	}
	if f := doc.Forecast; f != nil {
		suppressions = append(suppressions, f.Lapsed...)
		fresh := 0
		for _, r := range f.Reasons {
			fresh += r.NewFindingsCount + r.UnsuppressedFindingsCount
		}
		if fresh != len(f.Findings) {
			t.Errorf("%d findings are forecast, and counted %d", len(f.Findings), fresh)
		}
		for _, found := range f.Findings {
			shows(t, text, found.NonCompliantResource.ResourceIdentifier)
			if !strings.Contains(text, found.CheckName+"\nBy ") {
				t.Errorf("the text does not forecast %s", found.CheckName)
			}
		}
		if summary := strings.TrimPrefix(f.Summary, "by "); !strings.Contains(strings.Join(strings.Fields(text), " "), "By "+summary) {
			t.Errorf("the text does not have %q", summary)
		}
	}
	for _, s := range suppressions {
		shows(t, text, s.ResourceIdentifier)
		if !strings.Contains(text, strings.Fields(s.Description)[0]) {
			t.Errorf("the text does not describe %+v", s)
		}
	}
}

// shows looks for a resource in a report: of a certificate, for the first digits of its id.
func shows(t *testing.T, text string, id model.ResourceIdentifier) {
	t.Helper()
	name := id.CACertificateID + id.DeviceCertificateID + id.IssuerCertificateIdentifier.IssuerID
	if name != "" {
		name = name[:12]
	} else {
		name = id.String()
	}
	if !strings.Contains(text, name) {
		t.Errorf("the text does not have %v", id)
	}
}

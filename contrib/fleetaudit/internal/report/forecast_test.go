package report_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/report"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/terminal"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// period is when a policy is too broad.
type period struct {
	policy   string
	from, to string
}

// forecastOf is the forecast from 2030-01-01 to 2031-01-01 for a check of policies.
func forecastOf(t *testing.T, suppressions []model.AuditSuppression, policies ...period) (*report.Forecast, []checks.Spec) {
	spec := checks.Spec{Name: "POLICY_CHECK", Severity: "HIGH", ResourceType: model.ResourceTypeIoTPolicy, ReasonCodes: []checks.ReasonCode{{Code: "TOO_BROAD"}}}
	e, err := engine.New(engine.Config{EnableAll: true, Suppressions: suppressions, Checks: []checks.Check{
		checks.Each(spec, checks.Slice("policies", policies), func(_ context.Context, pass *checks.Pass, p *period) error {
			if now := pass.Time.Format(time.DateOnly); p.from <= now && now < p.to {
				pass.Report(checks.Finding{
					Resource:   model.NonCompliantResource{ResourceIdentifier: id("POLICY:VERSION", p.policy), AdditionalInfo: map[string]string{"EXPIRATION_TIME": "1900000000000"}},
					ReasonCode: "TOO_BROAD", Reason: "It is too broad.",
				})
			}
			return nil
		}),
	}})
	require.NoError(t, err)
	defer e.Close()
	day := func(s string) time.Time { return suppression("", "", s).ExpirationDate.Time }
	f, err := e.Forecast(t.Context(), engine.ForecastInput{From: day("2030-01-01"), To: day("2031-01-01")})
	require.NoError(t, err)
	return report.NewForecast(f), e.Checks()
}

// TestForecast has policies of each fate, suppressed or not at either time.
func TestForecast(t *testing.T) {
	const before, between, after = "2029-01-01", "2030-06-01", "2039-01-01"
	f, specs := forecastOf(t, []model.AuditSuppression{
		suppression("POLICY_CHECK", "new-suppressed", ""), suppression("POLICY_CHECK", "new-lapsed", between),
		suppression("POLICY_CHECK", "stays-suppressed", ""), suppression("POLICY_CHECK", "unsuppressed", between),
		suppression("POLICY_CHECK", "goes-suppressed", between),
	},
		period{"new", between, after}, period{"new-suppressed", between, after}, period{"new-lapsed", between, after},
		period{"stays", before, after}, period{"stays-suppressed", before, after}, period{"unsuppressed", before, after},
		period{"goes", before, between}, period{"goes-suppressed", before, between})

	got := make(map[string]bool)
	for _, found := range f.Findings {
		got[found.NonCompliantResource.ResourceIdentifier.PolicyVersionIdentifier.PolicyName] = found.WasSuppressed
		if found.IsSuppressed == nil || *found.IsSuppressed || found.TaskID+found.FindingID != "" || !found.TaskStartTime.IsZero() || found.FindingTime != f.To {
			t.Errorf("finding %+v", found)
		}
	}
	if diff := cmp.Diff(map[string]bool{"new": false, "new-lapsed": false, "unsuppressed": true}, got); diff != "" {
		t.Errorf("findings, and whether they were suppressed (-want +got):\n%s", diff)
	}
	want := []report.ReasonForecast{{
		CheckName: "POLICY_CHECK", Severity: "HIGH", ReasonForNonComplianceCode: "TOO_BROAD",
		NewFindingsCount: 2, ResolvedFindingsCount: 1, UnsuppressedFindingsCount: 1,
	}}
	if diff := cmp.Diff(want, f.Reasons); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
	if len(f.Lapsed) != 3 || len(f.NotCompared()) != 0 || f.Summary != "by 2031-01-01: 3 TOO_BROAD, 3 suppressions lapsed" {
		t.Errorf("%d suppressions lapse, %d checks are not forecast: %q", len(f.Lapsed), len(f.NotCompared()), f.Summary)
	}

	r := report.New([]string{"fleet"}, inventory.Loaded{})
	r.Specs, r.Forecast = specs, f
	text := r.Text(terminal.Screen{Width: 100}, false)
	_, text, _ = strings.Cut(text, "\nBy 2031-01-01\n")
	for _, words := range []string{
		"  HIGH      POLICY_CHECK  TOO_BROAD      2     1             1\n",
		"Suppressions that lapse (3)\n",
		"\nHIGH  POLICY_CHECK\nBy 2031-01-01\n\n  TOO_BROAD (2): It is too broad.\n",
		"  new:2           2030-03-17\n  new-lapsed:2    2030-03-17\n",
		"\n  No longer suppressed:\n\n  TOO_BROAD (1): It is too broad.\n",
		"  unsuppressed:2  2030-03-17\n",
		"\nBy 2031-01-01: 3 TOO_BROAD, 3 suppressions lapsed\n",
	} {
		if !strings.Contains(text, words) {
			t.Errorf("the text lacks %q:\n%s", words, text)
		}
	}
	for _, words := range []string{"stays", "goes:2", "new-suppressed"} {
		if strings.Contains(text, words) {
			t.Errorf("the text has %q:\n%s", words, text)
		}
	}
}

// TestForecastIsCut has more resources than are shown.
func TestForecastIsCut(t *testing.T) {
	var policies []period
	for i := range 14 {
		policies = append(policies, period{strings.Repeat("p", i+1), "2030-06-01", "2039-01-01"})
	}
	f, specs := forecastOf(t, nil, policies...)
	r := report.New([]string{"fleet"}, inventory.Loaded{})
	r.Specs, r.Forecast = specs, f
	last := " " + policies[13].policy + ":2 "
	if cut := r.Text(terminal.Screen{Width: 80}, false); strings.Contains(cut, last) || !strings.Contains(cut, "  ... and 4 more (--all shows them)\n") {
		t.Errorf("the list is not cut:\n%s", cut)
	}
	if whole := r.Text(terminal.Screen{Width: 80}, true); !strings.Contains(whole, last) || strings.Contains(whole, "more (") {
		t.Errorf("the list is cut:\n%s", whole)
	}
}

func TestWhyNot(t *testing.T) {
	fine := model.AuditCheckDetails{CheckRunStatus: model.AuditCheckRunStatusCompletedCompliant}
	found := model.AuditCheckDetails{CheckRunStatus: model.AuditCheckRunStatusCompletedNonCompliant}
	failed := model.AuditCheckDetails{CheckRunStatus: model.AuditCheckRunStatusFailed, ErrorCode: "INTERNAL_FAILURE", Message: "oh"}
	waiting := model.AuditCheckDetails{CheckRunStatus: model.AuditCheckRunStatusWaitingForDataCollection}
	for _, row := range []struct {
		from, to model.AuditCheckDetails
		status   model.AuditCheckRunStatus
		why      string
	}{
		{fine, found, "", ""},
		{found, fine, "", ""},
		{found, failed, "FAILED", "INTERNAL_FAILURE: oh"},
		{failed, fine, "FAILED", "INTERNAL_FAILURE: oh"},
		{waiting, waiting, "WAITING_FOR_DATA_COLLECTION", "WAITING_FOR_DATA_COLLECTION"},
	} {
		if status, why := (report.CheckForecast{From: row.from, To: row.to}).WhyNot(); status != row.status || why != row.why {
			t.Errorf("%v, then %v: %s, %q, want %s, %q", row.from, row.to, status, why, row.status, row.why)
		}
	}
}

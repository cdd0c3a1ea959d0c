package engine_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

func TestStatistics(t *testing.T) { runScript(t, "statistics.txt") }

// Whoever has been told that an audit has ended finds it counted.
func TestStatisticsAreNotBehind(t *testing.T) {
	e := openEngine(t, engine.Config{Checks: []checks.Check{good("GOOD")}})
	for n := range 300 {
		waitAudit(t, e, startAudit(t, e, "GOOD"))
		want := []engine.AuditStatistics{
			{Type: model.AuditTaskTypeOnDemand, Status: model.AuditTaskStatusInProgress},
			{Type: model.AuditTaskTypeOnDemand, Status: model.AuditTaskStatusCompleted, Count: n + 1},
		}
		if diff := cmp.Diff(want, e.Statistics(time.Now()).Audits); diff != "" {
			t.Fatalf("after %d audits (-want +got):\n%s", n+1, diff)
		}
	}
}

// countedRuns adds up what Statistics says of check runs that have ended.
func countedRuns(e *engine.Engine) (s model.TaskStatistics) {
	for _, c := range e.Statistics(time.Now()).Checks {
		for _, r := range c.Runs {
			*map[model.AuditCheckRunStatus]*int{
				model.AuditCheckRunStatusCompletedCompliant:    &s.CompliantChecks,
				model.AuditCheckRunStatusCompletedNonCompliant: &s.NonCompliantChecks,
				model.AuditCheckRunStatusFailed:                &s.FailedChecks,
				model.AuditCheckRunStatusCanceled:              &s.CanceledChecks,
			}[r.Status] += r.Count
		}
	}
	return s
}

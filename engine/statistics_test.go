package engine_test

import (
	"testing"
	"time"

	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

func TestStatistics(t *testing.T) { runScript(t, "statistics.txt") }

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

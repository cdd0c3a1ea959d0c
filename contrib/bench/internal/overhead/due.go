package overhead

import (
	"context"
	"fmt"
	"time"

	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/compare"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// newSchedules has daily schedules that are all due within one minute. Each Do is another day: it starts the audits that
// are due, of one check that does nothing, waits for them, and drops those of the day before.
func newSchedules(size int) (compare.Task, error) {
	all, names := noOps(1)
	e, err := engine.New(engine.Config{
		Checks: all, EnableAll: true, MaxScheduledAudits: -1, Retention: 12 * time.Hour,
		TimeOfDay: time.Hour, Spread: time.Minute,
	})
	if err != nil {
		return compare.Task{}, err
	}
	ctx := context.Background()
	for i := range size {
		in := &model.CreateScheduledAuditInput{
			ScheduledAuditName: fmt.Sprintf("nightly-%06d", i), Frequency: model.AuditFrequencyDaily, TargetCheckNames: names,
		}
		if _, err := e.CreateScheduledAudit(ctx, in); err != nil {
			return compare.Task{}, err
		}
	}
	// By then the first slot of each has come, whenever this begins.
	now := time.Now().UTC().Truncate(24 * time.Hour).Add(26 * time.Hour)
	completed := 0
	return compare.Task{
		Do: func() error {
			started, err := e.RunDue(ctx, now)
			if err != nil {
				return err
			}
			now = now.Add(24 * time.Hour)
			completed = 0
			for _, id := range started {
				ended, err := e.WaitAuditTask(ctx, id)
				if err != nil {
					return err
				}
				if ended.TaskStatus == model.AuditTaskStatusCompleted {
					completed++
				}
			}
			return nil
		},
		Answer: func() any { return completed },
		Close:  func() { _ = e.Close() }, // nothing is left that it could wait for
	}, nil
}

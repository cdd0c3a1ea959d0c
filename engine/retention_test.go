package engine_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// The loop drops audits, with their findings, exactly when they are older than is retained; never one that
// is in progress.
func TestRetention(t *testing.T) {
	noLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		e := openEngine(t, engine.Config{
			Retention: 10 * day, TimeOfDay: 12 * time.Hour, Spread: -1, CheckTimeLimit: -1, Concurrency: 4,
			Checks: []checks.Check{
				checks.New(specOf("BAD"), func(_ context.Context, p *checks.Pass) error { report(p, "1"); return nil }),
				checks.New(specOf("SLOW"), func(ctx context.Context, p *checks.Pass) error {
					report(p, "1")
					select {
					case <-time.After(15 * day):
					case <-ctx.Done():
					}
					return nil
				}),
			},
		})
		slow := startAudit(t, e, "SLOW")
		createSchedule(t, e, daily("A", "BAD"))
		running(t, e)
		known := map[string]bool{slow: true}
		begun := time.Now()
		for range 40 {
			time.Sleep(day)
			time.Sleep(15 * time.Minute) // Run looks every ten
			synctest.Wait()
			known[lastAudit(t, e, "A")] = true
			known[startAudit(t, e, "BAD")] = true
			synctest.Wait()
			ended := 0
			for id := range known {
				in := &model.DescribeAuditTaskInput{TaskID: id}
				out, err := e.DescribeAuditTask(t.Context(), in)
				if err != nil {
					if _, ok := errors.AsType[*model.ResourceNotFoundException](err); !ok {
						t.Fatal(err)
					}
					if _, err := e.ListAuditFindings(t.Context(), &model.ListAuditFindingsInput{TaskID: id}); err == nil {
						t.Error("the findings of a dropped audit are there")
					}
					delete(known, id)
					if id == slow && time.Since(begun) < 15*day {
						t.Error("an audit in progress was dropped")
					}
					continue
				}
				if age := time.Since(out.TaskStartTime.Time); age > 10*day+10*time.Minute && out.TaskStatus != model.AuditTaskStatusInProgress {
					t.Errorf("an audit of age %v is there", age)
				}
				if out.TaskStatus == model.AuditTaskStatusInProgress {
					continue
				}
				ended++
				if n := len(foundBy(t, e, id)); n != 1 {
					t.Errorf("an audit has %d findings", n)
				}
			}
			// Both daily audits of the last ten days, and the slow one in its time.
			days := int(time.Since(begun) / day)
			want := min(days, 10) * 2
			if time.Since(begun) < 15*day {
				want++
			}
			if len(known) < want {
				t.Errorf("after %d days %d audits are kept, want %d", days, len(known), want)
			}
			period := &model.ListAuditTasksInput{
				StartTime: model.At(time.Now().Add(-10 * day)), EndTime: model.At(time.Now()), MaxResults: new(int32(250)),
			}
			findings := 0
			for _, err := range e.AuditFindings(t.Context(), &model.ListAuditFindingsInput{
				StartTime: model.At(begun), EndTime: model.At(time.Now()),
			}) {
				require.NoError(t, err)
				findings++
			}
			if findings != ended {
				t.Errorf("%d findings are there, of %d audits that have ended", findings, ended)
			}
			list, err := e.ListAuditTasks(t.Context(), period)
			require.NoError(t, err)
			for _, task := range list.Tasks {
				if !known[task.TaskID] {
					t.Error("an audit is listed that is not there")
				}
			}
		}
		if known[slow] {
			t.Error("the slow audit was never dropped")
		}
	})
}

// To the millisecond: what started at the limit is kept, what started before it is not. Without a limit
// everything is kept.
func TestRetentionLimit(t *testing.T) {
	noLeaks(t)
	for _, row := range []struct {
		retention, after time.Duration
		kept             bool
	}{
		{0, 90 * day, true},
		{0, 90*day + time.Millisecond, false},
		{time.Hour, time.Hour, true},
		{time.Hour, time.Hour + time.Millisecond, false},
		{-1, 100 * 365 * day, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			e := openEngine(t, engine.Config{Retention: row.retention, Checks: []checks.Check{good("GOOD")}})
			taskID := startAudit(t, e, "GOOD")
			waitAudit(t, e, taskID)
			time.Sleep(row.after)
			runDue(t, e, time.Now())
			_, err := e.DescribeAuditTask(t.Context(), &model.DescribeAuditTaskInput{TaskID: taskID})
			if kept := err == nil; kept != row.kept {
				t.Errorf("%v, after %v: kept: %v", row.retention, row.after, kept)
			}
		})
	}
}

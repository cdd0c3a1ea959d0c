package engine

import (
	"context"
	"time"

	"github.com/hashicorp/go-memdb"

	"github.com/fleetaudit/fleetaudit/model"
)

// maxSleep is how long the schedule loop sleeps at most, so that it notices when the clock of the
// machine was set, or the machine slept.
const maxSleep = 10 * time.Minute

// Run starts the audits of scheduled audits when they are due, and drops audits beyond retention. It
// blocks until ctx ends, or the Engine is closed, and returns why. The caller owns it; audits that it
// started go on without it. An Engine needs one Run at most, and none if the host calls [Engine.RunDue]
// itself.
func (e *Engine) Run(ctx context.Context) error {
	if _, err := e.Resume(); err != nil {
		return err
	}
	for {
		changed, first, err := e.state.Txn(false).FirstWatch(scheduleTable, "due")
		must(first, err)
		sleep := e.maxSleep
		if row, ok := first.(*scheduleRow); ok {
			sleep = min(sleep, time.Until(row.next))
		}
		if sleep > 0 {
			timer := time.NewTimer(sleep)
			select {
			case <-timer.C:
			case <-changed:
			case <-ctx.Done():
			case <-e.ctx.Done():
			case <-e.failed:
			}
			timer.Stop()
		}
		if _, err := e.RunDue(ctx, time.Now()); err != nil {
			return err
		}
	}
}

// RunDue is one step of the schedule loop: it starts the audits that are due at now, drops audits beyond
// retention, and returns the task ids of the audits that it started. It does not wait for them. Several
// calls at once start no slot twice. The error is the cause of ctx, [ErrClosed], or InternalFailureException if the
// Store has failed; the ids are of those that were started nevertheless.
func (e *Engine) RunDue(ctx context.Context, now time.Time) ([]string, error) {
	if _, err := e.Resume(); err != nil {
		return nil, err
	}
	var started []string
	for {
		if ctx.Err() != nil {
			return started, context.Cause(ctx)
		}
		taskID, more, err := e.runNext(now)
		if err != nil {
			return started, err
		}
		if !more {
			break
		}
		if taskID != "" {
			started = append(started, taskID)
		}
	}
	return started, e.dropExpired(now)
}

// runNext deals with the schedule that has been due for longest: it starts an audit for it or counts why
// not, and sets its next slot. more is false if none is due.
func (e *Engine) runNext(now time.Time) (taskID string, more bool, err error) {
	release, err := e.reserve()
	if err != nil {
		return "", false, err
	}
	defer func() { release() }()
	var x *execution
	err = e.write(func(u *update) error {
		old, _ := must(u.txn.First(scheduleTable, "due")).(*scheduleRow)
		if more = old != nil && !old.next.After(now); !more {
			return nil
		}
		row := *old
		slot, passed, next := e.slots(&row, now)
		row.next = next
		row.missed += passed
		switch {
		case e.config.MissedRuns == SkipMissed && now.Sub(slot) > e.config.MissedAfter:
			row.missed++
		case reached(rows[auditRow](u.txn, auditTable, "running", runningKey(row.name)), 1):
			row.skipped++
		default:
			x = e.newExecution(u, request{
				kind:     model.AuditTaskTypeScheduled,
				checks:   row.checks,
				start:    now,
				schedule: row.name,
				since:    row.lastRun,
			})
			row.lastSlot, row.lastRun, row.lastTaskID = slot, model.At(now).Time, x.taskID
		}
		put(u.txn, scheduleTable, &row)
		return nil
	})
	if err != nil || x == nil {
		return "", more, err
	}
	x.launch(release)
	release = func() {}
	return x.taskID, true, nil
}

// slots returns the latest slot of a schedule that is due, how many were due before it, and the first one
// that is not due yet.
func (e *Engine) slots(r *scheduleRow, now time.Time) (latest time.Time, before int, next time.Time) {
	calendar := e.calendar(r)
	latest = r.next
	for next = range calendar.All(latest) {
		if next.After(now) {
			return latest, before, next
		}
		latest = next
		before++
	}
	return latest, before, time.Time{}
}

// dropExpired drops the audits that ended and started longer ago than is retained.
func (e *Engine) dropExpired(now time.Time) error {
	if e.config.Retention == 0 {
		return nil
	}
	limit := now.Add(-e.config.Retention)
	oldest, _ := must(e.state.Txn(false).First(auditTable, "start")).(*auditRow)
	if oldest == nil || !oldest.startTime.Before(limit) {
		return nil
	}
	release, err := e.reserve()
	if err != nil {
		return err
	}
	defer release()
	t := e.findings.Txn() // and none else drops audits meanwhile
	defer t.Abort()
	var expired []*auditRow
	var taskIDs []string
	for r := range rows[auditRow](e.state.Txn(false), auditTable, "start", nil) {
		if !r.startTime.Before(limit) {
			break
		}
		if r.status != model.AuditTaskStatusInProgress && !r.owed {
			expired = append(expired, r)
			taskIDs = append(taskIDs, r.taskID)
		}
	}
	if len(expired) == 0 {
		return nil
	}
	t.Drop(taskIDs...)
	return e.submit(&write{findings: t, rows: t.Rows(), op: func(u *update) error {
		for _, r := range expired {
			if e.audit(u.txn, r.taskID) != nil { // who dropped it may have given back the findings before this could see it
				e.dropAudit(u.txn, r)
			}
		}
		return nil
	}})
}

func (e *Engine) dropAudit(txn *memdb.Txn, r *auditRow) {
	for p := range rows[progressRow](txn, progressTable, "id", text(r.taskID)) {
		remove(txn, progressTable, p)
	}
	remove(txn, auditTable, r)
}

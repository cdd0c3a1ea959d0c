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
// calls at once start no slot twice. The error is the cause of ctx, or [ErrClosed]; the ids are of those
// that were started nevertheless.
func (e *Engine) RunDue(ctx context.Context, now time.Time) ([]string, error) {
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
	e.dropExpired(now)
	return started, nil
}

// runNext deals with the schedule that has been due for longest: it starts an audit for it or counts why
// not, and sets its next slot. more is false if none is due.
func (e *Engine) runNext(now time.Time) (taskID string, more bool, err error) {
	release, err := e.reserve()
	if err != nil {
		return "", false, err
	}
	defer func() { release() }()
	txn := e.state.Txn(true)
	defer txn.Abort()
	old, _ := must(txn.First(scheduleTable, "due")).(*scheduleRow)
	if old == nil || old.next.After(now) {
		return "", false, nil
	}
	row := *old
	slot, passed, next := e.slots(&row, now)
	row.next = next
	row.missed += passed
	var x *execution
	switch {
	case e.config.MissedRuns == SkipMissed && now.Sub(slot) > e.config.MissedAfter:
		row.missed++
	case reached(rows[auditRow](txn, auditTable, "running", runningKey(row.name)), 1):
		row.skipped++
	default:
		x = e.newExecution(txn, request{
			kind:     model.AuditTaskTypeScheduled,
			checks:   row.checks,
			start:    now,
			schedule: row.name,
			since:    row.lastRun,
		})
		row.lastSlot, row.lastRun, row.lastTaskID = slot, x.start, x.taskID
		taskID = x.taskID
	}
	put(txn, scheduleTable, &row)
	txn.Commit()
	if x != nil {
		x.launch(release)
		release = func() {}
	}
	return taskID, true, nil
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
func (e *Engine) dropExpired(now time.Time) {
	if e.config.Retention == 0 {
		return
	}
	limit := now.Add(-e.config.Retention)
	oldest, _ := must(e.state.Txn(false).First(auditTable, "start")).(*auditRow)
	if oldest == nil || !oldest.startTime.Before(limit) {
		return
	}
	var dropped []string
	txn := e.state.Txn(true)
	defer txn.Abort()
	for r := range rows[auditRow](txn, auditTable, "start", nil) {
		if !r.startTime.Before(limit) {
			break
		}
		if r.status != model.AuditTaskStatusInProgress {
			e.dropAudit(txn, r)
			dropped = append(dropped, r.taskID)
		}
	}
	txn.Commit()
	e.findings.Drop(dropped...)
}

func (e *Engine) dropAudit(txn *memdb.Txn, r *auditRow) {
	for p := range rows[progressRow](txn, progressTable, "id", text(r.taskID)) {
		remove(txn, progressTable, p)
	}
	remove(txn, auditTable, r)
}

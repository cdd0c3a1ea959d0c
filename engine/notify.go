package engine

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/fleetaudit/fleetaudit/model"
)

// wantsNotification tells whether anybody is to be told that an audit has ended. An account whose SNS target is disabled
// is not told.
func (e *Engine) wantsNotification(account *accountRow) bool {
	if e.config.Notifier == nil {
		return false
	}
	if account == nil {
		return true
	}
	target, ok := account.targets[model.AuditNotificationTypeSNS]
	return !ok || target.Enabled
}

// notify hands the notification of an audit that has ended to the Notifier, on a goroutine of its own. The caller has
// reserved, so that Close cannot be past waiting.
func (e *Engine) notify(account *accountRow, row *auditRow, runs []*model.AuditCheckDetails) {
	n := Notification{ID: row.taskID, Audit: notification(e.config.AccountID, row, runs, statistics(runs))}
	if account != nil {
		target := account.targets[model.AuditNotificationTypeSNS]
		n.TargetARN, n.RoleARN = target.TargetARN, target.RoleARN
	}
	e.count(&e.notifying, 1)
	e.work.Go(func() {
		defer e.count(&e.notifying, -1)
		cut := false
		defer func() { // also if the Notifier ends the goroutine
			if !cut {
				e.settle(row.taskID)
			}
		}()
		cut = e.callNotifier(n)
	})
}

// settle takes down that the notification of an audit has been delivered, so that it is not after a restart.
func (e *Engine) settle(taskID string) {
	if row := e.audit(e.state.Txn(false), taskID); row == nil || !row.owed {
		return
	}
	// If it fails, the notification is delivered twice, and that the Store has failed is told elsewhere.
	_ = e.submit(&write{op: func(u *update) error {
		if old := e.audit(u.txn, taskID); old != nil && old.owed {
			row := *old
			row.owed = false
			put(u.txn, auditTable, &row)
		}
		return nil
	}})
}

// count adds to one of the counters that Close tells of.
func (e *Engine) count(of *int, n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	*of += n
}

// callNotifier hands n to the Notifier, and logs what it does wrong. It returns whether Close cut it short.
func (e *Engine) callNotifier(n Notification) (cut bool) {
	logger := e.config.Logger.With("task", n.Audit.TaskID)
	ctx, cancel := context.WithTimeout(e.notifyCtx, e.config.NotifyTimeout)
	defer cancel()
	overdue := time.AfterFunc(e.config.NotifyTimeout+e.config.StopGrace, func() {
		logger.Error("notifier has not returned, though its time is over")
	})
	defer overdue.Stop()
	returned := false
	defer func() {
		if p := recover(); p != nil {
			logger.Error("notifier panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		} else if !returned {
			logger.Error("notifier called runtime.Goexit")
		}
	}()
	err := e.config.Notifier.Notify(ctx, n)
	returned = true
	if err != nil {
		logger.Error("notifier failed", "error", err)
		cut = e.notifyCtx.Err() != nil
	}
	return cut
}

func notification(accountID string, row *auditRow, runs []*model.AuditCheckDetails, stats model.TaskStatistics) model.AuditNotification {
	n := model.AuditNotification{
		AccountID:               accountID,
		TaskID:                  row.taskID,
		TaskStatus:              row.status,
		TaskType:                row.kind,
		ScheduledAuditName:      row.schedule,
		FailedChecksCount:       stats.FailedChecks,
		CanceledChecksCount:     stats.CanceledChecks,
		NonCompliantChecksCount: stats.NonCompliantChecks,
		CompliantChecksCount:    stats.CompliantChecks,
		TotalChecksCount:        stats.TotalChecks,
		TaskStartTime:           row.startTime.UnixMilli(),
		AuditDetails:            make([]model.AuditNotificationDetails, len(runs)),
	}
	for i, of := range runs {
		d := *of
		if d.ErrorCode == model.CodeInternal {
			d.ErrorCode = "" // AWS's schema of the notification takes only its own two codes
		}
		n.AuditDetails[i] = model.AuditNotificationDetails{
			CheckName:                            row.checks[i],
			CheckRunStatus:                       d.CheckRunStatus,
			NonCompliantResourcesCount:           d.NonCompliantResourcesCount,
			TotalResourcesCount:                  d.TotalResourcesCount,
			SuppressedNonCompliantResourcesCount: d.SuppressedNonCompliantResourcesCount,
			Message:                              d.Message,
			ErrorCode:                            d.ErrorCode,
		}
	}
	return n
}

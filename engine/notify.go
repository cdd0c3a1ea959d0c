package engine

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/fleetaudit/fleetaudit/model"
)

// notify hands the notification of an audit that has ended to the Notifier, on a goroutine of its own. An
// account whose SNS target is disabled is not told.
func (e *Engine) notify(account *accountRow, row *auditRow, runs []model.AuditCheckDetails, stats model.TaskStatistics) {
	if e.config.Notifier == nil {
		return
	}
	n := Notification{Audit: notification(e.config.AccountID, row, runs, stats)}
	if account != nil {
		if target, ok := account.targets[model.AuditNotificationTypeSNS]; ok {
			if !target.Enabled {
				return
			}
			n.TargetARN, n.RoleARN = target.TargetARN, target.RoleARN
		}
	}
	e.count(&e.notifying, 1)
	e.work.Go(func() { // the audit that ends still counts, so Close cannot be past waiting
		defer e.count(&e.notifying, -1)
		e.callNotifier(n)
	})
}

// count adds to one of the counters that Close tells of.
func (e *Engine) count(of *int, n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	*of += n
}

// callNotifier hands n to the Notifier, and logs what it does wrong.
func (e *Engine) callNotifier(n Notification) {
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
	}
}

func notification(accountID string, row *auditRow, runs []model.AuditCheckDetails, stats model.TaskStatistics) model.AuditNotification {
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
	for i, d := range runs {
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

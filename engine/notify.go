package engine

import (
	"context"
	"fmt"

	"github.com/fleetaudit/fleetaudit/model"
)

// notify hands the notification of an audit that has ended to the Notifier, on a goroutine of its own. An
// account whose SNS target is disabled is not told.
func (e *Engine) notify(account *accountRow, row *auditRow, runs []*checkRow, stats model.TaskStatistics) {
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
	e.work.Go(func() { // the audit that ends still counts, so Close cannot be past waiting
		logger := e.config.Logger.With("task", row.taskID)
		ctx, cancel := context.WithTimeout(context.Background(), e.config.NotifyTimeout)
		defer cancel()
		returned := false
		defer func() {
			if p := recover(); p != nil || !returned {
				logger.Error("notifier broke", "panic", fmt.Sprint(p))
			}
		}()
		err := e.config.Notifier.Notify(ctx, n)
		returned = true
		if err != nil {
			logger.Error("notifier failed", "error", err)
		}
	})
}

func notification(accountID string, row *auditRow, runs []*checkRow, stats model.TaskStatistics) model.AuditNotification {
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
	for i, r := range runs {
		d := r.details
		if d.ErrorCode == model.CodeInternal {
			d.ErrorCode = "" // AWS's schema of the notification takes only its own two codes
		}
		n.AuditDetails[i] = model.AuditNotificationDetails{
			CheckName:                            r.name,
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

package engine

import (
	"context"
	"time"

	"github.com/hashicorp/go-memdb"

	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// SuppressionReport says which suppressions somebody should look at. Each list is sorted by expiry, the soonest first
// and the indefinite ones last. One suppression may be in Expiring and in Unmatched.
type SuppressionReport struct {
	Expired   []model.AuditSuppression // that no longer hold
	Expiring  []model.AuditSuppression // that hold now, and will no longer before long
	Unmatched []model.AuditSuppression // that hold now, and about whose resource the last audit that completed the check found nothing
}

// SuppressionReport goes through all suppressions. Expiring are those that no longer hold at the end of within from
// now on. Whether one matches is judged by the last audit, by start, in which its check completed; audits as of another
// time are passed over. If there is none, nothing is said.
//
// Errors: InvalidRequestException if within is negative.
func (e *Engine) SuppressionReport(ctx context.Context, within time.Duration) (SuppressionReport, error) {
	var report SuppressionReport
	if ctx.Err() != nil {
		return report, context.Cause(ctx)
	}
	if within < 0 {
		var p model.Problems
		p.Add("within", within.String(), "must not be negative")
		return report, p.Err()
	}
	now := time.Now()
	txn := e.state.Txn(false)
	last := e.lastCompleted(txn)
	for r := range rows[suppressionRow](txn, suppressionTable, "expiry", nil) {
		if ctx.Err() != nil {
			return SuppressionReport{}, context.Cause(ctx)
		}
		s := r.suppression()
		if !findings.Active(s, now) {
			report.Expired = append(report.Expired, s)
			continue
		}
		if !findings.Active(s, now.Add(within)) {
			report.Expiring = append(report.Expiring, s)
		}
		// Retention may have dropped the audit since; then nothing is known.
		if task, ok := last[r.check]; ok && !e.found(task, r.check, r.resource) && e.audit(e.state.Txn(false), task) != nil {
			report.Unmatched = append(report.Unmatched, s)
		}
	}
	return report, nil
}

// lastCompleted returns the last audit in which each check that has a suppression completed.
func (e *Engine) lastCompleted(txn *memdb.Txn) map[string]string {
	wanted := make(map[string]bool)
	for r := range rows[suppressionRow](txn, suppressionTable, "id", nil) {
		wanted[r.check] = true
	}
	last := make(map[string]string)
	for r := range rowsFrom[auditRow](txn, auditTable, "start", beyond(), true) {
		if len(wanted) == 0 {
			break
		}
		if !r.asOf.IsZero() {
			continue
		}
		for i, run := range e.runs(txn, r) {
			name := r.checks[i]
			if wanted[name] && completed(run.CheckRunStatus) {
				last[name] = r.taskID
				delete(wanted, name)
			}
		}
	}
	return last
}

func completed(s model.AuditCheckRunStatus) bool {
	return s == model.AuditCheckRunStatusCompletedCompliant || s == model.AuditCheckRunStatusCompletedNonCompliant
}

// found tells whether an audit has a finding of a check about a resource.
func (e *Engine) found(taskID, check string, r model.ResourceIdentifier) bool {
	for range e.findings.All(findings.Query{TaskID: taskID, CheckName: check, Resource: r}) {
		return true
	}
	return false
}

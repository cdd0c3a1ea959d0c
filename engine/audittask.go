package engine

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/go-memdb"

	"github.com/fleetaudit/fleetaudit/model"
)

// StartOnDemandAuditTask starts an audit, and does not wait for it. Every check must be enabled.
//
// Errors: InvalidRequestException; LimitExceededException if too many are in progress.
func (e *Engine) StartOnDemandAuditTask(ctx context.Context, in *model.StartOnDemandAuditTaskInput) (*model.StartOnDemandAuditTaskOutput, error) {
	return e.StartAuditAsOf(ctx, in, time.Time{})
}

// StartAuditAsOf is [Engine.StartOnDemandAuditTask] with checks that judge as if it were another time:
// what will have expired by then, what had by then. The audit itself starts now. The zero time is now.
func (e *Engine) StartAuditAsOf(ctx context.Context, in *model.StartOnDemandAuditTaskInput, asOf time.Time) (*model.StartOnDemandAuditTaskOutput, error) {
	p, err := beginWrite(ctx, e, &in)
	if err != nil {
		return nil, err
	}
	release, err := e.reserve()
	if err != nil {
		return nil, err
	}
	defer func() { release() }()
	now := time.Now()
	r := request{
		kind:   model.AuditTaskTypeOnDemand,
		checks: in.TargetCheckNames,
		start:  now,
		asOf:   asOf,
		key:    idempotencyKey(ctx),
	}
	var x *execution
	var before *auditRow
	err = e.write(func(u *update) error {
		if before, err = e.startedBefore(u.txn, p, r); before != nil || err != nil {
			return err
		}
		e.wantEnabled(&p, e.account(u.txn), in.TargetCheckNames)
		if err := p.Err(); err != nil {
			return err
		}
		if reached(rows[auditRow](u.txn, auditTable, "running", runningKey("")), e.config.MaxOnDemandAudits) {
			return &model.LimitExceededException{
				Message: fmt.Sprintf("%d on-demand audits are in progress, which is all that may be", e.config.MaxOnDemandAudits),
			}
		}
		x = e.newExecution(u, r)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if before != nil {
		return &model.StartOnDemandAuditTaskOutput{TaskID: before.taskID}, nil
	}
	x.launch(release)
	release = func() {}
	_ = e.dropExpired(now) // if it fails, the audit has been started nevertheless
	return &model.StartOnDemandAuditTaskOutput{TaskID: x.taskID}, nil
}

// DescribeAuditTask returns one audit as it is at this moment.
//
// Errors: InvalidRequestException, ResourceNotFoundException.
func (e *Engine) DescribeAuditTask(ctx context.Context, in *model.DescribeAuditTaskInput) (*model.DescribeAuditTaskOutput, error) {
	if err := valid(begin(ctx, e, &in)); err != nil {
		return nil, err
	}
	x := e.execution(in.TaskID)
	txn := e.state.Txn(false)
	row := e.audit(txn, in.TaskID)
	if row == nil {
		return nil, noAudit(in.TaskID)
	}
	return e.describe(txn, row, x), nil
}

// execution returns an audit that is running, or nil.
func (e *Engine) execution(taskID string) *execution {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.running[taskID]
}

func noAudit(taskID string) error {
	return &model.ResourceNotFoundException{Message: fmt.Sprintf("taskId %q does not exist, or is no longer kept", taskID)}
}

// describe returns an audit as txn has it. The counts of checks that are in progress are as of now: x, asked
// for before txn began lest it ends in between, has them.
func (e *Engine) describe(txn *memdb.Txn, row *auditRow, x *execution) *model.DescribeAuditTaskOutput {
	runs := e.runs(txn, row)
	out := &model.DescribeAuditTaskOutput{
		TaskStatus:         row.status,
		TaskType:           row.kind,
		TaskStartTime:      model.At(row.startTime),
		TaskStatistics:     statistics(runs),
		ScheduledAuditName: row.schedule,
		AuditDetails:       make(map[string]model.AuditCheckDetails, len(runs)),
	}
	for i, of := range runs {
		d := *of
		if x != nil && x.jobs[i] != nil && d.CheckRunStatus == model.AuditCheckRunStatusInProgress {
			d.TotalResourcesCount, d.NonCompliantResourcesCount = x.jobs[i].Progress()
		}
		out.AuditDetails[row.checks[i]] = d
	}
	return out
}

// CancelAuditTask tells an audit in progress to stop, and does not wait until it has. Checks that have
// ended keep their outcome, the others become CANCELED and keep what they found; then the audit is
// CANCELED.
//
// Errors: InvalidRequestException, also if the audit is not in progress; ResourceNotFoundException.
func (e *Engine) CancelAuditTask(ctx context.Context, in *model.CancelAuditTaskInput) (*model.CancelAuditTaskOutput, error) {
	if err := valid(beginWrite(ctx, e, &in)); err != nil {
		return nil, err
	}
	err := e.write(func(u *update) error {
		old := e.audit(u.txn, in.TaskID)
		if old == nil {
			return noAudit(in.TaskID)
		}
		if old.status != model.AuditTaskStatusInProgress {
			var p model.Problems
			p.Add("taskId", in.TaskID, "names an audit that is "+string(old.status)+"; only one that is IN_PROGRESS can be canceled")
			return p.Err()
		}
		row := *old
		row.canceled = true
		put(u.txn, auditTable, &row)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if x := e.execution(in.TaskID); x != nil {
		x.cancel(errCanceled)
	}
	return &model.CancelAuditTaskOutput{}, nil
}

// retentionSlack lets a client ask for everything that is kept without racing against the clock.
const retentionSlack = time.Hour

// ListAuditTasks returns a page of the audits that started in a period, newest first. Both ends of the
// period belong to it. Audits that start while a client reads pages are not in them.
//
// Errors: InvalidRequestException, also if the period begins before what is retained.
func (e *Engine) ListAuditTasks(ctx context.Context, in *model.ListAuditTasksInput) (*model.ListAuditTasksOutput, error) {
	p, err := begin(ctx, e, &in)
	if err != nil {
		return nil, err
	}
	start, end := model.At(in.StartTime.Time).Time, model.At(in.EndTime.Time).Time
	query := fmt.Sprintf("ListAuditTasks %d %d %s %s", start.UnixMilli(), end.UnixMilli(), in.TaskType, in.TaskStatus)
	from := e.openToken(&p, query, in.NextToken)
	if from == nil {
		from = append(instant(end), bytes.Repeat([]byte{0xff}, 8)...)
		oldest := time.Now().Add(-e.config.Retention)
		if e.config.Retention > 0 && !in.StartTime.IsZero() && start.Before(oldest.Add(-retentionSlack)) {
			p.Add("startTime", start.Format(time.RFC3339),
				"must not be before "+oldest.UTC().Format(time.RFC3339)+": older audits are not kept")
		}
	}
	if err := p.Err(); err != nil {
		return nil, err
	}
	out := new(model.ListAuditTasksOutput)
	for r := range rowsFrom[auditRow](e.state.Txn(false), auditTable, "start", from, true) {
		if r.startTime.Before(start) {
			break
		}
		if in.TaskType != "" && in.TaskType != r.kind || in.TaskStatus != "" && in.TaskStatus != r.status {
			continue
		}
		if len(out.Tasks) == pageSize(in.MaxResults) {
			out.NextToken = e.tokens.Seal([]byte(query), startKey(r.startTime, r.seq))
			break
		}
		out.Tasks = append(out.Tasks, model.AuditTaskMetadata{TaskID: r.taskID, TaskStatus: r.status, TaskType: r.kind})
	}
	return out, nil
}

package engine

import (
	"context"
	"iter"

	"github.com/hashicorp/go-memdb"

	"github.com/fleetaudit/fleetaudit/model"
)

// WatchAuditTask yields an audit as it is, and again whenever the status of the audit or of one of its
// checks has changed, until it has ended. Each snapshot is consistent by itself; a slow reader misses
// those in between, never the last one. It polls nothing and starts no goroutine. An error ends it: the
// audit does not exist (ResourceNotFoundException), or the cause of ctx.
func (e *Engine) WatchAuditTask(ctx context.Context, taskID string) iter.Seq2[*model.DescribeAuditTaskOutput, error] {
	return func(yield func(*model.DescribeAuditTaskOutput, error) bool) {
		for {
			txn := e.state.Txn(false)
			auditChanged, _, err := txn.FirstWatch(auditTable, "id", text(taskID))
			if err != nil {
				panic(err)
			}
			checkChanged := must(txn.Get(checkTable, "id", text(taskID))).WatchCh()
			out := e.describe(txn, taskID)
			if out == nil {
				yield(nil, noAudit(taskID))
				return
			}
			if !yield(out, nil) || out.TaskStatus != model.AuditTaskStatusInProgress {
				return
			}
			changes := memdb.NewWatchSet()
			changes.Add(auditChanged)
			changes.Add(checkChanged)
			if changes.WatchCtx(ctx) != nil {
				yield(nil, context.Cause(ctx))
				return
			}
		}
	}
}

// WaitAuditTask returns when an audit has ended, with how it did. The error is that the audit does not
// exist (ResourceNotFoundException), or the cause of ctx.
func (e *Engine) WaitAuditTask(ctx context.Context, taskID string) (*model.DescribeAuditTaskOutput, error) {
	var last *model.DescribeAuditTaskOutput
	for out, err := range e.WatchAuditTask(ctx, taskID) {
		if err != nil {
			return nil, err
		}
		last = out
	}
	return last, nil
}

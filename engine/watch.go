package engine

import (
	"context"
	"iter"
	"time"

	"github.com/hashicorp/go-memdb"

	"github.com/fleetaudit/fleetaudit/model"
)

// watchRest is how much longer than the making of a snapshot the rest after it is. So whoever watches an
// audit of ten thousand checks does not spend most of the machine on snapshots of them all.
const watchRest = 9

// WatchAuditTask yields an audit as it is, and again whenever the status of the audit or of one of its
// checks has changed, until it has ended. Each snapshot is consistent by itself; a slow reader misses
// those in between, never the last one, and so does any reader of an audit so large that a snapshot takes
// long to make. It polls nothing and starts no goroutine. An error ends it: the audit does not exist
// (ResourceNotFoundException), the cause of ctx, or that it does not end in this Engine any more, for the Engine was
// closed ([ErrClosed]) or its Store has failed (InternalFailureException).
func (e *Engine) WatchAuditTask(ctx context.Context, taskID string) iter.Seq2[*model.DescribeAuditTaskOutput, error] {
	return func(yield func(*model.DescribeAuditTaskOutput, error) bool) {
		var over error // why an audit in progress does not end any more
		for {
			begun := time.Now()
			x := e.execution(taskID)
			txn := e.state.Txn(false)
			row, auditChanged := watchAudit(txn, taskID)
			if row == nil {
				yield(nil, noAudit(taskID))
				return
			}
			checkChanged := must(txn.Get(progressTable, "id", text(taskID))).WatchCh()
			out := e.describe(txn, row, x)
			rest := time.NewTimer(watchRest * time.Since(begun))
			if over != nil && row.status == model.AuditTaskStatusInProgress {
				rest.Stop()
				yield(nil, over)
				return
			}
			if !yield(out, nil) || row.status != model.AuditTaskStatusInProgress {
				rest.Stop()
				return
			}
			select {
			case <-rest.C:
			case <-auditChanged:
			case <-e.failed:
			case <-e.halted:
			case <-ctx.Done():
			}
			rest.Stop()
			select {
			case <-auditChanged:
			case <-checkChanged:
			case <-e.failed:
				over = errStoreFailed()
			case <-e.halted:
				over = ErrClosed
			case <-ctx.Done():
				yield(nil, context.Cause(ctx))
				return
			}
		}
	}
}

// watchAudit returns an audit, or nil, and a channel that is closed when its row changes.
func watchAudit(txn *memdb.Txn, taskID string) (*auditRow, <-chan struct{}) {
	changed, row, err := txn.FirstWatch(auditTable, "id", text(taskID))
	found, _ := must(row, err).(*auditRow)
	return found, changed
}

// WaitAuditTask returns when an audit has ended, with how it did. The error is that the audit does not
// exist (ResourceNotFoundException), the cause of ctx, [ErrClosed], or InternalFailureException, as with
// [Engine.WatchAuditTask].
func (e *Engine) WaitAuditTask(ctx context.Context, taskID string) (*model.DescribeAuditTaskOutput, error) {
	var over error
	for {
		txn := e.state.Txn(false)
		row, changed := watchAudit(txn, taskID)
		switch {
		case row == nil:
			return nil, noAudit(taskID)
		case row.status != model.AuditTaskStatusInProgress:
			return e.describe(txn, row, nil), nil
		case over != nil:
			return nil, over
		}
		select {
		case <-changed:
		case <-e.failed:
			over = errStoreFailed()
		case <-e.halted:
			over = ErrClosed
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

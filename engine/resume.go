package engine

import (
	"time"

	"github.com/fleetaudit/fleetaudit/model"
)

// Resume goes on with what the Engine before left behind in the Store, and returns the task ids of the audits. It does
// not wait for them. Checks that had ended keep what they found; the others start over, with the data of now. An audit
// that was told to stop ends CANCELED. Notifications that may not have been delivered are delivered. [Engine.Run] and
// [Engine.RunDue] begin with it; a host that calls neither calls it once after [New]. Later calls find nothing to do.
//
// Errors: [ErrClosed]; InternalFailureException if the Store fails.
func (e *Engine) Resume() ([]string, error) {
	e.resuming.Lock()
	defer e.resuming.Unlock()
	var resumed []string
	for ; len(e.left) > 0; e.left = e.left[1:] {
		if e.Err() != nil {
			return resumed, errStoreFailed()
		}
		row := e.audit(e.state.Txn(false), e.left[0])
		if row.owed {
			if err := e.redeliver(row); err != nil {
				return resumed, err
			}
			continue
		}
		if err := e.resume(row); err != nil {
			return resumed, err
		}
		resumed = append(resumed, row.taskID)
	}
	return resumed, nil
}

func (e *Engine) redeliver(row *auditRow) error {
	release, err := e.reserve()
	if err != nil {
		return err
	}
	defer release()
	if e.config.Notifier == nil { // this host wants none any more
		e.settle(row.taskID)
		return nil
	}
	txn := e.state.Txn(false)
	e.notify(e.account(txn), row, e.runs(txn, row))
	return nil
}

// resume starts an audit again.
func (e *Engine) resume(row *auditRow) error {
	release, err := e.reserve()
	if err != nil {
		return err
	}
	var x *execution
	err = e.write(func(u *update) error {
		row = e.audit(u.txn, row.taskID) // it may have been told to stop since
		done := make([]bool, len(row.checks))
		var again progressRow
		for ordinal, d := range e.runs(u.txn, row) {
			switch d.CheckRunStatus {
			case model.AuditCheckRunStatusWaitingForDataCollection:
				again.add(ordinal, model.AuditCheckDetails{CheckRunStatus: model.AuditCheckRunStatusInProgress}, notEnded)
			default:
				done[ordinal] = hasEnded(d.CheckRunStatus)
			}
		}
		x = e.execute(row, time.Now(), e.account(u.txn), done)
		for p := range rows[progressRow](u.txn, progressTable, "id", text(row.taskID)) {
			x.commits = p.number + 1
		}
		x.put(u.txn, &again)
		u.kept = append(u.kept, func() { e.register(x) })
		return nil
	})
	if err != nil {
		release()
		return err
	}
	if row.canceled {
		x.cancel(errCanceled)
	}
	x.launch(release)
	return nil
}

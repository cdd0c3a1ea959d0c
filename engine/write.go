package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/hashicorp/go-memdb"

	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// update is a write transaction as an operation sees it.
type update struct {
	txn  *memdb.Txn
	kept []func() // what is done once the Store has it, before anybody can see it
}

// write is what one caller wants to change.
type write struct {
	op       func(*update) error // an error means that it left the transaction as it was
	findings *findings.Txn       // that belongs to it, or nil
	rows     []findings.Row      // of findings

	err  error
	turn chan bool // true: it is this caller's turn to commit; false: another has
}

// writers lets callers that come at once share a commit. One of them at a time leads: it commits what has come until
// then, its own among it, and hands the lead on to the first of those that have come since.
type writers struct {
	mu      sync.Mutex
	waiting []*write
	led     bool // somebody leads
}

// maxBatch is how many writes share a commit at most: large transactions of go-memdb are slow.
const maxBatch = 256

// write changes the state as op says, once the Store has it. op runs in a transaction, perhaps after others of it; it
// must not block, and must not be the first to change something and then fail. It fails once the Engine is closed, for
// which Close waits.
func (e *Engine) write(op func(*update) error) error {
	release, err := e.reserve()
	if err != nil {
		return err
	}
	defer release()
	e.count(&e.changing, 1)
	defer e.count(&e.changing, -1)
	return e.submit(&write{op: op})
}

// submit is write for those who have reserved already, and so go on after Close was called. What w has of findings must
// have been begun before: who waits for that while it leads would wait for ever.
func (e *Engine) submit(w *write) error {
	w.turn = make(chan bool, 1)
	q := &e.writers
	q.mu.Lock()
	q.waiting = append(q.waiting, w)
	lead := !q.led
	q.led = true
	q.mu.Unlock()
	if !lead && !<-w.turn {
		return w.err
	}
	e.lead(w)
	return w.err
}

// lead commits what waits, w among it.
func (e *Engine) lead(w *write) {
	q := &e.writers
	q.mu.Lock()
	n := min(len(q.waiting), maxBatch)
	batch := q.waiting[:n:n]
	q.waiting = q.waiting[n:]
	q.mu.Unlock()
	var failed error
	defer func() { // also if commit does not return
		q.mu.Lock()
		for _, other := range batch {
			if other != w {
				other.turn <- false
			}
		}
		if q.led = len(q.waiting) > 0; q.led {
			q.waiting[0].turn <- true
		}
		q.mu.Unlock()
		if failed != nil { // not before: the handler is the host's
			defer func() { _ = recover() }()
			e.config.Logger.Error("the store has failed, and nothing more is written until a new Engine reads it", "error", failed)
		}
	}()
	e.commit(batch, &failed)
}

// commit commits writes together. Failed becomes why the Store has failed, if that is news; it may not return then.
func (e *Engine) commit(batch []*write, failed *error) {
	u := &update{txn: e.state.Txn(true)}
	defer u.txn.Abort()
	err := errors.New("a write has panicked")
	defer func() {
		if err == nil {
			return
		}
		if e.failure.CompareAndSwap(nil, &err) {
			close(e.failed)
			*failed = err
		}
		for _, w := range batch { // also those that were refused: because of others that are no more, perhaps
			w.err = errStoreFailed()
		}
	}()
	if before := e.failure.Load(); before != nil {
		err = *before
		return
	}
	store := e.config.Store
	if store != nil {
		u.txn.TrackChanges()
	}
	for _, w := range batch {
		w.err = w.op(u)
	}
	if store != nil {
		changes := mirrored(u.txn.Changes())
		for _, w := range batch {
			if w.err == nil {
				changes = appendRows(changes, w.rows)
			}
		}
		if len(changes) > 0 {
			err = errors.New("the Store called runtime.Goexit") // if keep does not return
			if err = keep(store, changes); err != nil {
				return
			}
		}
	}
	err = nil
	for _, done := range u.kept {
		done()
	}
	for _, w := range batch {
		if w.err == nil && w.findings != nil {
			w.findings.Commit()
		}
	}
	u.txn.Commit()
}

// keep hands changes to a Store, which may panic.
func keep(store Store, changes []Change) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the Store panicked: %v", p)
		}
	}()
	return store.Commit(context.Background(), changes)
}

func appendRows(changes []Change, rows []findings.Row) []Change {
	for _, r := range rows {
		changes = append(changes, Change(r))
	}
	return changes
}

// Err returns why the Engine takes no more writes: the error of its [Store]. Operations that change something then
// answer InternalFailureException, audits in progress stand still, and what the Engine holds can still be read; a
// new Engine, over a Store that was opened again, goes on from what was kept. Nil: it takes them.
func (e *Engine) Err() error {
	if err := e.failure.Load(); err != nil {
		return fmt.Errorf("engine: the store has failed: %w", *err)
	}
	return nil
}

// errStoreFailed is what clients are told; why it failed is for the host.
func errStoreFailed() error {
	return &model.InternalFailureException{
		Message: "the store has failed: nothing is changed until the service starts again, and what was asked for may be there then or not",
	}
}

package storetest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/fleetaudit/fleetaudit/engine"
)

// ErrFault is wrapped by the errors of a [Fault].
var ErrFault = errors.New("storetest: a fault that was asked for")

// Fault is what goes wrong in a call of Commit.
type Fault int

// The faults. After each but None the Store has failed: later calls fail too, and change nothing.
const (
	None        Fault = iota // nothing goes wrong
	Before                   // an error, and nothing has changed
	After                    // an error, and everything has changed
	Part                     // an error, and the first half has changed, which no Store may do
	Panic                    // a panic, and nothing has changed
	PanicAfter               // a panic, and everything has changed
	Goexit                   // the goroutine ends, and nothing has changed
	GoexitAfter              // the goroutine ends, and everything has changed
)

// Faults is an [engine.Store] that does what another one does, but where it is told to fail. It may be used by any number of
// goroutines if Store may; its fields must not be changed then.
type Faults struct {
	Store engine.Store

	// OnCommit says what goes wrong in a call of Commit: the first is 1. It may block, and it must keep nothing of changes.
	// It is called by one goroutine at a time. Nil: nothing goes wrong.
	OnCommit func(call int, changes []engine.Change) Fault

	// OnRow is called with each row that Load has, before the one who loads gets it: the first of each Load is 1. If it
	// returns an error Load returns that. Nil: all rows are loaded.
	OnRow func(n int, row engine.Row) error

	commit sync.Mutex // one Commit at a time
	failed error      // of commit

	mu    sync.Mutex
	calls int
	late  int
}

var _ engine.Store = (*Faults)(nil)

// Load implements [engine.Store].
func (f *Faults) Load(ctx context.Context, row func(engine.Row) error) error {
	n := 0
	return f.Store.Load(ctx, func(r engine.Row) error {
		if n++; f.OnRow != nil {
			if err := f.OnRow(n, r); err != nil {
				return err
			}
		}
		return row(r)
	})
}

// Commit implements [engine.Store], but for the faults.
func (f *Faults) Commit(ctx context.Context, changes []engine.Change) error {
	f.commit.Lock()
	defer f.commit.Unlock()
	call := f.count()
	if f.failed != nil {
		return fmt.Errorf("a call after one that failed: %w", f.failed)
	}
	fault := None
	if f.OnCommit != nil {
		fault = f.OnCommit(call, changes)
	}
	if fault == None {
		return f.Store.Commit(ctx, changes)
	}
	f.failed = fmt.Errorf("%w: call %d", ErrFault, call)
	switch fault {
	case Part:
		changes = changes[:len(changes)/2]
		fallthrough
	case After, PanicAfter, GoexitAfter:
		if err := f.Store.Commit(ctx, changes); err != nil {
			return err
		}
	}
	switch fault {
	case Panic, PanicAfter:
		panic(f.failed)
	case Goexit, GoexitAfter:
		runtime.Goexit()
	}
	return f.failed
}

// count counts a call of Commit.
func (f *Faults) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.calls++; f.failed != nil {
		f.late++
	}
	return f.calls
}

// Calls returns how often Commit was called, and how many of these calls came after one that had failed: an Engine makes
// none of those. A call that waits for another one does not count yet.
func (f *Faults) Calls() (all, late int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls, f.late
}

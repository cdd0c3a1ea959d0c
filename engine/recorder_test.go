package engine_test

import (
	"context"
	"sync"

	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/engine/storetest"
)

// recorder is a Store in memory that keeps what it was after each Commit: what a crash at any moment leaves behind.
type recorder struct {
	storetest.Memory
	// ask, if there is one, is asked before a Commit, of which n have been before: whether it is to apply, and the error.
	ask func(n int, changes []engine.Change) (apply bool, err error)

	mu      sync.Mutex
	commits [][]engine.Change
	states  []*storetest.Memory // after as many commits
}

func (r *recorder) Commit(ctx context.Context, changes []engine.Change) error {
	r.mu.Lock()
	n := len(r.commits)
	if len(r.states) == 0 {
		r.states = append(r.states, r.Clone())
	}
	r.commits = append(r.commits, changes)
	r.mu.Unlock()
	apply, err := true, error(nil)
	if r.ask != nil {
		apply, err = r.ask(n, changes)
	}
	if apply {
		if err := r.Memory.Commit(ctx, changes); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.states = append(r.states, r.Clone())
	return err
}

// calls is how many Commits there have been.
func (r *recorder) calls() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.commits)
}

// changes returns those of the Commits from n on.
func (r *recorder) changes(n int) [][]engine.Change {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.commits[n:]
}

// state returns what there was after n Commits. It can be opened many times.
func (r *recorder) state(n int) *storetest.Memory {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.states) == 0 {
		return r.Clone()
	}
	return r.states[n].Clone()
}

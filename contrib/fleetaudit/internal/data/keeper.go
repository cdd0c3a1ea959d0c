package data

import (
	"context"
	"sync"

	"github.com/fleetaudit/fleetaudit/engine"
)

// Keeper is a Store for a program that is worth running to its end, whether or not that can be kept. When the Store
// behind it has failed, nothing more reaches that: what was kept until then is a state that once was. The program tells
// of it when it ends. It is safe for concurrent use.
type Keeper struct {
	store engine.Store
	reads bool

	mu     sync.Mutex
	failed error
}

// Keep returns a Keeper of what is in the folder.
func (f *Folder) Keep() *Keeper { return &Keeper{store: f.Store} }

// Read returns a Keeper that keeps nothing: the folder stays as it is.
func (f *Folder) Read() *Keeper { return &Keeper{store: f.Store, reads: true} }

// Load implements [engine.Store].
func (k *Keeper) Load(ctx context.Context, row func(engine.Row) error) error {
	return k.store.Load(ctx, row)
}

// Commit implements [engine.Store]. It has no error: see Err.
func (k *Keeper) Commit(ctx context.Context, changes []engine.Change) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.reads && k.failed == nil {
		k.failed = k.store.Commit(ctx, changes)
	}
	return nil
}

// Err returns why not everything was kept, or nil.
func (k *Keeper) Err() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.failed
}

// Keeps tells whether everything has been kept until now.
func (k *Keeper) Keeps() bool { return !k.reads && k.Err() == nil }

//go:build unix

package crash_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"go.etcd.io/bbolt"

	"github.com/fleetaudit/fleetaudit/contrib/boltstore"
	"github.com/fleetaudit/fleetaudit/engine"
)

// The stores that a child can have. With all but the first one the harness must find something wrong.
const (
	isBolt      = "boltstore"
	isLate      = "late"      // says that a commit is done when the one before is
	isHalved    = "halved"    // makes two commits of each
	isForgetful = "forgetful" // deletes nothing
	isUnsynced  = "unsynced"  // bbolt that does not sync
)

type store interface {
	engine.Store
	io.Closer
}

func openStore(kind, path string) (store, error) {
	if kind == isUnsynced {
		db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoSync: true, NoGrowSync: true, Timeout: time.Second})
		return unsynced{db}, err
	}
	s, err := boltstore.Open(path, boltstore.Options{})
	switch kind {
	case isLate:
		return &late{store: s}, err
	case isHalved:
		return halved{s}, err
	case isForgetful:
		return forgetful{s}, err
	}
	return s, err
}

type late struct {
	store
	held []engine.Change
}

func (s *late) Commit(ctx context.Context, changes []engine.Change) error {
	held := s.held
	s.held = nil
	for _, c := range changes {
		s.held = append(s.held, engine.Change{Table: c.Table, Key: bytes.Clone(c.Key), Value: bytes.Clone(c.Value)})
	}
	if len(held) == 0 {
		return nil
	}
	return s.store.Commit(ctx, held)
}

// Close loses nothing.
func (s *late) Close() error {
	if len(s.held) > 0 {
		if err := s.store.Commit(context.Background(), s.held); err != nil {
			return err
		}
	}
	return s.store.Close()
}

type halved struct{ store }

func (s halved) Commit(ctx context.Context, changes []engine.Change) error {
	half := len(changes) / 2
	if half > 0 {
		if err := s.store.Commit(ctx, changes[:half]); err != nil {
			return err
		}
		time.Sleep(time.Millisecond) // so that a kill comes here often enough
	}
	return s.store.Commit(ctx, changes[half:])
}

type forgetful struct{ store }

func (s forgetful) Commit(ctx context.Context, changes []engine.Change) error {
	var kept []engine.Change
	for _, c := range changes {
		if len(c.Value) > 0 {
			kept = append(kept, c)
		}
	}
	if len(kept) == 0 {
		return nil
	}
	return s.store.Commit(ctx, kept)
}

type unsynced struct{ *bbolt.DB }

func (s unsynced) Load(_ context.Context, row func(engine.Row) error) error {
	return s.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(table []byte, b *bbolt.Bucket) error {
			return b.ForEach(func(k, v []byte) error {
				return row(engine.Row{Table: string(table), Key: k, Value: v})
			})
		})
	})
}

func (s unsynced) Commit(_ context.Context, changes []engine.Change) error {
	return s.Update(func(tx *bbolt.Tx) error {
		for _, c := range changes {
			b, err := tx.CreateBucketIfNotExists([]byte(c.Table))
			if err != nil {
				return fmt.Errorf("table %s: %w", c.Table, err)
			}
			if len(c.Value) == 0 {
				err = b.Delete(c.Key)
			} else {
				err = b.Put(c.Key, c.Value)
			}
			if err != nil {
				return fmt.Errorf("table %s, key %x: %w", c.Table, c.Key, err)
			}
		}
		return nil
	})
}

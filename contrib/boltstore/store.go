package boltstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"

	"github.com/fleetaudit/fleetaudit/engine"
)

// Options are how [Open] opens a file. The zero Options are good ones.
type Options struct {
	// MustExist refuses to make a new file where there is none, which then is an error that wraps [ErrMissing].
	MustExist bool

	// LockTimeout is how long to wait for another Store that has the file open. Zero: a second. Negative: not at all.
	LockTimeout time.Duration

	// PreviousState opens a file of which one of two pages is damaged that say, in turns, where the newest state is. What is
	// opened is what the other one says, which is whole, but may lack the last Commit that there was. Without it such a file
	// is refused. It changes nothing about other files.
	PreviousState bool

	sync func(*os.File) error // for tests: what is done instead of each sync
}

// flush makes a file or a folder durable.
func (o Options) flush(f *os.File) error {
	if o.sync != nil {
		return o.sync(f)
	}
	return f.Sync()
}

// Store is an [engine.Store] in a file. Its methods may be called by any number of goroutines.
type Store struct {
	path     string
	db       *bbolt.DB
	file     *os.File         // db's
	length   atomic.Int64     // how long it has been at least
	pageSize int              // db's
	totals   map[string]total // when it was opened

	commit sync.Mutex // one Commit at a time
	failed error      // why there are no more Commits; of commit

	mu     sync.Mutex
	stuck  bool // bbolt keeps a lock that nobody will release
	closed bool
	busy   sync.WaitGroup // calls of methods
	close  func() error   // once
}

var _ engine.Store = (*Store)(nil)

// enter begins a call of a method, which busy.Done ends.
func (s *Store) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return failure(s.path, ErrClosed)
	}
	if s.stuck {
		return failure(s.path, errBroken)
	}
	s.busy.Add(1)
	return nil
}

// Close waits for calls of the other methods, which fail from now on, and closes the file. It may be called again.
// A function that Load or Backup calls must not call it.
func (s *Store) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.busy.Wait()
	return s.close()
}

// begin begins a transaction.
func (s *Store) begin(writable bool) (*bbolt.Tx, error) {
	// Bbolt keeps its locks if it cannot read the first pages. And it makes a file long again that was cut off.
	if err := s.whole(); err != nil {
		return nil, err
	}
	if writable && !names(s.path, s.file) {
		return nil, errors.New("it has been moved or removed, or another one has its name")
	}
	var tx *bbolt.Tx
	err := guard(func() (err error) {
		tx, err = s.db.Begin(writable)
		return err
	})
	if errors.Is(err, errBroken) {
		s.mu.Lock()
		s.stuck = true
		s.mu.Unlock()
	}
	return tx, err
}

// whole wants the file to be as long as it was.
func (s *Store) whole() error {
	info, err := s.file.Stat()
	if err == nil && info.Size() < s.length.Load() {
		err = &DamageError{Page: -1, What: fmt.Sprintf("it has %d bytes, and had %d", info.Size(), s.length.Load())}
	}
	return err
}

// Load implements [engine.Store]. Row must not call a method of s.
func (s *Store) Load(ctx context.Context, row func(engine.Row) error) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.busy.Done()
	tx, err := s.begin(false)
	if err != nil {
		return failure(s.path, err)
	}
	defer tx.Rollback() // reads nothing of the file
	r := reader{tx: tx}
	for {
		if err := ctx.Err(); err != nil {
			return failure(s.path, err)
		}
		var got *engine.Row
		if err := guard(func() (err error) { got, err = r.next(); return err }); err != nil {
			return failure(s.path, err)
		}
		if got == nil {
			return nil
		}
		if err := row(*got); err != nil {
			return err
		}
	}
}

// Commit implements [engine.Store]. After an error of the file every further Commit returns it at once.
func (s *Store) Commit(ctx context.Context, changes []engine.Change) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.busy.Done()
	for _, c := range changes {
		if err := valid(c); err != nil {
			return failure(s.path, err)
		}
	}
	s.commit.Lock()
	defer s.commit.Unlock()
	if s.failed != nil {
		return fmt.Errorf("boltstore: %s: no more changes since one failed: %w", s.path, s.failed)
	}
	if err := ctx.Err(); err != nil || len(changes) == 0 {
		return err
	}
	if err := s.update(func(tx *bbolt.Tx) error { return write(tx, changes) }); err != nil {
		s.failed = err
		return failure(s.path, err)
	}
	return nil
}

// mostTable is how long the name of a table may be.
const mostTable = 64

const lower = "abcdefghijklmnopqrstuvwxyz"

// valid says what is wrong with a change. Every name of a table that it takes sorts after formatTable.
func valid(c engine.Change) error {
	switch {
	case len(c.Table) > mostTable:
		return fmt.Errorf("the table %q... cannot be: a name has at most %d letters, not %d", c.Table[:mostTable], mostTable, len(c.Table))
	case c.Table == "" || strings.Trim(c.Table, lower+"0123456789") != "" || !strings.Contains(lower, c.Table[:1]):
		return fmt.Errorf("the table %q cannot be: a name has lower-case letters, and digits after the first", c.Table)
	case len(c.Key) == 0 || len(c.Key) > bbolt.MaxKeySize:
		return fmt.Errorf("table %q: a key has 1 to %d bytes, not %d", c.Table, bbolt.MaxKeySize, len(c.Key))
	case len(c.Value) > bbolt.MaxValueSize-rowHead:
		return fmt.Errorf("table %q: key %x: a value has at most %d bytes, not %d",
			c.Table, c.Key, bbolt.MaxValueSize-rowHead, len(c.Value))
	}
	return nil
}

// update makes a transaction of f.
func (s *Store) update(f func(*bbolt.Tx) error) error {
	tx, err := s.begin(true)
	if err != nil {
		return err
	}
	// Not Update: it reads the file when f panics, and if it cannot it keeps the lock of the writer.
	err = guard(func() error {
		if err := f(tx); err != nil {
			return err
		}
		s.db.AllocSize = growth(tx.Size())
		return tx.Commit()
	})
	if err != nil {
		_ = guard(tx.Rollback) // reads nothing of the file; tx may be closed already
		return err
	}
	info, err := s.file.Stat()
	if err == nil {
		s.length.Store(max(s.length.Load(), info.Size()))
	}
	return nil
}

// growth returns by how much a file should grow, which costs a sync: by a quarter.
func growth(size int64) int { return int(min(max(size/4, 256<<10), 16<<20)) }

// write makes the changes in tx, and keeps the totals of their tables.
func write(tx *bbolt.Tx, changes []engine.Change) error {
	totals := make(map[string]*total)
	format := tx.Bucket([]byte(formatTable))
	for _, c := range changes {
		rows, t := tx.Bucket([]byte(c.Table)), totals[c.Table]
		if t == nil {
			t = new(total)
			if rows != nil {
				var err error
				if *t, err = totalOf(format, c.Table); err != nil {
					return err
				}
			} else if len(c.Value) == 0 {
				continue
			}
			totals[c.Table] = t
		}
		if rows == nil {
			var err error
			if rows, err = tx.CreateBucket([]byte(c.Table)); err != nil {
				return err
			}
		}
		if err := change(rows, t, c); err != nil {
			return err
		}
	}
	for table, t := range totals {
		if err := putTotal(format, table, *t); err != nil {
			return err
		}
	}
	return nil
}

// change makes one change in the rows of its table.
func change(rows *bbolt.Bucket, t *total, c engine.Change) error {
	if was := rows.Get(c.Key); was != nil {
		_, sum, err := unseal(c.Table, c.Key, was)
		if err != nil {
			return &DamageError{Page: -1, Table: c.Table, Key: c.Key, What: "what was there before", Err: err}
		}
		t.drop(sum)
	}
	if len(c.Value) == 0 {
		return rows.Delete(c.Key)
	}
	kept, sum := seal(c.Table, c.Key, c.Value)
	t.add(sum)
	return rows.Put(c.Key, kept)
}

package boltstore

import (
	"io"
	"os"
	"time"

	"go.etcd.io/bbolt"
)

// NoSync returns options that sync nothing.
func NoSync(o Options) Options { return OnSync(o, func(*os.File) error { return nil }) }

// OnSync returns options with which sync is called instead of each sync, but for bbolt's, which are not done.
func OnSync(o Options, sync func(*os.File) error) Options {
	o.sync = sync
	return o
}

// RestoreTo is Restore with options.
func RestoreTo(path string, r io.Reader, o Options) error { return restore(path, r, o) }

// Mapped is for how much of a file bbolt has room.
func Mapped(size int64) int { return mapped(size) }

// Timeout is how long a lock is waited for.
func Timeout(o Options) time.Duration { return o.timeout() }

// RestoreNoSync is Restore, but syncs nothing.
func RestoreNoSync(path string, r io.Reader) error { return restore(path, r, NoSync(Options{})) }

// Forget has s forget how long its file was, as if it were cut off after s had looked.
func Forget(s *Store) { s.length.Store(0) }

// Seal returns how the value of a row is kept.
func Seal(table string, key, value []byte) []byte {
	kept, _ := seal(table, key, value)
	return kept
}

// ErrChanged has an Open begin again.
var ErrChanged = errChanged

// Lock is how Open locks a file to write to it. It waits.
func Lock(path string) error {
	db, _, err := bolt(path, bbolt.Options{Timeout: time.Hour})
	if err == nil {
		err = db.Close()
	}
	return err
}

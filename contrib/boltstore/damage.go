package boltstore

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrLocked is wrapped by what says that another Store has the file open, of this process or of another one.
	ErrLocked = errors.New("another Store has it open")
	// ErrMissing is wrapped by what says that there is no file, and Options.MustExist is set.
	ErrMissing = errors.New("it does not exist, and has to")
	// ErrVersion is wrapped by what says that a later version of this package wrote the file.
	ErrVersion = errors.New("a later version wrote it")
	// ErrClosed is wrapped by what the methods of a closed [Store] return.
	ErrClosed = errors.New("it is closed")
)

// DamageError says that a file does not hold what was committed to it, and where that shows. Nothing has been changed;
// what helps is a backup ([Store.Backup]).
type DamageError struct {
	Path  string
	Page  int64  // the number of a page of bbolt's; -1: of none
	Table string // empty: of none
	Key   []byte // nil: of none
	What  string
	Err   error // may be nil
}

// Error implements error.
func (e *DamageError) Error() string {
	var b strings.Builder
	if e.Path != "" {
		fmt.Fprintf(&b, "boltstore: %s is damaged: ", e.Path)
	}
	if e.Page >= 0 {
		fmt.Fprintf(&b, "page %d: ", e.Page)
	}
	if e.Table != "" {
		fmt.Fprintf(&b, "table %q: ", e.Table)
	}
	if e.Key != nil {
		fmt.Fprintf(&b, "key %x: ", e.Key)
	}
	b.WriteString(e.What)
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// Unwrap returns e.Err.
func (e *DamageError) Unwrap() error { return e.Err }

// failure says what went wrong with the file at path: nothing if err is nil.
func failure(path string, err error) error {
	if err == nil {
		return nil
	}
	if d, ok := errors.AsType[*DamageError](err); ok {
		at := *d
		at.Path = path
		return &at
	}
	return fmt.Errorf("boltstore: %s: %w", path, err)
}

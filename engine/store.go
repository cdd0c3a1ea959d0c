package engine

import "context"

// Store keeps what an Engine must not forget: a mirror of its rows, by table and key. The Engine reads it once, in
// [New], and from then on hands it each change before anybody can see it. Package storetest has the tests that every
// Store must pass; contrib/boltstore is one in a file.
//
// Tables, keys and values are the Engine's own. Tables are short names in lower-case letters; neither they nor keys
// are ever empty, and a key has at most 1 KiB. Most values are small; those that hold findings have up to a few hundred
// kilobytes, and more where a single finding has.
//
// Both methods may be called from any goroutine. An Engine calls Commit from one at a time, with what several
// operations changed that came at once.
type Store interface {
	// Load calls row with every row, each once, in ascending order of tables, within a table of keys, as bytes compare.
	// Row may keep nothing of it after it has returned. Load returns the error of row, wrapped or not, as soon as there is
	// one. Its own errors say which row cannot be read: less than everything that was committed is an error.
	Load(ctx context.Context, row func(Row) error) error

	// Commit makes all of the changes or none. It has to end: who has asked for a change waits for it, whatever becomes of
	// the context of the call. When it returns nil they are there to stay, whatever happens to the
	// process or the machine. After an error it is open whether they are there: then the Engine calls Commit no
	// more, and neither may a Store that failed to make changes durable try that again. No two changes of one call
	// have the same table and key. Changes belong to the caller, who may use their memory again afterwards.
	Commit(ctx context.Context, changes []Change) error
}

// Row is one row of a [Store].
type Row struct {
	Table      string
	Key, Value []byte // never empty
}

// Change is what becomes of one row of a [Store].
type Change struct {
	Table string
	Key   []byte
	Value []byte // empty: the row goes, if there is one
}

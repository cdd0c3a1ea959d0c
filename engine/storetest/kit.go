package storetest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/fleetaudit/fleetaudit/engine"
)

// Run tests whether a Store keeps the contract of [engine.Store]. Open opens the Store that is kept in a folder, which is
// empty the first time. It is called again with the same folder to see what a restart would find, after the Store before
// was closed, if it is an [io.Closer]. Run the test with -race.
//
//	storetest.Run(t, func(t *testing.T, dir string) engine.Store { return open(t, filepath.Join(dir, "file")) })
func Run(t *testing.T, open func(t *testing.T, dir string) engine.Store) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			try(t, c, func() engine.Store { return open(t, dir) })
		})
	}
}

// testCase is one of the kit's.
type testCase struct {
	name string
	run  func(*kit)
}

var cases = []testCase{
	{"fresh", fresh},
	{"order", order},
	{"replace", replace},
	{"delete", remove},
	{"batch", batch},
	{"tables", tables},
	{"keys", keys},
	{"values", values},
	{"many rows", manyRows},
	{"memory of changes", memoryOfChanges},
	{"memory of rows", memoryOfRows},
	{"error of row", errorOfRow},
	{"cancelled load", cancelledLoad},
	{"cancelled commit", cancelledCommit},
	{"concurrent", concurrent},
	{"model", model},
}

// try runs a case.
func try(t testing.TB, c testCase, open func() engine.Store) {
	t.Helper()
	k := &kit{TB: t, open: open, store: open()}
	defer func() { k.close() }()
	c.run(k)
}

// kit is a case that runs.
type kit struct {
	testing.TB
	open  func() engine.Store
	store engine.Store
	want  Memory // what is committed
}

// close closes the Store.
func (k *kit) close() {
	k.Helper()
	c, ok := k.store.(io.Closer)
	if k.store = nil; !ok {
		return
	}
	if err := c.Close(); err != nil {
		k.Errorf("Close: %v", err)
	}
}

// reopen does what a restart does.
func (k *kit) reopen() {
	k.Helper()
	k.close()
	k.store = k.open()
}

// commit commits changes, in a context that does not end.
func (k *kit) commit(changes ...engine.Change) {
	k.Helper()
	k.want.Commit(context.Background(), changes)
	if err := k.store.Commit(k.Context(), changes); err != nil {
		k.Fatalf("Commit of %d changes: %v", len(changes), err)
	}
}

// load returns copies of all rows.
func (k *kit) load() []engine.Row {
	k.Helper()
	var rows []engine.Row
	if err := k.store.Load(k.Context(), func(r engine.Row) error {
		rows = append(rows, engine.Row{Table: r.Table, Key: bytes.Clone(r.Key), Value: bytes.Clone(r.Value)})
		return nil
	}); err != nil {
		k.Fatalf("Load: %v", err)
	}
	return rows
}

// check wants what is committed to be there, now and after a restart.
func (k *kit) check(when string) {
	k.Helper()
	k.same(when, k.load())
	k.reopen()
	k.same(when+", after a restart", k.load())
}

// same wants rows to be those that are committed.
func (k *kit) same(when string, rows []engine.Row) {
	k.Helper()
	want := k.want.Rows()
	for i := range max(len(want), len(rows)) {
		switch {
		case i >= len(rows):
			k.Fatalf("%s: Load has %d rows, and not %d: %s is the first that is missing", when, len(rows), len(want), show(want[i]))
		case i >= len(want):
			k.Fatalf("%s: Load has %d rows, and not %d: %s is the first that should not be there",
				when, len(rows), len(want), show(rows[i]))
		case !equalRows(want[i], rows[i]):
			k.Fatalf("%s: row %d of Load is %s, and should be %s", when, i, show(rows[i]), show(want[i]))
		}
	}
}

// show shows a row, but not the most of a long one.
func show(r engine.Row) string {
	return fmt.Sprintf("%s %s = %s", r.Table, short(r.Key), short(r.Value))
}

func short(b []byte) string {
	if len(b) <= 24 {
		return fmt.Sprintf("%x", b)
	}
	return fmt.Sprintf("%x...%x (%d bytes)", b[:8], b[len(b)-8:], len(b))
}

// put and drop make changes.
func put(table, key, value string) engine.Change {
	return engine.Change{Table: table, Key: []byte(key), Value: []byte(value)}
}

func drop(table, key string) engine.Change { return engine.Change{Table: table, Key: []byte(key)} }

package storetest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/fleetaudit/fleetaudit/engine"
)

// Run tests whether a Store keeps the contract of [engine.Store]. Open opens the Store that is kept in a folder, which is
// empty the first time. It is called again with the same folder to see what a restart would find, after the Store before
// was closed, if it is an [io.Closer]. To see what a crash would leave it is called while the Store is open, with a folder
// that has copies of the regular files; a Store that is kept elsewhere has none there, and then it is the same folder. Run
// the test with -race. That the disk or the network of a Store fails is for its own tests: here [Faults] fails for it.
//
//	storetest.Run(t, func(t *testing.T, dir string) engine.Store { return open(t, filepath.Join(dir, "file")) })
func Run(t *testing.T, open func(t *testing.T, dir string) engine.Store) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			try(t, c, t.TempDir(), func(dir string) engine.Store { return open(t, dir) })
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
	{"faults", faults},
	{"concurrent", concurrent},
	{"model", model},
}

// try runs a case.
func try(t testing.TB, c testCase, dir string, open func(dir string) engine.Store) {
	t.Helper()
	k := &kit{TB: t, dir: dir, open: open, store: open(dir)}
	defer func() { k.close() }()
	c.run(k)
}

// kit is a case that runs.
type kit struct {
	testing.TB
	dir   string
	open  func(dir string) engine.Store
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
	k.store = k.open(k.dir)
}

// crashed calls f with k having the Store that would be there after a crash.
func (k *kit) crashed(f func()) {
	k.Helper()
	dir := k.TempDir()
	files, err := copyFiles(dir, k.dir)
	if err != nil {
		k.Fatalf("the folder of the Store: %v", err)
	}
	if files == 0 {
		dir = k.dir
	}
	goesOn := k.store
	defer func() { k.store = goesOn }()
	k.store = k.open(dir)
	defer k.close()
	f()
}

// copyFiles copies the regular files in a folder, and those below it, and returns how many there are.
func copyFiles(to, from string) (n int, err error) {
	err = filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, name), 0o700)
		case !d.Type().IsRegular():
			return nil
		}
		n++
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), b, 0o600)
	})
	return n, err
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

// check wants what is committed to be there, now, after a crash and after a restart.
func (k *kit) check(when string) {
	k.Helper()
	k.same(when, k.load())
	k.crashed(func() { k.same(when+", after a crash", k.load()) })
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

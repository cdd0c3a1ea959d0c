package boltstore_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/boltstore"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/engine/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T, dir string) engine.Store {
		return open(t, filepath.Join(dir, "store"), boltstore.Options{})
	})
}

// unsynced are the options of tests that nothing takes the power from.
var unsynced = boltstore.NoSync(boltstore.Options{})

// open opens a Store, and closes it at the end of the test.
func open(t testing.TB, path string, o boltstore.Options) *boltstore.Store {
	t.Helper()
	s, err := boltstore.Open(path, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// put and drop make changes.
func put(table, key, value string) engine.Change {
	return engine.Change{Table: table, Key: []byte(key), Value: []byte(value)}
}

func drop(table, key string) engine.Change { return engine.Change{Table: table, Key: []byte(key)} }

// commit commits changes.
func commit(t testing.TB, s engine.Store, changes ...engine.Change) {
	t.Helper()
	require.NoError(t, s.Commit(context.Background(), changes))
}

// load returns all rows as text, as far as it gets.
func load(s engine.Store) ([]string, error) {
	var rows []string
	err := s.Load(context.Background(), func(r engine.Row) error {
		rows = append(rows, fmt.Sprintf("%s %q=%q", r.Table, r.Key, r.Value))
		return nil
	})
	return rows, err
}

// holds wants a Store to have the rows of want.
func holds(t testing.TB, s engine.Store, want []string) {
	t.Helper()
	got, err := load(s)
	require.NoError(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("rows (-want +got):\n%s", diff)
	}
}

func TestClose(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	s := open(t, path, unsynced)
	commit(t, s, put("audit", "a", "1"))
	closed := make(chan error, 2)
	require.NoError(t, s.Load(t.Context(), func(engine.Row) error {
		for range 2 {
			go func() { closed <- s.Close() }()
		}
		// Close waits for this Load. That other calls fail says that it has begun.
		for s.Commit(t.Context(), nil) == nil {
		}
		require.Empty(t, closed)
		return nil
	}))
	for range 2 {
		require.NoError(t, <-closed)
	}
	require.NoError(t, s.Close())
	for name, err := range map[string]error{
		"Commit": s.Commit(t.Context(), []engine.Change{put("audit", "a", "2")}),
		"Load":   s.Load(t.Context(), func(engine.Row) error { return nil }),
		"Backup": s.Backup(new(strings.Builder)),
	} {
		require.ErrorIs(t, err, boltstore.ErrClosed, name)
		require.ErrorContains(t, err, path, name)
	}
	holds(t, open(t, path, unsynced), []string{`audit "a"="1"`})
}

func TestCommitOfWhatCannotBe(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "store"), unsynced)
	for _, row := range []struct {
		change engine.Change
		want   string
	}{
		{put("", "a", "1"), `the table "" cannot be`},
		{put("_fleetaudit", "format", "1"), `the table "_fleetaudit" cannot be`},
		{put("audit", "", "1"), `table "audit": a key has 1 to 32768 bytes, not 0`},
		{drop("audit", ""), `table "audit": a key has 1 to 32768 bytes, not 0`},
		{put("audit", strings.Repeat("k", 40_000), "1"), `table "audit": a key has 1 to 32768 bytes, not 40000`},
	} {
		require.ErrorContains(t, s.Commit(t.Context(), []engine.Change{put("audit", "a", "1"), row.change}), row.want)
	}
	holds(t, s, nil)
	commit(t, s, put("audit", strings.Repeat("k", 32_768), "1")) // nothing of the file had failed
}

func TestRowPanics(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "store"), unsynced)
	commit(t, s, put("audit", "a", "1"))
	require.PanicsWithValue(t, "row's own", func() {
		_ = s.Load(t.Context(), func(engine.Row) error { panic("row's own") })
	})
	commit(t, s, put("audit", "b", "1"))
	holds(t, s, []string{`audit "a"="1"`, `audit "b"="1"`})
}

// TestFileCutWhileOpen cuts a file that is open, which is memory that bbolt reads.
func TestFileCutWhileOpen(t *testing.T) {
	for _, size := range []int64{0, 1, 4096, 8192, 12288, 40_000, 100_000} {
		for _, unseen := range []bool{false, true} { // that it is shorter
			for _, first := range []string{"Load", "Commit", "Backup"} {
				path := filepath.Join(t.TempDir(), "store")
				s := open(t, path, unsynced)
				commit(t, s, rows(100, strings.Repeat("v", 3000))...)
				require.NoError(t, os.Truncate(path, size))
				if unseen {
					boltstore.Forget(s)
				}
				changes := rows(100, "other") // all of them, that all pages be written
				calls := map[string]func() error{
					"Load":   func() error { _, err := load(s); return err },
					"Commit": func() error { return s.Commit(t.Context(), changes) },
					"Backup": func() error { return s.Backup(new(strings.Builder)) },
				}
				what := fmt.Sprintf("cut to %d bytes, unseen: %t, %s first", size, unseen, first)
				err := calls[first]()
				require.ErrorContains(t, err, path, what)
				if !unseen { // or a Commit would make it as long as it was, with nothing there
					require.True(t, damaged(err), "%s: %v", what, err)
					require.ErrorContains(t, err, "bytes, and had", what)
				}
				for _, call := range calls {
					require.ErrorContains(t, call(), path, what)
				}
				require.NoError(t, s.Close(), what)
				_, err = boltstore.Open(path, now)
				require.Error(t, err, what)
				require.True(t, damaged(err), "%s: %v", what, err)
			}
		}
	}
}

// rows returns changes of n rows.
func rows(n int, value string) []engine.Change {
	var changes []engine.Change
	for i := range n {
		changes = append(changes, put("audit", fmt.Sprintf("%03d", i), value))
	}
	return changes
}

// damaged tells whether an error is a DamageError that says where and what.
func damaged(err error) bool {
	d, ok := errors.AsType[*boltstore.DamageError](err)
	return ok && d.Path != "" && d.What != "" && strings.Contains(err.Error(), d.Path)
}

func TestFileMoved(t *testing.T) {
	for name, move := range map[string]func(path string) error{
		"moved":   func(path string) error { return os.Rename(path, path+".moved") },
		"removed": os.Remove,
		"replaced": func(path string) error {
			return errors.Join(os.Remove(path), os.WriteFile(path, []byte("other"), 0o600))
		},
	} {
		path := filepath.Join(t.TempDir(), "store")
		s := open(t, path, unsynced)
		commit(t, s, put("audit", "a", "1"))
		require.NoError(t, move(path))
		require.ErrorContains(t, s.Commit(t.Context(), []engine.Change{put("audit", "a", "2")}), "has been moved or removed", name)
		holds(t, s, []string{`audit "a"="1"`})
	}
}

func TestNothingAfterFailure(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	s := open(t, path, unsynced)
	commit(t, s, put("audit", "a", "1"))
	require.NoError(t, os.Rename(path, path+".moved"))
	first := s.Commit(t.Context(), []engine.Change{put("audit", "a", "2")})
	require.Error(t, first)
	require.NoError(t, os.Rename(path+".moved", path)) // it would work again
	again := s.Commit(t.Context(), []engine.Change{put("audit", "a", "3")})
	require.ErrorContains(t, again, "no more changes since one failed: it has been moved")
	holds(t, s, []string{`audit "a"="1"`})
	var backup strings.Builder
	require.NoError(t, s.Backup(&backup))
	require.NoError(t, s.Close())
	s = open(t, path, unsynced)
	commit(t, s, put("audit", "a", "4"))
	holds(t, s, []string{`audit "a"="4"`})
}

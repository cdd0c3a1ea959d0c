package boltstore_test

import (
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/boltstore"
)

// A table whose name sorts before what a file says of itself would make it a file that nobody opens. None is taken, and
// nothing has failed by it.
func TestTableNames(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	s := open(t, path, unsynced)
	for _, name := range []string{"", "Audit", "1", "_", "_fleetaudit", "_fleetaudi", "\x00", "a b", "é", "table-1", strings.Repeat("a", 65)} {
		require.ErrorContains(t, s.Commit(t.Context(), append(rows(1, "v"), put(name, "k", "v"))), "cannot be", "%q", name)
	}
	commit(t, s, put("a", "k", "v"), put("table0", "k", "v"), put(strings.Repeat("z", 64), "k", "v"))
	require.NoError(t, s.Close())
	got, err := load(open(t, path, unsynced))
	require.NoError(t, err)
	require.Len(t, got, 3)
}

// counting is a stream of zeros without an end.
type counting struct{ n int }

func (c *counting) Read(p []byte) (int, error) {
	clear(p)
	c.n += len(p)
	return len(p), nil
}

func TestRestoreOfAnEndlessStream(t *testing.T) {
	var zeros counting
	path := filepath.Join(t.TempDir(), "store")
	require.ErrorContains(t, boltstore.RestoreNoSync(path, &zeros), "is damaged: page 0")
	require.LessOrEqual(t, zeros.n, 256<<10)
	require.NoFileExists(t, path)
}

// short is a writer that takes less than it is given, and does not say so.
type short struct{}

func (short) Write(p []byte) (int, error) { return len(p) / 2, nil }

func TestBackupToAShortWriter(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "store"), unsynced)
	commit(t, s, rows(10, "v")...)
	require.ErrorIs(t, s.Backup(short{}), io.ErrShortWrite)
}

// Large values leave room behind in each transaction of the copy; the file does not become longer by it.
func TestCompactOfLargeValues(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	s := open(t, path, unsynced)
	for i := range 40 {
		commit(t, s, put("chunk", string(rune('a'+i)), strings.Repeat("v", 300_000)))
	}
	require.NoError(t, s.Close())
	want := 40 * 300_000 * 11 / 10
	var before os.FileInfo
	for range 2 {
		_, after, err := boltstore.Compact(path, unsynced)
		require.NoError(t, err)
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, after, info.Size())
		require.Less(t, after, int64(want))
		if before != nil && !os.SameFile(before, info) {
			t.Error("a file that does not become smaller is replaced")
		}
		before = info
	}
}

func TestCompactOfNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none")
	_, _, err := boltstore.Compact(path, unsynced)
	require.ErrorIs(t, err, boltstore.ErrMissing)
	require.ErrorContains(t, err, path)
}

// What a crash left beside the target of a link goes when the link is opened.
func TestSweepBehindALink(t *testing.T) {
	folder := t.TempDir()
	target, link := filepath.Join(folder, "target", "store"), filepath.Join(folder, "link")
	require.NoError(t, os.Mkdir(filepath.Dir(target), 0o700))
	require.NoError(t, open(t, target, unsynced).Close())
	require.NoError(t, os.Symlink(target, link))
	left := target + ".partial-123"
	require.NoError(t, os.WriteFile(left, []byte("x"), 0o600))
	require.NoError(t, open(t, link, unsynced).Close())
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is still there: %v", left, err)
	}
}

func TestDefaults(t *testing.T) {
	for wait, want := range map[time.Duration]time.Duration{0: time.Second, -1: 1, time.Minute: time.Minute} {
		if got := boltstore.Timeout(boltstore.Options{LockTimeout: wait}); got != want {
			t.Errorf("LockTimeout %v waits for %v, want %v", wait, got, want)
		}
	}
	if runtime.GOOS == "windows" || math.MaxInt == math.MaxInt32 {
		return
	}
	for size, want := range map[int64]int{0: 8 << 30, 2 << 30: 16 << 30, 1 << 40: 64 << 30} {
		if got := boltstore.Mapped(size); got != want {
			t.Errorf("a file of %d bytes has room for %d, want %d", size, got, want)
		}
	}
}

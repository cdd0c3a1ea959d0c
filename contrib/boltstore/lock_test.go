package boltstore_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/boltstore"
	"github.com/fleetaudit/fleetaudit/engine"
)

// now are the options of who does not wait for a lock.
var now = boltstore.NoSync(boltstore.Options{LockTimeout: -1})

// busy wants everything that needs the file for itself to say that it is in use.
func busy(t *testing.T, path string) {
	t.Helper()
	before := read(t, path)
	_, errOpen := boltstore.Open(path, now)
	_, _, errCompact := boltstore.Compact(path, now)
	for name, err := range map[string]error{"Open": errOpen, "Compact": errCompact, "Verify": boltstore.Verify(path, now)} {
		require.ErrorIs(t, err, boltstore.ErrLocked, name)
		require.ErrorContains(t, err, path, name)
	}
	require.Equal(t, before, read(t, path))
}

func TestLockedByThisProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	s := open(t, path, unsynced)
	busy(t, path)
	commit(t, s, put("audit", "a", "1"))
	require.NoError(t, s.Close())
	holds(t, open(t, path, now), []string{`audit "a"="1"`})
}

func TestLockedByAnotherProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	c := child(t.Context(), t, "hold", path)
	in, err := c.StdinPipe()
	require.NoError(t, err)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err, c.Stderr)
	require.Equal(t, "held\n", line)
	busy(t, path)
	opened := make(chan error)
	go func() { // one who waits gets it
		s, err := boltstore.Open(path, boltstore.NoSync(boltstore.Options{LockTimeout: 1 << 40}))
		if err == nil {
			err = s.Close()
		}
		opened <- err
	}()
	require.NoError(t, in.Close())
	require.NoError(t, c.Wait(), c.Stderr)
	require.NoError(t, <-opened)
	holds(t, open(t, path, now), []string{`audit "a"="held"`})
}

// holdChild has a Store open until its input ends.
func holdChild(args []string) {
	s, err := boltstore.Open(args[0], boltstore.Options{})
	if err != nil {
		panic(err)
	}
	if err := s.Commit(context.Background(), []engine.Change{put("audit", "a", "held")}); err != nil {
		panic(err)
	}
	fmt.Println("held")
	io.Copy(io.Discard, os.Stdin)
	if err := s.Close(); err != nil {
		panic(err)
	}
}

// TestManyOpen has many make, open, change, compact and close one Store. Each number is written in a Store that had all before.
func TestManyOpen(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "store")
	var written atomic.Int64
	var all sync.WaitGroup
	patient := boltstore.NoSync(boltstore.Options{LockTimeout: 1 << 40})
	for range 6 {
		all.Go(func() {
			for range 8 {
				s, err := boltstore.Open(path, patient)
				if err != nil {
					t.Error(err)
					return
				}
				rows, err := load(s)
				if err != nil || int64(len(rows)) != written.Load() {
					t.Errorf("%d rows of %d, %v", len(rows), written.Load(), err)
				}
				if err := s.Commit(t.Context(), []engine.Change{put("audit", fmt.Sprint(len(rows)), "1")}); err != nil {
					t.Error(err)
				}
				written.Add(1)
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 2 {
		all.Go(func() {
			for range 8 {
				_, _, err := boltstore.Compact(path, patient)
				if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, boltstore.ErrMissing) {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	rows, err := load(open(t, path, unsynced))
	require.NoError(t, err)
	require.Len(t, rows, 6*8)
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 1, "partial files are left: %v", files)
}

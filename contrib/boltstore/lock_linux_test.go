package boltstore_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/boltstore"
)

// TestReplacedWhileWaiting has one wait for the lock of a file that is another one's when it gets it.
func TestReplacedWhileWaiting(t *testing.T) {
	dir := t.TempDir()
	path, other := filepath.Join(dir, "store"), filepath.Join(dir, "other")
	s := open(t, path, unsynced)
	require.NoError(t, open(t, other, unsynced).Close())
	locked := make(chan error)
	go func() { locked <- boltstore.Lock(path) }()
	require.Eventually(t, func() bool { return opens(t, path) == 2 }, 30*time.Second, time.Millisecond)
	require.NoError(t, os.Rename(other, path))
	require.NoError(t, s.Close())
	require.ErrorIs(t, <-locked, boltstore.ErrChanged)
}

// opens returns how often this process has a file open.
func opens(t *testing.T, path string) (n int) {
	files, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	for _, f := range files {
		if to, err := os.Readlink("/proc/self/fd/" + f.Name()); err == nil && to == path {
			n++
		}
	}
	return n
}

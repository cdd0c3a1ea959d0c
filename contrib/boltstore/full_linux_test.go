package boltstore_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/boltstore"
	"github.com/fleetaudit/fleetaudit/engine"
)

// TestFull has a child fill a file until it cannot grow, at many sizes: wherever in a Commit that shows, all that was
// acknowledged has to be there, and the file has to be whole.
func TestFull(t *testing.T) {
	for kib := 40; kib < 1400; kib += 97 {
		path := filepath.Join(t.TempDir(), "store")
		filled(t, path, kib, "file too large")
	}
}

// filled has a child fill a file to a size, or the file system where that is 0, and looks at what is there then.
func filled(t *testing.T, path string, kib int, why string) {
	t.Helper()
	c := child(t.Context(), t, "fill", path, strconv.Itoa(kib))
	out, err := c.Output()
	require.NoError(t, err, "%s%s", out, c.Stderr)
	var acked []string
	said := make(map[string]string)
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		what, value, _ := strings.Cut(lines.Text(), ": ")
		if what == "acked" {
			acked = append(acked, value)
		}
		said[what] = value
	}
	require.Contains(t, said["failed"], path)
	require.Contains(t, said["failed"], why)
	require.Contains(t, said["next"], "no more changes since one failed")
	require.Equal(t, strconv.Itoa(len(acked)), said["loaded"])
	require.Equal(t, "<nil>", said["closed"])
	require.NoError(t, boltstore.Verify(path, unsynced))
	s := open(t, path, boltstore.Options{MustExist: true})
	var keys []string
	require.NoError(t, s.Load(t.Context(), func(r engine.Row) error { keys = append(keys, string(r.Key)); return nil }))
	require.Equal(t, acked, keys)
	require.NoError(t, s.Close())
}

// fillChild commits until it cannot.
func fillChild(args []string) {
	s, err := boltstore.Open(args[0], boltstore.Options{})
	if err != nil {
		panic(err)
	}
	kib, _ := strconv.ParseUint(args[1], 10, 64)
	if kib > 0 {
		// Of the signal that comes with it, Go makes EFBIG.
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: kib << 10, Max: kib << 10}); err != nil {
			panic(err)
		}
	}
	for i := 0; err == nil; i++ {
		key := fmt.Sprintf("%05d", i)
		if err = s.Commit(context.Background(), []engine.Change{put("audit", key, strings.Repeat("v", i*777%20_000+1))}); err == nil {
			fmt.Println("acked:", key)
		}
	}
	fmt.Println("failed:", err)
	fmt.Println("next:", s.Commit(context.Background(), []engine.Change{put("audit", "z", "1")}))
	n := 0
	err = s.Load(context.Background(), func(engine.Row) error { n++; return nil })
	if err != nil {
		panic(err)
	}
	fmt.Printf("loaded: %d\n", n)
	fmt.Println("closed:", s.Close())
}

// TestFullDisk is TestFull on a file system that is full, where this process may make one.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := mountSmall(dir); err != nil {
		t.Skipf("no small file system can be mounted here: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, unmount(dir)) })
	filled(t, filepath.Join(dir, "store"), 0, "no space left on device")
	require.NoError(t, os.Remove(filepath.Join(dir, "store")))
	// So full that not even an empty Store fits, nor what is restored.
	for full := make([]byte, 1<<16); ; {
		f, err := os.OpenFile(filepath.Join(dir, "other"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		require.NoError(t, err)
		_, err = f.Write(full)
		require.NoError(t, f.Close())
		if err != nil {
			break
		}
	}
	_, err := boltstore.Open(filepath.Join(dir, "store"), boltstore.Options{})
	require.ErrorIs(t, err, syscall.ENOSPC)
	err = boltstore.Restore(filepath.Join(dir, "store"), strings.NewReader(strings.Repeat("x", 1<<16)))
	require.ErrorIs(t, err, syscall.ENOSPC)
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 1, "something is left: %v", files)
}

// mountSmall mounts a file system of a megabyte.
func mountSmall(dir string) error { return syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m") }

func unmount(dir string) error { return syscall.Unmount(dir, 0) }

package boltstore_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/boltstore"
)

// backup returns what Backup writes.
func backup(t *testing.T, s *boltstore.Store) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, s.Backup(&b))
	return b.Bytes()
}

func TestBackupAndRestore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	s := open(t, path, unsynced)
	var stages [][]byte
	var want [][]string
	for i := range 6 { // so that the newer meta page is either
		commit(t, s, rows(30*i+1, strings.Repeat("v", 100*i+1))...)
		stages = append(stages, backup(t, s))
		rows, err := load(s)
		require.NoError(t, err)
		want = append(want, rows)
	}
	for i, b := range stages {
		restored := filepath.Join(t.TempDir(), "restored")
		require.NoError(t, boltstore.Restore(restored, iotest.OneByteReader(bytes.NewReader(b))))
		info, err := os.Stat(restored)
		require.NoError(t, err)
		require.Equal(t, fs.FileMode(0o600), info.Mode().Perm())
		for round := range 4 { // it goes on to be a Store
			s := open(t, restored, unsynced)
			holds(t, s, want[i])
			commit(t, s, put("audit", "new", fmt.Sprint(round)), put("audit", "001", strings.Repeat("1", 5000*round+1)))
			want[i], err = load(s)
			require.NoError(t, err)
			again := filepath.Join(t.TempDir(), "again")
			require.NoError(t, boltstore.RestoreNoSync(again, bytes.NewReader(backup(t, s))))
			require.NoError(t, s.Close())
			holds(t, open(t, again, unsynced), want[i])
		}
	}
}

// TestBackupBesideCommits has commits go on, and the file grow, while a backup is in the middle.
func TestBackupBesideCommits(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "store"), unsynced)
	commit(t, s, rows(200, strings.Repeat("v", 3000))...)
	want, err := load(s)
	require.NoError(t, err)
	r, w := io.Pipe()
	done := make(chan error)
	go func() {
		err := s.Backup(w)
		w.CloseWithError(err)
		done <- err
	}()
	first := make([]byte, 10_000)
	_, err = io.ReadFull(r, first)
	require.NoError(t, err)
	for i := range 20 {
		commit(t, s, rows(200, strings.Repeat(fmt.Sprint(i%10), 3000+1000*i))...)
	}
	restored := filepath.Join(dir, "restored")
	require.NoError(t, boltstore.Restore(restored, io.MultiReader(bytes.NewReader(first), r)))
	require.NoError(t, <-done)
	holds(t, open(t, restored, unsynced), want)
}

func TestBackupToWhatFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	s := open(t, path, unsynced)
	commit(t, s, rows(100, strings.Repeat("v", 3000))...)
	for _, n := range []int{0, 100, 4096, 5000, 8192, 100_000} {
		err := s.Backup(&limited{n})
		require.ErrorIs(t, err, errFull)
		require.ErrorContains(t, err, path)
	}
	commit(t, s, put("audit", "a", "1"))
}

// limited is a writer that takes n bytes.
type limited struct{ n int }

var errFull = errors.New("full")

func (l *limited) Write(b []byte) (int, error) {
	if l.n -= len(b); l.n < 0 {
		return max(0, len(b)+l.n), errFull
	}
	return len(b), nil
}

func TestRestoreRefuses(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "store"), unsynced)
	commit(t, s, rows(60, strings.Repeat("v", 300))...)
	whole := backup(t, s)
	path := filepath.Join(dir, "restored")
	refused := func(what, want string, r io.Reader) {
		t.Helper()
		err := boltstore.Restore(path, r)
		require.ErrorContains(t, err, want, what)
		require.ErrorContains(t, err, path, what)
		files, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Len(t, files, 1, "%s: something is left: %v", what, files)
	}
	for n := 0; n < len(whole); n += 509 {
		refused(fmt.Sprint("cut at ", n), "is damaged", bytes.NewReader(whole[:n]))
	}
	refused("one byte short", "is damaged", bytes.NewReader(whole[:len(whole)-1]))
	refused("one byte more", fmt.Sprintf("something follows the %d bytes", len(whole)), bytes.NewReader(append(bytes.Clone(whole), 0)))
	refused("twice", fmt.Sprintf("something follows the %d bytes", len(whole)), bytes.NewReader(append(bytes.Clone(whole), whole...)))
	refused("text", "page 0: neither it nor page 1", strings.NewReader("something else"))
	refused("an error", "closed pipe", io.MultiReader(bytes.NewReader(whole[:9000]), iotest.ErrReader(io.ErrClosedPipe)))
	rng := rand.New(rand.NewPCG(1, 5))
	for range 50 {
		flipped := bytes.Clone(whole)
		flipped[rng.IntN(80)+rng.IntN(2)*4096] ^= 1 << rng.IntN(8)
		if boltstore.Restore(path, bytes.NewReader(flipped)) == nil { // what says nothing, of the pages' heads
			require.NoError(t, os.Remove(path))
			continue
		}
		refused("flipped", "is damaged", bytes.NewReader(flipped))
	}
	err := boltstore.Restore(filepath.Join(dir, "store"), bytes.NewReader(whole))
	require.ErrorIs(t, err, fs.ErrExist)
	err = boltstore.Restore(filepath.Join(dir, "none", "store"), bytes.NewReader(whole))
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, filepath.Join(dir, "none", "store"))
	require.NoError(t, boltstore.Restore(path, bytes.NewReader(whole)))
}

func TestCompact(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "store")
	s := open(t, path, unsynced)
	commit(t, s, rows(300, strings.Repeat("v", 3000))...)
	commit(t, s, rows(290, "")...) // which go
	commit(t, s, put("meta", "a", "1"), put("gone", "a", "1"))
	commit(t, s, drop("gone", "a"))
	want, err := load(s)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	require.NoError(t, os.Chmod(path, 0o640))
	link := filepath.Join(dir, "link")
	require.NoError(t, os.Symlink(path, link))
	was, err := os.Stat(path)
	require.NoError(t, err)

	before, after, err := boltstore.Compact(link, boltstore.Options{})
	require.NoError(t, err)
	require.Equal(t, was.Size(), before)
	info, err := os.Lstat(path)
	require.NoError(t, err)
	require.Equal(t, info.Size(), after)
	require.Less(t, after, before/10)
	require.Equal(t, fs.FileMode(0o640), info.Mode())
	target, err := os.Readlink(link)
	require.NoError(t, err)
	require.Equal(t, path, target)
	for range 3 {
		s := open(t, path, unsynced)
		holds(t, s, want)
		commit(t, s, put("meta", "a", "1"), put("gone", "b", strings.Repeat("v", 100_000)))
		commit(t, s, drop("gone", "b"))
		require.NoError(t, s.Close())
		again, less, err := boltstore.Compact(path, unsynced)
		require.NoError(t, err)
		require.Less(t, less, again)
	}
	_, _, err = boltstore.Compact(filepath.Join(dir, "none"), boltstore.Options{})
	require.ErrorIs(t, err, fs.ErrNotExist)
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 2, "partial files are left: %v", files)
}

package boltstore

import (
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
)

// Backup writes what is committed when it begins to w, as [Restore] and, in a file, [Open] take it. Commits go on meanwhile,
// and use no room again that rows leave, so a slow w makes the file longer. Whenever the file outgrows its room in memory,
// which is eight times what it had when it was opened, but 8 GiB at least and 64 GiB at most (on Windows and where int has
// 32 bits much less), and from then on a GiB more, a Commit waits for every Load and Backup, and what is called after it
// waits for it. If w may be that slow, write to a file first. An error means that what was written is not whole. W must not
// call a method of s.
func (s *Store) Backup(w io.Writer) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.busy.Done()
	tx, err := s.begin(false)
	if err != nil {
		return failure(s.path, err)
	}
	defer tx.Rollback()
	to := writer{w: w}
	if _, err = tx.WriteTo(&to); err != nil { // which reads the file as a file
		if to.err != nil {
			err = to.err // bbolt keeps but its words
		}
		err = fmt.Errorf("backup: %w", err)
	}
	return failure(s.path, err)
}

// writer remembers the error of a writer.
type writer struct {
	w   io.Writer
	err error
}

func (w *writer) Write(b []byte) (n int, err error) {
	if n, w.err = w.w.Write(b); w.err == nil && n < len(b) {
		w.err = io.ErrShortWrite
	}
	return n, w.err
}

// Restore makes a file at path of what [Store.Backup] wrote. There must be none, or the error wraps [fs.ErrExist]. What is
// cut off, longer than it was, damaged or something else is refused, and nothing is at path then. Of what is something else
// it reads 128 KiB at most, of what is longer a byte more, or that.
func Restore(path string, r io.Reader) error { return restore(path, r, Options{}) }

// restore is Restore, for which nothing of the options matters but what is for tests.
func restore(path string, r io.Reader, o Options) error {
	path, err := absolute(path)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(path); err == nil {
		return failure(path, fmt.Errorf("nothing is restored over what is there: %w", fs.ErrExist))
	}
	f, err := partial(path)
	if err != nil {
		return failure(path, err)
	}
	defer f.discard()
	n, err := f.fill(r)
	if err != nil {
		return failure(path, fmt.Errorf("restore: %w", err))
	}
	c, err := verify(f, n)
	if err == nil {
		err = c.wrong
	}
	if whole := int64(c.pages) * c.pageSize; err == nil && n != whole {
		err = &DamageError{Page: -1, What: fmt.Sprintf("something follows the %d bytes of the backup", whole)}
	}
	if err != nil {
		return failure(path, fmt.Errorf("what should be restored: %w", err))
	}
	return failure(path, f.place(path, o))
}

// fill reads a backup, and no more than it takes to see that something is none, or is longer.
func (f partialFile) fill(r io.Reader) (int64, error) {
	n, err := io.CopyN(f.File, r, 128<<10) // no machine's first two pages have more
	if err != nil {
		if err == io.EOF {
			err = nil
		}
		return n, err
	}
	m, wrong, err := readMetas(f)
	if err != nil || wrong != nil || m.pages > uint64(math.MaxInt64/m.pageSize) {
		return n, nil // verify says what is wrong
	}
	more, err := io.Copy(f.File, io.LimitReader(r, int64(m.pages)*m.pageSize-n+1))
	return n + more, err
}

// Verify reads all of the file at path, and says what is wrong with it, as [Open] does. It writes nothing. While a Store has
// it open, Verify fails with [ErrLocked].
func Verify(path string, o Options) error {
	path, err := absolute(path)
	if err != nil {
		return err
	}
	if err := look(path); err != nil {
		return failure(path, err)
	}
	c, err := inspect(path, o)
	if err == nil && !o.PreviousState {
		err = c.wrong
	}
	return failure(path, err)
}

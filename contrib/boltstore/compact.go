package boltstore

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// Compact makes the file at path, which no Store may have open, as small as what it holds allows: a Store uses the room of
// rows that went again, and gives none of it back. It returns how many bytes the file had and has. The new file takes the
// place of the old one when it is whole and durable, so a crash leaves one of them, and only if it is smaller. It has the
// same mode and owner. Meanwhile there must be room for both. Memory is taken for 64 MiB of rows, or the largest.
func Compact(path string, o Options) (before, after int64, err error) {
	o.MustExist = true
	target, err := filepath.EvalSymlinks(path) // or the link would be replaced
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: %w", ErrMissing, err)
	}
	if err != nil {
		return 0, 0, failure(path, err)
	}
	s, err := Open(target, o)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	info, err := s.file.Stat()
	if err != nil {
		return 0, 0, failure(s.path, err)
	}
	if after, err = s.compact(info, o); err != nil {
		return 0, 0, failure(s.path, fmt.Errorf("compact: %w", err))
	}
	return info.Size(), after, nil
}

// compact replaces the file, of which info is, and which stays locked.
func (s *Store) compact(info os.FileInfo, o Options) (int64, error) {
	f, err := partial(s.path)
	if err != nil {
		return 0, err
	}
	defer f.discard()
	small, _, err := bolt(f.Name(), bbolt.Options{NoSync: true, NoGrowSync: true, PageSize: s.pageSize}) // it is synced at the end
	if err != nil {
		return 0, err
	}
	// Each transaction leaves some room that nothing uses.
	err = guard(func() error { return bbolt.Compact(small, s.db, 64<<20) })
	if err := errors.Join(err, small.Close()); err != nil {
		return 0, err
	}
	c, err := verifyFile(f.File)
	if err != nil {
		return 0, err
	}
	if !maps.Equal(c.totals, s.totals) {
		return 0, errors.New("the new file does not hold what the old one does")
	}
	size := int64(c.pages) * c.pageSize // bbolt may have made it longer, to grow into
	if size >= info.Size() {
		return info.Size(), nil
	}
	if err := errors.Join(f.Chmod(info.Mode().Perm()), giveTo(f.File, info), f.Truncate(size)); err != nil {
		return 0, err
	}
	return size, f.replace(s.path, o)
}

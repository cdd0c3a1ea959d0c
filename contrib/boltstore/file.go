package boltstore

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// partialFile is a file that may become that of a Store. It lies beside it, that its name can be changed.
type partialFile struct{ *os.File }

// partialName is what the names of partial files begin with; digits follow.
func partialName(path string) string { return filepath.Base(path) + ".partial-" }

// partial makes one for path.
func partial(path string) (partialFile, error) {
	f, err := os.CreateTemp(filepath.Dir(path), partialName(path)+"*")
	return partialFile{f}, err
}

// discard closes and removes it. What was placed stays.
func (f partialFile) discard() {
	f.Close()
	os.Remove(f.Name())
}

// place gives it the name path, which must not be taken: an error then wraps [fs.ErrExist].
func (f partialFile) place(path string, o Options) error {
	if err := f.sync(o); err != nil {
		return err
	}
	err := os.Link(f.Name(), path)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		// There are file systems without links. There two who make one at the same time might both do so.
		if _, err = os.Lstat(path); err == nil {
			return &fs.PathError{Op: "rename", Path: path, Err: fs.ErrExist}
		}
		err = os.Rename(f.Name(), path)
	}
	return errors.Join(err, syncFolder(path, o))
}

// sync makes what is in it durable.
func (f partialFile) sync(o Options) error {
	if o.noSync {
		return nil
	}
	return f.Sync()
}

// syncFolder makes the name of a file durable.
func syncFolder(path string, o Options) error {
	if o.noSync || runtime.GOOS == "windows" { // where a folder cannot be synced
		return nil
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// sweep removes partial files that a crash left beside path. The caller has path locked: so it is there, and nobody can
// make of them what they were for.
func sweep(path string) {
	files, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return
	}
	for _, f := range files {
		number, ok := strings.CutPrefix(f.Name(), partialName(path))
		if ok && number != "" && strings.Trim(number, "0123456789") == "" && f.Type().IsRegular() {
			os.Remove(filepath.Join(filepath.Dir(path), f.Name()))
		}
	}
}

// names tells whether path is that of f.
func names(path string, f *os.File) bool {
	a, errA := os.Stat(path)
	b, errB := f.Stat()
	return errA == nil && errB == nil && os.SameFile(a, b)
}

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
	return f.name(path, o, func() error { return f.link(path) })
}

// replace gives it the name path, which another file has.
func (f partialFile) replace(path string, o Options) error {
	return f.name(path, o, func() error { return os.Rename(f.Name(), path) })
}

// name makes what is in it durable, gives it its name, and makes that durable. What can be known before to be impossible is
// an error before.
func (f partialFile) name(path string, o Options, give func() error) error {
	if err := o.flush(f.File); err != nil {
		return err
	}
	folder, err := openFolder(path)
	if err != nil {
		return err
	}
	defer folder.Close()
	if err := give(); err != nil {
		return errors.Join(err, flushFolder(folder, o))
	}
	return flushFolder(folder, o)
}

// link gives it the name path, which must not be taken.
func (f partialFile) link(path string) error {
	err := os.Link(f.Name(), path)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		// There are file systems without links. There two who make one at the same time might both do so.
		if _, err = os.Lstat(path); err == nil {
			return &fs.PathError{Op: "rename", Path: path, Err: fs.ErrExist}
		}
		err = os.Rename(f.Name(), path)
	}
	return err
}

// absolute returns the whole of a path.
func absolute(path string) (string, error) {
	whole, err := filepath.Abs(path)
	if err != nil {
		return "", failure(path, err)
	}
	return whole, nil
}

// openFolder opens the folder of a file, or of what path is a link to.
func openFolder(path string) (*os.File, error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	return os.Open(filepath.Dir(path))
}

// flushFolder makes the names of the files in a folder durable.
func flushFolder(folder *os.File, o Options) error {
	if runtime.GOOS == "windows" { // where a folder cannot be synced
		return nil
	}
	return o.flush(folder)
}

// sweep removes partial files that a crash left beside path, or what it is a link to. The caller has path locked: so it is
// there, and nobody can make of them what they were for.
func sweep(path string) {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return
	}
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

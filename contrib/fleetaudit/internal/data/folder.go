// Package data opens the folder in which commands keep what must outlast them.
package data

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"github.com/fleetaudit/fleetaudit/contrib/boltstore"
)

// fileName is that of the Store in a folder.
const fileName = "fleetaudit.db"

// Folder is a folder, and the Store in it. Its errors name the flag --data, where something is wrong, and what to do.
type Folder struct {
	Path  string // of the Store's file
	Store *boltstore.Store

	name string // as it was given
}

// Open opens the Store in a folder, and makes both where there are none. The folder's parent has to be there.
func Open(name string) (*Folder, error) {
	f := newFolder(name)
	if err := f.make(); err != nil {
		return nil, err
	}
	return f.open(boltstore.Options{})
}

// OpenExisting is Open for what makes nothing.
func OpenExisting(name string) (*Folder, error) {
	return newFolder(name).open(boltstore.Options{MustExist: true})
}

func newFolder(name string) *Folder { return &Folder{Path: filepath.Join(name, fileName), name: name} }

func (f *Folder) open(o boltstore.Options) (*Folder, error) {
	var err error
	if f.Store, err = boltstore.Open(f.Path, o); err != nil {
		return nil, f.explain(err)
	}
	return f, nil
}

// make makes the folder, if it is not there.
func (f *Folder) make() error {
	parent := filepath.Dir(filepath.Clean(f.name))
	err := os.Mkdir(f.name, 0o700)
	switch {
	case err == nil:
		return f.sync(parent)
	case errors.Is(err, fs.ErrNotExist):
		return f.failure("%s: no such folder: make it first", parent)
	case !errors.Is(err, fs.ErrExist):
		return f.failure("it cannot be made: %w", reason(err))
	}
	info, err := os.Stat(f.name)
	switch {
	case err != nil:
		return f.failure("%w", reason(err))
	case !info.IsDir():
		return f.failure("is a file: want a folder, in which a file %s is kept", fileName)
	}
	return nil
}

// sync makes the name of a folder that was made durable, as boltstore does with that of its file.
func (f *Folder) sync(parent string) error {
	if runtime.GOOS == "windows" { // where a folder cannot be synced
		return nil
	}
	folder, err := os.Open(parent)
	if errors.Is(err, fs.ErrPermission) { // one may write to a folder that one may not read
		return nil
	}
	if err == nil {
		err = errors.Join(folder.Sync(), folder.Close())
	}
	if err != nil {
		return f.failure("%s: %w", parent, reason(err))
	}
	return nil
}

// Close closes the Store. Who uses it ends before.
func (f *Folder) Close() error {
	if err := f.Store.Close(); err != nil {
		return f.explain(err)
	}
	return nil
}

const elsewhere = "name another folder"

// explain says what is wrong with the Store.
func (f *Folder) explain(err error) error {
	if d, ok := errors.AsType[*boltstore.DamageError](err); ok {
		at := *d
		at.Path = ""
		return f.failure("%s is damaged: %w: put a backup in its place, or %s", f.Path, &at, elsewhere)
	}
	switch {
	case errors.Is(err, boltstore.ErrLocked):
		return f.failure("%s is in use by another fleetaudit: wait until that has ended, or %s", f.Path, elsewhere)
	case errors.Is(err, boltstore.ErrMissing):
		return f.failure("%s does not exist: nothing has been kept there yet", f.Path)
	case errors.Is(err, boltstore.ErrVersion):
		return f.failure("%s was written by a later version of fleetaudit: use that, or %s", f.Path, elsewhere)
	case errors.Is(err, fs.ErrPermission):
		return f.failure("%s: permission denied: whoever runs fleetaudit must be allowed to write to the folder and the file", f.Path)
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return f.failure("%s: %w", f.Path, e.Err)
	}
	return f.failure("%s: %s", f.Path, f.plain(err.Error()))
}

// otherAccount is what an Engine says of a Store that is another account's.
var otherAccount = regexp.MustCompile(`is of the account (\d{12}) in ([a-z0-9-]+); Config\.AccountID is (\d{12}), Config\.Region ([a-z0-9-]+)`)

// HistoryRegion stands for the region in a Store with the history of the command line, which is no account's of AWS.
const HistoryRegion = "command-line"

// Explain returns an error of engine.New in words about the folder, if that is what it is about.
func (f *Folder) Explain(err error) error {
	if who := otherAccount.FindStringSubmatch(err.Error()); who != nil {
		kept, asked := who[1:3], who[3:5]
		switch {
		case kept[1] == HistoryRegion:
			return f.failure("%s holds the history of fleetaudit audit: %s for serve", f.Path, elsewhere)
		case asked[1] == HistoryRegion:
			return f.failure("%s holds what fleetaudit serve keeps: %s for audit", f.Path, elsewhere)
		}
		return f.failure("%s is of the account %s in %s, and not of %s in %s: give --account %s --region %s, or %s",
			f.Path, kept[0], kept[1], asked[0], asked[1], kept[0], kept[1], elsewhere)
	}
	if text, ok := strings.CutPrefix(err.Error(), "engine: the Store cannot be "); ok {
		return f.failure("%s cannot be %s: put a backup in its place, or %s", f.Path, f.plain(text), elsewhere)
	}
	return err
}

// Failed says that something is not kept.
func (f *Folder) Failed(what string, err error) error {
	return f.failure("%s: %s", what, f.plain(err.Error()))
}

func (f *Folder) failure(format string, args ...any) error {
	return fmt.Errorf("--data %q: "+format, append([]any{f.name}, args...)...)
}

// plain is the text of an error without what the rest says already.
func (f *Folder) plain(text string) string {
	path, err := filepath.Abs(f.Path)
	if err != nil {
		return text
	}
	return strings.ReplaceAll(text, "boltstore: "+path+": ", "")
}

// reason is what went wrong, without what was tried.
func reason(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

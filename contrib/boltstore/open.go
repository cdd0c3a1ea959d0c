package boltstore

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// Open opens the file at path, and makes it first where there is none, with the mode 0600. The folder has to be there, and
// readable, for it is synced. All of the file is read before it is written to: what is damaged is refused with a
// [DamageError], what another Store has open with [ErrLocked], what a later version of this package wrote with
// [ErrVersion]. A file of an earlier version becomes one of this version. What was found is durable when Open returns, even
// if the process before could not sync it.
func Open(path string, o Options) (*Store, error) {
	path, err := absolute(path)
	if err != nil {
		return nil, err
	}
	// Whoever makes, restores or compacts a file may do it between two steps of this. Then it begins again.
	for range 10 {
		s, err := open(path, o)
		if err == nil {
			return s, nil
		}
		if !errors.Is(err, errChanged) {
			return nil, failure(path, err)
		}
	}
	return nil, failure(path, errChanged)
}

// errChanged says that the file is not the one that was looked at.
var errChanged = errors.New("it is replaced or changed while it is opened")

// open is one attempt of Open.
func open(path string, o Options) (*Store, error) {
	switch err := look(path); {
	case errors.Is(err, fs.ErrNotExist) && o.MustExist:
		return nil, ErrMissing
	case errors.Is(err, fs.ErrNotExist):
		if err := create(path, o); err != nil {
			return nil, err
		}
	case err != nil:
		return nil, err
	}
	was, err := inspect(path, o)
	if err != nil {
		return nil, err
	}
	if was.wrong != nil && !o.PreviousState {
		return nil, was.wrong
	}
	size := int64(was.pages) * was.pageSize
	s := &Store{path: path, pageSize: int(was.pageSize), totals: was.totals}
	settings := bbolt.Options{
		NoSync: o.sync != nil, NoGrowSync: o.sync != nil, InitialMmapSize: mapped(size), Timeout: o.timeout(),
	}
	s.db, s.file, err = bolt(path, settings)
	if errors.Is(err, syscall.ENOMEM) { // the process may not have so many addresses
		settings.InitialMmapSize = 0
		s.db, s.file, err = bolt(path, settings)
	}
	if err != nil {
		return nil, err
	}
	s.close = sync.OnceValue(s.release)
	if err := s.settle(was, o); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// look says why a path cannot be that of a Store.
func look(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(path); err == nil {
			return errors.New("it is a link to what does not exist")
		}
	}
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return errors.New("it is a folder")
	case !info.Mode().IsRegular():
		return errors.New("it is not a regular file")
	case info.Size() == 0:
		return &DamageError{Page: -1, What: "it is empty, which no Store's file ever is"}
	}
	return nil
}

// inspect verifies a file, under a lock that nobody writes with.
func inspect(path string, o Options) (contents, error) {
	db, f, err := bolt(path, bbolt.Options{ReadOnly: true, Timeout: o.timeout()})
	if err == nil {
		defer db.Close()
		return verifyFile(f)
	}
	if errors.Is(err, errBolt) {
		// Nobody can write to what bbolt does not take. What is wrong is said better here.
		if f, err := os.Open(path); err == nil {
			defer f.Close()
			if _, err := verifyFile(f); err != nil {
				return contents{}, err
			}
		}
	}
	return contents{}, err
}

// errBolt is wrapped by what says that bbolt opened the file, and did not take it.
var errBolt = errors.New("bbolt cannot read it")

// bolt opens a file that there is, which path names once it is locked.
func bolt(path string, o bbolt.Options) (db *bbolt.DB, f *os.File, err error) {
	o.FreelistType = bbolt.FreelistMapType
	o.OpenFile = func(path string, flag int, mode os.FileMode) (*os.File, error) {
		var err error
		f, err = os.OpenFile(path, flag&^os.O_CREATE, mode) // bbolt would make a new one of one that went
		return f, err
	}
	err = guard(func() (err error) {
		db, err = bbolt.Open(path, 0o600, &o)
		return err
	})
	switch {
	case err == nil && !names(path, f):
		return nil, nil, errors.Join(errChanged, db.Close())
	case err == nil:
		return db, f, nil
	case f == nil && errors.Is(err, fs.ErrNotExist):
		return nil, nil, errChanged
	case f == nil:
		return nil, nil, err
	case errors.Is(err, errBroken):
		leave(f)
		return nil, nil, fmt.Errorf("%w: %w", errBolt, err)
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, nil, ErrLocked
	}
	return nil, nil, fmt.Errorf("%w: %w", errBolt, err)
}

// timeout returns how long bbolt should wait, to which zero is for ever.
func (o Options) timeout() time.Duration {
	if o.LockTimeout == 0 {
		return time.Second
	}
	return max(o.LockTimeout, 1)
}

// mapped returns for how much of a file of size bytes bbolt should have room from the beginning. When it runs out of it a
// Commit waits for every Load and Backup. It is memory in name only, but for Windows, which makes the file as long.
func mapped(size int64) int {
	if runtime.GOOS == "windows" || math.MaxInt == math.MaxInt32 {
		return 0
	}
	return int(min(max(8*size, leastMapped), mostMapped))
}

const (
	leastMapped = 8 << 30
	mostMapped  = 1 << 36 // a larger file has its own size
)

// settle makes a file that has just been opened, and was verified before, ready.
func (s *Store) settle(was contents, o Options) error {
	// Between verifying and locking, others could write to it.
	now, _, err := readMetas(s.file)
	if err != nil || now != was.meta {
		return errors.Join(errChanged, err)
	}
	info, err := s.file.Stat()
	if err != nil {
		return err
	}
	s.length.Store(info.Size())
	if err := s.whole(); err != nil {
		return err
	}
	if err := s.persist(was.meta, o); err != nil {
		return err
	}
	sweep(s.path)
	if was.version < version {
		if err := s.update(func(tx *bbolt.Tx) error { return migrate(tx, was) }); err != nil {
			return err
		}
	}
	// A transaction writes one meta page: the next but one, if not the next, writes the damaged one.
	wrong := was.wrong
	for i := 0; i < 2 && wrong != nil; i++ {
		if err := s.update(func(*bbolt.Tx) error { return nil }); err != nil {
			return err
		}
		if _, wrong, err = readMetas(s.file); err != nil {
			return err
		}
	}
	return wrong
}

// persist makes the newest state, which may be in the memory of the machine only, durable: the next Commit writes over pages
// of the one before. Its process may have ended before it synced the meta page. Or the sync failed: then the page may count
// as written, and only writing it again writes it. The pages that it refers to were synced before it was written.
func (s *Store) persist(newest meta, o Options) error {
	page := make([]byte, newest.pageSize)
	for i := range int64(2) {
		offset := i * newest.pageSize
		if m, err := readMeta(s.file, offset); err != nil || m != newest {
			continue
		}
		if _, err := s.file.ReadAt(page, offset); err != nil {
			return err
		}
		if err := o.flush(s.file); err != nil { // first what it refers to: others may have made the file, and not synced it
			return err
		}
		if _, err := s.file.WriteAt(page, offset); err != nil {
			return err
		}
	}
	folder, err := openFolder(s.path)
	if err != nil {
		return err
	}
	defer folder.Close()
	return errors.Join(o.flush(s.file), flushFolder(folder, o))
}

// release closes the file.
func (s *Store) release() error {
	if s.stuck { // bbolt would wait for its own lock
		return failure(s.path, leave(s.file))
	}
	return failure(s.path, guard(s.db.Close))
}

// leave closes a file of a bbolt that is stuck, whose memory is still the file's, and would keep it locked.
func leave(f *os.File) error { return errors.Join(unlock(f), f.Close()) }

// create makes a file at path, if nobody else does meanwhile. At no time is there one that is not a whole Store.
func create(path string, o Options) error {
	f, err := partial(path)
	if err != nil {
		return err
	}
	defer f.discard()
	db, _, err := bolt(f.Name(), bbolt.Options{NoSync: o.sync != nil, NoGrowSync: o.sync != nil})
	if err != nil {
		return err
	}
	if err := errors.Join(db.Update(newFormat), db.Close()); err != nil {
		return err
	}
	if err := f.place(path, o); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

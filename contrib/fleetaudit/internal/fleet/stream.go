package fleet

import (
	"io"
	"io/fs"
	"time"
)

// stream is a file system with one file, which is read as it comes.
type stream struct{ r io.Reader }

// Open implements fs.FS.
func (s stream) Open(name string) (fs.File, error) {
	switch name {
	case ".":
		return &streamFolder{}, nil
	case stdinFile:
		return streamFile{s.r}, nil
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

type streamFile struct{ io.Reader }

func (streamFile) Stat() (fs.FileInfo, error) { return streamInfo{stdinFile, 0o400}, nil }
func (streamFile) Close() error               { return nil }

type streamFolder struct{ listed bool }

func (*streamFolder) Stat() (fs.FileInfo, error) { return streamInfo{".", fs.ModeDir | 0o500}, nil }
func (*streamFolder) Close() error               { return nil }
func (*streamFolder) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: ".", Err: fs.ErrInvalid}
}

// ReadDir implements fs.ReadDirFile.
func (d *streamFolder) ReadDir(n int) ([]fs.DirEntry, error) {
	if d.listed {
		if n > 0 {
			return nil, io.EOF
		}
		return nil, nil
	}
	d.listed = true
	return []fs.DirEntry{fs.FileInfoToDirEntry(streamInfo{stdinFile, 0o400})}, nil
}

type streamInfo struct {
	name string
	mode fs.FileMode
}

func (i streamInfo) Name() string      { return i.name }
func (streamInfo) Size() int64         { return 0 }
func (i streamInfo) Mode() fs.FileMode { return i.mode }
func (streamInfo) ModTime() time.Time  { return time.Time{} }
func (i streamInfo) IsDir() bool       { return i.mode.IsDir() }
func (streamInfo) Sys() any            { return nil }

package fleet

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
)

// Digest tells two states of files and folders apart.
type Digest [sha256.Size]byte

// Look returns the Digest of all that paths lead to, which is looked at and not read: of names, sizes, times, modes
// and, where there are any, inodes. Links are followed as [inventory.Load] follows them. What cannot be looked at, or
// does not exist, is part of the Digest. The error is the cause of ctx.
func Look(ctx context.Context, paths []string) (Digest, error) {
	l := looker{hash: sha256.New(), visited: make(map[string]bool)}
	for _, path := range paths {
		l.links = append(l.links, path)
		for len(l.links) > 0 {
			if ctx.Err() != nil {
				return Digest{}, context.Cause(ctx)
			}
			link := l.links[0]
			l.links = l.links[1:]
			l.follow(ctx, link)
		}
	}
	if ctx.Err() != nil {
		return Digest{}, context.Cause(ctx)
	}
	return Digest(l.hash.Sum(nil)), nil
}

// looker is one look.
type looker struct {
	hash    hash.Hash
	line    []byte
	links   []string        // to be followed
	visited map[string]bool // folders, by their names without links
}

// follow looks at what a path leads to.
func (l *looker) follow(ctx context.Context, path string) {
	info, err := os.Stat(path)
	l.note(path, info, err)
	if err != nil || !info.IsDir() {
		return
	}
	real, err := filepath.EvalSymlinks(path)
	if err == nil {
		real, err = filepath.Abs(real)
	}
	if err != nil {
		l.note(path, nil, err)
		return
	}
	l.folder(ctx, path, real)
}

// folder looks at what is in a folder.
func (l *looker) folder(ctx context.Context, path, real string) {
	if l.visited[real] {
		return
	}
	l.visited[real] = true
	entries, err := os.ReadDir(path)
	if err != nil {
		l.note(path, nil, err)
	}
	for _, entry := range entries {
		if ctx.Err() != nil {
			return
		}
		name := filepath.Join(path, entry.Name())
		info, err := entry.Info()
		l.note(name, info, err)
		switch {
		case entry.IsDir():
			l.folder(ctx, name, filepath.Join(real, entry.Name()))
		case entry.Type()&fs.ModeSymlink != 0:
			l.links = append(l.links, name)
		}
	}
}

// note makes what was seen of a path part of the Digest.
func (l *looker) note(path string, info fs.FileInfo, err error) {
	b := appendText(l.line[:0], path)
	if err != nil {
		b = appendText(b, err.Error())
	} else {
		b = binary.BigEndian.AppendUint32(b, uint32(info.Mode()))
		b = binary.BigEndian.AppendUint64(b, inode(info))
		// What is in a folder is looked at itself. That something was there in between does not matter.
		if !info.IsDir() {
			b = binary.BigEndian.AppendUint64(b, uint64(info.Size()))
			b = binary.BigEndian.AppendUint64(b, uint64(info.ModTime().UnixNano()))
		}
	}
	l.hash.Write(b)
	l.line = b
}

func appendText(b []byte, text string) []byte {
	return append(binary.BigEndian.AppendUint64(b, uint64(len(text))), text...)
}

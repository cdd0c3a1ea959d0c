package inventory

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"unicode/utf8"
)

// folder is the reading of one file system.
type folder struct {
	*Loader
	fsys    fs.FS
	root    string // stands in front of names
	visited []fs.FileInfo
	links   []string
}

// read reads everything. Links come last, so that what they lead to goes by its own name.
func (f *folder) read(ctx context.Context) error {
	if err := f.walk(ctx, "."); err != nil {
		return err
	}
	for len(f.links) > 0 {
		name := f.links[0]
		f.links = f.links[1:]
		if err := f.entry(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

func (f *folder) walk(ctx context.Context, root string) error {
	return fs.WalkDir(f.fsys, root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			f.unread(name, err)
		case d.IsDir():
			if info, err := fs.Stat(f.fsys, name); err == nil {
				f.visited = append(f.visited, info)
			}
		case d.Type()&fs.ModeSymlink != 0:
			f.links = append(f.links, name)
		default:
			return f.entry(ctx, name)
		}
		return nil
	})
}

// entry reads a file, or what a link leads to.
func (f *folder) entry(ctx context.Context, name string) error {
	info, err := fs.Stat(f.fsys, name)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		f.unread(name, err)
	case info.Mode().IsRegular():
		return f.file(ctx, name)
	case !info.IsDir():
		f.settle()
		f.problems.add(Origin{File: f.name(name)}, "is no regular file")
	// Where folders have no identity there is no operating system either: what the link leads to lies
	// in fsys, and is reached by its own name.
	case os.SameFile(info, info) &&
		!slices.ContainsFunc(f.visited, func(v fs.FileInfo) bool { return os.SameFile(v, info) }):
		return f.walk(ctx, name)
	}
	return nil
}

func (f *folder) file(ctx context.Context, name string) error {
	file, err := f.fsys.Open(name)
	if err != nil {
		f.unread(name, err)
		return nil
	}
	defer file.Close()
	return f.content(ctx, f.name(name), file, false)
}

// unread says why a file or folder cannot be read.
func (f *folder) unread(name string, err error) {
	why := cause(err)
	if !utf8.ValidString(name) {
		why = "the name is not UTF-8, so that it must be asked for by itself"
	}
	f.settle()
	f.problems.unread(Origin{File: f.name(name)}, "cannot be read: "+why)
}

// name is what a file is called in Origins.
func (f *folder) name(name string) string {
	if f.root == "" {
		return name
	}
	return filepath.Join(f.root, filepath.FromSlash(name))
}

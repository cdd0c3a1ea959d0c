// Package fleet reads the certificates and CRLs that the command line names.
package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

// Stdin is the path that stands for standard input, and the file that its resources come from.
const (
	Stdin     = "-"
	stdinFile = "stdin"
)

// Names returns paths as the resources have them that come from there.
func Names(paths []string) []string {
	names := slices.Clone(paths)
	for i, path := range paths {
		if path == Stdin {
			names[i] = stdinFile
		}
	}
	return names
}

// Load reads the files and folders that paths name, each resource once. It fails if one of them does not
// exist, if there is nothing in any of them, or with the cause of ctx.
func Load(ctx context.Context, stdin io.Reader, paths []string) (inventory.Loaded, error) {
	var all inventory.Loaded
	seen := make(map[string]inventory.Origin)
	for _, path := range paths {
		part, err := load(ctx, stdin, path)
		if err != nil {
			return all, err
		}
		merge(&all, part, seen)
	}
	if len(all.DeviceCertificates)+len(all.CACertificates)+len(all.CRLs) == 0 {
		return all, nothing(all)
	}
	return all, nil
}

// load reads one path. Whatever it waits for, it does not outlast ctx.
func load(ctx context.Context, stdin io.Reader, path string) (inventory.Loaded, error) {
	type result struct {
		loaded inventory.Loaded
		err    error
	}
	done := make(chan result, 1)
	go func() {
		var r result
		if path == Stdin {
			r.loaded, r.err = inventory.LoadFS(ctx, stream{stdin})
		} else {
			r.loaded, r.err = inventory.Load(ctx, path)
		}
		done <- r
	}()
	select {
	case r := <-done:
		return r.loaded, describe(path, r.err)
	case <-ctx.Done():
		return inventory.Loaded{}, context.Cause(ctx)
	}
}

// describe says that a path cannot be read, without the operating system's name for how it tried.
func describe(path string, err error) error {
	if e, ok := err.(*fs.PathError); ok {
		return fmt.Errorf("%s: %w", path, e.Err)
	}
	return err
}

// nothing is the error of paths that hold no resource. It says why, if there is something to say.
func nothing(all inventory.Loaded) error {
	const none = "no certificates and no CRLs were found"
	switch n := len(all.Problems); n {
	case 0:
		return errors.New(none + ": want files in PEM or DER")
	case 1:
		return fmt.Errorf("%s: %v", none, all.Problems[0])
	default:
		return fmt.Errorf("%s: %v, and %d more", none, all.Problems[0], n-1)
	}
}

// merge adds part to all, except for what has been seen.
func merge(all *inventory.Loaded, part inventory.Loaded, seen map[string]inventory.Origin) {
	again := func(id string, at inventory.Origin) bool {
		first, ok := seen[id]
		if ok {
			all.Ignored = append(all.Ignored, inventory.Problem{Origin: at, What: "second copy of " + first.String()})
			return true
		}
		seen[id] = at
		return false
	}
	for _, c := range part.DeviceCertificates {
		if !again(c.ID, c.Origin) {
			all.DeviceCertificates = append(all.DeviceCertificates, c)
		}
	}
	for _, c := range part.CACertificates {
		if !again(c.ID, c.Origin) {
			all.CACertificates = append(all.CACertificates, c)
		}
	}
	for _, c := range part.CRLs {
		if !again(c.ID, c.Origin) {
			all.CRLs = append(all.CRLs, c)
		}
	}
	all.Problems = append(all.Problems, part.Problems...)
	all.Ignored = append(all.Ignored, part.Ignored...)
}

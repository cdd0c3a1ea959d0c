// Package fleet reads the certificates and CRLs that the command line names.
package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
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
	// What does not exist is told before a large fleet has been read, or waited for.
	for _, path := range paths {
		if path != Stdin {
			if _, err := os.Stat(path); err != nil {
				return inventory.Loaded{}, describe(path, err)
			}
		}
	}
	var all inventory.Loaded
	seen, told := make(map[string]inventory.Origin), make(map[inventory.Problem]bool)
	for _, path := range paths {
		part, err := load(ctx, stdin, path)
		if err != nil {
			return all, err
		}
		merge(&all, part, seen, told)
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
			r.loaded, r.err = inventory.LoadReader(ctx, stdin, stdinFile)
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
	if len(all.Problems) == 0 {
		return errors.New(none + ": want files in PEM or DER")
	}
	first := all.Problems[0]
	err := fmt.Errorf("%s: %s: %s", none, place(first.Origin), first.What)
	if more := len(all.Problems) - 1; more > 0 {
		err = fmt.Errorf("%w, and %d more", err, more)
	}
	return err
}

// place is where something stands. Of a whole file, or its beginning, nobody needs to know the byte.
func place(at inventory.Origin) string {
	if at.Offset == 0 {
		return at.File
	}
	return at.String()
}

// merge adds part to all, except for resources that have been seen and problems that have been told: one
// path may lead to what another did.
func merge(all *inventory.Loaded, part inventory.Loaded, seen map[string]inventory.Origin, told map[inventory.Problem]bool) {
	again := func(id string, at inventory.Origin) bool {
		first, ok := seen[id]
		if ok {
			all.Ignored = append(all.Ignored, inventory.Problem{Origin: at, What: "second copy of " + place(first)})
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
	add := func(list *[]inventory.Problem, part []inventory.Problem) {
		for _, p := range part {
			if !told[p] {
				told[p] = true
				*list = append(*list, p)
			}
		}
	}
	add(&all.Problems, part.Problems)
	add(&all.Ignored, part.Ignored)
}

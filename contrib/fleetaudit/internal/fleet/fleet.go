// Package fleet reads the files and folders that the command line names.
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

// Load reads the files and folders that paths name as one fleet. It fails if one of them does not exist, if there
// is nothing in any of them, or with the cause of ctx. Whatever it waits for, it does not outlast ctx.
func Load(ctx context.Context, stdin io.Reader, paths []string) (inventory.Loaded, error) {
	// What does not exist is told before a large fleet has been read, or waited for.
	for _, path := range paths {
		if path != Stdin {
			if _, err := os.Stat(path); err != nil {
				return inventory.Loaded{}, describe(path, err)
			}
		}
	}
	return within(ctx, func() (inventory.Loaded, error) {
		var l inventory.Loader
		for _, path := range paths {
			var err error
			if path == Stdin {
				err = l.LoadReader(ctx, stdin, stdinFile)
			} else {
				err = l.Load(ctx, path)
			}
			if err != nil {
				return inventory.Loaded{}, describe(path, err)
			}
		}
		all := l.Loaded()
		if isEmpty(all.Contents) {
			return inventory.Loaded{}, nothing(all)
		}
		return all, nil
	})
}

// describe says that a path cannot be read, without the operating system's name for how it tried.
func describe(path string, err error) error {
	if e, ok := err.(*fs.PathError); ok {
		return fmt.Errorf("%s: %w", path, e.Err)
	}
	return err
}

func isEmpty(c inventory.Contents) bool {
	return len(c.DeviceCertificates)+len(c.CACertificates)+len(c.CRLs)+len(c.PolicyVersions)+len(c.IdentityPools)+
		len(c.RoleAliases)+len(c.Clients)+len(c.Accounts)+c.WeakKeys.Len() == 0
}

// nothing is the error of paths that hold no resource. It says why, if there is something to say.
func nothing(all inventory.Loaded) error {
	const none = "nothing to audit was found"
	if len(all.Problems) == 0 {
		return errors.New(none + ": want certificates and CRLs in PEM or DER, or the rest of a fleet in JSON (see fleetaudit audit --help)")
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

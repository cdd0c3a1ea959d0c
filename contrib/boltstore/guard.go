package boltstore

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// errBroken is wrapped by what guard makes of a panic.
var errBroken = errors.New("the file cannot be read any more as it was when it was opened")

// guard calls f. Bbolt reads the file as memory: where it is no longer as it was, f panics, or reads an address that is not
// there. Guard makes an error of both. Code that belongs to somebody else does not run in it.
func guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errBroken, p)
		}
	}()
	return f()
}

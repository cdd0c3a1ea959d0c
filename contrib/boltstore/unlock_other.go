//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package boltstore

import "os"

// unlock does nothing: here closing a file gives up its lock.
func unlock(*os.File) error { return nil }

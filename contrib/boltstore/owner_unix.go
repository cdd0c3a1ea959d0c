//go:build unix

package boltstore

import (
	"os"
	"syscall"
)

// giveTo gives f the owner and the group of another file.
func giveTo(f *os.File, other os.FileInfo) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	is, okIs := info.Sys().(*syscall.Stat_t)
	want, okWant := other.Sys().(*syscall.Stat_t)
	if !okIs || !okWant || is.Uid == want.Uid && is.Gid == want.Gid {
		return nil
	}
	return f.Chown(int(want.Uid), int(want.Gid))
}

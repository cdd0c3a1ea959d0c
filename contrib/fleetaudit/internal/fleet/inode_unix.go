//go:build unix

package fleet

import (
	"io/fs"
	"syscall"
)

// inode is the number that a file keeps for life: one that was put in its place has another.
func inode(info fs.FileInfo) uint64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(stat.Ino)
	}
	return 0
}

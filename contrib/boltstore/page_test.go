package boltstore_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/boltstore"
)

// file is a file whose pages are to be damaged.
type file []byte

var native = binary.NativeEndian

func (f file) page(id uint64) file    { return f[id*4096:] }
func (f file) u16(at int) uint16      { return native.Uint16(f[at:]) }
func (f file) u32(at int) uint32      { return native.Uint32(f[at:]) }
func (f file) u64(at int) uint64      { return native.Uint64(f[at:]) }
func (f file) set16(at int, v uint16) { native.PutUint16(f[at:], v) }
func (f file) set32(at int, v uint32) { native.PutUint32(f[at:], v) }
func (f file) set64(at int, v uint64) { native.PutUint64(f[at:], v) }
func (f file) key(i int) (at int)     { return 16 + 16*i + int(f.u32(16+16*i)) } // of a branch
func (f file) leaf(i int) (key, value int) {
	at := 16 + 16*i
	k := at + int(f.u32(at+4))
	return k, k + int(f.u32(at+8))
}
func (f file) newer() file {
	if f.page(1).u64(16+48) > f.page(0).u64(16+48) {
		return f.page(1)
	}
	return f
}

// root returns the number of a table's root.
func (f file) root(table string) uint64 {
	root := f.page(f.newer().u64(16 + 16))
	for i := range int(root.u16(10)) {
		if key, value := root.leaf(i); string(root[key:value]) == table {
			return root.u64(value)
		}
	}
	return 0
}

// TestDamagedPages damages one thing of the tree, each of which bbolt takes without a word or falls over.
func TestDamagedPages(t *testing.T) {
	made := newSample(t)
	pages := made.used / 4096
	at := file(made.file)
	freelist := at.newer().u64(16 + 32)
	audit := at.root("audit") // a branch
	first := at.page(audit).u64(16 + 8)
	for _, row := range []struct {
		name   string
		damage func(f file)
		want   string
	}{
		{"a branch that is its own child", func(f file) { f.page(audit).set64(16+8, audit) }, "two refer to it"},
		{"one child twice", func(f file) { f.page(audit).set64(32+8, first) }, "two refer to it"},
		{"a child that is the list of free pages", func(f file) { f.page(audit).set64(16+8, freelist) }, "it is of the kind 0x10"},
		{"a child that is a meta page", func(f file) { f.page(audit).set64(16+8, 1) }, "it refers to page 1 of "},
		{"a child past the end", func(f file) { f.page(audit).set64(16+8, uint64(pages)) }, "it refers to page "},
		{"a page with another's number", func(f file) { f.page(first).set64(0, first+1) }, "it says that it is page "},
		{"a page of no kind", func(f file) { f.page(first).set16(8, 3) }, "it is of the kind 0x3"},
		{"a branch for a leaf", func(f file) { f.page(first).set16(8, 1) }, "does not lie where it should"},
		{"a page that goes on past the end", func(f file) { f.page(first).set32(12, 1<<30) }, "it goes on for 1073741824 pages"},
		{"a page that goes on in another", func(f file) {
			f.page(first).set32(12, uint32(pages)-uint32(first)-1)
		}, "two refer to it"},
		{"a branch of nothing", func(f file) { f.page(audit).set16(10, 0) }, "it is a branch with 0 elements"},
		{"an element less", func(f file) {
			f.page(first).set16(10, f.page(first).u16(10)-1)
		}, "element 0 does not lie where it should"},
		{"more elements than fit", func(f file) { f.page(first).set16(10, 4000) }, "4000 elements do not fit in 4096 bytes"},
		{"an element somewhere else", func(f file) { f.page(first).set32(16+4, 8) }, "element 0 does not lie where it should"},
		{"an element without a key", func(f file) { f.page(first).set32(16+8, 0) }, "element 0 does not lie where it should"},
		{"an element with a long value", func(f file) {
			f.page(first).set32(16+12, 1<<31)
		}, "element 0 does not lie where it should"},
		{"an element with flags", func(f file) { f.page(first).set32(16, 2) }, "element 0 has the flags 0x2"},
		{"keys out of order in a leaf", func(f file) {
			k, _ := f.page(first).leaf(1)
			f.page(first)[k] = ' '
		}, "the key of element 1 is out of order"},
		{"a key past the last of its leaf", func(f file) {
			k, _ := f.page(first).leaf(0)
			f.page(first)[k] = 'z'
		}, "the key of element 0 is out of order"},
		{"keys out of order in a branch", func(f file) { f.page(audit)[f.page(audit).key(1)] = 'z' }, "is out of order"},
		{"a leaf that begins before its branch says", func(f file) {
			f.page(audit)[f.page(audit).key(0)] = '1'
			f.page(audit)[f.page(audit).key(1)] = '2'
		}, "is out of order"},
		{"a free page that is in use", func(f file) { f.page(freelist).set64(16, first) }, "free pages"},
		{"a free page less", func(f file) {
			f.page(freelist).set16(10, f.page(freelist).u16(10)-1)
		}, "neither in use nor in the list of free pages"},
		{"free pages out of order", func(f file) {
			f.page(freelist).set64(16+8, f.page(freelist).u64(16))
		}, "the list of free pages has "},
		{"more free pages than fit", func(f file) { f.page(freelist).set16(10, 0xFFFE) }, "65534 free pages do not fit"},
		{"many more", func(f file) {
			f.page(freelist).set16(10, 0xFFFF)
			f.page(freelist).set64(16, 1<<62)
		}, "free pages do not fit"},
		{"a list of free pages that is none", func(f file) { f.page(freelist).set16(8, 2) }, "it is of the kind 0x2"},
		{"a table without a root", func(f file) {
			root := f.page(f.newer().u64(16 + 16))
			for i := range int(root.u16(10)) {
				if _, value := root.leaf(i); root.u64(value) == audit {
					root.set64(value, 0)
				}
			}
		}, `table "audit" has no root`},
	} {
		damaged := bytes.Clone(made.file)
		row.damage(damaged)
		require.NotEqual(t, made.file, damaged, row.name)
		require.False(t, opened(t, row.name, damaged, made.rows), row.name)
		path := filepath.Join(t.TempDir(), "store")
		require.NoError(t, os.WriteFile(path, damaged, 0o600))
		require.ErrorContains(t, boltstore.Verify(path, unsynced), row.want, row.name)
	}
}

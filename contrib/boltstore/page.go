package boltstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/bits"
	"slices"
)

// What is here and in verify.go knows how bbolt lays out its file, version 2: pages of one size, each with a head, numbers
// in the order of bytes of the machine. Page 0 and 1 are metas, written in turns; the newer is the root of a tree of
// branches, leaves and, in leaves, buckets, which are trees too, or a leaf in place. A page may go on in those after it.
// All of it is read with ReadAt, and nothing is believed.

// Kinds of pages.
const (
	branchPage   = 0x01
	leafPage     = 0x02
	freelistPage = 0x10
)

const (
	pageHead    = 16 // number 8, kind 2, count 2, how many pages it goes on 4
	elementSize = 16 // leaf: flags 4, position 4, key 4, value 4; branch: position 4, key 4, page 8
	metaSize    = 64
	bucketHead  = 16 // root 8, sequence 8
	bucketFlag  = 0x01
	leastPage   = 1 << 10
	mostPage    = 1 << 24
)

var native = binary.NativeEndian

// damage makes a DamageError of a page.
func damage(page uint64, format string, args ...any) *DamageError {
	return &DamageError{Page: int64(page), What: fmt.Sprintf(format, args...)}
}

// meta is what a meta page says.
type meta struct {
	pageSize int64
	root     uint64
	freelist uint64
	pages    uint64 // how many have been used ever
	txid     uint64
}

// readMeta reads the meta page at an offset. It takes what bbolt would take, so that both use the same one.
func readMeta(f io.ReaderAt, offset int64) (meta, error) {
	var b [pageHead + metaSize]byte
	if _, err := f.ReadAt(b[:], offset); err != nil {
		return meta{}, fmt.Errorf("the meta page cannot be read: %w", err)
	}
	h := fnv.New64a()
	h.Write(b[pageHead : pageHead+metaSize-8])
	m := b[pageHead:]
	switch {
	case native.Uint32(m) != 0xED0CDAED || native.Uint32(m[4:]) != 2:
		return meta{}, errors.New("not a meta page of bbolt's format 2")
	case native.Uint64(m[metaSize-8:]) != h.Sum64():
		return meta{}, errors.New("the checksum of the meta page is not that of what it says")
	}
	return meta{
		pageSize: int64(native.Uint32(m[8:])), root: native.Uint64(m[16:]), freelist: native.Uint64(m[32:]),
		pages: native.Uint64(m[40:]), txid: native.Uint64(m[48:]),
	}, nil
}

// readMetas reads both meta pages, and returns the newer one. If one is damaged the other is returned, with what is wrong:
// then there may have been a newer one.
func readMetas(f io.ReaderAt) (newer meta, wrong, err error) {
	const lone = "; if the other page may do, which may lack the last Commit, set Options.PreviousState"
	a, errA := readMeta(f, 0)
	if errA != nil {
		for size := int64(leastPage); size <= mostPage; size *= 2 {
			if b, err := readMeta(f, size); err == nil && b.pageSize == size {
				return b, damage(0, "%v"+lone, errA), nil
			}
		}
		return meta{}, nil, damage(0, "neither it nor page 1 is a meta page: %v", errA)
	}
	if s := a.pageSize; s < leastPage || s > mostPage || bits.OnesCount64(uint64(s)) != 1 {
		return meta{}, nil, damage(0, "it says that pages have %d bytes", s)
	}
	b, errB := readMeta(f, a.pageSize)
	switch {
	case errB != nil:
		return a, damage(1, "%v"+lone, errB), nil
	case a.pageSize != b.pageSize:
		return meta{}, nil, damage(1, "it says that pages have %d bytes, and page 0 says %d", b.pageSize, a.pageSize)
	case !next(a.txid, 0, b.txid) && !next(b.txid, 1, a.txid):
		wrong = damage(1, "it is of transaction %d, which is not next to page 0's %d"+lone, b.txid, a.txid)
	}
	if b.txid > a.txid {
		a = b
	}
	return a, wrong, nil
}

// next tells whether the transaction that a page is of is just before that of the other page. Page 0 has the even ones. But
// in a backup they may be exchanged, and then the first Commit writes over the newer one: the other says the same.
func next(older, page, newer uint64) bool {
	return older+1 == newer || older+2 == newer && older%2 != page
}

// element is one of a leaf or a branch. It shares the memory of the page.
type element struct {
	key    []byte
	value  []byte // of a leaf
	bucket bool   // of a leaf
	child  uint64 // of a branch
}

// elements returns the elements of a leaf or a branch, all of it, whose keys ascend, from lo to before hi, where those are
// not nil. Appends to into.
func elements(into []element, b []byte, leaf bool, lo, hi []byte) ([]element, error) {
	count := int(native.Uint16(b[10:]))
	at := uint64(pageHead + count*elementSize)
	if at > uint64(len(b)) {
		return nil, fmt.Errorf("%d elements do not fit in %d bytes", count, len(b))
	}
	for i := range count {
		start := pageHead + i*elementSize
		head := b[start : start+elementSize]
		var e element
		var pos, ksize, vsize uint64
		if leaf {
			flags := native.Uint32(head)
			pos, ksize, vsize = uint64(native.Uint32(head[4:])), uint64(native.Uint32(head[8:])), uint64(native.Uint32(head[12:]))
			if e.bucket = flags == bucketFlag; flags > bucketFlag {
				return nil, fmt.Errorf("element %d has the flags %#x", i, flags)
			}
		} else {
			pos, ksize, e.child = uint64(native.Uint32(head)), uint64(native.Uint32(head[4:])), native.Uint64(head[8:])
		}
		// One after the other, as bbolt writes them: so no two share their bytes.
		if uint64(start)+pos != at || ksize == 0 || at+ksize+vsize > uint64(len(b)) {
			return nil, fmt.Errorf("element %d does not lie where it should", i)
		}
		e.key, e.value = b[at:at+ksize:at+ksize], b[at+ksize:at+ksize+vsize:at+ksize+vsize]
		at += ksize + vsize
		if i == 0 && lo != nil && bytes.Compare(e.key, lo) < 0 || i > 0 && bytes.Compare(e.key, into[len(into)-1].key) <= 0 ||
			hi != nil && bytes.Compare(e.key, hi) >= 0 {
			return nil, fmt.Errorf("the key of element %d is out of order", i)
		}
		into = append(into, e)
	}
	return into, nil
}

// pageSet is a set of numbers of pages.
type pageSet []uint64

func newPageSet(n uint64) pageSet { return make(pageSet, (n+63)/64) }

// add adds a page, and tells whether it was not there.
func (s pageSet) add(page uint64) bool {
	was := s[page/64]
	s[page/64] |= 1 << (page % 64)
	return s[page/64] != was
}

// missing returns the first page that is not there.
func (s pageSet) missing() uint64 {
	for i, word := range s {
		if word != ^uint64(0) {
			return uint64(i*64 + bits.TrailingZeros64(^word))
		}
	}
	return uint64(len(s) * 64)
}

// grown returns b with n bytes, of which the first are those of b.
func grown(b []byte, n int) []byte { return slices.Grow(b, max(0, n-len(b)))[:n] }

package findings

import (
	"hash/maphash"
	"slices"
)

// union is the findings of some runs of one check, each fingerprint once: where several segments hold
// it, that of the first. A row is a finding's place among all of them.
type union struct {
	words    *words
	seed     maphash.Seed
	segments []*segment
	bases    []uint32 // the row of each segment's first finding
	size     uint32   // how many rows there are
	again    bitmap   // the rows whose fingerprint has come before; nil: there are none
	byKey    index    // empty until it is needed
	next     uint32   // the row after the one found last
}

func newUnion(w *words, seed maphash.Seed, segments []*segment) *union {
	u := &union{words: w, seed: seed}
	for _, s := range segments {
		if len(s.contents) > 0 {
			u.segments, u.bases = append(u.segments, s), append(u.bases, u.size)
			u.size += uint32(len(s.contents))
		}
	}
	if len(u.segments) > 1 { // one run alone has each fingerprint once
		u.again = newBitmap(u.size)
		u.index()
	}
	return u
}

func (u *union) index() {
	u.byKey = newIndex(int(u.size))
	for row := range u.size {
		k := u.key(row)
		if u.again != nil {
			if _, ok := u.lookUp(k); ok {
				u.again.set(row)
				continue
			}
		}
		u.byKey.put(k.hash(u.seed), row)
	}
}

// place returns the finding of a row.
func (u *union) place(row uint32) (*segment, uint32) {
	i, found := slices.BinarySearch(u.bases, row)
	if !found {
		i--
	}
	return u.segments[i], row - u.bases[i]
}

func (u *union) key(row uint32) key {
	s, i := u.place(row)
	return u.words.contents.at(s.contents[i]).key()
}

func (u *union) lookUp(k key) (row uint32, ok bool) {
	return u.byKey.find(k.hash(u.seed), func(row uint32) bool { return u.key(row) == k })
}

// find returns the row of a fingerprint. Runs mostly find the same in the same order, so it tries the
// next row first, and makes the index only when that is not so.
func (u *union) find(k key) (row uint32, ok bool) {
	row, ok = u.next, u.next < u.size && !u.again.has(u.next) && u.key(u.next) == k
	if !ok && u.size > 0 {
		if u.byKey.n == 0 {
			u.index()
		}
		row, ok = u.lookUp(k)
	}
	if ok {
		u.next = row + 1
	}
	return row, ok
}

// each calls visit for every fingerprint, in order, until it returns false, which each then returns.
func (u *union) each(visit func(row uint32, s *segment, i uint32) bool) bool {
	row := uint32(0)
	for _, s := range u.segments {
		for i := range uint32(len(s.contents)) {
			if !u.again.has(row) && !visit(row, s, i) {
				return false
			}
			row++
		}
	}
	return true
}

// bitmap is a set of rows. A nil bitmap is empty.
type bitmap []uint64

func newBitmap(size uint32) bitmap { return make(bitmap, (uint64(size)+63)/64) }

func (b bitmap) set(row uint32)      { b[row/64] |= 1 << (row % 64) }
func (b bitmap) has(row uint32) bool { return b != nil && b[row/64]&(1<<(row%64)) != 0 }

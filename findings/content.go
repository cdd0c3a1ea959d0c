package findings

import (
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"slices"
)

// content is what a finding says, apart from what its check run says for all of them: numbers of texts.
type content struct {
	resource uint32 // the encoded identifier
	kind     uint32 // the resource type
	code     uint32
	reason   uint32
	detail   uint32 // the encoded additional information and related resources
}

func (c *content) hash(seed maphash.Seed) uint32 { return uint32(maphash.Comparable(seed, *c) >> 32) }

// words holds each distinct text and each distinct content once. A copy is a snapshot of it.
type words struct {
	contents column[content]
	places   column[uint64] // of the texts: page<<32 | offset
	pages    [][]byte       // a text is its length as a uvarint, then its bytes
}

// pageSize is the size of a page in bytes. A text that takes more than a quarter of it gets a page of
// its own, so that little is left over at the ends of pages.
const pageSize = 64 << 10

// text returns a text as it is stored: it must not be changed, and be copied before it is given out.
func (w *words) text(i uint32) []byte {
	place := *w.places.at(i)
	b := w.pages[place>>32][uint32(place):]
	size, n := binary.Uvarint(b)
	return b[n : n+int(size)]
}

// repeats marks the findings whose resource and reason code an earlier one of the same run has, given
// the run's contents and its entries in order; nil: there are none.
func (w *words) repeats(contents []uint32, entries []uint64) (marked []bool) {
	inOrder := func(a, b uint64) int {
		c, d := w.contents.at(contents[uint32(a)]), w.contents.at(contents[uint32(b)])
		return cmp.Or(cmp.Compare(c.resource, d.resource), cmp.Compare(c.code, d.code))
	}
	var group []uint64
	for len(entries) > 0 {
		n := 1
		for n < len(entries) && entries[n]>>32 == entries[0]>>32 {
			n++
		}
		if n > 1 {
			group = append(group[:0], entries[:n]...)
			slices.SortStableFunc(group, inOrder)
			for i, e := range group[1:] {
				if inOrder(group[i], e) == 0 {
					if marked == nil {
						marked = make([]bool, len(contents))
					}
					marked[uint32(e)] = true
				}
			}
		}
		entries = entries[n:]
	}
	return marked
}

package findings

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
)

// dictionary is the writer's side of words: it finds what is there already.
type dictionary struct {
	words
	seed       maphash.Seed
	hashes     column[uint32] // of the texts
	byText     index
	leading    column[uint32] // by text: the first content of that resource, plus one; 0: there is none
	others     index          // of the contents that are not the first of their resource
	page, used int            // the page being filled, and up to where
}

// intern returns the number of a text.
func (d *dictionary) intern(b []byte) uint32 {
	hash := hashOf(d.seed, b)
	i, ok := d.byText.find(hash, func(i uint32) bool { return bytes.Equal(d.text(i), b) })
	if !ok {
		i = d.places.append(d.store(b))
		d.hashes.append(hash)
		d.leading.append(0)
		d.byText.add(i, func(i uint32) uint32 { return *d.hashes.at(i) })
	}
	return i
}

func (d *dictionary) store(b []byte) (place uint64) {
	var head [binary.MaxVarintLen64]byte
	n := binary.PutUvarint(head[:], uint64(len(b)))
	size := n + len(b)
	page, used := d.page, d.used
	switch {
	case size > pageSize/4:
		page, used = len(d.pages), 0
		d.pages = append(d.pages, make([]byte, size))
	case len(d.pages) == 0 || used+size > pageSize:
		page, used = len(d.pages), 0
		d.pages = append(d.pages, make([]byte, pageSize))
		fallthrough
	default:
		d.page, d.used = page, used+size
	}
	room := d.pages[page][used:]
	copy(room, head[:n])
	copy(room[n:], b)
	return uint64(page)<<32 | uint64(used)
}

// content returns the number of a content, and whether it is a new one. Most resources have one alone,
// which needs no look-up; the others share an index, so that a resource may have any number of them.
func (d *dictionary) content(c content) (i uint32, added bool) {
	leading := d.leading.at(c.resource)
	if *leading == 0 {
		i = d.contents.append(c)
		*leading = i + 1
		return i, true
	}
	if *d.contents.at(*leading - 1) == c {
		return *leading - 1, false
	}
	i, ok := d.others.find(c.hash(d.seed), func(i uint32) bool { return *d.contents.at(i) == c })
	if !ok {
		i = d.contents.append(c)
		d.others.add(i, func(i uint32) uint32 { return d.contents.at(i).hash(d.seed) })
	}
	return i, !ok
}

// fits says whether n more findings can be numbered.
func (d *dictionary) fits(n int) bool {
	return uint64(d.contents.n)+uint64(n) < 1<<32 && uint64(d.places.n)+5*uint64(n) < 1<<32
}

// keep returns a dictionary of the contents that the segments use, and the new numbers of those and of
// their texts. When they use them all, it is d itself, and there are no new numbers.
func (d *dictionary) keep(segments []*segment) (kept *dictionary, contents, texts []uint32) {
	used := make([]bool, d.contents.n)
	n := 0
	for _, s := range segments {
		for _, c := range s.contents {
			if !used[c] {
				used[c] = true
				n++
			}
		}
	}
	if n == len(used) {
		return d, nil, nil
	}
	kept = &dictionary{seed: d.seed}
	contents = make([]uint32, len(used))
	texts = make([]uint32, d.places.n)
	known := make([]bool, len(texts))
	text := func(i uint32) uint32 {
		if !known[i] {
			texts[i] = kept.intern(d.text(i))
			known[i] = true
		}
		return texts[i]
	}
	for i := range used {
		if used[i] {
			c := d.contents.at(uint32(i))
			contents[i], _ = kept.content(content{text(c.resource), text(c.kind), text(c.code), text(c.reason), text(c.detail)})
		}
	}
	return kept, contents, texts
}

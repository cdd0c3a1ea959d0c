package findings

import "hash/maphash"

// column is an append-only array in chunks. Its elements never move, and a copy of a column is a
// snapshot of it: a writer that goes on appending touches nothing that the copy can reach. T holds no
// pointers, so that a garbage collection passes over the chunks.
type column[T any] struct {
	chunks []*[columnChunk]T
	n      int
}

// columnChunk is how many elements a chunk has.
const columnChunk = 1024

func (c *column[T]) at(i uint32) *T { return &c.chunks[i/columnChunk][i%columnChunk] }

func (c *column[T]) append(v T) (i uint32) {
	i = uint32(c.n)
	if c.n%columnChunk == 0 {
		c.chunks = append(c.chunks, new([columnChunk]T))
	}
	*c.at(i) = v
	c.n++
	return i
}

// hashOf is the hash by which texts are found; resources, by readers too.
func hashOf(seed maphash.Seed, text []byte) uint32 { return uint32(maphash.Bytes(seed, text) >> 32) }

// index finds the rows of a table by the hash of what they hold: a hash table with open addressing,
// 5 bytes a slot. Only the writer uses it.
type index struct {
	tags []uint8 // 0: free; otherwise the hash's top bits, so that few other rows are compared
	rows []uint32
	n    int
}

// newIndex returns an index in which n rows fit without making it grow.
func newIndex(n int) index {
	slots := 64
	for slots/8*7 < n {
		slots *= 2
	}
	return index{tags: make([]uint8, slots), rows: make([]uint32, slots)}
}

func tagOf(hash uint32) uint8 { return uint8(hash>>24) | 0x80 }

// find returns the row with that hash for which same is true.
func (x *index) find(hash uint32, same func(row uint32) bool) (row uint32, ok bool) {
	if x.n == 0 {
		return 0, false
	}
	mask, tag := uint64(len(x.tags)-1), tagOf(hash)
	for i := uint64(hash) & mask; x.tags[i] != 0; i = (i + 1) & mask {
		if x.tags[i] == tag && same(x.rows[i]) {
			return x.rows[i], true
		}
	}
	return 0, false
}

// add puts in a row, one that find does not find. hash tells the hash of any row, for when the index has
// to grow.
func (x *index) add(row uint32, hash func(row uint32) uint32) {
	if x.n >= len(x.tags)/8*7 {
		grown := newIndex(max(x.n+1, len(x.tags)))
		for i, tag := range x.tags {
			if tag != 0 {
				grown.put(hash(x.rows[i]), x.rows[i])
			}
		}
		*x = grown
	}
	x.put(hash(row), row)
}

// put puts in a row for which there is room.
func (x *index) put(hash, row uint32) {
	mask := uint64(len(x.tags) - 1)
	i := uint64(hash) & mask
	for x.tags[i] != 0 {
		i = (i + 1) & mask
	}
	x.tags[i], x.rows[i] = tagOf(hash), row
	x.n++
}

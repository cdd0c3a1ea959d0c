package findings

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

func tagOf(hash uint64) uint8 { return uint8(hash>>56) | 0x80 }

// find returns the row with that hash for which same is true.
func (x *index) find(hash uint64, same func(row uint32) bool) (row uint32, ok bool) {
	if x.n == 0 {
		return 0, false
	}
	mask, tag := uint64(len(x.tags)-1), tagOf(hash)
	for i := hash & mask; x.tags[i] != 0; i = (i + 1) & mask {
		if x.tags[i] == tag && same(x.rows[i]) {
			return x.rows[i], true
		}
	}
	return 0, false
}

// add puts in the next row of the table, one that find does not find. The rows are numbered from zero
// in the order of add; hashOf tells their hashes again, for when the index has to grow.
func (x *index) add(hash uint64, hashOf func(row uint32) uint64) {
	row := uint32(x.n)
	if x.n >= len(x.tags)/8*7 {
		slots := max(64, 2*len(x.tags))
		*x = index{tags: make([]uint8, slots), rows: make([]uint32, slots)}
		for r := range row {
			x.put(hashOf(r), r)
		}
	}
	x.put(hash, row)
}

// put puts in any row, for which there is room.
func (x *index) put(hash uint64, row uint32) {
	mask := uint64(len(x.tags) - 1)
	i := hash & mask
	for x.tags[i] != 0 {
		i = (i + 1) & mask
	}
	x.tags[i], x.rows[i] = tagOf(hash), row
	x.n++
}

package inventory

// Index is an index whose rows are the keys themselves.
type Index struct {
	index[uint64]
	keys slab[uint64]
}

func NewIndex() *Index { return &Index{index: newIndex[uint64]()} }

func (x *Index) key(n uint32) uint64 { return *x.keys.at(n) }

// Find returns the number of a key, or zero.
func (x *Index) Find(key uint64) uint32 { return x.find(key, x.key) }

// Add puts in a key that is not there.
func (x *Index) Add(key uint64) uint32 {
	n := x.keys.take()
	*x.keys.at(n) = key
	x.add(key, n)
	return n
}

// Remove takes out a key that is there.
func (x *Index) Remove(key uint64) {
	n := x.Find(key)
	x.remove(key, n)
	x.keys.give(n)
}

// Collisions returns how many keys have a hash that another key has.
func (x *Index) Collisions() int { return len(x.others) }

// Len returns how many keys are there.
func (x *Index) Len() int { return len(x.byHash) + len(x.others) }

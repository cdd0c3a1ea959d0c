package policy

// bitset is a set of small numbers.
type bitset []uint64

// newBitset makes a set for the numbers below n, which is empty.
func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

func (b bitset) set(i int)      { b[i/64] |= 1 << (i % 64) }
func (b bitset) has(i int) bool { return b[i/64]>>(i%64)&1 > 0 }

func (b bitset) add(other bitset) {
	for i, word := range other {
		b[i] |= word
	}
}

func (b bitset) remove(other bitset) {
	for i, word := range other {
		b[i] &^= word
	}
}

// meets tells whether the two have a number in common.
func (b bitset) meets(other bitset) bool {
	for i, word := range other {
		if b[i]&word > 0 {
			return true
		}
	}
	return false
}

func (b bitset) empty() bool { return !b.meets(b) }

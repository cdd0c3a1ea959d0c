package policy

// bitset is a set of small numbers.
type bitset []uint64

// newBitset makes a set for the numbers below n, which is empty. An analysis needs many that are small.
func (a *analysis) newBitset(n int) bitset {
	n = (n + 63) / 64
	if len(a.words) < n {
		a.words = make([]uint64, max(n, 32))
	}
	b := a.words[:n:n]
	a.words = a.words[n:]
	return b
}

func (b bitset) set(i int) { b[i/64] |= 1 << (i % 64) }

// fill sets the numbers below n, for which the set was made.
func (b bitset) fill(n int) {
	for i := range b {
		b[i] = ^uint64(0)
	}
	if n%64 > 0 {
		b[len(b)-1] = 1<<(n%64) - 1
	}
}

// negate makes it the set of those of the numbers below n that were not in it.
func (b bitset) negate(n int) {
	for i := range b {
		b[i] = ^b[i]
	}
	if n%64 > 0 {
		b[len(b)-1] &= 1<<(n%64) - 1
	}
}

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

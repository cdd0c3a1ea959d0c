// Package sieve holds back what is not in a set, quickly and in little memory.
package sieve

import "math/bits"

// Sieve knows of hashes whether they may be in a set. It lets every one through that was put in, and few others: with
// four hashes a word one in 130, with six one in 60. It is a Bloom filter whose bits for a hash are all in one word,
// so that a look takes one cache line. The zero value lets nothing through. Once filled it is safe for concurrent use.
type Sieve struct{ words []uint64 }

// New makes a Sieve for n hashes, with room for as many a word as said.
func New(n, perWord int) Sieve { return Sieve{make([]uint64, (n+perWord-1)/perWord)} }

// place returns the number of a hash's word, and its bits there.
func (s *Sieve) place(hash uint32) (word, mask uint64) {
	h := uint64(hash) * 0x9e3779b97f4a7c15 // the golden ratio's, as Knuth has it for multiplicative hashing
	word, _ = bits.Mul64(h, uint64(len(s.words)))
	return word, 1<<(h>>26&63) | 1<<(h>>32&63) | 1<<(h>>38&63)
}

// Put puts a hash in.
func (s *Sieve) Put(hash uint32) {
	word, mask := s.place(hash)
	s.words[word] |= mask
}

// Holds tells whether a hash may have been put in.
func (s *Sieve) Holds(hash uint32) bool {
	word, mask := s.place(hash)
	return word < uint64(len(s.words)) && s.words[word]&mask == mask
}

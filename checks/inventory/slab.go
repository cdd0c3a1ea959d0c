package inventory

import (
	"hash/maphash"
	"iter"
)

// slab holds rows that are numbered from 1 on. It grows without moving them, and a number that was given back
// is given out again.
type slab[T any] struct {
	chunks [][]T
	used   uint32 // numbers that were ever given out
	free   []uint32
}

// slabChunk is how many rows are made at once.
const slabChunk = 1024

func (s *slab[T]) at(n uint32) *T { return &s.chunks[(n-1)/slabChunk][(n-1)%slabChunk] }

// take returns the number of a row that is zero.
func (s *slab[T]) take() uint32 {
	if last := len(s.free) - 1; last >= 0 {
		n := s.free[last]
		s.free = s.free[:last]
		return n
	}
	if s.used%slabChunk == 0 {
		s.chunks = append(s.chunks, make([]T, slabChunk))
	}
	s.used++
	return s.used
}

func (s *slab[T]) give(n uint32) {
	var zero T
	*s.at(n) = zero
	s.free = append(s.free, n)
}

// len returns how many rows are taken.
func (s *slab[T]) len() int { return int(s.used) - len(s.free) }

// numbers are all that were ever given out.
func (s *slab[T]) numbers() iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for n := range s.used {
			if !yield(n + 1) {
				return
			}
		}
	}
}

// index finds the numbers of rows by their keys. A map of keys would hold again what the rows hold, so it is one of
// hashes; the few keys with a hash that another key has are in a map of their own.
type index[K comparable] struct {
	seed   maphash.Seed
	byHash map[uint32]uint32
	others map[K]uint32
}

func newIndex[K comparable]() index[K] {
	return index[K]{maphash.MakeSeed(), make(map[uint32]uint32), make(map[K]uint32)}
}

func (x *index[K]) hash(key K) uint32 { return uint32(maphash.Comparable(x.seed, key)) }

// find returns the number of the row with a key, or zero. keyOf gives the key of a number that is there.
func (x *index[K]) find(key K, keyOf func(uint32) K) uint32 {
	if n := x.byHash[x.hash(key)]; n != 0 && keyOf(n) == key {
		return n
	}
	return x.others[key]
}

// add puts in a number that is not there.
func (x *index[K]) add(key K, n uint32) {
	if hash := x.hash(key); x.byHash[hash] == 0 {
		x.byHash[hash] = n
	} else {
		x.others[key] = n
	}
}

// remove takes out a number that is there.
func (x *index[K]) remove(key K, n uint32) {
	if hash := x.hash(key); x.byHash[hash] == n {
		delete(x.byHash, hash)
	} else {
		delete(x.others, key)
	}
}

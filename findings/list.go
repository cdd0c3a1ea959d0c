package findings

import (
	"iter"
	"slices"
	"sort"
	"time"
)

// list holds segments in the order of listings. It is immutable: a change copies one chunk and the
// slice of chunks, so that thousands of audits do not make an append slow.
type list struct {
	chunks []*chunk
}

// chunkMax is how many segments a chunk holds at most; it is split when it would hold more.
const chunkMax = 256

type chunk struct {
	segments []*segment // never empty
	traits
}

// traits sums up what some segments hold, so that a listing passes over those with nothing for it.
type traits struct {
	first, last        time.Time // of the finding times
	active, suppressed bool      // whether there are findings that are (not) suppressed
}

func newChunk(segments []*segment) *chunk {
	c := &chunk{segments, segments[0].traits()}
	for _, s := range segments[1:] {
		t := s.traits()
		if t.first.Before(c.first) {
			c.first = t.first
		}
		if t.last.After(c.last) {
			c.last = t.last
		}
		c.active = c.active || t.active
		c.suppressed = c.suppressed || t.suppressed
	}
	return c
}

func (s *segment) traits() traits {
	return traits{
		first: s.time.Time, last: s.time.Time,
		active: len(s.flips) != 1 || s.flips[0] != 0, suppressed: len(s.flips) != 0,
	}
}

// newList takes segments that are in order.
func newList(segments []*segment) list {
	var l list
	for part := range slices.Chunk(segments, chunkMax) {
		l.chunks = append(l.chunks, newChunk(slices.Clone(part)))
	}
	return l
}

// with returns the list with one more segment in its place.
func (l list) with(s *segment) list {
	if len(l.chunks) == 0 {
		return newList([]*segment{s})
	}
	at := min(l.search(s.at(0)), len(l.chunks)-1)
	old := l.chunks[at].segments
	i, _ := slices.BinarySearchFunc(old, s, inOrder)
	grown := slices.Concat(old[:i], []*segment{s}, old[i:])
	parts := []*chunk{nil}
	if half := len(grown) / 2; len(grown) > chunkMax {
		parts = []*chunk{newChunk(grown[:half:half]), newChunk(grown[half:])}
	} else {
		parts[0] = newChunk(grown)
	}
	return list{slices.Concat(l.chunks[:at], parts, l.chunks[at+1:])}
}

// search returns the first chunk that reaches p or goes beyond it.
func (l list) search(p position) int {
	return sort.Search(len(l.chunks), func(i int) bool {
		c := l.chunks[i]
		return c.segments[len(c.segments)-1].compare(p) >= 0
	})
}

// from yields the segments that stand at p or after it, without the chunks that keep refuses.
func (l list) from(p position, keep func(*traits) bool) iter.Seq[*segment] {
	return func(yield func(*segment) bool) {
		at := l.search(p)
		for i, c := range l.chunks[at:] {
			if !keep(&c.traits) {
				continue
			}
			rest := c.segments
			if i == 0 {
				j, _ := slices.BinarySearchFunc(rest, p, (*segment).compare)
				rest = rest[j:]
			}
			for _, s := range rest {
				if !yield(s) {
					return
				}
			}
		}
	}
}

// every is a keep that refuses nothing.
func every(*traits) bool { return true }

// backward yields all segments from the last on, without the chunks that keep refuses.
func (l list) backward(keep func(*traits) bool) iter.Seq[*segment] {
	return func(yield func(*segment) bool) {
		for _, c := range slices.Backward(l.chunks) {
			if !keep(&c.traits) {
				continue
			}
			for _, s := range slices.Backward(c.segments) {
				if !yield(s) {
					return
				}
			}
		}
	}
}

// get returns the segment of the run that p is a place of, or nil.
func (l list) get(p position) *segment {
	for s := range l.from(p, every) {
		if s.compare(p) == 0 {
			return s
		}
		break
	}
	return nil
}

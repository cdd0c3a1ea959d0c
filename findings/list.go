package findings

import (
	"iter"
	"slices"
	"sort"
	"time"
)

// list holds segments in the order of listings. It is immutable: a change copies the chunks that it is about and the
// slice of chunks, so that thousands of audits do not make an append slow.
type list struct {
	chunks []*chunk
}

// chunkMax is how many segments a chunk holds at most; it is split when it would hold more.
const chunkMax = 256

type chunk struct {
	segments []*segment // never empty
	room     []*segment // ends with segments; what is before them is free, if this is the first chunk
	traits
}

// traits sums up what some segments hold, so that a listing passes over those with nothing for it.
type traits struct {
	first, last        time.Time // of the finding times
	active, suppressed bool      // whether there are findings that are (not) suppressed
}

func newChunk(segments []*segment) *chunk {
	c := &chunk{segments, segments, segments[0].traits()}
	for _, s := range segments[1:] {
		c.traits = c.with(s.traits())
	}
	return c
}

// with returns the traits of some segments and some more.
func (t traits) with(u traits) traits {
	if u.first.Before(t.first) {
		t.first = u.first
	}
	if u.last.After(t.last) {
		t.last = u.last
	}
	t.active = t.active || u.active
	t.suppressed = t.suppressed || u.suppressed
	return t
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
	switch {
	case len(l.chunks) == 0:
		return newList([]*segment{s})
	case inOrder(s, l.chunks[0].segments[0]) > 0:
		return l.withAll([]*segment{s})
	}
	// New audits come first, so that it mostly is the first. It goes into the room before the others, which the lists
	// of before do not reach into; a transaction that was aborted may have left something there.
	first, rest := l.chunks[0], l.chunks[1:]
	var old []*segment
	t := s.traits()
	if len(first.segments) < chunkMax {
		old, t = first.segments, first.traits.with(t)
	} else {
		first, rest = &chunk{}, l.chunks
	}
	room := first.room
	if len(room) == len(old) {
		room = make([]*segment, min(chunkMax, 2*len(old)+4))
		copy(room[len(room)-len(old):], old)
	}
	at := len(room) - len(old) - 1
	room[at] = s
	return list{slices.Concat([]*chunk{{room[at:], room, t}}, rest)}
}

// withAll returns the list with more segments in their places. It puts them in order.
func (l list) withAll(more []*segment) list {
	if len(more) == 0 {
		return l
	}
	slices.SortFunc(more, inOrder)
	if len(l.chunks) == 0 {
		return newList(more)
	}
	var chunks []*chunk
	for rest := l.chunks; ; {
		last := len(rest) - 1
		if len(more) == 0 {
			return list{append(chunks, rest...)}
		}
		at := min(list{rest}.search(more[0].at(0)), last)
		old, n := rest[at].segments, len(more)
		if at < last {
			n, _ = slices.BinarySearchFunc(more, old[len(old)-1], inOrder)
		}
		chunks = append(chunks, rest[:at]...)
		grown := merged(old, more[:n])
		parts := (len(grown) + chunkMax - 1) / chunkMax
		for part := range slices.Chunk(grown, (len(grown)+parts-1)/parts) {
			chunks = append(chunks, newChunk(slices.Clip(part)))
		}
		rest, more = rest[at+1:], more[n:]
	}
}

// merged returns the segments of two slices that are in order.
func merged(a, b []*segment) []*segment {
	all := make([]*segment, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		n := 0
		if inOrder(a[0], b[0]) < 0 {
			n, _ = slices.BinarySearchFunc(a, b[0], inOrder)
		}
		all, a, b = append(append(all, a[:n]...), b[0]), a[n:], b[1:]
	}
	return append(append(all, a...), b...)
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

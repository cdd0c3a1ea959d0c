package findings

import (
	"cmp"
	"iter"
	"slices"
	"sort"
)

// A tier is an index from resources to findings over some segments. Its entries are sorted numbers: the
// resource's hash in the upper half, the finding's row in the lower. Rows count the findings of the
// tier's segments in the order of listings, so the findings of one resource stand together and in order.
//
// Tiers never change. Each appended run makes one; it is merged with those that are not much larger, so
// that their number stays logarithmic and each entry is copied a logarithmic number of times.
type tier struct {
	segments []*segment // in order
	bases    []uint32   // the row of each segment's first finding
	entries  []uint64
}

// tierMax is how many entries a merge makes at most: it bounds how long an append can take because of
// merging, and how much memory is held twice meanwhile.
const tierMax = 16 << 20

// bySize compares tiers so that the largest come first, as addTier keeps them.
func bySize(a, b *tier) int { return cmp.Compare(len(b.entries), len(a.entries)) }

// newTier takes entries that have the segment's indexes for rows.
func newTier(s *segment, entries []uint64) *tier {
	return &tier{[]*segment{s}, []uint32{0}, entries}
}

// sortEntries sorts the entries of one run, which are in the order of their lower halves, by radix. It changes
// entries; what it returns may be another slice.
func sortEntries(entries []uint64) []uint64 {
	if len(entries) < 256 { // not worth the tables
		slices.Sort(entries)
		return entries
	}
	const bits, mask = 11, 1<<11 - 1
	other := make([]uint64, len(entries))
	for shift := 32; shift < 64; shift += bits {
		var at [1 << bits]uint32
		for _, e := range entries {
			at[e>>shift&mask]++
		}
		sum := uint32(0)
		for i, n := range at {
			at[i] = sum
			sum += n
		}
		for _, e := range entries {
			k := e >> shift & mask
			other[at[k]] = e
			at[k]++
		}
		entries, other = other, entries
	}
	return entries
}

// addTier returns tiers with t among them, for which it merges no more than limit entries.
func addTier(tiers []*tier, t *tier, limit int) []*tier {
	n := len(tiers)
	for ; n > 0; n-- {
		last := tiers[n-1]
		if len(last.entries) >= 2*len(t.entries) || len(last.entries)+len(t.entries) > limit {
			break
		}
		t = merge(last, t)
	}
	return append(slices.Clone(tiers[:n]), t)
}

func merge(a, b *tier) *tier {
	m := &tier{segments: make([]*segment, 0, len(a.segments)+len(b.segments))}
	x, y := a.segments, b.segments
	for len(x) > 0 && len(y) > 0 {
		if inOrder(x[0], y[0]) < 0 {
			m.segments, x = append(m.segments, x[0]), x[1:]
		} else {
			m.segments, y = append(m.segments, y[0]), y[1:]
		}
	}
	m.segments = append(append(m.segments, x...), y...)
	m.number()

	m.entries = make([]uint64, 0, len(a.entries)+len(b.entries))
	p, q := mover{a.entries, a.steps(m)}, mover{b.entries, b.steps(m)}
	if len(p.steps) == 1 && len(q.steps) == 1 {
		m.entries = mergeBy(m.entries, p.entries, q.entries, uint64(p.steps[0].by), uint64(q.steps[0].by))
		return m
	}
	e, more := p.next()
	f, also := q.next()
	for more && also {
		if e < f {
			m.entries = append(m.entries, e)
			e, more = p.next()
		} else {
			m.entries = append(m.entries, f)
			f, also = q.next()
		}
	}
	for ; more; e, more = p.next() {
		m.entries = append(m.entries, e)
	}
	for ; also; f, also = q.next() {
		m.entries = append(m.entries, f)
	}
	return m
}

// mergeBy merges entries whose rows all move by one step: what mostly happens, since new audits come last.
func mergeBy(merged, a, b []uint64, stepA, stepB uint64) []uint64 {
	for len(a) > 0 && len(b) > 0 {
		if e, f := a[0]+stepA, b[0]+stepB; e < f {
			merged, a = append(merged, e), a[1:]
		} else {
			merged, b = append(merged, f), b[1:]
		}
	}
	for _, e := range a {
		merged = append(merged, e+stepA)
	}
	for _, f := range b {
		merged = append(merged, f+stepB)
	}
	return merged
}

// number gives the segments their rows.
func (t *tier) number() {
	t.bases = make([]uint32, len(t.segments))
	row := 0
	for i, s := range t.segments {
		t.bases[i] = uint32(row)
		row += len(s.contents)
	}
}

// step says where the rows at and after from go, up to the next step.
type step struct {
	from uint32
	by   uint32 // added, modulo 2^32
	gone bool
}

// steps says where the rows of t go in m, which has the segments of t in the same order, as themselves
// or not at all. Neighbours that move together make one step, so that there are few.
func (t *tier) steps(m *tier) []step {
	var steps []step
	j := 0
	for i, s := range t.segments {
		for j < len(m.segments) && inOrder(m.segments[j], s) < 0 {
			j++
		}
		next := step{from: t.bases[i], gone: true}
		if j < len(m.segments) && inOrder(m.segments[j], s) == 0 {
			next.gone, next.by = false, m.bases[j]-t.bases[i]
		}
		if n := len(steps); n == 0 || steps[n-1].by != next.by || steps[n-1].gone != next.gone {
			steps = append(steps, next)
		}
	}
	return steps
}

// mover yields entries with their rows moved.
type mover struct {
	entries []uint64
	steps   []step
}

func (m *mover) next() (e uint64, ok bool) {
	for len(m.entries) > 0 {
		e, m.entries = m.entries[0], m.entries[1:]
		at := m.steps[0]
		if len(m.steps) > 1 {
			at = m.steps[sort.Search(len(m.steps), func(i int) bool { return m.steps[i].from > uint32(e) })-1]
		}
		if !at.gone {
			return e>>32<<32 | uint64(uint32(e)+at.by), true
		}
	}
	return 0, false
}

// keep returns the tier over those of its segments that moved maps to what takes their place; nil when
// there are none.
func (t *tier) keep(moved map[*segment]*segment) *tier {
	kept := new(tier)
	for _, s := range t.segments {
		if now := moved[s]; now != nil {
			kept.segments = append(kept.segments, now)
		}
	}
	switch len(kept.segments) {
	case 0:
		return nil
	case len(t.segments):
		kept.bases, kept.entries = t.bases, t.entries
		return kept
	}
	kept.number()
	last := len(kept.segments) - 1
	kept.entries = make([]uint64, 0, int(kept.bases[last])+len(kept.segments[last].contents))
	for m := (mover{t.entries, t.steps(kept)}); ; {
		e, ok := m.next()
		if !ok {
			return kept
		}
		kept.entries = append(kept.entries, e)
	}
}

// from returns the entries of a hash for the findings that stand at p or after it.
func (t *tier) from(hash uint32, p position) []uint64 {
	i, found := slices.BinarySearchFunc(t.segments, p, (*segment).compare)
	if i == len(t.segments) {
		return nil
	}
	least := uint64(hash)<<32 + uint64(t.bases[i])
	if found {
		least += uint64(p.index)
	}
	first, _ := slices.BinarySearch(t.entries, least)
	rest := t.entries[first:]
	end := sort.Search(len(rest), func(i int) bool { return uint32(rest[i]>>32) > hash })
	return rest[:end]
}

// place returns the finding of an entry.
func (t *tier) place(e uint64) (*segment, uint32) {
	i, found := slices.BinarySearch(t.bases, uint32(e))
	if !found {
		i--
	}
	return t.segments[i], uint32(e) - t.bases[i]
}

// cursor walks through the entries of one hash in one tier.
type cursor struct {
	tier    *tier
	rest    []uint64 // after the current one
	segment *segment
	index   uint32
}

func (c *cursor) next() bool {
	if len(c.rest) == 0 {
		return false
	}
	c.segment, c.index = c.tier.place(c.rest[0])
	c.rest = c.rest[1:]
	return true
}

// entriesFrom yields, in order, the findings at p or after it whose resource has the hash.
func entriesFrom(tiers []*tier, hash uint32, p position) iter.Seq2[*segment, uint32] {
	return func(yield func(*segment, uint32) bool) {
		var cursors []*cursor
		for _, t := range tiers {
			if c := (&cursor{tier: t, rest: t.from(hash, p)}); c.next() {
				cursors = append(cursors, c)
			}
		}
		for len(cursors) > 0 {
			i := 0
			for j, c := range cursors {
				if inOrder(c.segment, cursors[i].segment) < 0 { // no segment is in two tiers
					i = j
				}
			}
			c := cursors[i]
			if !yield(c.segment, c.index) {
				return
			}
			if !c.next() {
				cursors = slices.Delete(cursors, i, i+1)
			}
		}
	}
}

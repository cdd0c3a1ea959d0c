package findings

import (
	"cmp"
	"hash/maphash"
	"slices"
)

// firsts says, for the fingerprints of one check that were first seen in an audit that is no longer
// there, which one that was. Rows hold no pointers. It never changes.
type firsts struct {
	rows    []first // sorted by resource and code
	origins []origin
}

// first is 12 bytes for one fingerprint.
type first struct {
	key
	origin uint32
}

// key is what the fingerprints of one check differ in, as numbers of texts.
type key struct{ resource, code uint32 }

func (c *content) key() key { return key{c.resource, c.code} }

func (k key) hash(seed maphash.Seed) uint32 { return uint32(maphash.Comparable(seed, k) >> 32) }

func (k key) compare(l key) int {
	return cmp.Or(cmp.Compare(k.resource, l.resource), cmp.Compare(k.code, l.code))
}

// origin is an audit's run of the check. The audit may have been dropped.
type origin struct {
	audit *audit
	seen  Sighting
}

// find returns where the fingerprint of c was first seen, if that is no longer there.
func (f *firsts) find(c *content) (origin, bool) {
	i, ok := slices.BinarySearchFunc(f.rows, c.key(), func(row first, k key) int { return row.compare(k) })
	if !ok {
		return origin{}, false
	}
	return f.origins[f.rows[i].origin], true
}

// renumbered returns f with new numbers for its texts; none are given when the old ones hold.
func (f firsts) renumbered(texts []uint32) firsts {
	if texts == nil || len(f.rows) == 0 {
		return f
	}
	moved := firsts{make([]first, len(f.rows)), f.origins}
	for i, row := range f.rows {
		moved.rows[i] = first{key{texts[row.resource], texts[row.code]}, row.origin}
	}
	moved.sort()
	return moved
}

func (f *firsts) sort() {
	slices.SortFunc(f.rows, func(a, b first) int { return a.key.compare(b.key) })
}

// carry returns what each check has to remember of the first sightings when the audits of gone are taken
// out of the view: those of the fingerprints that a run which stays has found as well.
func (v *view) carry(gone map[*audit]bool, seed maphash.Seed) map[string]firsts {
	carried := make(map[string]firsts, len(v.checks))
	var c *carrier
	for name, check := range v.checks {
		leaves := false
		for s := range check.runs.from(top(), every) {
			leaves = leaves || gone[s.audit]
		}
		if !leaves {
			carried[name] = check.firsts
			continue
		}
		if c == nil {
			c = newCarrier(&v.words, seed)
		}
		carried[name] = c.carry(*check, gone)
	}
	return carried
}

// carrier finds the first sightings of all fingerprints of a check.
type carrier struct {
	words  *words
	seed   maphash.Seed
	byKey  index    // leads to the first content of each key
	same   []uint32 // for each content, the first one that has its key
	origin []uint32 // for those: where the key was first seen; 0: nowhere so far
}

func newCarrier(w *words, seed maphash.Seed) *carrier {
	n := w.contents.n
	c := &carrier{words: w, seed: seed, byKey: newIndex(n), same: make([]uint32, n), origin: make([]uint32, n)}
	for i := range uint32(n) {
		k := w.contents.at(i).key()
		row, ok := c.find(k)
		if !ok {
			row = i
			c.byKey.put(k.hash(seed), i)
		}
		c.same[i] = row
	}
	return c
}

func (c *carrier) find(k key) (row uint32, ok bool) {
	return c.byKey.find(k.hash(c.seed), func(i uint32) bool { return c.words.contents.at(i).key() == k })
}

func (c *carrier) carry(check checkView, gone map[*audit]bool) firsts {
	clear(c.origin)
	var runs []checkRun
	origins := slices.Clone(check.firsts.origins)
	for run := range check.runs.byAudit(top()) {
		runs = append(runs, run)
		origins = append(origins, run.origin())
	}
	slices.SortFunc(origins, func(a, b origin) int { return a.audit.compare(b.audit) })
	places := make(map[*audit]uint32, len(origins)) // in origins, plus one
	for i, o := range origins {
		places[o.audit] = uint32(i + 1)
	}
	leaves := make([]bool, len(origins)+1) // or has left before
	for _, o := range check.firsts.origins {
		leaves[places[o.audit]] = true
	}
	for _, row := range check.firsts.rows {
		i, _ := c.find(row.key) // some run that is still there has found it
		c.origin[i] = places[check.firsts.origins[row.origin].audit]
	}
	var kept firsts
	for _, run := range slices.Backward(runs) { // oldest first
		place := places[run.audit()]
		leaves[place] = gone[run.audit()]
		for _, s := range run {
			for _, i := range s.contents {
				at := &c.origin[c.same[i]]
				switch {
				case *at == 0 || *at > place:
					*at = place
				case leaves[*at] && !leaves[place]:
					kept.rows = append(kept.rows, first{c.words.contents.at(i).key(), *at - 1})
					*at = place // one row is enough
				}
			}
		}
	}
	kept.rows = slices.Clone(kept.rows) // without the room that append left
	kept.origins = origins
	kept.compact()
	return kept
}

// compact sorts the rows, and takes out the origins that none of them has.
func (f *firsts) compact() {
	f.sort()
	moved := make([]uint32, len(f.origins)) // plus one
	var origins []origin
	for i := range f.rows {
		at := &f.rows[i].origin
		if moved[*at] == 0 {
			origins = append(origins, f.origins[*at])
			moved[*at] = uint32(len(origins))
		}
		*at = moved[*at] - 1
	}
	f.origins = origins
}

package findings

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sort"
)

// Loader fills an empty [Store] with the rows of its mirror, or of a [Snapshot]. Make one with [Store.Loader]. It is for one
// goroutine.
type Loader struct {
	store    *Store
	mirrored bool
	dict     *dictionary
	table    string // of the row before
	key      []byte // of the row before
	names    map[string]string
	chunks   []loadedChunk // by number
	last     int           // the chunk found last
	firsts   []*loadedFirsts
	runs     []*segment
	err      error
}

// loadedChunk is what findings say that follow each other.
type loadedChunk struct {
	number   uint64
	contents []uint32
	run      int // the last run that has it, from 1; 0: none
}

// Loader returns a Loader of a Store that has no runs. The audits of all runs have to be begun, with their Order, before
// the rows of those come. Nothing is visible before [Loader.Done].
func (s *Store) Loader() *Loader {
	return &Loader{
		store: s, mirrored: s.mirrored.Load(), dict: &dictionary{seed: s.seed}, names: make(map[string]string), last: -1,
	}
}

// Add takes in a row. Rows come in ascending order of tables, then of keys. It keeps nothing of the row. The error names
// table and key, and says what is wrong; after one there is nothing but that error any more.
func (l *Loader) Add(r Row) error {
	if l.err == nil {
		l.err = l.add(&r)
	}
	return l.err
}

func (l *Loader) add(r *Row) error {
	switch {
	case len(r.Value) == 0:
		return r.fault("has no value")
	case r.Table < l.table || r.Table == l.table && bytes.Compare(r.Key, l.key) <= 0:
		return r.fault("comes after that of table %q with key %x", l.table, l.key)
	}
	l.table, l.key = r.Table, append(l.key[:0], r.Key...)
	switch r.Table {
	case chunkTable:
		return l.chunk(r)
	case firstTable:
		return l.first(r)
	case runTable:
		return l.run(r)
	}
	return r.fault("is of no table of findings")
}

func (l *Loader) chunk(r *Row) error {
	if len(r.Key) != 8 {
		return r.fault("has a key of %d bytes, not 8", len(r.Key))
	}
	number := binary.BigEndian.Uint64(r.Key)
	if number == 0 || number > maxChunk {
		return r.fault("has number %d, not 1 to %d", number, uint64(maxChunk))
	}
	contents, err := l.dict.chunk(r)
	l.chunks = append(l.chunks, loadedChunk{number: number, contents: contents})
	return err
}

// maxChunk leaves numbers for all chunks to come.
const maxChunk = 1<<63 - 1

// find returns where in l.chunks the chunk of a number is.
func (l *Loader) find(number uint64) (at int, ok bool) {
	if at = l.last + 1; at >= len(l.chunks) || l.chunks[at].number != number {
		at = sort.Search(len(l.chunks), func(i int) bool { return l.chunks[i].number >= number })
	}
	if at == len(l.chunks) || l.chunks[at].number != number {
		return 0, false
	}
	l.last = at
	return at, true
}

// name returns the same string for equal bytes, so that runs share it.
func (l *Loader) name(b []byte) string {
	name, ok := l.names[string(b)]
	if !ok {
		name = string(b)
		l.names[name] = name
	}
	return name
}

// Done ends the Loader and makes everything visible. It is an error when a chunk belongs to no run, when a run finds
// something twice, when something was first seen that no run has found, or when the store has runs already. Then the store is
// as it was.
func (l *Loader) Done() error {
	if l.err != nil {
		return l.err
	}
	l.err = errors.New("findings: the Loader is done")
	for i := range l.chunks {
		if c := &l.chunks[i]; c.run == 0 {
			return (&Row{Table: chunkTable, Key: chunkKey(c.number)}).fault("belongs to no run")
		}
	}
	checks, err := l.checks()
	if err != nil {
		return err
	}
	s := l.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.view.Load().seq > 0 {
		return errors.New("findings: the Loader's store has runs already")
	}
	for _, run := range l.runs {
		if run.audit.ran == nil {
			return fmt.Errorf("findings: TaskID %q %w", run.audit.taskID, ErrUnknownTask)
		}
	}
	for _, run := range l.runs {
		run.audit.ran.add(run.ordinal)
	}
	if n := len(l.chunks); n > 0 {
		s.chunk = l.chunks[n-1].number
	}
	v := l.view(checks)
	s.dict = l.dict
	s.view.Store(&v)
	return nil
}

// checks verifies what only all rows together tell, and returns the firsts of the checks.
func (l *Loader) checks() (map[string]firsts, error) {
	w := &l.dict.words
	same := newCarrier(w, l.dict.seed).same
	found := make([]int, len(same)) // by what a key was found last
	for i, run := range l.runs {
		for _, c := range run.contents {
			at := &found[same[c]]
			if *at == i+1 {
				key := w.contents.at(c)
				return nil, (&Row{Table: runTable, Key: run.key()}).fault("has two findings of resource %x with reason code %q",
					w.text(key.resource), w.text(key.code))
			}
			*at = i + 1
		}
	}
	runs := make(map[string][]*segment)
	for _, run := range l.runs {
		if !run.audit.hypothetical {
			runs[run.check] = append(runs[run.check], run)
		}
	}
	checks := make(map[string]firsts)
	for i, f := range l.firsts {
		name, kept := string(f.row.Key), -1-i
		for _, run := range runs[name] {
			for _, c := range run.contents {
				found[same[c]] = kept
			}
		}
		these := firsts{make([]first, len(f.places)), f.origins}
		for i, p := range f.places {
			if found[same[p.content]] != kept {
				key := w.contents.at(p.content)
				return nil, f.row.fault("has the first sighting of resource %x with reason code %q, which no run has found",
					w.text(key.resource), w.text(key.code))
			}
			these.rows[i] = first{w.contents.at(p.content).key(), p.origin}
		}
		these.sort()
		for i := range these.rows[:max(1, len(these.rows))-1] {
			if k := these.rows[i].key; k == these.rows[i+1].key {
				return nil, f.row.fault("has two first sightings of resource %x with reason code %q", w.text(k.resource), w.text(k.code))
			}
		}
		checks[name] = these
	}
	return checks, nil
}

// view returns what readers are to see.
func (l *Loader) view(carried map[string]firsts) view {
	slices.SortFunc(l.runs, inOrder)
	var all []*segment
	checks := make(map[string]*checkSegments)
	v := view{words: l.dict.words, seq: uint64(len(l.runs)), runs: newList(l.runs), checks: make(map[string]*checkView)}
	for _, run := range l.runs {
		check := checks[run.check]
		if check == nil {
			check = new(checkSegments)
			checks[run.check] = check
		}
		if n := len(run.contents); n > 0 {
			v.count += n
			all, check.all = append(all, run), append(check.all, run)
		}
		if !run.audit.hypothetical {
			check.runs = append(check.runs, run)
		}
	}
	v.all = newList(all)
	for name, check := range checks {
		v.checks[name] = &checkView{newList(check.all), newList(check.runs), carried[name]}
	}
	v.tiers = l.dict.tiers(all, tierMax)
	return v
}

// tiers returns an index over segments that are in order. Its tiers have up to limit entries, or one segment. Few contents
// are found often, so that it is these that are sorted, and each entry is written once to where it belongs.
func (d *dictionary) tiers(segments []*segment, limit int) (tiers []*tier) {
	byHash := make([]uint64, d.contents.n)
	for i := range byHash {
		byHash[i] = uint64(*d.hashes.at(d.contents.at(uint32(i)).resource))<<32 | uint64(i)
	}
	byHash = sortEntries(byHash)
	hashes := make([]uint32, 0, len(byHash)) // each once, ascending
	places := make([]uint32, len(byHash))    // in hashes, by content
	for _, e := range byHash {
		if hash := uint32(e >> 32); len(hashes) == 0 || hashes[len(hashes)-1] != hash {
			hashes = append(hashes, hash)
		}
		places[uint32(e)] = uint32(len(hashes) - 1)
	}
	next := make([]uint32, len(hashes)) // where the next entry of a hash goes
	for len(segments) > 0 {
		n, size := 1, len(segments[0].contents)
		for n < len(segments) && size+len(segments[n].contents) <= limit {
			size += len(segments[n].contents)
			n++
		}
		t := &tier{segments: segments[:n:n], entries: make([]uint64, size)}
		t.number()
		clear(next)
		for _, s := range t.segments {
			for _, c := range s.contents {
				next[places[c]]++
			}
		}
		at := uint32(0)
		for i, n := range next {
			next[i] = at
			at += n
		}
		row := uint64(0)
		for _, s := range t.segments {
			for _, c := range s.contents {
				place := places[c]
				t.entries[next[place]] = uint64(hashes[place])<<32 | row
				next[place]++
				row++
			}
		}
		tiers = append(tiers, t)
		segments = segments[n:]
	}
	slices.SortStableFunc(tiers, bySize)
	return tiers
}

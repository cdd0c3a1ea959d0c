package findings

import (
	"bytes"
	"iter"
	"slices"
)

// Snapshot is a [Store] as it was at one moment. It is safe for concurrent use.
type Snapshot struct {
	view     *view
	mirrored bool
	size     chunkSize
}

// Snapshot returns the store as it is now. It costs nothing, however much the store holds, but keeps what is dropped
// later from being given back for as long as it is used.
func (s *Store) Snapshot() *Snapshot { return &Snapshot{s.view.Load(), s.mirrored.Load(), s.chunkSize} }

// Rows yields the rows that [Store.Loader] makes the store again of, in ascending order of tables, then of keys. They belong
// to whoever ranges. A store without [Store.Mirror] has them, too, with the chunks numbered from 1.
func (sn *Snapshot) Rows() iter.Seq[Row] {
	return func(yield func(Row) bool) {
		pieces, ok := sn.chunks(yield)
		if !ok {
			return
		}
		v := sn.view
		var names []string
		for name, check := range v.checks {
			if len(check.firsts.rows) > 0 {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		for _, name := range names {
			if !yield(Row{firstTable, []byte(name), v.firstRow(v.check(name), pieces)}) {
				return
			}
		}
		runs := slices.Collect(v.runs.from(top(), every))
		slices.SortFunc(runs, func(s, t *segment) int { return bytes.Compare(s.key(), t.key()) })
		for _, s := range runs {
			if !yield(Row{runTable, s.key(), s.row(pieces(s))}) {
				return
			}
		}
	}
}

// chunks yields the chunk rows, and tells what chunks each run is made of. It is false when yield was.
func (sn *Snapshot) chunks(yield func(Row) bool) (pieces func(*segment) []piece, ok bool) {
	v := sn.view
	if !sn.mirrored {
		return v.numbered(sn.size, yield)
	}
	numbers, places := chunkNumbers(slices.Collect(v.all.from(top(), every)), (*segment).mirrored)
	e := encoder{words: &v.words}
	for _, number := range numbers {
		e.exactly(places[number].contents())
		if !yield(Row{chunkTable, chunkKey(number), bytes.Clone(e.b)}) {
			return nil, false
		}
	}
	return (*segment).mirrored, true
}

// numbered takes all runs apart into chunks, oldest first.
func (v *view) numbered(size chunkSize, yield func(Row) bool) (pieces func(*segment) []piece, ok bool) {
	made := make(map[*segment][]piece)
	last := make(map[string]*segment) // by check
	c := chunker{encoder: encoder{size: size}}
	ok = true
	for s := range v.all.backward(every) {
		var known pieceFinder
		if before := last[s.check]; before != nil {
			known = newPieceFinder(before.contents, made[before])
		}
		made[s] = c.split(&v.words, s.contents, known, func(number uint64, value []byte) {
			ok = ok && yield(Row{chunkTable, chunkKey(number), value})
		})
		if !ok {
			return nil, false
		}
		last[s.check] = s
	}
	return func(s *segment) []piece { return made[s] }, true
}

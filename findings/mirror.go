package findings

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
)

// Mirror makes the transactions of the store tell what they change as rows ([Txn.Rows]), of which [Store.Loader] makes the
// store again elsewhere. It is called before anything else, and panics when the store has runs already.
func (s *Store) Mirror() {
	if s.view.Load().seq > 0 {
		panic("findings: Mirror of a Store that has runs")
	}
	s.mirrored.Store(true)
}

// mirror collects what a transaction changes.
type mirror struct {
	changes map[change][]byte // values; nil: the row goes
	chunks  chunker
	known   uint64 // the newest chunk of the transactions before
	runs    uint64 // how many runs these have appended
}

type change struct{ table, key string }

func newMirror(s *Store, v *view) *mirror {
	return &mirror{
		changes: make(map[change][]byte), known: s.chunk, runs: v.seq,
		chunks: chunker{encoder{size: s.chunkSize}, s.chunk},
	}
}

func (m *mirror) put(table string, key, value []byte) { m.changes[change{table, string(key)}] = value }

// remove takes a row out. One that the transactions before have not told needs no telling.
func (m *mirror) remove(table string, key []byte, told bool) {
	c := change{table, string(key)}
	delete(m.changes, c)
	if told {
		m.changes[c] = nil
	}
}

// append takes in a run, and says of what chunks it is made.
func (m *mirror) append(w *words, s, before *segment) {
	var known pieceFinder
	if before != nil {
		known = newPieceFinder(before.contents, before.pieces)
	}
	s.pieces = m.chunks.split(w, s.contents, known, func(number uint64, value []byte) {
		m.put(chunkTable, chunkKey(number), value)
	})
	m.put(runTable, s.key(), s.row(s.pieces))
}

// drop takes out what is in the runs of gone, but in none of kept. told is the view before the transaction, is what has
// become of it.
func (m *mirror) drop(gone, kept []*segment, told, is *view) {
	chunks, checks := make(map[uint64]bool), make(map[string]bool)
	for _, s := range gone {
		m.remove(runTable, s.key(), s.seq < m.runs)
		checks[s.check] = true
		for _, p := range s.pieces {
			chunks[p.chunk] = true
		}
	}
	for _, s := range kept {
		for _, p := range s.pieces {
			delete(chunks, p.chunk)
		}
	}
	for number := range chunks {
		m.remove(chunkTable, chunkKey(number), number <= m.known)
	}
	for name := range checks {
		if check := is.check(name); len(check.firsts.rows) > 0 {
			m.put(firstTable, []byte(name), is.firstRow(check, (*segment).mirrored))
		} else {
			m.remove(firstTable, []byte(name), len(told.check(name).firsts.rows) > 0)
		}
	}
}

// Rows returns what the transaction has changed so far, in ascending order of tables, then of keys, of which none comes
// twice. Without [Store.Mirror] it is nil. Keys and values may be kept, but not changed.
func (t *Txn) Rows() []Row {
	if t.over || t.mirror == nil {
		return nil
	}
	rows := make([]Row, 0, len(t.mirror.changes))
	for c, value := range t.mirror.changes {
		rows = append(rows, Row{c.table, []byte(c.key), value})
	}
	slices.SortFunc(rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.Table, b.Table), bytes.Compare(a.Key, b.Key))
	})
	return rows
}

func (s *segment) mirrored() []piece { return s.pieces }

// piece is some findings of a run that follow each other: all that a chunk has.
type piece struct {
	chunk uint64
	count uint32
}

// chunker takes runs apart into chunks. Where one ends is decided by what it holds, so that a run that differs from the
// one before in few places shares all chunks with it that are not around those.
type chunker struct {
	encoder
	newest uint64 // number
}

// split returns the pieces of a run, with as many as possible of those that are known from another run of the check. It
// hands the others to put.
func (c *chunker) split(w *words, contents []uint32, known pieceFinder, put func(number uint64, value []byte)) []piece {
	if len(contents) == 0 {
		return nil
	}
	c.words = w
	var pieces []piece
	for len(contents) > 0 {
		p, last := known.find(contents)
		// The last chunk ends with its run, and not for what it holds: it grows until it does.
		if p.count == 0 || last && int(p.count) < len(contents) {
			n := c.chunk(contents)
			if p.count != n {
				c.newest++
				p = piece{c.newest, n}
				put(p.chunk, bytes.Clone(c.b))
			}
		}
		pieces = append(pieces, p)
		contents = contents[p.count:]
	}
	return slices.Clone(pieces) // without the room that append left
}

// pieceFinder finds the pieces of a run by what they hold.
type pieceFinder struct {
	contents []uint32
	pieces   []piece
	starts   []uint32       // in contents
	next     int            // the piece after the one found last
	byFirst  map[uint32]int // from the first contents of pieces; nil until it is needed
}

func newPieceFinder(contents []uint32, pieces []piece) pieceFinder {
	return pieceFinder{contents: contents, pieces: pieces, starts: startsOf(pieces)}
}

// startsOf returns where in their run the pieces begin.
func startsOf(pieces []piece) []uint32 {
	starts, at := make([]uint32, len(pieces)), uint32(0)
	for i, p := range pieces {
		starts[i] = at
		at += p.count
	}
	return starts
}

// find returns the piece that contents begins with, and whether it is the last of its run; an empty piece: there is none.
func (f *pieceFinder) find(contents []uint32) (p piece, last bool) {
	i, ok := f.next, f.next < len(f.pieces) && f.contents[f.starts[f.next]] == contents[0]
	if !ok && len(f.pieces) > 0 {
		if f.byFirst == nil {
			f.byFirst = make(map[uint32]int, len(f.pieces))
			for i, start := range f.starts {
				f.byFirst[f.contents[start]] = i
			}
		}
		i, ok = f.byFirst[contents[0]]
	}
	if !ok {
		return piece{}, false
	}
	p = f.pieces[i]
	if start := f.starts[i]; int(p.count) > len(contents) ||
		!slices.Equal(f.contents[start:start+p.count], contents[:p.count]) {
		return piece{}, false
	}
	f.next = i + 1
	return p, i == len(f.pieces)-1
}

// chunkNumbers returns the numbers of the chunks that pieces of the segments have, ascending, and for each a place where
// one begins.
func chunkNumbers(segments []*segment, pieces func(*segment) []piece) ([]uint64, map[uint64]chunkPlace) {
	places := make(map[uint64]chunkPlace)
	for _, s := range segments {
		start := uint32(0)
		for _, p := range pieces(s) {
			if _, ok := places[p.chunk]; !ok {
				places[p.chunk] = chunkPlace{s, start, p.count}
			}
			start += p.count
		}
	}
	return slices.Sorted(maps.Keys(places)), places
}

// chunkPlace is where in a run a chunk is.
type chunkPlace struct {
	segment      *segment
	start, count uint32
}

func (p chunkPlace) contents() []uint32 { return p.segment.contents[p.start : p.start+p.count] }

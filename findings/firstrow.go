package findings

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// A first row holds the firsts of a check. After the number of its origins come these, oldest first: task id, start,
// order. Then, as long as the value lasts, where the fingerprints stand: some findings of a chunk that
// follow each other and have one origin. That is the distance from the chunk before, the distance from the end of the
// findings before if they are of the same chunk, how many findings, and the number of the origin.

// firstRow returns the value of the row of a check that has firsts. pieces tells the chunks of a run.
func (v *view) firstRow(check checkView, pieces func(*segment) []piece) []byte {
	f := &check.firsts
	order := make([]uint32, len(f.origins)) // the origins, oldest first
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(i, j uint32) int {
		a, b := f.origins[i].audit, f.origins[j].audit
		return cmp.Or(a.compare(b), cmp.Compare(a.taskID, b.taskID))
	})
	b := binary.AppendUvarint([]byte{rowVersion}, uint64(len(order)))
	places := make([]uint32, len(order))
	for place, i := range order {
		places[i] = uint32(place)
		a := f.origins[i].audit
		b = binary.AppendUvarint(appendTime(appendString(b, a.taskID), a.start), a.begun)
	}

	var runs []*segment
	for s := range check.runs.from(top(), every) {
		runs = append(runs, s)
	}
	numbers, chunks := chunkNumbers(runs, pieces)
	placed, left := newBitmap(uint32(len(f.rows))), len(f.rows)
	var last, open sighted // open is not written yet
	write := func() {
		if open.count > 0 {
			b = open.append(b, last)
			last, open = open, sighted{}
		}
	}
	for _, number := range numbers {
		for i, c := range chunks[number].contents() {
			if left == 0 {
				break
			}
			row, ok := slices.BinarySearchFunc(f.rows, v.contents.at(c).key(), func(row first, k key) int { return row.compare(k) })
			if !ok || placed.has(uint32(row)) {
				continue
			}
			placed.set(uint32(row))
			left--
			next := sighted{number, uint64(i), 1, uint64(places[f.rows[row].origin])}
			if open.count > 0 && open.chunk == number && open.end() == next.from && open.origin == next.origin {
				open.count++
				continue
			}
			write()
			open = next
		}
	}
	write()
	return b
}

// sighted is some findings of a chunk that follow each other and have one origin.
type sighted struct{ chunk, from, count, origin uint64 }

func (t sighted) end() uint64 { return t.from + t.count }

func (t sighted) append(b []byte, last sighted) []byte {
	b = binary.AppendUvarint(b, t.chunk-last.chunk)
	from := t.from
	if t.chunk == last.chunk {
		from -= last.end()
	}
	return binary.AppendUvarint(binary.AppendUvarint(binary.AppendUvarint(b, from), t.count), t.origin)
}

// loadedFirsts are the firsts of a check whose runs are still to come.
type loadedFirsts struct {
	row     Row // without its value
	origins []origin
	places  []loadedFirst
}

// loadedFirst is a fingerprint, said by one of the contents that have it.
type loadedFirst struct{ content, origin uint32 }

// first reads a first row.
func (l *Loader) first(r *Row) error {
	s := scan(r)
	f := &loadedFirsts{row: Row{Table: r.Table, Key: slices.Clone(r.Key)}}
	count := s.uvarint("number of origins")
	for i := uint64(0); i < count && s.err == nil; i++ {
		a := &audit{taskID: string(s.bytes("task id")), start: s.time("start"), begun: s.uvarint("order")}
		f.origins = append(f.origins, checkRun{{audit: a}}.origin())
		switch {
		case s.err != nil:
		case a.taskID == "" || a.begun == 0 || a.start.IsZero():
			s.fault("has origin %d with task id %q, order %d and start %v", i, a.taskID, a.begun, a.start)
		case i > 0 && f.origins[i-1].audit.compare(a) > 0:
			s.fault("has origin %d older than the one before", i)
		}
	}
	if count == 0 {
		s.fault("has no origins")
	}
	used := make([]bool, len(f.origins))
	for last := (sighted{}); len(s.rest) > 0; {
		next := sighted{last.chunk + s.uvarint("chunk"), s.uvarint("place"), s.uvarint("number of findings"), s.uvarint("origin")}
		if next.chunk == last.chunk {
			next.from += last.end()
		}
		if s.err != nil {
			break
		}
		at, ok := l.find(next.chunk)
		if !ok || next.chunk < last.chunk {
			s.fault("needs chunk %d, which is not there", next.chunk)
			break
		}
		size := uint64(len(l.chunks[at].contents))
		switch {
		case next.count == 0 || next.count > size || next.from > size-next.count:
			s.fault("has %d findings at %d of chunk %d, which has %d", next.count, next.from, next.chunk, size)
		case next.from < last.end() && next.chunk == last.chunk:
			s.fault("has findings at %d of chunk %d again", next.from, next.chunk)
		case next.origin >= count:
			s.fault("has findings with origin %d of %d", next.origin, count)
		default:
			used[next.origin] = true
			for _, c := range l.chunks[at].contents[next.from:next.end()] {
				f.places = append(f.places, loadedFirst{c, uint32(next.origin)})
			}
		}
		last = next
	}
	if i := slices.Index(used, false); i >= 0 {
		s.fault("has origin %d of no finding", i)
	}
	l.firsts = append(l.firsts, f)
	return s.err
}

package findings

import (
	"bytes"
	"encoding/binary"
	"iter"
	"time"

	"github.com/fleetaudit/fleetaudit/model"
)

// filter is a query made ready for one view.
type filter struct {
	task       bool   // only findings of audit
	audit      *audit // nil: none was asked for, or it is not there
	check      string
	resource   []byte // encoded; nil: any
	hash       uint32 // of resource
	from, to   time.Time
	suppressed *bool
	snapshot   uint64
}

func (s *Store) filter(q Query, snapshot uint64) *filter {
	f := &filter{
		task: q.TaskID != "", check: q.CheckName,
		from: model.At(q.From).Time, to: model.At(q.To).Time, // as finding times are kept
		suppressed: q.Suppressed, snapshot: snapshot,
	}
	if f.task {
		f.audit = s.audit(q.TaskID)
	}
	if q.Resource != (model.ResourceIdentifier{}) {
		f.resource = appendIdentifier(nil, &q.Resource)
		f.hash = hashOf(s.seed, f.resource)
	}
	return f
}

// top is the position from which to look for findings that meet f.
func (f *filter) top() position {
	if f.audit != nil {
		return f.audit.top()
	}
	return top()
}

// some says whether segments with the traits may have findings that meet f.
func (f *filter) some(t *traits) bool {
	return (f.from.IsZero() || !t.last.Before(f.from)) && (f.to.IsZero() || !t.first.After(f.to)) &&
		(f.suppressed == nil || *f.suppressed && t.suppressed || !*f.suppressed && t.active)
}

// takes says whether f asks for findings of the segment.
func (f *filter) takes(s *segment) bool {
	if s.seq >= f.snapshot || f.check != "" && s.check != f.check {
		return false
	}
	t := s.traits()
	return f.some(&t)
}

// rows yields the findings at p or after it that meet f. p is not before f.top().
func (v *view) rows(f *filter, p position) iter.Seq2[*segment, uint32] {
	l := v.all
	if f.check != "" {
		l = v.check(f.check).all
	}
	switch {
	case f.task && f.audit == nil:
		return func(func(*segment, uint32) bool) {}
	case f.resource != nil:
		return v.byResource(f, l, p)
	}
	return func(yield func(*segment, uint32) bool) {
		for s := range l.from(p, f.some) {
			if f.task && s.audit != f.audit {
				return
			}
			if !f.takes(s) {
				continue
			}
			i := uint32(0)
			if s.compare(p) == 0 {
				i = p.index
			}
			for i = s.next(i, f.suppressed); i < uint32(len(s.contents)); i = s.next(i+1, f.suppressed) {
				if !yield(s, i) {
					return
				}
			}
		}
	}
}

func (v *view) byResource(f *filter, l list, p position) iter.Seq2[*segment, uint32] {
	return func(yield func(*segment, uint32) bool) {
		first, last := f.bounds(l, p)
		if first == nil {
			return
		}
		if first.compare(p) > 0 {
			p = first.at(0)
		}
		for s, i := range entriesFrom(v.tiers, f.hash, p) {
			if inOrder(s, last) > 0 || f.task && s.audit != f.audit {
				return
			}
			if !f.takes(s) || f.suppressed != nil && s.suppressed(i) != *f.suppressed {
				continue
			}
			// Two resources may have the same hash.
			if !bytes.Equal(v.text(v.contents.at(s.contents[i]).resource), f.resource) {
				continue
			}
			if !yield(s, i) {
				return
			}
		}
	}
}

// bounds returns the first and the last segment of l, at p or after it, that f takes; nil: there are
// none. They keep a resource's findings of other times out of a listing of a period.
func (f *filter) bounds(l list, p position) (first, last *segment) {
	for s := range l.from(p, f.some) {
		if f.takes(s) {
			first = s
			break
		}
	}
	if first == nil {
		return nil, nil
	}
	for s := range l.backward(f.some) {
		if f.takes(s) {
			last = s
			break
		}
	}
	return first, last
}

// encode writes what the query asks for, without Limit and Token, so that different queries differ.
func (q *Query) encode() []byte {
	b := appendString(appendString(nil, q.TaskID), q.CheckName)
	b = appendIdentifier(b, &q.Resource)
	b = appendTime(appendTime(b, q.From), q.To)
	switch {
	case q.Suppressed == nil:
		return append(b, 'b')
	case *q.Suppressed:
		return append(b, 's')
	}
	return append(b, 'a')
}

func appendTime(b []byte, t time.Time) []byte {
	return binary.AppendUvarint(binary.AppendVarint(b, t.Unix()), uint64(t.Nanosecond()))
}

// appendBookmark writes the payload of a token: the snapshot, and where the next page begins.
func appendBookmark(b []byte, snapshot uint64, p position) []byte {
	b = appendTime(binary.AppendUvarint(b, snapshot), p.start)
	b = binary.AppendUvarint(b, p.begun)
	b = binary.AppendUvarint(b, uint64(p.ordinal))
	return binary.AppendUvarint(b, uint64(p.index))
}

// decodeBookmark reads what appendBookmark wrote; the seal of the token vouches for that.
func decodeBookmark(b []byte) (snapshot uint64, p position) {
	d := decoder(b)
	snapshot = d.uvarint()
	p.start = time.Unix(d.varint(), int64(d.uvarint()))
	p.begun = d.uvarint()
	p.ordinal, p.index = uint32(d.uvarint()), uint32(d.uvarint())
	return snapshot, p
}

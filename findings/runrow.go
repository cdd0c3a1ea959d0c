package findings

import (
	"encoding/binary"

	"github.com/fleetaudit/fleetaudit/model"
)

// A run row holds what a segment has besides its audit and ordinal, which are its key. Its chunks are stretches
// of consecutive numbers, each the distance from the end of the one before and the length. After them come the
// distances between the places where suppressed changes, as long as the value lasts.

// incompleteFlag is the only one of a run's flags.
const incompleteFlag = 1

// row returns the value of the run's row, given what chunks it is made of.
func (s *segment) row(pieces []piece) []byte {
	b := []byte{rowVersion, 0}
	if s.incomplete {
		b[1] = incompleteFlag
	}
	b = appendString(appendString(b, s.check), string(s.severity))
	b = appendTime(b, s.time.Time)
	var stretches []stretch
	for _, p := range pieces {
		if n := len(stretches); n > 0 && stretches[n-1].end() == p.chunk {
			stretches[n-1].count++
		} else {
			stretches = append(stretches, stretch{p.chunk, 1})
		}
	}
	b = binary.AppendUvarint(b, uint64(len(stretches)))
	end := uint64(0)
	for _, t := range stretches {
		b = binary.AppendVarint(b, int64(t.first-end))
		b = binary.AppendUvarint(b, t.count)
		end = t.end()
	}
	last := uint32(0)
	for _, at := range s.flips {
		b = binary.AppendUvarint(b, uint64(at-last))
		last = at
	}
	return b
}

// stretch is some chunks with consecutive numbers.
type stretch struct{ first, count uint64 }

func (t stretch) end() uint64 { return t.first + t.count }

// run reads a run row.
func (l *Loader) run(r *Row) error {
	if len(r.Key) != 12 {
		return r.fault("has a key of %d bytes, not 12", len(r.Key))
	}
	order, ordinal := binary.BigEndian.Uint64(r.Key), binary.BigEndian.Uint32(r.Key[8:])
	if ordinal > maxOrdinal {
		return r.fault("has ordinal %d, more than %d", ordinal, maxOrdinal)
	}
	a, ok := l.store.orders.Load(order)
	if !ok {
		return r.fault("is of an audit that was not begun, with Order %d", order)
	}
	s := scan(r)
	flags := s.byte("flags")
	if flags > incompleteFlag {
		s.fault("has flags %#x", flags)
	}
	check, severity := l.name(s.bytes("check name")), l.name(s.bytes("severity"))
	if s.err == nil && check == "" {
		s.fault("has no check name")
	}
	at := s.time("finding time")
	if now := model.At(at).Time; s.err == nil && !now.Equal(at) {
		s.fault("has a finding time that is not in milliseconds")
	}
	run := &segment{
		audit: a.(*audit), seq: uint64(len(l.runs)), ordinal: ordinal, check: check,
		severity: model.AuditFindingSeverity(severity), time: model.At(at), incomplete: flags == incompleteFlag,
	}
	l.stretches(s, run)
	for last := uint64(0); len(s.rest) > 0; {
		n := s.uvarint("changes of suppressed")
		at := last + n
		switch {
		case s.err != nil:
		case n == 0 && len(run.flips) > 0:
			s.fault("has suppressed change twice at %d", at)
		case n >= uint64(len(run.contents)) || at >= uint64(len(run.contents)):
			s.fault("has suppressed change at %d of %d findings", at, len(run.contents))
		default:
			run.flips = append(run.flips, uint32(at))
		}
		last = at
	}
	if s.err == nil {
		l.runs = append(l.runs, run)
	}
	return s.err
}

// stretches reads of which chunks a run is made.
func (l *Loader) stretches(s *scanner, run *segment) {
	var chunks []int
	end, size := uint64(0), uint64(0)
	for n := s.uvarint("number of stretches"); n > 0 && s.err == nil; n-- {
		t := stretch{end + uint64(s.varint("stretch")), s.uvarint("stretch")}
		end = t.end()
		if s.err == nil && t.count == 0 {
			s.fault("has an empty stretch at chunk %d", t.first)
		}
		for i := uint64(0); i < t.count && s.err == nil; i++ {
			at, ok := l.find(t.first + i)
			if !ok {
				s.fault("needs chunk %d, which is not there", t.first+i)
				break
			}
			c := &l.chunks[at]
			if c.run == len(l.runs)+1 {
				s.fault("has chunk %d twice", t.first+i)
			}
			c.run = len(l.runs) + 1
			chunks = append(chunks, at)
			size += uint64(len(c.contents))
		}
	}
	if size > maxFindings {
		s.fault("has %d findings, more than %d", size, uint64(maxFindings))
	}
	if s.err != nil || size == 0 {
		return
	}
	run.contents = make([]uint32, 0, size)
	if l.mirrored {
		run.pieces = make([]piece, 0, len(chunks))
	}
	for _, at := range chunks {
		c := &l.chunks[at]
		run.contents = append(run.contents, c.contents...)
		if l.mirrored {
			run.pieces = append(run.pieces, piece{c.number, uint32(len(c.contents))})
		}
	}
}

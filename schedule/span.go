package schedule

import (
	"hash/maphash"
	"math"
	"sync/atomic"
	"time"
)

// span is a stretch of time in which the clock just runs: its offset in seconds east of UTC, and the Unix
// second at which it is over.
type span struct{ offset, end int64 }

// look returns the span of a Unix second. It goes by the end that [time.Time.ZoneBounds] gives, never by
// the start: where a zone's rule takes over from its table the start may be one of the rule's and too
// early, which would hide that the clock was put back (America/Ciudad_Juarez on 2022-11-30).
func look(loc *time.Location, u int64) span {
	t := time.Unix(u, 0).In(loc)
	_, offset := t.Zone()
	_, end := t.ZoneBounds()
	s := span{int64(offset), math.MaxInt64}
	switch {
	case !end.IsZero():
		s.end = end.Unix()
	case u < firstDay*daySeconds: // the zero Time may mean itself: a rule's years begin with a span
		s.end = firstDay * daySeconds
	}
	if s.end <= u {
		// By a zone's rule each year ends after 365 days, so the 366th is said to lie behind its span's
		// end. Nothing happens before that day is over.
		s.end = (floorDays(u) + 1) * daySeconds
	}
	return s
}

// seen is the span that a look at a location showed, and the second that was looked at: what was said of it holds
// from there to the end of the span. The version is odd while another look is noted, and a new one afterwards.
type seen struct {
	version           atomic.Uint64
	loc               atomic.Pointer[time.Location]
	from, offset, end atomic.Int64
}

// lately is where locations were looked at last, and the only thing that schedules share. A look costs more than
// time.Date, and in years behind a zone's table, whose rule is read as text each time, ten times as much. What is in
// here changes no result, since the data of a Location never changes; only of a made-up zone whose table contradicts
// its rule does package time itself not always say the same. The Locations in here are not collected.
var (
	lately [128][purposes]seen
	seed   = maphash.MakeSeed()
)

// purpose is what a span is asked for. A call may ask for each, years apart, so each has a place of its own in lately.
type purpose uint64

const (
	ofAfter purpose = iota
	ofSlot
	ofAnchor
	purposes
)

// recall is look, without one where the last one for the same purpose will do.
func recall(loc *time.Location, u int64, p purpose) span {
	l := &lately[maphash.Comparable(seed, loc)%uint64(len(lately))][p]
	version := l.version.Load()
	s := span{l.offset.Load(), l.end.Load()}
	if l.loc.Load() != loc || u < l.from.Load() || s.end <= u || version%2 != 0 || l.version.Load() != version {
		s = look(loc, u)
		l.note(loc, u, s)
	}
	return s
}

// note makes s what was seen, unless another goroutine is about to note something.
func (l *seen) note(loc *time.Location, u int64, s span) {
	version := l.version.Load()
	if version%2 != 0 || !l.version.CompareAndSwap(version, version+1) {
		return
	}
	l.loc.Store(loc)
	l.from.Store(u)
	l.offset.Store(s.offset)
	l.end.Store(s.end)
	l.version.Store(version + 2)
}

package schedule

import (
	"math"
	"time"

	"github.com/fleetaudit/fleetaudit/model"
)

// maxOffset is more seconds than a zone is from UTC: RFC 8536 has -24:59:59 to +25:59:59.
const maxOffset = 26 * 60 * 60

func offsetOK(offset int64) bool { return -maxOffset < offset && offset < maxOffset }

// calendar is a valid Schedule, taken apart: a rule for the days, and a clock that strikes once a day.
//
// The hands of the clock may be put forward and back, so what it shows cannot be inverted. The furthest
// it has shown so far can: that never falls. A day's slot is the first instant by which the clock has
// shown the time of day of that day, or more. So days have their slots in the order of the days, and what
// follows an instant is settled by the last day that the clock had reached by then.
type calendar struct {
	rule   rule
	at     int64 // the time of day: whole seconds
	frac   int64 // and nanoseconds
	anchor instant
	loc    *time.Location
}

// instant is Unix time: whole seconds, and nanoseconds.
type instant struct{ sec, nsec int64 }

func (i instant) before(j instant) bool { return i.sec < j.sec || i.sec == j.sec && i.nsec < j.nsec }

// span is a stretch of time in which the clock just runs: its offset in seconds east of UTC, and the Unix
// second at which it is over.
type span struct{ offset, end int64 }

// open fills c from s, and tells whether s is valid, as far as that shows without a look at the zone.
func (c *calendar) open(s *Schedule) (ok bool) {
	if !s.anchorOK() || !s.atOK() {
		return false
	}
	c.at, c.frac = int64(s.At/time.Second), int64(s.At%time.Second)
	if c.loc = s.Location; c.loc == nil {
		c.loc = time.UTC
	}
	// Slots are later than c.anchor: so the zero Time, which says that there is no slot, is none.
	c.anchor = instant{s.Anchor.Unix(), int64(s.Anchor.Nanosecond()) - 1}
	if s.Anchor.IsZero() {
		c.anchor.nsec = 0
	} else if c.anchor.nsec < 0 {
		c.anchor = instant{c.anchor.sec - 1, 1e9 - 1}
	}

	switch s.Frequency {
	case model.AuditFrequencyDaily:
		c.rule.every = 1
		return s.DayOfMonth == "" && s.DayOfWeek == ""
	case model.AuditFrequencyWeekly, model.AuditFrequencyBiweekly:
		d, ok := parseDayOfWeek(s.DayOfWeek)
		c.rule = rule{every: 7, from: int64(d - time.Thursday)}
		if s.Frequency == model.AuditFrequencyBiweekly {
			c.rule = rule{every: 14, from: c.first()}
		}
		return ok && s.DayOfMonth == ""
	case model.AuditFrequencyMonthly:
		c.rule.dayOfMonth, ok = parseDayOfMonth(s.DayOfMonth)
		return ok && s.DayOfWeek == ""
	}
	return false
}

// first returns the first of the rule's days whose slot is later than the anchor.
func (c *calendar) first() int64 {
	utc := c.anchor.sec - c.at
	day := c.rule.next(floorDays(utc - maxOffset))
	if day > floorDays(utc+maxOffset) {
		return day // in any zone: most anchors need no look at theirs
	}
	reached, _ := c.reached(c.anchor)
	return c.rule.next(reached)
}

// bound returns t, but not before the anchor, and not so late that sums overflow.
func (c *calendar) bound(t time.Time) instant {
	i := instant{min(t.Unix(), (lastDay+3)*daySeconds), int64(t.Nanosecond())}
	if i.before(c.anchor) {
		return c.anchor
	}
	return i
}

// span returns the span of a Unix second. It goes by the end that [time.Time.ZoneBounds] gives, never by
// the start: where a zone's rule takes over from its table the start may be one of the rule's and too
// early, which would hide that the clock was put back (America/Ciudad_Juarez on 2022-11-30).
func (c *calendar) span(u int64) span {
	if c.loc == time.UTC {
		return span{0, math.MaxInt64}
	}
	t := time.Unix(u, 0).In(c.loc)
	_, offset := t.Zone()
	_, end := t.ZoneBounds()
	s := span{int64(offset), math.MaxInt64}
	if !end.IsZero() {
		s.end = end.Unix()
	}
	if s.end <= u {
		// By a zone's rule each year ends after 365 days, so the 366th is said to lie behind its span's
		// end. Nothing happens before that day is over.
		s.end = u + daySeconds - mod(u, daySeconds)
	}
	return s
}

// reached returns the last day whose slot is not later than t, or the day before year 1, and the span of
// t. What happened more than twice maxOffset before t cannot have shown more than t does.
func (c *calendar) reached(t instant) (int64, span) {
	sec := t.sec - c.at
	if t.nsec < c.frac {
		sec--
	}
	day := int64(firstDay - 1)
	s := c.span(t.sec - 2*maxOffset)
	for ; s.end <= t.sec; s = c.span(s.end) {
		day = max(day, floorDays(s.end-1-c.at+s.offset))
	}
	return min(lastDay, max(day, floorDays(sec+s.offset))), s
}

// slot returns a day's slot, for a day that was not reached at some instant of the span s.
func (c *calendar) slot(day int64, s span) time.Time {
	wall := day*daySeconds + c.at
	start := wall - maxOffset // no gap is before it, if it is in s
	for wall-s.offset >= s.end {
		start = s.end
		s = c.span(start)
	}
	if wall-s.offset < start { // the hands skipped it
		return time.Unix(start, 0).In(c.loc)
	}
	return time.Unix(wall-s.offset, c.frac).In(c.loc)
}

// merged returns how many of the slots in (a, b] there are not, because the hands skipped a day or more
// and two days have one slot. Only the days of a daily rule are that close.
func (c *calendar) merged(a, b instant) (n int64) {
	if c.rule.every != 1 {
		return 0
	}
	for s := c.span(a.sec); s.end <= b.sec; {
		next := c.span(s.end)
		if next.offset-s.offset >= daySeconds {
			before, _ := c.reached(instant{s.end - 1, 1e9 - 1})
			behind, _ := c.reached(instant{s.end, 0})
			n += max(0, behind-before-1)
		}
		s = next
	}
	return n
}

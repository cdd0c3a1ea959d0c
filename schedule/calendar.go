package schedule

import (
	"time"

	"github.com/fleetaudit/fleetaudit/model"
)

// maxOffset is more seconds than a zone is from UTC: RFC 8536 has -24:59:59 to +25:59:59.
const maxOffset = 26 * 60 * 60

func offsetOK(offset int64) bool { return -maxOffset < offset && offset < maxOffset }

// clock strikes once a day. Together with a rule for the days it is what a Schedule says.
//
// Its hands may be put forward and back, so what it shows cannot be inverted. The furthest it has shown so
// far can: that never falls. A day's slot is the first instant by which the clock has shown the time of day
// of that day, or more. So days have their slots in the order of the days, and what follows an instant is
// settled by the last day that the clock had reached by then.
type clock struct {
	at   int64 // the time of day: whole seconds
	frac int64 // and nanoseconds
	loc  *time.Location
}

// instant is Unix time: whole seconds, and nanoseconds.
type instant struct{ sec, nsec int64 }

func (i instant) before(j instant) bool { return i.sec < j.sec || i.sec == j.sec && i.nsec < j.nsec }

// open takes s apart, and tells whether it is valid, as far as that shows without a look at the zone.
func (s *Schedule) open() (r rule, c clock, ok bool) {
	if !s.anchorOK() || !s.atOK() {
		return r, c, false
	}
	c = clock{int64(s.At / time.Second), int64(s.At % time.Second), s.Location}
	if c.loc == nil {
		c.loc = time.UTC
	}
	switch s.Frequency {
	case model.AuditFrequencyDaily:
		return rule{every: 1}, c, s.DayOfMonth == "" && s.DayOfWeek == ""
	case model.AuditFrequencyWeekly:
		d, ok := parseDayOfWeek(s.DayOfWeek)
		return rule{every: 7, from: int64(d - time.Thursday)}, c, ok && s.DayOfMonth == ""
	case model.AuditFrequencyBiweekly:
		d, ok := parseDayOfWeek(s.DayOfWeek)
		return rule{every: 14, from: c.first(int64(d-time.Thursday), s.anchor())}, c, ok && s.DayOfMonth == ""
	case model.AuditFrequencyMonthly:
		d, ok := parseDayOfMonth(s.DayOfMonth)
		return rule{from: int64(d)}, c, ok && s.DayOfWeek == ""
	}
	return r, c, false
}

// anchor returns what slots are later than: the nanosecond before Anchor, or that of the zero Time, which says that
// there is no slot and so is none.
func (s *Schedule) anchor() instant {
	i := instant{s.Anchor.Unix(), int64(s.Anchor.Nanosecond())}
	switch {
	case i.nsec > 0:
		i.nsec--
	case i.sec > firstDay*daySeconds:
		i = instant{i.sec - 1, 1e9 - 1}
	}
	return i
}

// bound returns t, but not before the anchor, and not so late that sums overflow.
func (s *Schedule) bound(t time.Time) instant {
	i := instant{min(t.Unix(), (lastDay+3)*daySeconds), int64(t.Nanosecond())}
	if i.sec > s.Anchor.Unix() {
		return i
	}
	if a := s.anchor(); i.before(a) {
		return a
	}
	return i
}

// day returns the last day whose time of day is not later than what a clock shows that is so far ahead of UTC.
func (c clock) day(t instant, offset int64) int64 {
	sec := t.sec - c.at + offset
	if t.nsec < c.frac {
		sec--
	}
	return floorDays(sec)
}

// first returns the first day whose slot is later than t, of those that are whole weeks from a day.
func (c clock) first(from int64, t instant) int64 {
	far := int64(maxOffset)
	if c.loc == time.UTC {
		far = 0
	}
	r := rule{every: 7, from: from}
	day := r.weekly(c.day(t, -far))
	if t.sec+far < day*daySeconds+c.at {
		return day // in any zone: most anchors need no look at theirs
	}
	day, _ = c.reached(t, ofAnchor)
	return r.weekly(day)
}

// next returns the first slot of a rule later than t, whatever happens to the clock around it, or the zero Time.
func (c clock) next(r rule, t instant) time.Time {
	day, s := c.reached(t, ofAfter)
	day = r.next(day)
	if day > lastDay || !offsetOK(s.offset) {
		return time.Time{}
	}
	wall := day*daySeconds + c.at
	if wall-s.offset >= s.end {
		s = recall(c.loc, wall-maxOffset, ofSlot)
	}
	return c.slot(day, s)
}

// reached returns the last day whose slot is not later than t, or the day before year 1, and the span of
// t. What happened more than twice maxOffset before t cannot have shown more than t does.
func (c clock) reached(t instant, p purpose) (int64, span) {
	day := int64(firstDay - 1)
	s := recall(c.loc, t.sec-2*maxOffset, p)
	for ; s.end <= t.sec; s = look(c.loc, s.end) {
		day = max(day, floorDays(s.end-1-c.at+s.offset))
	}
	return min(lastDay, max(day, c.day(t, s.offset))), s
}

// slot returns a day's slot, for a day that was not reached at some instant of the span s.
func (c clock) slot(day int64, s span) time.Time {
	wall := day*daySeconds + c.at
	start := wall - maxOffset // no gap is before it, if it is in s
	for wall-s.offset >= s.end {
		start = s.end
		s = look(c.loc, start)
	}
	if wall-s.offset < start { // the hands skipped it
		return time.Unix(start, 0).In(c.loc)
	}
	return time.Unix(wall-s.offset, c.frac).In(c.loc)
}

// merged returns how many of the slots in (a, b] there are not, because the hands skipped a day or more
// and two days have one slot, if every day is due.
func (c clock) merged(a, b instant) (n int64) {
	for s := look(c.loc, a.sec); s.end <= b.sec; {
		next := look(c.loc, s.end)
		if next.offset-s.offset >= daySeconds {
			before, _ := c.reached(instant{s.end - 1, 1e9 - 1}, ofAfter)
			behind, _ := c.reached(instant{s.end, 0}, ofAfter)
			n += max(0, behind-before-1)
		}
		s = next
	}
	return n
}

package schedule

import (
	"hash/fnv"
	"io"
	"iter"
	"time"

	"github.com/fleetaudit/fleetaudit/model"
)

// Schedule says when a scheduled audit is due. It is plain data: it may be copied, and used by any number
// of goroutines while none writes it. The zero value is not valid: a schedule needs a Frequency.
//
// Anchor is of year 1 to 9999 in UTC; left zero it is the beginning of year 1. BIWEEKLY counts its weeks
// from the first slot on or after Anchor, so that no run, late or missed, moves the slots after it.
type Schedule struct {
	Frequency  model.AuditFrequency
	DayOfMonth string          // "1" to "31", or [model.DayOfMonthLast]; MONTHLY only
	DayOfWeek  model.DayOfWeek // WEEKLY and BIWEEKLY only
	Anchor     time.Time       // no slot is before it
	At         time.Duration   // what the clock on the wall shows, from 0 to just under 24 hours; zero: midnight
	Location   *time.Location  // where the wall is, less than 26 hours from UTC; nil: UTC
}

// Validate returns nil, or a [*model.InvalidRequestException] that names every field that is wrong and
// what stands in it.
func (s Schedule) Validate() error {
	// The rules of AWS stand in one place; names and checks are not the calendar's.
	p := model.Check(&model.CreateScheduledAuditInput{
		Frequency: s.Frequency, DayOfMonth: s.DayOfMonth, DayOfWeek: s.DayOfWeek,
		ScheduledAuditName: "-", TargetCheckNames: []string{"-"},
	})
	if !s.anchorOK() {
		p.Add("anchor", s.Anchor, "must be of year 1 to 9999")
	}
	if !s.atOK() {
		p.Add("at", s.At, "must be at least 0 and less than 24h")
	}
	if s.Location != nil {
		if _, offset := s.Anchor.In(s.Location).Zone(); !offsetOK(int64(offset)) {
			p.Add("location", s.Location, "must be less than 26 hours from UTC")
		}
	}
	return p.Err()
}

// Next returns the first slot that is later than after, in s.Location; the zero Time when there is none,
// because the calendar ends with year 9999 there, or because s is not valid. after may be in any
// location, and its monotonic clock reading does not count. Next allocates nothing, and takes the same
// time however far away the slot is. A call is quickest in the half year, in s.Location, that the call before was in:
// the process remembers that much of some hundred Locations.
func (s Schedule) Next(after time.Time) time.Time {
	r, c, ok := s.open()
	if !ok {
		return time.Time{}
	}
	t := s.bound(after)
	if c.loc == time.UTC {
		day := r.next(c.day(t, 0))
		if day > lastDay {
			return time.Time{}
		}
		return time.Unix(day*daySeconds+c.at, c.frac).UTC()
	}
	sp := recall(c.loc, t.sec-2*maxOffset, ofAfter)
	day := r.next(max(firstDay-1, c.day(t, sp.offset)))
	sec := day*daySeconds + c.at - sp.offset
	if sec < sp.end && day <= lastDay && offsetOK(sp.offset) {
		return time.Unix(sec, c.frac).In(c.loc) // nothing happens to the clock until then
	}
	return c.next(r, t)
}

// All yields every slot later than after, in order, to the end of year 9999. It may be ranged over more
// than once and starts no goroutine.
func (s Schedule) All(after time.Time) iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		for t := s.Next(after); !t.IsZero() && yield(t); t = s.Next(t) {
		}
	}
}

// Count returns how many slots are later than from and not later than to: what a loop over All would
// count, without a step for each slot. It is 0 when to is not later than from, or when s is not valid.
func (s Schedule) Count(from, to time.Time) int {
	r, c, ok := s.open()
	if !ok {
		return 0
	}
	a, b := s.bound(from), s.bound(to)
	if !a.before(b) {
		return 0
	}
	after, sp := c.reached(a, ofAfter)
	last, _ := c.reached(b, ofSlot)
	if !offsetOK(sp.offset) {
		return 0
	}
	n := r.index(last) - r.index(after)
	if r.every == 1 { // other days are too far from each other to have one slot
		n -= c.merged(a, b)
	}
	return int(n)
}

func (s *Schedule) anchorOK() bool {
	u := s.Anchor.Unix()
	return firstDay*daySeconds <= u && u < (lastDay+1)*daySeconds
}

func (s *Schedule) atOK() bool { return 0 <= s.At && s.At < 24*time.Hour }

func parseDayOfMonth(s string) (n int, ok bool) {
	switch {
	case len(s) == 1:
		n = int(s[0] - '0')
		ok = 1 <= n && n <= 9
	case len(s) == 2 && s[1]-'0' <= 9: // what is less than '0' wraps
		n = int(s[0]-'0')*10 + int(s[1]-'0')
		ok = 10 <= n && n <= 31
	case s == model.DayOfMonthLast:
		return 31, true
	}
	return n, ok
}

func parseDayOfWeek(d model.DayOfWeek) (time.Weekday, bool) {
	switch d {
	case model.DayOfWeekSun:
		return time.Sunday, true
	case model.DayOfWeekMon:
		return time.Monday, true
	case model.DayOfWeekTue:
		return time.Tuesday, true
	case model.DayOfWeekWed:
		return time.Wednesday, true
	case model.DayOfWeekThu:
		return time.Thursday, true
	case model.DayOfWeekFri:
		return time.Friday, true
	case model.DayOfWeekSat:
		return time.Saturday, true
	}
	return 0, false
}

// Spread returns when within a window the schedule of that name is due: from 0 to just under window, in
// whole milliseconds, so that many schedules do not start together. It is the 64-bit FNV-1a hash of the
// name modulo the window's milliseconds: the same in every process and in every release. A window of
// less than a millisecond, zero and negative ones too, gives 0.
func Spread(name string, window time.Duration) time.Duration {
	steps := window.Milliseconds()
	if steps <= 0 {
		return 0
	}
	h := fnv.New64a()
	io.WriteString(h, name)
	return time.Duration(h.Sum64()%uint64(steps)) * time.Millisecond
}

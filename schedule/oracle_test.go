package schedule_test

import (
	"strconv"
	"strings"
	"time"

	"github.com/fleetaudit/fleetaudit/model"
	"github.com/fleetaudit/fleetaudit/schedule"
)

// oracle knows the slots of a schedule the slow way. It leafs through the calendar page by page, and for
// each day that is due it watches the clock from long before, until the clock shows the time or more. It
// asks what the offset is at an instant, and nothing else, so it trusts no bounds that zone data gives.
type oracle struct {
	schedule.Schedule
	first time.Time // BIWEEKLY: the first day
}

// watch is how often the oracle looks at the clock. More than one transition between two looks would
// escape it; no zone has them less than days apart.
const watch = 30 * time.Minute

// span is how far, at most, what a clock shows is from UTC, and a little.
const span = 27 * time.Hour

func newOracle(s schedule.Schedule) *oracle {
	if s.Location == nil {
		s.Location = time.UTC
	}
	o := &oracle{Schedule: s}
	if s.Frequency == model.AuditFrequencyBiweekly {
		o.Frequency = model.AuditFrequencyWeekly
		for day := page(s.Anchor).AddDate(0, 0, -3); ; day = day.AddDate(0, 0, 1) {
			if slot := o.slot(day); day.Year() > 0 && o.due(day) && slot.After(time.Time{}) && !slot.Before(s.Anchor) {
				o.first = day
				break
			}
		}
		o.Frequency = s.Frequency
	}
	return o
}

// slots lists what is due in (from, to].
func (o *oracle) slots(from, to time.Time) (list []time.Time) {
	if from.Before(time.Time{}) {
		from = time.Time{}
	}
	if from.Before(o.Anchor) {
		from = o.Anchor.Add(-1)
	}
	last := from
	for day := page(from).AddDate(0, 0, -3); day.Before(page(to).AddDate(0, 0, 3)); day = day.AddDate(0, 0, 1) {
		if day.Year() < 1 || day.Year() > 9999 || !o.due(day) {
			continue
		}
		if slot := o.slot(day); slot.After(last) && !slot.After(to) {
			list = append(list, slot)
			last = slot
		}
	}
	return list
}

// page is the day of the calendar, as midnight UTC, that t has in UTC.
func page(t time.Time) time.Time {
	year, month, day := t.UTC().Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

func (o *oracle) due(day time.Time) bool {
	switch o.Frequency {
	case model.AuditFrequencyDaily:
		return true
	case model.AuditFrequencyWeekly:
		return strings.ToUpper(day.Format("Mon")) == string(o.DayOfWeek)
	case model.AuditFrequencyBiweekly:
		return !day.Before(o.first) && (day.Unix()-o.first.Unix())%(14*24*60*60) == 0
	}
	if lastOfMonth := day.AddDate(0, 0, 1).Day() == 1; lastOfMonth {
		n, err := strconv.Atoi(o.DayOfMonth)
		return err != nil || n >= day.Day()
	}
	return strconv.Itoa(day.Day()) == o.DayOfMonth
}

// slot watches the clock for a day's slot.
func (o *oracle) slot(day time.Time) time.Time {
	target := day.Add(o.At)
	look := target.Add(-span).Truncate(watch).In(o.Location)
	for offset := o.offset(look); ; {
		next := look.Add(watch)
		if changed := o.offset(next); changed != offset {
			moved := look
			for o.offset(moved) == offset {
				moved = moved.Add(time.Second)
			}
			if slot := target.Add(-offset); slot.Before(moved) {
				return slot.In(o.Location)
			}
			if o.shows(moved).After(target) {
				return moved
			}
			offset = changed
		}
		if slot := target.Add(-offset); !slot.After(next) {
			return slot.In(o.Location)
		}
		look = next
	}
}

func (o *oracle) offset(t time.Time) time.Duration {
	_, seconds := t.In(o.Location).Zone()
	return time.Duration(seconds) * time.Second
}

// shows is what the clock shows at t, as if it were UTC.
func (o *oracle) shows(t time.Time) time.Time { return t.UTC().Add(o.offset(t)) }

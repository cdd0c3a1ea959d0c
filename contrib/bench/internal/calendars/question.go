package calendars

import (
	"fmt"
	"time"
	_ "time/tzdata" // the same zones on every machine

	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/compare"
	"github.com/fleetaudit/fleetaudit/model"
	"github.com/fleetaudit/fleetaudit/schedule"
)

// question is when a rule is due next, on the clocks of a zone, from the beginning of a year on.
type question struct {
	rule schedule.Schedule // but for Location and Anchor
	zone string
	year int
}

func (q question) String() string {
	at := time.Time{}.Add(q.rule.At).Format("15:04")
	s := fmt.Sprintf("%s %d %s/%s", q.zone, q.year, at, q.rule.Frequency)
	if q.rule.DayOfMonth != "" {
		s += " " + q.rule.DayOfMonth
	}
	return s
}

// quick is about how many calls of a quick contender are measured together: a fraction of a millisecond of them.
const quick = 20_000

// sheet is a question with the instants from which it is asked, and room for the slots that follow them.
type sheet struct {
	schedule.Schedule
	instants, slots []time.Time
}

func (q question) sheet(size int) (*sheet, error) {
	loc, err := time.LoadLocation(q.zone)
	if err != nil {
		return nil, err
	}
	s := &sheet{Schedule: q.rule, instants: make([]time.Time, size), slots: make([]time.Time, size)}
	s.Location = loc
	begin := time.Date(q.year, time.January, 1, 0, 0, 0, 0, loc)
	for i := range s.instants {
		// 7919 is a prime: the times of day are spread over the day.
		s.instants[i] = begin.AddDate(0, 0, i).Add(time.Duration(i*7919%86400) * time.Second)
	}
	// A Monday of the year before, so that the first Tuesday after it is in the same week, from wherever a week counts.
	s.Anchor = time.Date(q.year-1, time.September, 1, 0, 0, 0, 0, loc)
	for s.Anchor.Weekday() != time.Monday {
		s.Anchor = s.Anchor.AddDate(0, 0, 1)
	}
	return s, nil
}

// task does once, or for a quick contender again and again, what finds all slots.
func (s *sheet) task(passes int, once func()) compare.Task {
	return compare.Task{
		Units: len(s.slots) * passes,
		Do: func() error {
			for range passes {
				once()
			}
			return nil
		},
		Answer: s.answer,
	}
}

// answer returns the slots, without those whose time of day the clock has skipped: which instants they are is settled
// here, and left open by time.Date.
func (s *sheet) answer() any {
	var shown []time.Time
	for _, t := range s.slots {
		hour, minute, second := t.Clock()
		if time.Duration(hour)*time.Hour+time.Duration(minute)*time.Minute+time.Duration(second)*time.Second != s.At {
			t = time.Time{}
		}
		shown = append(shown, t)
	}
	return shown
}

func (q question) ours() compare.Contender {
	return compare.Contender{Name: "fleetaudit", New: func(size int) (compare.Task, error) {
		s, err := q.sheet(size)
		if err != nil {
			return compare.Task{}, err
		}
		rule, slots := s.Schedule, s.slots
		return s.task(1+quick/size, func() {
			for i, after := range s.instants {
				slots[i] = rule.Next(after)
			}
		}), nil
	}}
}

// row asks from each slot for the one after it.
func (q question) row() compare.Contender {
	return compare.Contender{Name: "fleetaudit", New: func(size int) (compare.Task, error) {
		s, err := q.sheet(size)
		if err != nil {
			return compare.Task{}, err
		}
		rule, slots := s.Schedule, s.slots
		return s.task(1+quick/size, func() {
			after := rule.Anchor
			for i := range slots {
				after = rule.Next(after)
				slots[i] = after
			}
		}), nil
	}}
}

// bare is time.Date, which is told the date: all that it has to find is the instant. It cannot be done with less, as
// far as package time goes.
func (q question) bare() compare.Contender {
	return compare.Contender{Name: "time.Date", Target: bareTarget, New: func(size int) (compare.Task, error) {
		s, err := q.sheet(size)
		if err != nil {
			return compare.Task{}, err
		}
		type date struct {
			year  int
			month time.Month
			day   int
		}
		dates := make([]date, size)
		for i, after := range s.instants {
			var d date
			d.year, d.month, d.day = s.dueAfter(after).Date()
			dates[i] = d
		}
		hour, minute, loc, slots := int(s.At/time.Hour), int(s.At%time.Hour/time.Minute), s.Location, s.slots
		return s.task(1+quick/size, func() {
			for i, d := range dates {
				slots[i] = time.Date(d.year, d.month, d.day, hour, minute, 0, 0, loc)
			}
		}), nil
	}}
}

// dueAfter leafs through a calendar for the first day that is due at a later time than the clock shows.
func (s *sheet) dueAfter(after time.Time) time.Time {
	_, offset := after.In(s.Location).Zone()
	shown := after.UTC().Add(time.Duration(offset) * time.Second)
	_, offset = s.Anchor.Zone()
	week := s.Anchor.UTC().Add(time.Duration(offset) * time.Second) // a Monday, so BIWEEKLY counts from its week
	for day := shown.Truncate(24 * time.Hour); ; day = day.AddDate(0, 0, 1) {
		if !day.Add(s.At).After(shown) {
			continue
		}
		lastOfMonth := day.AddDate(0, 0, 1).Day() == 1
		due := true
		switch s.Frequency {
		case model.AuditFrequencyWeekly:
			due = day.Weekday() == time.Tuesday
		case model.AuditFrequencyBiweekly:
			due = day.Weekday() == time.Tuesday && int(day.Sub(week).Hours())/24/7%2 == 0
		case model.AuditFrequencyMonthly:
			due = s.DayOfMonth == fmt.Sprint(day.Day()) || lastOfMonth && s.DayOfMonth != "15"
		}
		if due {
			return day
		}
	}
}

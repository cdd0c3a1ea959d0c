package calendars

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-co-op/gocron/v2"
	"github.com/jonboulle/clockwork"
	"github.com/robfig/cron/v3"
	"github.com/teambition/rrule-go"

	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/compare"
	"github.com/fleetaudit/fleetaudit/model"
)

// rrule builds its rule for each call, to begin at the instant that is asked about: a rule that began long ago would
// be iterated from its beginning.
func (q question) rrule() compare.Contender {
	return compare.Contender{Name: "rrule-go", Target: rruleTarget, New: func(size int) (compare.Task, error) {
		s, err := q.sheet(size)
		if err != nil {
			return compare.Task{}, err
		}
		option := rrule.ROption{
			Byhour: []int{int(s.At / time.Hour)}, Byminute: []int{int(s.At % time.Hour / time.Minute)}, Bysecond: []int{0},
		}
		switch s.Frequency {
		case model.AuditFrequencyDaily:
			option.Freq = rrule.DAILY
		case model.AuditFrequencyWeekly, model.AuditFrequencyBiweekly:
			option.Freq, option.Byweekday = rrule.WEEKLY, []rrule.Weekday{rrule.TU}
		case model.AuditFrequencyMonthly:
			option.Freq = rrule.MONTHLY
			switch s.DayOfMonth {
			case "15":
				option.Bymonthday = []int{15}
			case "31", model.DayOfMonthLast:
				option.Bymonthday = []int{-1}
			}
		}
		biweekly := s.Frequency == model.AuditFrequencyBiweekly
		if biweekly {
			option.Interval = 2
		}
		t := s.task(1, nil)
		t.Do = func() error {
			for i, after := range s.instants {
				option := option
				option.Dtstart = after
				if biweekly { // only a beginning in the right week has the right weeks
					weeks := int(after.Sub(s.Anchor)/(14*24*time.Hour)) * 14
					option.Dtstart = s.Anchor.AddDate(0, 0, weeks)
				}
				rule, err := rrule.NewRRule(option)
				if err != nil {
					return err
				}
				s.slots[i] = rule.After(after, false)
			}
			return nil
		}
		return t, nil
	}}
}

// spec is the rule in the words of cron, if it has any for it.
func (q question) spec() string {
	at := fmt.Sprintf("%d %d", q.rule.At%time.Hour/time.Minute, q.rule.At/time.Hour)
	switch {
	case q.rule.Frequency == model.AuditFrequencyDaily:
		return at + " * * *"
	case q.rule.Frequency == model.AuditFrequencyWeekly:
		return at + " * * " + strings.ToLower(string(q.rule.DayOfWeek))
	case q.rule.DayOfMonth == "15":
		return at + " 15 * *"
	}
	return ""
}

// robfig parses its spec once.
func (q question) robfig(spec string) compare.Contender {
	return compare.Contender{Name: "robfig/cron", Target: robfigTarget, New: func(size int) (compare.Task, error) {
		s, err := q.sheet(size)
		if err != nil {
			return compare.Task{}, err
		}
		c, err := cron.ParseStandard("CRON_TZ=" + q.zone + " " + spec)
		if err != nil {
			return compare.Task{}, err
		}
		return s.task(1, func() {
			for i, after := range s.instants {
				s.slots[i] = c.Next(after)
			}
		}), nil
	}}
}

// job is the rule as a job of gocron, if it can be one. A day 31 is none: it leaves out shorter months.
func (q question) job() gocron.JobDefinition {
	at := gocron.NewAtTimes(gocron.NewAtTime(uint(q.rule.At/time.Hour), uint(q.rule.At%time.Hour/time.Minute), 0))
	switch q.rule.Frequency {
	case model.AuditFrequencyDaily:
		return gocron.DailyJob(1, at)
	case model.AuditFrequencyWeekly:
		return gocron.WeeklyJob(1, gocron.NewWeekdays(time.Tuesday), at)
	case model.AuditFrequencyBiweekly:
		return gocron.WeeklyJob(2, gocron.NewWeekdays(time.Tuesday), at)
	}
	switch q.rule.DayOfMonth {
	case "15":
		return gocron.MonthlyJob(1, gocron.NewDaysOfTheMonth(15), at)
	case model.DayOfMonthLast:
		return gocron.MonthlyJob(1, gocron.NewDaysOfTheMonth(-1), at)
	}
	return nil
}

// gocron is asked for the next runs of a job, all at once: it has no way to be asked from an instant on but that of
// its clock, and each question takes a round trip to the goroutine of its scheduler, which is shared by all here.
func (q question) gocron(job gocron.JobDefinition) compare.Contender {
	return compare.Contender{Name: "gocron", Target: gocronTarget, New: func(size int) (compare.Task, error) {
		s, err := q.sheet(size)
		if err != nil {
			return compare.Task{}, err
		}
		scheduler, err := gocron.NewScheduler(
			gocron.WithClock(clockwork.NewFakeClockAt(s.Anchor)), gocron.WithLocation(s.Location))
		if err != nil {
			return compare.Task{}, err
		}
		j, err := scheduler.NewJob(job, gocron.NewTask(func() {}))
		if err != nil {
			return compare.Task{}, err
		}
		scheduler.Start()
		t := s.task(1, nil)
		t.Do = func() error {
			s.slots, err = j.NextRuns(size)
			return err
		}
		t.Close = func() { scheduler.Shutdown() }
		return t, nil
	}}
}

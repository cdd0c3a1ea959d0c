// Package calendars asks schedule.Next and its peers the same: when a schedule is due next.
package calendars

import (
	"slices"
	"time"

	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/compare"
	"github.com/fleetaudit/fleetaudit/model"
	"github.com/fleetaudit/fleetaudit/schedule"
)

// What the figure of a peer must be at least, in times ours.
const (
	rruleTarget  = 90
	gocronTarget = 12
	robfigTarget = 20
	bareTarget   = 0.5
)

// An instant of each day of a year, and of ten years.
const (
	size   = 365
	growth = 3650
)

// rules are what a Schedule can say.
var rules = []schedule.Schedule{
	{Frequency: model.AuditFrequencyDaily},
	{Frequency: model.AuditFrequencyWeekly, DayOfWeek: model.DayOfWeekTue},
	{Frequency: model.AuditFrequencyBiweekly, DayOfWeek: model.DayOfWeekTue},
	{Frequency: model.AuditFrequencyMonthly, DayOfMonth: "15"},
	{Frequency: model.AuditFrequencyMonthly, DayOfMonth: "31"},
	{Frequency: model.AuditFrequencyMonthly, DayOfMonth: model.DayOfMonthLast},
}

// Times of day. In the morning no hands are moved, so all peers mean the same by it.
const (
	morning   = 9*time.Hour + 30*time.Minute
	inTheGap  = 2*time.Hour + 30*time.Minute // that time.Date does not answer for, see answer
	inTheFold = 1*time.Hour + 30*time.Minute
)

// walls are where and when the clocks hang that are asked about. In 2060 the zones have nothing but a rule for when the
// hands are moved, which package time evaluates at each look.
var walls = []struct {
	zone string
	year int
	at   time.Duration
}{
	{"America/New_York", 2026, morning},
	{"America/New_York", 2026, inTheGap},
	{"America/New_York", 2026, inTheFold},
	{"America/New_York", 2060, morning},
	{"Europe/Berlin", 2026, morning},
	{"Australia/Lord_Howe", 2026, morning},
	{"Australia/Lord_Howe", 2060, morning},
	{"Asia/Kolkata", 2026, morning},
	{"Africa/Casablanca", 2026, morning},
	{"Pacific/Apia", 2026, morning},
}

// Works returns what is asked: in UTC all rules, in zones the quickest one and the slowest ones.
func Works() (list []compare.Work) {
	for _, rule := range rules {
		rule.At = morning
		q := question{rule: rule, zone: "UTC", year: 2026}
		list = append(list, q.fromAnywhere(), q.fromSlotToSlot())
	}
	for _, w := range walls {
		for _, rule := range rules {
			if rule.Frequency == model.AuditFrequencyWeekly || rule.DayOfMonth == "31" {
				continue
			}
			rule.At = w.at
			list = append(list, question{rule: rule, zone: w.zone, year: w.year}.fromAnywhere())
		}
	}
	return slices.DeleteFunc(list, func(w compare.Work) bool { return len(w.Contenders) < 2 })
}

// fromAnywhere asks from an instant of each day on. Peers take part where they can say the rule.
func (q question) fromAnywhere() compare.Work {
	if q.zone != time.UTC.String() { // where peers are there to be seen, and what the target is for is a look at the zone
		w := q.work("schedule.Next in other zones/", q.ours(), q.bare())
		for _, peer := range q.peers() {
			peer.Target = 0
			w.Contenders = append(w.Contenders, peer)
		}
		return w
	}
	return q.work("schedule.Next in UTC/", append([]compare.Contender{q.ours(), q.bare()}, q.peers()...)...)
}

// peers are those that can say the rule, and mean the same by it.
func (q question) peers() (list []compare.Contender) {
	if q.rule.At != morning {
		return nil
	}
	list = append(list, q.rrule())
	if spec := q.spec(); spec != "" {
		list = append(list, q.robfig(spec))
	}
	return list
}

// fromSlotToSlot asks from each slot on for the next one, because that is how gocron can be asked.
func (q question) fromSlotToSlot() compare.Work {
	w := q.work("schedule.Next in a row/", q.row())
	if job := q.job(); job != nil {
		w.Contenders = append(w.Contenders, q.gocron(job))
	}
	return w
}

func (q question) work(name string, contenders ...compare.Contender) compare.Work {
	return compare.Work{Name: name + q.String(), Unit: "call", Size: size, Growth: growth, Contenders: contenders}
}

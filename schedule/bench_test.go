package schedule_test

import (
	"fmt"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/fleetaudit/fleetaudit/model"
	"github.com/fleetaudit/fleetaudit/schedule"
)

// A bare time.Date is told the date, so it only has to find the instant. That is what Next is compared with: in zones
// that move their hands and in zones that do not, in years of a zone's table and in years of its rule, and at times of
// day that are left out or come twice. An operation is a call from one instant of each day of the year.
func BenchmarkNext(b *testing.B) {
	const morning, inTheGap, inTheFold = "09:30", "02:30", "01:30"
	for _, c := range []struct {
		zone string
		year int
		at   string
	}{
		{"UTC", 2026, morning},
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
	} {
		loc := zone(b, c.zone)
		clock, err := time.Parse("15:04", c.at)
		if err != nil {
			b.Fatal(err)
		}
		var afters, slots [365]time.Time
		for day := range afters {
			// 7919 is a prime: the times of day are spread over the day.
			afters[day] = time.Date(c.year, 1, day+1, 0, 0, day*7919%86400, 0, loc)
		}
		run := func(name string, year func()) {
			b.Run(fmt.Sprintf("%s/%d/%s/%s", c.zone, c.year, c.at, name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					year()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(afters)), "ns/call")
			})
		}
		run("time.Date", func() {
			for day := range slots {
				slots[day] = time.Date(c.year, 1, day+1, clock.Hour(), clock.Minute(), 0, 0, loc)
			}
		})
		for _, s := range []schedule.Schedule{
			{Frequency: model.AuditFrequencyDaily},
			{Frequency: model.AuditFrequencyWeekly, DayOfWeek: model.DayOfWeekTue},
			{Frequency: model.AuditFrequencyBiweekly, DayOfWeek: model.DayOfWeekTue},
			{Frequency: model.AuditFrequencyMonthly, DayOfMonth: "15"},
			{Frequency: model.AuditFrequencyMonthly, DayOfMonth: model.DayOfMonthLast},
		} {
			s.Anchor = time.Date(c.year-1, 9, 1, 0, 0, 0, 0, loc)
			s.At = time.Duration(clock.Hour())*time.Hour + time.Duration(clock.Minute())*time.Minute
			s.Location = loc
			run(string(s.Frequency)+s.DayOfMonth, func() {
				for i, after := range afters {
					slots[i] = s.Next(after)
				}
			})
		}
	}
}

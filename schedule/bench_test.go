package schedule_test

import (
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/fleetaudit/fleetaudit/model"
	"github.com/fleetaudit/fleetaudit/schedule"
)

func BenchmarkNext(b *testing.B) {
	ny, err := time.LoadLocation("America/New_York")
	if err != nil {
		b.Fatal(err)
	}
	for _, year := range []int{2026, 2060} {
		for _, loc := range []*time.Location{time.UTC, ny} {
			var afters [365]time.Time
			for day := range afters {
				afters[day] = time.Date(year, 1, day+1, 9, 30, 0, 0, loc)
			}
			name := loc.String() + "/" + time.Date(year, 1, 1, 0, 0, 0, 0, loc).Format("2006") + "/"
			b.Run(name+"time.Date", func(b *testing.B) {
				day := 0
				for b.Loop() {
					day = day%365 + 1
					time.Date(year, 1, day, 9, 30, 0, 0, loc)
				}
			})
			for _, s := range []schedule.Schedule{
				{Frequency: model.AuditFrequencyDaily},
				{Frequency: model.AuditFrequencyWeekly, DayOfWeek: model.DayOfWeekTue},
				{Frequency: model.AuditFrequencyBiweekly, DayOfWeek: model.DayOfWeekTue},
				{Frequency: model.AuditFrequencyMonthly, DayOfMonth: "15"},
				{Frequency: model.AuditFrequencyMonthly, DayOfMonth: model.DayOfMonthLast},
			} {
				s.Anchor = time.Date(2025, 9, 1, 0, 0, 0, 0, loc)
				s.At = 9*time.Hour + 30*time.Minute
				s.Location = loc
				b.Run(name+string(s.Frequency)+s.DayOfMonth, func(b *testing.B) {
					day := 0
					for b.Loop() {
						day = day%365 + 1
						s.Next(afters[day-1])
					}
				})
			}
		}
	}
}

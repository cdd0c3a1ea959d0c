package schedule_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetaudit/fleetaudit/model"
	"github.com/fleetaudit/fleetaudit/schedule"
)

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		name     string
		schedule schedule.Schedule
		want     []model.Problem
	}{
		{name: "daily", schedule: schedule.Schedule{Frequency: "DAILY"}},
		{name: "weekly", schedule: schedule.Schedule{Frequency: "WEEKLY", DayOfWeek: "SAT", At: 24*time.Hour - 1}},
		{name: "biweekly", schedule: schedule.Schedule{Frequency: "BIWEEKLY", DayOfWeek: "SUN", Location: time.Local}},
		{name: "monthly", schedule: schedule.Schedule{Frequency: "MONTHLY", DayOfMonth: "31"}},
		{name: "last", schedule: schedule.Schedule{Frequency: "MONTHLY", DayOfMonth: "LAST", Location: &time.Location{}}},
		{name: "first anchor", schedule: schedule.Schedule{Frequency: "DAILY", Anchor: time.Unix(first, 0)}},
		{name: "last anchor", schedule: schedule.Schedule{Frequency: "DAILY", Anchor: time.Unix(last, 999999999)}},
		{name: "far east", schedule: schedule.Schedule{Frequency: "DAILY", Location: time.FixedZone("E", 26*3600-1)}},
		{name: "far west", schedule: schedule.Schedule{Frequency: "DAILY", Location: time.FixedZone("W", -26*3600+1)}},

		{"nothing", schedule.Schedule{}, []model.Problem{
			{Field: "frequency", Reason: "is required"},
		}},
		{"everything wrong", schedule.Schedule{
			Frequency: "HOURLY", DayOfMonth: "32", DayOfWeek: "MONDAY", Anchor: time.Unix(last+1, 0).UTC(),
			At: 24 * time.Hour, Location: time.FixedZone("Mars", 26*3600),
		}, []model.Problem{
			{Field: "frequency", Value: `"HOURLY"`, Reason: "must be one of DAILY, WEEKLY, BIWEEKLY, MONTHLY"},
			{Field: "dayOfMonth", Value: `"32"`, Reason: "must match ^([1-9]|[12][0-9]|3[01])$|^LAST$"},
			{Field: "dayOfWeek", Value: `"MONDAY"`, Reason: "must be one of SUN, MON, TUE, WED, THU, FRI, SAT"},
			{Field: "anchor", Value: `"10000-01-01 00:00:00 +0000 UTC"`, Reason: "must be of year 1 to 9999"},
			{Field: "at", Value: `"24h0m0s"`, Reason: "must be at least 0 and less than 24h"},
			{Field: "location", Value: `"Mars"`, Reason: "must be less than 26 hours from UTC"},
		}},
		{"too early", schedule.Schedule{Frequency: "DAILY", Anchor: time.Unix(first, -1).UTC(), At: -1}, []model.Problem{
			{Field: "anchor", Value: `"0000-12-31 23:59:59.999999999 +0000 UTC"`, Reason: "must be of year 1 to 9999"},
			{Field: "at", Value: `"-1ns"`, Reason: "must be at least 0 and less than 24h"},
		}},
		{"far too late", schedule.Schedule{Frequency: "DAILY", Location: time.FixedZone("W", -26*3600)}, []model.Problem{
			{Field: "location", Value: `"W"`, Reason: "must be less than 26 hours from UTC"},
		}},
		{"daily with days", schedule.Schedule{Frequency: "DAILY", DayOfMonth: "1", DayOfWeek: "SUN"}, []model.Problem{
			{Field: "dayOfMonth", Value: `"1"`, Reason: "must be absent when frequency is DAILY"},
			{Field: "dayOfWeek", Value: `"SUN"`, Reason: "must be absent when frequency is DAILY"},
		}},
		{"daily with a day of the week", schedule.Schedule{Frequency: "DAILY", DayOfWeek: "SUN"}, []model.Problem{
			{Field: "dayOfWeek", Value: `"SUN"`, Reason: "must be absent when frequency is DAILY"},
		}},
		{"weekly with both days", schedule.Schedule{Frequency: "WEEKLY", DayOfMonth: "1", DayOfWeek: "SUN"}, []model.Problem{
			{Field: "dayOfMonth", Value: `"1"`, Reason: "must be absent when frequency is WEEKLY"},
		}},
		{"monthly with both days", schedule.Schedule{Frequency: "MONTHLY", DayOfMonth: "1", DayOfWeek: "SUN"}, []model.Problem{
			{Field: "dayOfWeek", Value: `"SUN"`, Reason: "must be absent when frequency is MONTHLY"},
		}},
		{"weekly with the wrong day", schedule.Schedule{Frequency: "WEEKLY", DayOfMonth: "0"}, []model.Problem{
			{Field: "dayOfMonth", Value: `"0"`, Reason: "must match ^([1-9]|[12][0-9]|3[01])$|^LAST$"},
			{Field: "dayOfMonth", Value: `"0"`, Reason: "must be absent when frequency is WEEKLY"},
			{Field: "dayOfWeek", Reason: "is required when frequency is WEEKLY"},
		}},
		{"biweekly without a day", schedule.Schedule{Frequency: "BIWEEKLY"}, []model.Problem{
			{Field: "dayOfWeek", Reason: "is required when frequency is BIWEEKLY"},
		}},
		{"monthly with the wrong day", schedule.Schedule{Frequency: "MONTHLY", DayOfWeek: "sun"}, []model.Problem{
			{Field: "dayOfWeek", Value: `"sun"`, Reason: "must be one of SUN, MON, TUE, WED, THU, FRI, SAT"},
			{Field: "dayOfMonth", Reason: "is required when frequency is MONTHLY"},
			{Field: "dayOfWeek", Value: `"sun"`, Reason: "must be absent when frequency is MONTHLY"},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []model.Problem
			err := c.schedule.Validate()
			if invalid, ok := errors.AsType[*model.InvalidRequestException](err); ok {
				got = invalid.Problems
			} else if err != nil {
				t.Errorf("unexpected %T: %v", err, err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			consistent(t, c.schedule)
		})
	}
}

func TestDayOfMonth(t *testing.T) {
	valid := map[string]bool{"LAST": true}
	for _, s := range []string{"1", "2", "9", "10", "19", "28", "29", "30", "31"} {
		valid[s] = true
	}
	for _, s := range []string{
		"LAST", "last", "0", "00", "01", "1", "2", "9", "10", "19", "28", "29", "30", "31", "031", "32", "40", "99",
		"100", "310", "-1", "+1", " 1", "1 ", "1.0", "1_0", "0x1", "１", "a", "LASTLAST", "18446744073709551617",
		"", "/", ":", "O", "1/", "1:", "/9", "0:", "3/", "L", "LA",
	} {
		monthly := schedule.Schedule{Frequency: model.AuditFrequencyMonthly, DayOfMonth: s}
		if got := monthly.Validate() == nil; got != valid[s] {
			t.Errorf("DayOfMonth %q: valid is %t", s, got)
		}
		consistent(t, monthly)
	}
}

// consistent holds Next, All and Count to what Validate says: only a valid schedule has slots.
func consistent(t *testing.T, s schedule.Schedule) {
	t.Helper()
	valid := s.Validate() == nil
	from, to := s.Anchor, s.Anchor.AddDate(1, 0, 0)
	if last := time.Unix(last, 0).AddDate(0, -2, 0); valid && from.After(last) {
		return // there may be no slot after the anchor
	}
	if slot := s.Next(from); slot.IsZero() == valid {
		t.Errorf("Next of %+v is %v, but valid is %t", s, slot, valid)
	}
	if n := s.Count(from, to); (n > 0) != valid {
		t.Errorf("Count of %+v is %d, but valid is %t", s, n, valid)
	}
	for slot := range s.All(from) {
		if !valid {
			t.Errorf("All of %+v yields %v", s, slot)
		}
		break
	}
}

func FuzzValidate(f *testing.F) {
	f.Add("DAILY", "", "", int64(first), int64(0), 0)
	f.Add("WEEKLY", "", "TUE", int64(0), int64(time.Hour), 3600)
	f.Add("BIWEEKLY", "1", "TUE", int64(last), int64(24*time.Hour), -26*3600)
	f.Add("MONTHLY", "LAST", "", int64(last+1), int64(-1), 26*3600)
	f.Add("MONTHLY", "32", "MON", int64(first-1), int64(0), 1<<31)
	f.Fuzz(func(t *testing.T, frequency, dayOfMonth, dayOfWeek string, anchor, at int64, offset int) {
		consistent(t, schedule.Schedule{
			Frequency: model.AuditFrequency(frequency), DayOfMonth: dayOfMonth, DayOfWeek: model.DayOfWeek(dayOfWeek),
			Anchor: time.Unix(anchor, 0), At: time.Duration(at), Location: time.FixedZone("fuzz", offset),
		})
	})
}

package schedule_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetaudit/fleetaudit/model"
	"github.com/fleetaudit/fleetaudit/schedule"
)

// oddZones have, between them, every way of moving the hands that zone data knows.
var oddZones = []string{
	"UTC", "America/New_York", "America/Sao_Paulo", "Asia/Beirut", "Pacific/Apia", "Pacific/Kwajalein",
	"Australia/Lord_Howe", "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Guam", "America/Juneau",
	"America/Metlakatla", "America/Ciudad_Juarez", "America/Indiana/Winamac", "Africa/Cairo",
	"Africa/Casablanca", "Europe/Dublin", "Antarctica/Troll", "Pacific/Kiritimati", "Asia/Gaza",
	"America/Nuuk", "Pacific/Chatham", "Asia/Tehran", "Africa/Monrovia", "Asia/Pyongyang",
	"America/Caracas", "Europe/Istanbul", "America/Havana", "America/Scoresbysund", "America/Asuncion",
	"Pacific/Fakaofo", "Pacific/Pago_Pago", "Europe/Volgograd", "Antarctica/Casey", "Etc/GMT-14", "Etc/GMT+12",
}

// check holds Next, All and Count of a valid schedule to their laws, for the first few slots after after.
func check(t *testing.T, s schedule.Schedule, after time.Time, slots int) {
	t.Helper()
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	o := newOracle(s)
	var got []time.Time
	end := time.Date(10000, 1, 3, 0, 0, 0, 0, time.UTC)
	last := after
	for slot := range s.All(after) {
		switch {
		case !slot.After(last):
			t.Fatalf("%v follows %v", slot, last)
		case slot.Before(s.Anchor):
			t.Fatalf("%v is before the anchor %v", slot, s.Anchor)
		case slot.Location() != o.Location:
			t.Fatalf("%v is in %v", slot, slot.Location())
		case !onItsDay(o, slot):
			t.Errorf("%v is not due", slot)
		}
		if early := s.Next(slot.Add(-1)); !early.Equal(slot) {
			t.Errorf("Next, a nanosecond before %v, is %v", slot, early)
		}
		got = append(got, slot)
		if last = slot; len(got) == slots {
			end = slot
			break
		}
	}
	want := o.slots(after, end)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if n := s.Count(after, end); n != len(got) {
		t.Errorf("Count is %d, want %d", n, len(got))
	}
}

// onItsDay tells whether the clock shows the time of day of a day that is due, or has just skipped it.
func onItsDay(o *oracle, slot time.Time) bool {
	shown := o.shows(slot)
	if day := page(shown); o.due(day) && day.Add(o.At).Equal(shown) {
		return true
	}
	before := o.shows(slot.Add(-1))
	for day := page(before); !day.After(shown); day = day.AddDate(0, 0, 1) {
		if at := day.Add(o.At); o.due(day) && at.After(before) && !at.After(shown) {
			return true
		}
	}
	return false
}

// every returns a schedule of each frequency, and all days that behave differently.
func every(loc *time.Location, anchor time.Time, at time.Duration) (list []schedule.Schedule) {
	s := schedule.Schedule{Anchor: anchor, At: at, Location: loc}
	s.Frequency = model.AuditFrequencyDaily
	list = append(list, s)
	s.Frequency, s.DayOfWeek = model.AuditFrequencyWeekly, model.DayOfWeekSun
	list = append(list, s)
	s.Frequency, s.DayOfWeek = model.AuditFrequencyBiweekly, model.DayOfWeekFri
	list = append(list, s)
	s.Frequency, s.DayOfWeek = model.AuditFrequencyMonthly, ""
	for _, day := range []string{"1", "30", model.DayOfMonthLast} {
		s.DayOfMonth = day
		list = append(list, s)
	}
	return list
}

func TestCentury(t *testing.T) {
	for _, c := range []struct {
		zone string
		from int
		at   time.Duration
	}{
		{"UTC", 1870, 0},
		{"America/New_York", 1990, 2*time.Hour + 30*time.Minute},
		{"Pacific/Apia", 1950, 12 * time.Hour},
		{"Pacific/Kwajalein", 1920, 24*time.Hour - 1},
		{"Australia/Lord_Howe", 1970, 2*time.Hour + 15*time.Minute},
		{"America/Sao_Paulo", 1930, 30 * time.Minute},
		{"Asia/Beirut", 1950, 0},
		{"America/Juneau", 1850, 15*time.Hour + 30*time.Minute + time.Nanosecond},
	} {
		loc := zone(t, c.zone)
		from := time.Date(c.from, 1, 1, 0, 0, 0, 0, time.UTC)
		to := from.AddDate(100, 0, 0)
		for _, s := range every(loc, from.AddDate(-20, 0, 0), c.at) {
			t.Run(fmt.Sprintf("%s %d %s%s", c.zone, c.from, s.Frequency, s.DayOfMonth), func(t *testing.T) {
				t.Parallel()
				var got []time.Time
				for slot := range s.All(from) {
					if slot.After(to) {
						break
					}
					got = append(got, slot)
				}
				want := newOracle(s).slots(from, to)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
				if n := s.Count(from, to); n != len(want) {
					t.Errorf("Count is %d, want %d", n, len(want))
				}
			})
		}
	}
}

// The days around every transition that the odd zones have in years that were odd.
func TestAroundTransitions(t *testing.T) {
	for _, name := range oddZones {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			loc := zone(t, name)
			for _, year := range []int{1844, 1867, 1892, 1940, 1969, 1972, 1993, 1994, 2007, 2011, 2018, 2019, 2022, 2040} {
				for _, moved := range transitions(loc, year) {
					for _, s := range every(loc, moved.AddDate(0, -2, 0), moved.Sub(moved.Truncate(24*time.Hour))) {
						for hour := -49; hour <= 49; hour += 14 {
							s.At = (s.At + 97*time.Minute) % (24 * time.Hour)
							check(t, s, moved.Add(time.Duration(hour)*time.Hour), 2)
						}
					}
				}
			}
		})
	}
}

// transitions finds when the hands are moved in a year, by looking at the clock every hour.
func transitions(loc *time.Location, year int) (list []time.Time) {
	o := oracle{Schedule: schedule.Schedule{Location: loc}}
	now := time.Date(year, 1, 1, 0, 0, 0, 0, loc)
	for offset := o.offset(now); now.Year() == year; now = now.Add(time.Hour) {
		if changed := o.offset(now); changed != offset {
			list = append(list, now)
			offset = changed
		}
	}
	return list
}

func FuzzNext(f *testing.F) {
	day := uint8(0)
	for _, file := range []string{"calendar.txt", "zones.txt"} {
		for n, r := range rows(f, file) {
			f.Add(uint8(n), day, int64(r.schedule.At), r.schedule.Anchor.Unix(), r.after.Unix(), int32(0), uint8(n), false)
			day += 5
		}
	}
	f.Add(uint8(0), uint8(0), int64(0), int64(0), time.Date(2011, 12, 29, 0, 0, 0, 0, time.UTC).Unix(), int32(1), uint8(4), true)
	f.Add(uint8(2), uint8(5), int64(12*time.Hour), int64(1325239200), int64(1325239199), int32(999999999), uint8(4), false)
	f.Add(uint8(0), uint8(0), int64(84600e9), int64(0), time.Date(2022, 11, 30, 6, 10, 0, 0, time.UTC).Unix(), int32(0), uint8(12), false)
	f.Add(uint8(3), uint8(31), int64(0), int64(-62135596800), int64(253402300799), int32(0), uint8(35), true)
	f.Fuzz(func(t *testing.T, frequency, day uint8, at, anchor, after int64, nsec int32, zoneIndex uint8, snap bool) {
		s := fuzzed(frequency, day, at, anchor, nsec)
		s.Location = zone(t, oddZones[int(zoneIndex)%len(oddZones)])
		from := time.Unix(within(after, first-1e7, last+1e7), int64(nsec)%1e9)
		if snap { // to somewhere near a transition, where the mistakes are
			if _, end := from.In(s.Location).ZoneBounds(); !end.IsZero() && end.Unix() < last {
				from = end.Add(time.Duration(nsec) * 100 * time.Microsecond)
			}
		}
		check(t, s, from, 3)
	})
}

// The first and the last second of the years 1 to 9999.
const (
	first = -62135596800
	last  = 253402300799
)

// fuzzed makes a valid schedule of anything.
func fuzzed(frequency, day uint8, at, anchor int64, nsec int32) schedule.Schedule {
	s := schedule.Schedule{At: time.Duration(within(at, 0, int64(24*time.Hour)-1))}
	s.Frequency = s.Frequency.Values()[frequency%4]
	switch s.Frequency {
	case model.AuditFrequencyWeekly, model.AuditFrequencyBiweekly:
		s.DayOfWeek = s.DayOfWeek.Values()[day%7]
	case model.AuditFrequencyMonthly:
		if s.DayOfMonth = strconv.Itoa(int(day % 32)); s.DayOfMonth == "0" {
			s.DayOfMonth = model.DayOfMonthLast
		}
	}
	s.Anchor = time.Unix(within(anchor, first, last), within(int64(nsec)*7, 0, 1e9-1))
	return s
}

// within is n, if it is between low and high, and else something that is.
func within(n, low, high int64) int64 {
	if low <= n && n <= high {
		return n
	}
	return low + int64(uint64(n)%uint64(high-low+1))
}

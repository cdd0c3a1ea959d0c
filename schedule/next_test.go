package schedule_test

import (
	"math"
	"testing"
	"time"

	"github.com/fleetaudit/fleetaudit/model"
	"github.com/fleetaudit/fleetaudit/schedule"
)

// Instants that no row of a corpus can have, because RFC 3339 cannot.
func TestNextOfExtremes(t *testing.T) {
	for _, s := range every(zone(t, "America/New_York"), time.Time{}, time.Hour) {
		want := s.Next(time.Time{})
		for _, after := range []time.Time{
			time.Unix(math.MinInt64, 0), time.Unix(-1<<62, 5), time.Date(-9999, 1, 1, 0, 0, 0, 0, time.UTC),
			time.Date(0, 12, 31, 23, 59, 59, 999999999, time.UTC),
		} {
			if got := s.Next(after); !got.Equal(want) || got.IsZero() {
				t.Errorf("%s: Next of %v is %v, want %v", s.Frequency, after, got, want)
			}
		}
		for _, after := range []time.Time{
			time.Date(10000, 1, 1, 5, 0, 0, 0, time.UTC), time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC),
			time.Unix(1<<62, 5), time.Unix(math.MaxInt64, 999999999),
		} {
			if got := s.Next(after); !got.IsZero() {
				t.Errorf("%s: Next of %v is %v, want none", s.Frequency, after, got)
			}
			if got, want := s.Count(time.Time{}, after), s.Count(time.Time{}, time.Unix(last, 0)); got < want || got > want+1 {
				t.Errorf("%s: Count to %v is %d, want about %d", s.Frequency, after, got, want)
			}
			if got := s.Count(after, after.Add(time.Hour)); got != 0 {
				t.Errorf("%s: Count after %v is %d, want 0", s.Frequency, after, got)
			}
		}
	}
}

func TestCountOfEverything(t *testing.T) {
	from, to := time.Time{}, time.Date(10001, 1, 1, 0, 0, 0, 0, time.UTC)
	for i, want := range []int{3652059, 521722, 260862, 119988, 119988, 119988} {
		s := every(nil, time.Time{}, time.Nanosecond)[i]
		if got := s.Count(from, to); got != want {
			t.Errorf("%s %s: %d slots, want %d", s.Frequency, s.DayOfMonth, got, want)
		}
		if got := s.Count(to, from); got != 0 {
			t.Errorf("%s %s: %d slots backwards", s.Frequency, s.DayOfMonth, got)
		}
	}
}

// A monotonic reading is nothing that a calendar can know about.
func TestNextIgnoresMonotonicReading(t *testing.T) {
	now := time.Now()
	for _, s := range every(time.UTC, now, 0) {
		got := s.Next(now)
		s.Anchor = s.Anchor.Round(0)
		if want := s.Next(now.Round(0)); got != want {
			t.Errorf("%s: Next is %v, want %v", s.Frequency, got, want)
		}
	}
}

func TestAllAgainAndAgain(t *testing.T) {
	all := schedule.Schedule{Frequency: model.AuditFrequencyDaily}.All(instant(t, "9999-12-28T12:00:00Z"))
	for range 2 {
		n := 0
		for range all {
			n++
		}
		if n != 3 {
			t.Errorf("%d slots, want 3", n)
		}
	}
}

func TestNextAllocatesNothing(t *testing.T) {
	for _, name := range []string{"UTC", "America/New_York", "Pacific/Apia", "America/Ciudad_Juarez"} {
		for _, s := range every(zone(t, name), instant(t, "2011-12-01T00:00:00Z"), 2*time.Hour+30*time.Minute) {
			for _, after := range []string{
				"2011-12-30T09:59:59Z", "2022-11-30T06:10:00Z", "2026-03-08T06:59:59Z", "2026-06-10T12:00:00Z",
				"2060-12-31T12:00:00Z", "9999-12-31T23:59:59Z",
			} {
				from := instant(t, after)
				if n := testing.AllocsPerRun(10, func() { s.Next(from) }); n != 0 {
					t.Errorf("Next of %s in %s after %s: %v allocations", s.Frequency, name, after, n)
				}
				if n := testing.AllocsPerRun(10, func() { s.Count(from, from.AddDate(1, 0, 0)) }); n != 0 {
					t.Errorf("Count of %s in %s after %s: %v allocations", s.Frequency, name, after, n)
				}
			}
		}
	}
}

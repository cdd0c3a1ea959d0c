package schedule_test

import (
	"testing"
	"time"

	"github.com/fleetaudit/fleetaudit/schedule"
)

// Every day of the calendar, and some around it: the arithmetic is compared with that of package time.
func TestDate(t *testing.T) {
	const before, after = first/86400 - 3, (last+1)/86400 + 40
	for day := int64(before); day <= after; day++ {
		year, month, dayOfMonth := schedule.Date(day)
		if month > 12 {
			year, month = year+1, month-12
		}
		y, m, d := time.Unix(day*86400, 0).UTC().Date()
		if year != int64(y) || month != int64(m) || dayOfMonth != int64(d) {
			t.Fatalf("day %d is %d-%d-%d, want %d-%d-%d", day, year, month, dayOfMonth, y, m, d)
		}
	}
}

func TestLength(t *testing.T) {
	for year := 0; year < 10_000; year++ {
		for month := 3; month <= 15; month++ {
			want := time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
			if got := schedule.Length(int64(year), int64(month)); got != int64(want) {
				t.Fatalf("month %d of the year that begins in March %d has %d days, want %d", month, year, got, want)
			}
		}
	}
}

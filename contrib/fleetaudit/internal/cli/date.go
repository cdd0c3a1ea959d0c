package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/fleetaudit/fleetaudit/model"
)

// parseDate reads the value of a flag: a date, which is its midnight in loc, or an RFC 3339 time.
func parseDate(flag, s string, loc *time.Location) (time.Time, error) {
	t, err := time.ParseInLocation(time.DateOnly, s, loc)
	// A timestamp may be other things too. time.Parse takes more than RFC 3339 does.
	if err != nil && strings.Contains(s, "T") {
		var at model.Timestamp
		at, err = model.ParseTimestamp(s)
		t = at.In(loc)
	}
	if err != nil {
		return t, fmt.Errorf("--%s %q: want a date (2030-01-31) or an RFC 3339 time (2030-01-31T12:00:00Z)", flag, s)
	}
	// What certificates can say ends there, and so far from the ends of year 1 and 9999 no zone matters.
	if t.Year() < 1950 || t.Year() > 9998 {
		return t, fmt.Errorf("--%s %q: want a year from 1950 to 9998", flag, s)
	}
	return t, nil
}

// parseClock reads the value of a flag: a time of day, since midnight.
func parseClock(flag, s string) (time.Duration, error) {
	for _, layout := range []string{"15:04", "15:04:05"} {
		// time.Parse takes fractions of a second, and an hour of one digit.
		if t, err := time.Parse(layout, s); err == nil && t.Format(layout) == s {
			return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second, nil
		}
	}
	return 0, fmt.Errorf("--%s %q: want a time of day from 00:00 to 23:59", flag, s)
}

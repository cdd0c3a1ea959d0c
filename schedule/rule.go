package schedule

import "time"

// Days are numbered: 1970-01-01, a Thursday, is day 0.
const (
	daySeconds = 24 * 60 * 60
	firstDay   = -719162 // 0001-01-01
	lastDay    = 2932896 // 9999-12-31
)

// rule says which days are a schedule's days. It knows nothing of clocks and zones.
type rule struct {
	every      int64 // days from one to the next; 0: monthly
	from       int64 // one of them, unless monthly
	dayOfMonth int   // if monthly; what is more than the month has is its last day
}

// next returns the first of the rule's days after day.
func (r rule) next(day int64) int64 {
	if r.every > 0 {
		return day + r.every - mod(day-r.from, r.every)
	}
	year, month, d := date(day)
	if due := min(r.dayOfMonth, length(year, month)); d < due {
		return day + int64(due-d)
	}
	end := day + int64(length(year, month)-d)
	if month++; month > time.December {
		year, month = year+1, time.January
	}
	return end + int64(min(r.dayOfMonth, length(year, month)))
}

// index numbers the rule's days one by one, from wherever: it is the number of the last one up to day.
func (r rule) index(day int64) int64 {
	if r.every > 0 {
		return (day - r.from - mod(day-r.from, r.every)) / r.every
	}
	year, month, d := date(day)
	n := int64(year)*12 + int64(month)
	if d < min(r.dayOfMonth, length(year, month)) {
		n--
	}
	return n
}

func date(day int64) (int, time.Month, int) { return time.Unix(day*daySeconds, 0).UTC().Date() }

// length returns how many days a month has. time.Date knows it too, but this decides how fast next is.
func length(year int, month time.Month) int {
	switch month {
	case time.April, time.June, time.September, time.November:
		return 30
	case time.February:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

func floorDays(seconds int64) int64 {
	days := seconds / daySeconds
	if days*daySeconds > seconds {
		days--
	}
	return days
}

func mod(n, m int64) int64 {
	if n %= m; n < 0 {
		n += m
	}
	return n
}

package schedule

// Days are numbered: 1970-01-01, a Thursday, is day 0.
const (
	daySeconds = 24 * 60 * 60
	firstDay   = -719162 // 0001-01-01
	lastDay    = 2932896 // 9999-12-31
	marchYear0 = -719468 // 0000-03-01
)

// rule says which days are a schedule's days. It knows nothing of clocks and zones.
type rule struct {
	every int64 // days from one to the next; 0: monthly
	from  int64 // one of them; if monthly, the day of the month, and more than the month has is its last day
}

// next returns the first of the rule's days after day.
func (r rule) next(day int64) int64 {
	switch r.every {
	case 1:
		return day + 1
	case 7:
		return r.weekly(day)
	case 14:
		return day + 14 - mod(day-r.from, 14)
	}
	year, month, d := date(day)
	n := length(year, month)
	if due := min(r.from, n); d < due {
		return day + due - d
	}
	return day + n - d + min(r.from, length(year, month+1))
}

// weekly is next of a rule of every seventh day.
func (r rule) weekly(day int64) int64 { return day + 7 - mod(day-r.from, 7) }

// index numbers the rule's days one by one, from wherever: it is the number of the last one up to day.
func (r rule) index(day int64) int64 {
	if r.every > 0 {
		return (day - r.from - mod(day-r.from, r.every)) / r.every
	}
	year, month, d := date(day)
	n := year*12 + month
	if d < min(r.from, length(year, month)) {
		n--
	}
	return n
}

// date returns the year, the month and the day of the month of a day, not before the year 0. Years begin in March here,
// whose month is 3, and end with month 14: so the day that may not be there is a year's last. The products stand for
// divisions, as Neri and Schneider show in "Euclidean affine functions and their application to calendar algorithms".
func date(day int64) (year, month, dayOfMonth int64) {
	quarters := uint64(day-marchYear0)*4 + 3
	ofCentury := quarters%146097 | 3
	product := ofCentury * 2939745 // 2^32 divided by 1461, the quarters of the days of a year
	ofYear := uint32(product) / 2939745 / 4
	month = int64(ofYear*2141+197913) >> 16
	return int64(quarters/146097*100 + product>>32), month, int64(ofYear) - (month*979-2919)>>5 + 1
}

// length returns how many days a month has, month 15 being March again.
func length(year, month int64) int64 {
	if month != 14 {
		return 30 + 0b1011_0101_1010_1000>>month&1
	}
	if year++; year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		return 29
	}
	return 28
}

// eon is added to days, so that none is negative, because division of what is unsigned needs no correction. It is
// more days than there are before 1970, and whole weeks, also if counted in twos.
const eon = -firstDay * 2 / 14 * 14

func floorDays(seconds int64) int64 { return int64(uint64(seconds+eon*daySeconds)/daySeconds) - eon }

// mod returns n modulo m, which is 1, 7 or 14.
func mod(n, m int64) int64 { return int64(uint64(n+eon) % uint64(m)) }

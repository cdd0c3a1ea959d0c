package certfacts

import (
	"encoding/binary"
	"time"
)

// instant reads the time that der[at:end] begins with, and returns where it ends. False if it is not as RFC 5280 wants
// it, which is with seconds and in UTC.
func instant(der []byte, at, end int) (t time.Time, stop int, ok bool) {
	if end-at < 15 {
		return t, 0, false
	}
	century := 19
	b := (*[15]byte)(der[at:])
	switch {
	case b[0] == tagUTCTime && b[1] == 13:
		if b[2] < '5' {
			century = 20
		}
	case b[0] == tagGeneralizedTime && b[1] == 15 && end-at >= 17:
		tens, ones := b[2]-'0', b[3]-'0'
		if tens > 9 || ones > 9 {
			return t, 0, false
		}
		century = int(10*tens + ones)
		at += 2
		b = (*[15]byte)(der[at:]) // which begins with the century now
	default:
		return t, 0, false
	}
	// Year, month, day, hour; and then day, hour, minute, second.
	date, strange := twoDigits(binary.LittleEndian.Uint64(b[2:]))
	clock, stranger := twoDigits(binary.LittleEndian.Uint64(b[6:]))
	strange |= stranger | beyond(date, 1<<32|1<<16, 23<<48|31<<32|12<<16|99) | beyond(clock, 0, 59<<48|59<<32|23<<16|31)
	year, month, day := 100*century+int(date&0xff), int(date>>16&0xff), int(date>>32&0xff)
	if strange != 0 || b[14] != 'Z' || day > 28 && day > daysIn(year, month) {
		return t, 0, false
	}
	seconds := int(clock>>16&0xff)*3600 + int(clock>>32&0xff)*60 + int(clock>>48)
	return time.Unix(int64(daysSince1970(year, month, day))*86400+int64(seconds), 0).UTC(), at + 15, true
}

// twoDigits reads four numbers of two digits, and returns them 16 bits apart, the first in the lowest. strange is 0 if
// all are digits: a sum or a difference has the highest bit of each byte that is above '9', or below '0'.
func twoDigits(s uint64) (numbers, strange uint64) {
	d := s - '0'*each
	strange = ((s + (0x7f-'9')*each) | d) & (0x80 * each)
	return (10*d + d>>8) & 0x00ff00ff_00ff00ff, strange
}

// beyond is 0 if each of four numbers of twoDigits is at least the one of least, and at most the one of most.
func beyond(numbers, least, most uint64) uint64 {
	const top = 0x80008000_80008000
	return ((numbers - least) | (numbers + (top - 1<<48 - 1<<32 - 1<<16 - 1 - most))) & top
}

func daysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// daysSince1970 counts days from 1 January 1970, in the Gregorian calendar. The year is at least 0.
func daysSince1970(year, month, day int) int {
	const first = 365*1970 + 477 + 97 // what is counted until then: leap days are from 400 years before the year 0
	leapYears := year + 399           // whose leap days are past
	if month > 2 {
		leapYears++
	}
	centuries := leapYears / 100
	return 365*year + leapYears/4 - centuries + centuries/4 + daysBefore[month&15] + day - 1 - first
}

// daysBefore is how many days there are before each month, in a year that is no leap year.
var daysBefore = [16]int{1: 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334}

package certfacts

import (
	"encoding/binary"
	"time"
)

// readValidity reads the Validity that der[at:end] begins with, and returns where it ends. False if its times are not as
// RFC 5280 wants them, which is with seconds and in UTC.
func (f *Facts) readValidity(der []byte, at, end int) (stop int, ok bool) {
	stop = short(der, at, tagSequence)
	if stop > end {
		return 0, false
	}
	var notBefore, notAfter int64
	if stop-at == 32 && der[at+2] == tagUTCTime && der[at+3] == 13 && der[at+17] == tagUTCTime && der[at+18] == 13 {
		b := (*[32]byte)(der[at:]) // nearly all are so
		var alsoOK bool
		notBefore, ok = utc((*[13]byte)(b[4:]))
		notAfter, alsoOK = utc((*[13]byte)(b[19:]))
		ok = ok && alsoOK
	} else {
		notBefore, at, ok = instant(der, at+2, stop)
		if ok {
			notAfter, at, ok = instant(der, at, stop)
		}
		ok = ok && at == stop
	}
	f.NotBefore, f.NotAfter = time.Unix(notBefore, 0).UTC(), time.Unix(notAfter, 0).UTC()
	return stop, ok
}

// instant reads the time that der[at:end] begins with, in seconds since 1970, and returns where it ends.
func instant(der []byte, at, end int) (seconds int64, stop int, ok bool) {
	if end-at < 15 {
		return 0, 0, false
	}
	b := (*[15]byte)(der[at:])
	if b[0] == tagUTCTime && b[1] == 13 {
		seconds, ok = utc((*[13]byte)(b[2:]))
		return seconds, at + 15, ok
	}
	tens, ones := b[2]-'0', b[3]-'0'
	if b[0] != tagGeneralizedTime || b[1] != 15 || end-at < 17 || tens > 9 || ones > 9 {
		return 0, 0, false
	}
	seconds, ok = in(1000*uint(tens)+100*uint(ones), (*[13]byte)(der[at+4:]))
	return seconds, at + 17, ok
}

// utc reads a time of the years 1950 to 2049.
func utc(b *[13]byte) (seconds int64, ok bool) {
	century := uint(1900)
	if b[0] < '5' {
		century = 2000
	}
	return in(century, b)
}

// in reads a time of a century: two digits each of year, month, day, hour, minute and second, and Z.
func in(century uint, b *[13]byte) (seconds int64, ok bool) {
	date, strange := twoDigits(binary.LittleEndian.Uint64(b[:]))    // year, month, day, hour
	clock, stranger := twoDigits(binary.LittleEndian.Uint64(b[4:])) // day, hour, minute, second
	year, month, day := century+uint(date&0xff), uint(date>>16&0xff), uint(date>>32&0xff)
	hour, minute, second := uint(date>>48), uint(clock>>32&0xff), uint(clock>>48)
	if strange|stranger != 0 || b[12] != 'Z' || month-1 > 11 || hour > 23 || minute > 59 || second > 59 ||
		day-1 > 27 && (day == 0 || day > daysIn(year, month)) {
		return 0, false
	}
	return int64(daysSince1970(year, month, day)*86400 + hour*3600 + minute*60 + second), true
}

// twoDigits reads four numbers of two digits, and returns them 16 bits apart, the first in the lowest. strange is 0 if
// all are digits: a sum or a difference has the highest bit of each byte that is above '9', or below '0'.
func twoDigits(s uint64) (numbers, strange uint64) {
	d := s - '0'*each
	strange = ((s + (0x7f-'9')*each) | d) & (0x80 * each)
	return (10*d + d>>8) & 0x00ff00ff_00ff00ff, strange
}

func daysIn(year, month uint) uint {
	if month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		return 29
	}
	return uint(days[month&15])
}

// daysSince1970 counts days from 1 January 1970, in the Gregorian calendar. It wraps around for those before.
func daysSince1970(year, month, day uint) uint {
	const first = 365*1970 + 477 + 97 // what is counted until then: leap days are from 400 years before the year 0
	leapYears := year + 399           // whose leap days are past
	if month > 2 {
		leapYears++
	}
	centuries := leapYears / 100
	return 365*year + leapYears/4 - centuries + centuries/4 + uint(daysBefore[month&15]) + day - 1 - first
}

// daysBefore is how many days there are before each month, in a year that is no leap year.
var daysBefore = [16]uint16{1: 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334}

// days is how many days each month has, in a year that is no leap year.
var days = [16]uint8{1: 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

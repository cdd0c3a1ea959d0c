// Package schedule is the calendar of scheduled audits: which instants are due, in any time zone, from
// year 1 to year 9999. It reads no clock and starts no goroutine; its results depend on nothing but its
// arguments and the time zone data that the program has.
//
// A [Schedule] is due at a time of day, as the clock on a wall of its location shows it, on
//
//	DAILY     every day
//	WEEKLY    every DayOfWeek
//	BIWEEKLY  every second DayOfWeek, counted from the first slot on or after Anchor
//	MONTHLY   DayOfMonth, or the last day of a month that is shorter; LAST is the last day of any
//
// An instant at which it is due is a slot. Where the hands of the clock are moved, the slot of a day is
// the first instant by which the clock has shown the time of day or more: a time that does not exist is
// due at the first instant after the gap, a time that exists twice is due the first time, and a zone that
// leaves out a whole day gives that day's slot to the first instant of the day after it. Two days whose
// slots fall on the same instant have that one slot.
package schedule

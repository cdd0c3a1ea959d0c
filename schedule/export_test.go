package schedule

import "time"

// Date and Length are the calendar's own arithmetic, in years that begin in March.
var (
	Date   = date
	Length = length
)

// Recall returns the offset and the end of a span, as they are remembered.
func Recall(loc *time.Location, u int64) (offset, end int64) {
	s := recall(loc, u, ofAfter)
	return s.offset, s.end
}

// Remembered is how many Locations can be remembered at once.
const Remembered = len(lately)

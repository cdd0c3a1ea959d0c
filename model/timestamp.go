package model

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"strconv"
	"time"
)

// Timestamp is an instant with AWS's JSON form: a number of epoch seconds with at most three decimals
// (1560161017.172). The zero value, which is the first instant of year 1, means "absent". Precision
// beyond milliseconds is cut off when it is written.
type Timestamp struct{ time.Time }

// At returns t as a Timestamp, in UTC and cut to milliseconds, so that it survives a JSON round trip.
func At(t time.Time) Timestamp { return Timestamp{t.UTC().Truncate(time.Millisecond)} }

// Epoch seconds of the first instant of year 1 and of the first one after year 9999.
const (
	minEpoch = -62135596800
	maxEpoch = 253402300800
)

// The forms in which clients send an instant. time.Parse and strconv.ParseFloat take more ("T1:02:03Z",
// "0x1p3"), which no client means.
var (
	epochSeconds = regexp.MustCompile(`\A-?\d+(\.\d+)?([eE][-+]?\d+)?\z`)
	rfc3339      = regexp.MustCompile(`\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[-+]([01]\d|2[0-3]):[0-5]\d)\z`)
)

const wantTime = "epoch seconds, an RFC 3339 time or a date, of year 1 to 9999"

// ParseTimestamp reads the forms in which clients send an instant: epoch seconds in decimal
// ("1560161017.172"), RFC 3339 ("2019-06-10T10:03:37.172Z"), or a date, meaning its midnight in UTC.
// Epoch seconds are rounded to milliseconds, since not every decimal has a binary fraction; the other
// forms are cut. Today's epoch milliseconds are no seconds of year 1 to 9999, so an error.
func ParseTimestamp(s string) (Timestamp, error) {
	t, err := parseTime(s)
	if u := t.Unix(); err != nil || u < minEpoch || u >= maxEpoch {
		return Timestamp{}, fmt.Errorf("%s is not a time: want %s", Quote(s), wantTime)
	}
	return At(t), nil
}

func parseTime(s string) (time.Time, error) {
	switch {
	case rfc3339.MatchString(s):
		return time.Parse(time.RFC3339, s)
	case epochSeconds.MatchString(s):
		f, err := strconv.ParseFloat(s, 64)
		// A float beyond the years must not overflow the integer.
		return time.UnixMilli(int64(math.Round(min(max(f, minEpoch-1), maxEpoch) * 1e3))), err
	default:
		return time.Parse(time.DateOnly, s)
	}
}

// MarshalJSON writes epoch seconds; the zero Timestamp is null, and one outside year 1 to 9999 an error.
func (t Timestamp) MarshalJSON() ([]byte, error) {
	b, err := t.AppendJSON(nil)
	if err != nil {
		return nil, err
	}
	return b, nil
}

// AppendJSON appends what [Timestamp.MarshalJSON] writes to b. If there is an error, b is as it was.
func (t Timestamp) AppendJSON(b []byte) ([]byte, error) {
	if t.IsZero() {
		return append(b, "null"...), nil
	}
	if u := t.Unix(); u < minEpoch || u >= maxEpoch {
		return b, fmt.Errorf("timestamp %v is not of year 1 to 9999", t.Time)
	}
	ms := t.UnixMilli()
	if ms < 0 {
		b, ms = append(b, '-'), -ms
	}
	b = strconv.AppendInt(b, ms/1000, 10)
	if ms %= 1000; ms > 0 {
		b = append(b, '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10))
		b = bytes.TrimRight(b, "0")
	}
	return b, nil
}

// UnmarshalJSON reads a number of epoch seconds, null, or a string that [ParseTimestamp] takes. Its error
// is a *json.UnmarshalTypeError, as for any other value of a wrong type.
func (t *Timestamp) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*t = Timestamp{}
		return nil
	}
	s := string(b)
	if len(b) > 0 && b[0] == '"' {
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
	}
	v, err := ParseTimestamp(s)
	if err != nil {
		// The one error to which encoding/json adds the member's name.
		return &json.UnmarshalTypeError{
			Value: fmt.Sprintf("%s (want %s)", Quote(s), wantTime), Type: reflect.TypeFor[Timestamp](),
		}
	}
	*t = v
	return nil
}

package model

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
)

// Timestamp is an instant with AWS's JSON form: a number of epoch seconds with at most three decimals
// (1560161017.172). The zero value means "absent". Precision beyond milliseconds is cut off when it is
// written.
type Timestamp struct{ time.Time }

// At returns t as a Timestamp, in UTC and cut to milliseconds, so that it survives a JSON round trip.
func At(t time.Time) Timestamp { return Timestamp{t.UTC().Truncate(time.Millisecond)} }

// Epoch seconds of the first instant of year 1 and of the first one after year 9999.
const (
	minEpoch = -62135596800
	maxEpoch = 253402300800
)

// ParseTimestamp reads the forms in which clients send an instant: epoch seconds in decimal
// ("1560161017.172"), RFC 3339 ("2019-06-10T10:03:37.172Z"), or a date, meaning its midnight in UTC.
func ParseTimestamp(s string) (Timestamp, error) {
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return inRange(t, s)
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !(f >= minEpoch && f < maxEpoch) {
		return Timestamp{}, fmt.Errorf("%q is not a time: want epoch seconds, an RFC 3339 time or a date, of year 1 to 9999", s)
	}
	sec, frac := math.Modf(f)
	return inRange(time.Unix(int64(sec), int64(math.Round(frac*1e3))*int64(time.Millisecond)).UTC(), s)
}

func inRange(t time.Time, s string) (Timestamp, error) {
	if u := t.Unix(); u < minEpoch || u >= maxEpoch {
		return Timestamp{}, fmt.Errorf("%q is not a time of year 1 to 9999", s)
	}
	return At(t), nil
}

// MarshalJSON writes epoch seconds; the zero Timestamp is null.
func (t Timestamp) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	if u := t.Unix(); u < minEpoch || u >= maxEpoch {
		return nil, fmt.Errorf("timestamp %v is not of year 1 to 9999", t.Time)
	}
	ms := t.UnixMilli()
	sign := ""
	if ms < 0 {
		sign, ms = "-", -ms
	}
	if ms%1000 == 0 {
		return fmt.Appendf(nil, "%s%d", sign, ms/1000), nil
	}
	return bytes.TrimRight(fmt.Appendf(nil, "%s%d.%03d", sign, ms/1000, ms%1000), "0"), nil
}

// UnmarshalJSON reads a number of epoch seconds, null, or a string that [ParseTimestamp] takes.
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
		return err
	}
	*t = v
	return nil
}

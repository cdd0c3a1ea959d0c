package schedule_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/fleetaudit/fleetaudit/schedule"
)

// The offsets are a promise: an audit must not move when the program is updated. They follow from the
// published hashes af63dc4c8601ec8c of "a", 85944171f73967e8 of "foobar", cbf29ce484222325 of nothing.
func TestSpread(t *testing.T) {
	for _, c := range []struct {
		name   string
		window time.Duration
		want   time.Duration
	}{
		{"a", 1000 * time.Millisecond, 0xaf63dc4c8601ec8c % 1000 * time.Millisecond},
		{"foobar", time.Hour, 0x85944171f73967e8 % 3600000 * time.Millisecond},
		{"", 24 * time.Hour, 0xcbf29ce484222325 % 86400000 * time.Millisecond},
		{"a", math.MaxInt64, 0xaf63dc4c8601ec8c % 9223372036854 * time.Millisecond},
		{"a", 7*time.Millisecond + 999*time.Microsecond, 0xaf63dc4c8601ec8c % 7 * time.Millisecond},
		{"a", time.Millisecond, 0},
		{"a", time.Millisecond - 1, 0},
		{"a", 0, 0},
		{"a", -time.Hour, 0},
		{"a", math.MinInt64, 0},
	} {
		if got := schedule.Spread(c.name, c.window); got != c.want {
			t.Errorf("Spread(%q, %v) is %v, want %v", c.name, c.window, got, c.want)
		}
	}
}

// Names that are alike, as names of schedules are, have to be spread as evenly as others.
func TestSpreadIsEven(t *testing.T) {
	for _, format := range []string{"audit-%d", "%d", "fleet-%03d-daily", "plant/%c"} {
		for _, window := range []time.Duration{time.Minute, time.Hour, 8 * time.Hour, 24 * time.Hour} {
			const names, parts = 1000, 20
			var count [parts]int
			for i := range names {
				offset := schedule.Spread(fmt.Sprintf(format, 'A'+i), window)
				count[offset*parts/window]++
			}
			chi2, expected := 0.0, float64(names)/parts
			for _, n := range count {
				chi2 += (float64(n) - expected) * (float64(n) - expected) / expected
			}
			if chi2 > 43.8 { // even chance gives more, with 19 degrees of freedom, once in a thousand
				t.Errorf("%q over %v: %v (chi-squared %.1f)", format, window, count, chi2)
			}
		}
	}
}

func FuzzSpread(f *testing.F) {
	f.Add("nightly", int64(time.Hour))
	f.Add("", int64(1))
	f.Add("\xff", int64(math.MinInt64))
	f.Fuzz(func(t *testing.T, name string, window int64) {
		got := schedule.Spread(name, time.Duration(window))
		if got < 0 || got != 0 && int64(got) >= window || got%time.Millisecond != 0 {
			t.Errorf("Spread(%q, %d) is %d", name, window, got)
		}
		if again := schedule.Spread(name, time.Duration(window)); again != got {
			t.Errorf("Spread(%q, %d) is %d, then %d", name, window, got, again)
		}
	})
}

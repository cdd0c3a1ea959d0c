package schedule_test

import (
	"embed"
	"fmt"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/model"
	"github.com/fleetaudit/fleetaudit/schedule"
)

//go:embed testdata/*.txt
var corpora embed.FS

// row is one line of a corpus: location | schedule | at | anchor | after | slots.
type row struct {
	name     string
	schedule schedule.Schedule
	after    time.Time
	slots    []string // "none" is the zero Time
}

func rows(tb testing.TB, file string) (list []row) {
	tb.Helper()
	data, err := corpora.ReadFile("testdata/" + file)
	require.NoError(tb, err)
	for n, line := range strings.Split(string(data), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		name := fmt.Sprintf("%s:%d", file, n+1)
		cells := strings.Split(line, " | ")
		require.Len(tb, cells, 6, name)
		r := row{name: name, slots: strings.Fields(cells[5])}
		r.schedule.Location = zone(tb, cells[0])
		frequency, day, _ := strings.Cut(cells[1], " ")
		r.schedule.Frequency = model.AuditFrequency(frequency)
		if r.schedule.Frequency == model.AuditFrequencyMonthly {
			r.schedule.DayOfMonth = day
		} else {
			r.schedule.DayOfWeek = model.DayOfWeek(day)
		}
		layout := "15:04:05"[:min(len(cells[2]), len("15:04:05"))]
		at, err := time.Parse(layout, cells[2])
		require.NoError(tb, err, name)
		r.schedule.At = at.Sub(at.Truncate(24 * time.Hour))
		if cells[3] != "-" {
			r.schedule.Anchor = instant(tb, cells[3])
		}
		r.after = instant(tb, cells[4])
		require.NoError(tb, r.schedule.Validate(), name)
		list = append(list, r)
	}
	require.NotEmpty(tb, list)
	return list
}

func zone(tb testing.TB, name string) *time.Location {
	tb.Helper()
	loc, err := time.LoadLocation(name)
	require.NoError(tb, err)
	return loc
}

func instant(tb testing.TB, text string) time.Time {
	tb.Helper()
	t, err := time.Parse(time.RFC3339, text)
	require.NoError(tb, err)
	return t
}

// show writes a slot as the corpora have it: RFC 3339, with an offset to the second where it has seconds.
func show(t time.Time) string {
	if t.IsZero() {
		return "none"
	}
	if _, offset := t.Zone(); offset%60 != 0 {
		return t.Format("2006-01-02T15:04:05.999999999Z07:00:00")
	}
	return t.Format(time.RFC3339Nano)
}

func TestCorpus(t *testing.T) {
	for _, file := range []string{"calendar.txt", "zones.txt"} {
		for _, r := range rows(t, file) {
			t.Run(r.name, func(t *testing.T) {
				var got []string
				next := r.after
				for range r.slots {
					next = r.schedule.Next(next)
					got = append(got, show(next))
					if next.IsZero() {
						break
					}
					if next.Location() != r.schedule.Location {
						t.Errorf("%v is in %v", next, next.Location())
					}
				}
				if diff := cmp.Diff(r.slots, got); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			})
		}
	}
}

// The loop and the formula have to agree with the rows, and so with each other.
func TestCorpusAllAndCount(t *testing.T) {
	for _, file := range []string{"calendar.txt", "zones.txt"} {
		for _, r := range rows(t, file) {
			t.Run(r.name, func(t *testing.T) {
				var got []string
				last := r.after
				for slot := range r.schedule.All(r.after) {
					got = append(got, show(slot))
					if n := r.schedule.Count(r.after, slot); n != len(got) {
						t.Errorf("Count to %s is %d, want %d", show(slot), n, len(got))
					}
					if n := r.schedule.Count(last, slot.Add(-1)); n != 0 {
						t.Errorf("Count between %s and %s is %d", show(last), show(slot), n)
					}
					if last = slot; len(got) == len(r.slots) {
						break
					}
				}
				if len(got) < len(r.slots) {
					got = append(got, "none")
				}
				if diff := cmp.Diff(r.slots, got); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			})
		}
	}
}

package schedule_test

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/fleetaudit/fleetaudit/model"
	"github.com/fleetaudit/fleetaudit/schedule"
)

// Whatever was asked before, what is remembered is true from the second that is asked about to the end of the span.
func TestRecall(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, name := range oddZones {
		loc := zone(t, name)
		o := oracle{Schedule: schedule.Schedule{Location: loc}}
		begin := time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
		for i := range 3000 {
			u := begin + random.Int64N(50*366*86400)
			if i%3 == 0 { // near one of the seconds before
				u = begin + random.Int64N(100*86400)
			}
			offset, end := schedule.Recall(loc, u)
			if end <= u {
				t.Fatalf("%s: the span of %d ended at %d", name, u, end)
			}
			for _, second := range []int64{u, u + (min(end, u+400*86400)-u)/2, min(end, u+400*86400) - 1} {
				if want := int64(o.offset(time.Unix(second, 0)) / time.Second); offset != want {
					t.Fatalf("%s: the offset at %d is %d, of the span of %d, want %d", name, second, offset, u, want)
				}
			}
		}
	}
}

// A zone that has a rule and no table says that the span before year 1 has an end, in the words in which others say that
// theirs has none. That must not be remembered for all time.
func TestRecallBeforeYear1(t *testing.T) {
	loc := madeUp(t, 3600, nil, "CET-1CEST,M3.5.0,M10.5.0/3")
	s := schedule.Schedule{Frequency: model.AuditFrequencyDaily, At: 4 * time.Hour, Location: loc}
	after := time.Date(2030, 7, 1, 0, 0, 0, 0, time.UTC)
	for _, asked := range []time.Time{{}, time.Unix(0, 0), {}, time.Unix(-62135596800-200_000, 0)} {
		s.Next(asked)
		if got := s.Next(after).Format(time.RFC3339); got != "2030-07-01T04:00:00+02:00" {
			t.Errorf("after Next(%v), Next(%v) is %s", asked, after, got)
		}
	}
}

// More Locations than are remembered, asked about by goroutines that are in each other's way, have the same slots as
// if each were alone.
func TestNextOfManyLocations(t *testing.T) {
	type question struct {
		schedule.Schedule
		after, want time.Time
	}
	var questions []question
	for i := range 2 * schedule.Remembered {
		loc := zone(t, oddZones[i%len(oddZones)])
		for n, s := range every(loc, time.Time{}, 2*time.Hour+30*time.Minute) {
			after := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, i/3, 11*n)
			want := newOracle(s).slots(after, after.AddDate(0, 0, 40))
			questions = append(questions, question{s, after, want[0]})
		}
	}
	var all sync.WaitGroup
	for goroutine := range 8 {
		all.Go(func() {
			random := rand.New(rand.NewPCG(uint64(goroutine), 3))
			for range 20_000 {
				q := &questions[random.IntN(len(questions))]
				if random.IntN(2) == 0 {
					q = &questions[random.IntN(20)] // a few of them often, to find what was just noted
				}
				if got := q.Next(q.after); !got.Equal(q.want) {
					t.Errorf("%v %s %s after %v: %v, want %v", q.Location, q.Frequency, q.DayOfMonth, q.after, got, q.want)
					return
				}
			}
		})
	}
	all.Wait()
}

func TestNextOfUnseenLocationAllocatesNothing(t *testing.T) {
	var unseen []*time.Location
	for range 2 * schedule.Remembered {
		unseen = append(unseen, zone(t, "America/New_York"))
	}
	s := schedule.Schedule{Frequency: model.AuditFrequencyDaily}
	after := instant(t, "2026-03-07T12:00:00Z")
	n := testing.AllocsPerRun(1, func() {
		for _, s.Location = range unseen {
			s.Next(after)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

package connection_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

// consecutive are the labels of what the runs of a schedule report, each once; each run knows what was there then.
// The schedule ran at the first of times before them.
func consecutive(t *testing.T, times []time.Time, connections []inventory.Connection) (reports [][]string) {
	t.Helper()
	for i, at := range times[1:] {
		clients, certificates := labels(audit(t, at, times[i], knownAt(at, connections)))
		reports = append(reports, strings.Fields(clients+" "+certificates))
	}
	return reports
}

// TestConsecutiveRuns: the runs of a schedule report together what a run reports that looks at all of their time.
func TestConsecutiveRuns(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 7))
	found := 0
	for range 500 {
		all := instants(now, now.Add(-day))
		slices.SortFunc(all, time.Time.Compare)
		all = slices.Compact(slices.DeleteFunc(all, now.Before))
		times := []time.Time{all[0]}
		for _, at := range all[1:] {
			if r.IntN(6) == 0 {
				times = append(times, at)
			}
		}
		times = append(times, now.Add(3*hour))
		data := make([]byte, 4*(1+r.IntN(6)))
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		connections := slices.DeleteFunc(decode(data, all), faulty)
		together := slices.Concat(consecutive(t, times, connections)...)
		slices.Sort(together)
		whole := []time.Time{times[0], times[len(times)-1]}
		once := consecutive(t, whole, connections)[0]
		slices.Sort(once)
		if diff := cmp.Diff(strings.Join(once, " "), strings.Join(slices.Compact(together), " ")); diff != "" {
			t.Fatalf("(-one run +%d runs):\n%s\n%v\n%s", len(times)-1, diff, times, written(now, connections))
		}
		found += len(once)
	}
	if found < 200 {
		t.Errorf("%d resources were found, which tries too little", found)
	}
}

// TestTakeoverOnce: whenever runs come, one of them and no other reports a takeover.
func TestTakeoverOnce(t *testing.T) {
	all := instants(now, now.Add(-day))
	slices.SortFunc(all, time.Time.Compare)
	all = slices.Compact(slices.DeleteFunc(all, now.Before))
	runs := []time.Time{now.Add(-33 * day)}
	for _, at := range all {
		if at.Truncate(time.Minute).Equal(at) { // the others lie an instant beside these
			runs = append(runs, at)
		}
	}
	runs = append(runs, now.Add(3*hour))
	for _, takeover := range []string{
		"0>A, lamp/A 0..",     // exactly
		"4ms>A, lamp/A 0..",   // told late
		"0>A, lamp/A 4ms..",   // begun late
		"2m>?, lamp/A 0..",    // the same, not known by whom
		"0>?, lamp/A 2m..",    // as late as may be
		"3h>A, lamp/A 0..",    // much too late
		"0>A",                 // what took over is missing
		"0>A, lamp/A 0..0>A",  // twice
		"0>A, lamp/A 0..-1ns", // an end before the beginning
	} {
		for _, at := range all {
			shift := at.Sub(now)
			connections := parseConnections(t, "lamp/A -40d.."+takeover)
			for i := range connections {
				for _, moment := range []*time.Time{&connections[i].ConnectedAt, &connections[i].DisconnectedAt} {
					if !moment.IsZero() && moment.After(now.Add(-40*day)) {
						*moment = moment.Add(shift)
					}
				}
			}
			got := slices.Concat(consecutive(t, runs, connections)...)
			slices.Sort(got)
			if diff := cmp.Diff([]string{"A", "lamp"}, got); diff != "" {
				t.Fatalf("%s, %v before the audit (-want +got):\n%s", takeover, -shift, diff)
			}
		}
	}
}

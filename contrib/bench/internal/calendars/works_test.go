package calendars_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/calendars"
)

// The first hundred days of a year: in New York the clock skips 02:30 on one of them.
func TestAnswersAreEqual(t *testing.T) {
	const size = 100
	works := calendars.Works()
	require.NotEmpty(t, works)
	peers := map[string]int{}
	for _, w := range works {
		t.Run(w.Name, func(t *testing.T) {
			var want []time.Time
			for i, c := range w.Contenders {
				task, err := c.New(size)
				require.NoError(t, err, c.Name)
				require.NoError(t, task.Do(), c.Name)
				got := task.Answer().([]time.Time)
				require.Len(t, got, size, c.Name)
				if task.Units%size != 0 || task.Units == 0 {
					t.Errorf("%s: %d units are no multiple of %d", c.Name, task.Units, size)
				}
				if i == 0 {
					want = got
				} else if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s: -want +got:\n%s", c.Name, diff)
				}
				if task.Close != nil {
					task.Close()
				}
				peers[c.Name]++
			}
			skipped := 0
			for _, slot := range want {
				if slot.IsZero() {
					skipped++
				}
			}
			// The Monthly rules and every other Tuesday miss the day.
			if gap := strings.Contains(w.Name, "02:30/DAILY"); gap != (skipped > 0) {
				t.Errorf("%d answers are left out", skipped)
			}
		})
	}
	for _, name := range []string{"fleetaudit", "time.Date", "rrule-go", "robfig/cron", "gocron"} {
		if peers[name] == 0 {
			t.Errorf("%s takes no part", name)
		}
	}
}

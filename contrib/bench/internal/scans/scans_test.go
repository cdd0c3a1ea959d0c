package scans

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/compare"
	"github.com/fleetaudit/fleetaudit/model"
)

// TestAnswers has every contender do its work, twice, for few devices: all answer as the first does.
func TestAnswers(t *testing.T) {
	for _, w := range Works() {
		t.Run(w.Name, func(t *testing.T) {
			var want any
			for i, c := range w.Contenders {
				task, err := c.New(2000)
				require.NoError(t, err, c.Name)
				for range 2 {
					do(t, task)
					got := task.Answer()
					if i == 0 {
						want = got
					}
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("%s (-%s +%[1]s):\n%s", c.Name, w.Contenders[0].Name, diff)
					}
				}
				if task.Close != nil {
					task.Close()
				}
			}
		})
	}
}

// do returns the figure of a Task that has one.
func do(t *testing.T, task compare.Task) (figure float64) {
	var err error
	if task.Do != nil {
		err = task.Do()
	} else {
		figure, err = task.Measure()
	}
	require.NoError(t, err)
	return figure
}

// TestRule wants about one device of a hundred to be found, for each of the rule's reasons.
func TestRule(t *testing.T) {
	const n = 100_000
	var firmware, certificates, unencrypted int
	for _, d := range newFleet(n) {
		switch {
		case d.Firmware < 7 && d.Region == "eu":
			firmware++
		case d.Certificates > 10:
			certificates++
		case !d.Encrypted:
			unencrypted++
		}
	}
	if sum := firmware + certificates + unencrypted; min(firmware, certificates, unencrypted) < n/2000 || sum < n/125 || sum > n/80 {
		t.Errorf("of %d devices %d have old firmware, %d many certificates, %d no encryption", n, firmware, certificates, unencrypted)
	}
}

// TestMemory has inventories of two sizes, which make no difference to an audit that streams.
func TestMemory(t *testing.T) {
	const size = 50_000
	held, err := newHeld(size)
	require.NoError(t, err)
	limit := do(t, held) / 10
	for _, n := range []int{size, 4 * size} {
		streamed, err := newStreamed(n)
		require.NoError(t, err)
		if peak := do(t, streamed); peak > limit {
			t.Errorf("%d devices take %.0f bytes, want at most a tenth of those that hold %d: %.0f", n, peak, size, limit)
		}
		streamed.Close()
	}
}

// TestCancelled looks at what an audit says right after it was cancelled, with half of the findings reported.
func TestCancelled(t *testing.T) {
	const half = 10_000
	c := newCancelled(2 * half)
	defer c.close()
	require.NoError(t, c.run())
	want := outcome{
		Status:     model.AuditTaskStatusCanceled,
		Statistics: model.TaskStatistics{TotalChecks: 1, CanceledChecks: 1},
		Check: model.AuditCheckDetails{
			CheckRunStatus: model.AuditCheckRunStatusCanceled, TotalResourcesCount: half, NonCompliantResourcesCount: half,
		},
		Findings: half,
	}
	if diff := cmp.Diff(want, c.answer()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

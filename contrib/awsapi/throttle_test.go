package awsapi_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/awsapi"
	"github.com/fleetaudit/fleetaudit/engine"
)

// allowed is how many of n calls at once are allowed.
func allowed(throttle awsapi.Throttle, e *engine.Engine, op *engine.Operation, n int) int {
	var count atomic.Int64
	var calls sync.WaitGroup
	for range n {
		calls.Go(func() {
			if throttle.Allow(e, op) {
				count.Add(1)
			}
		})
	}
	calls.Wait()
	return int(count.Load())
}

func TestThrottle(t *testing.T) {
	for _, op := range engine.Operations() {
		synctest.Test(t, func(t *testing.T) {
			throttle := awsapi.NewThrottle()
			one, other := new(engine.Engine), new(engine.Engine)
			var got []int
			share := time.Second / time.Duration(op.Rate)
			for _, pause := range []time.Duration{0, 0, time.Second, time.Hour, share, 499 * time.Millisecond} {
				time.Sleep(pause)
				got = append(got, allowed(throttle, one, &op, 100))
			}
			want := []int{op.Rate, 0, op.Rate, op.Rate, 1, (op.Rate - 1) / 2}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(op.Name, diff)
			}
			require.Equal(t, op.Rate, allowed(throttle, other, &op, 100), "another account has calls of its own")
			for _, another := range engine.Operations() {
				if another.Name != op.Name {
					require.Equal(t, another.Rate, allowed(throttle, one, &another, 100), "so has another operation")
				}
			}
		})
	}
}

// However many accounts come and go, only those of the last second are kept.
func TestThrottleForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		throttle := awsapi.NewThrottle()
		op := &engine.Operations()[0]
		kept := new(engine.Engine)
		require.Equal(t, op.Rate, allowed(throttle, kept, op, 2*op.Rate))
		for range 10 {
			few := new(engine.Engine)
			require.True(t, throttle.Allow(few, op))
			for range 2000 {
				require.True(t, throttle.Allow(new(engine.Engine), op))
			}
			require.False(t, throttle.Allow(kept, op), "it was forgotten while it was needed")
			require.Equal(t, op.Rate-1, allowed(throttle, few, op, 2*op.Rate), "so was one that was asked once")
			time.Sleep(time.Second)
			require.Equal(t, op.Rate, allowed(throttle, kept, op, 2*op.Rate))
			require.LessOrEqual(t, throttle.Limiters(), 4002)
		}
	})
}

// While all limiters are needed, they are swept only when there are twice as many as at the last sweep: each that is new
// would otherwise have all looked at.
func TestThrottleSweepsSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		throttle := awsapi.NewThrottle()
		op := &engine.Operations()[0]
		for _, step := range []struct {
			pause                  time.Duration
			ask, limiters, sweepAt int // ask: for as many accounts that are new
		}{
			{0, 1, 1, 1000},
			{0, 999, 1000, 1000},
			{0, 1, 1001, 2000},
			{0, 999, 2000, 2000},
			{0, 3000, 5000, 8000},
			{time.Hour, 3000, 8000, 8000},
			{0, 1, 3001, 6000}, // of which 3,000 were needed
			{time.Hour, 2999, 6000, 6000},
			{time.Hour, 1, 1, 1000}, // of which none was
		} {
			time.Sleep(step.pause)
			for range step.ask {
				require.True(t, throttle.Allow(new(engine.Engine), op))
			}
			require.Equal(t, step.limiters, throttle.Limiters(), step)
			require.Equal(t, step.sweepAt, throttle.SweepAt(), step)
		}
	})
}

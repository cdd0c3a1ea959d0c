package checks_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/semaphore"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/google/go-cmp/cmp"
)

// TestQuickChecksAmongBadOnes has a few hundred checks that do nothing, and between them some that take the goroutine
// along that the others would use. Each check begins in its turn and runs once, whatever became of those before.
func TestQuickChecksAmongBadOnes(t *testing.T) {
	const n = 300
	for _, limit := range limits {
		t.Run(slotted(limit), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				limiter, back := slots(t, limit)
				r := checks.Runner{Slots: limiter, TimeLimit: time.Minute, Grace: time.Second}
				release := make(chan struct{})
				var begun []int
				var working atomic.Int64
				turn := make(chan struct{}, 1)
				want := make([]string, n)
				var all []checks.Check
				for i := range n {
					end := func(context.Context) error { return nil }
					switch {
					case i%7 == 3:
						end, want[i] = func(context.Context) error { runtime.Goexit(); return nil }, "runtime.Goexit was called"
					case i%11 == 3:
						end, want[i] = func(context.Context) error { panic("oh no") }, "panic: oh no"
					case i%31 == 2:
						end, want[i] = func(ctx context.Context) error {
							<-ctx.Done()
							working.Add(-1) // it is about to be left behind
							<-release
							working.Add(1)
							return nil
						}, "went beyond the time limit of 1m0s"
					}
					all = append(all, checks.New(spec(fmt.Sprint("CHECK_", i)), func(ctx context.Context, _ *checks.Pass) error {
						turn <- struct{}{}
						begun = append(begun, i)
						<-turn
						if n := working.Add(1); limit > 0 && n > limit {
							t.Error("more work at once than there are slots")
						}
						defer working.Add(-1)
						return end(ctx)
					}))
				}
				got := make([]string, n)
				for i, out := range outcomes(&r, t.Context(), all...) {
					if out.Err != nil {
						got[i] = out.Message
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("outcomes (-want +got):\n%s", diff)
				}
				if len(begun) != n {
					t.Errorf("%d checks ran, want %d", len(begun), n)
				}
				for i := 0; limit == 1 && i < len(begun); i++ {
					if begun[i] != i {
						t.Fatalf("check %d began in place %d", begun[i], i)
					}
				}
				back()
				close(release)
				require.NoError(t, r.Wait(t.Context()))
			})
		})
	}
}

// TestQuickChecksLeaveSlots has one run of very many quick checks and a check that wants the same only slot: it has its
// turn long before the last of them.
func TestQuickChecksLeaveSlots(t *testing.T) {
	const n = 10_000
	r := checks.Runner{Slots: semaphore.NewWeighted(1)}
	other := make(chan struct{})
	var ran atomic.Int64
	quick := checks.New(spec("QUICK"), func(context.Context, *checks.Pass) error {
		ran.Add(1)
		return nil
	})
	first := checks.New(spec("FIRST"), func(context.Context, *checks.Pass) error {
		go func() {
			defer close(other)
			outcomes(&r, t.Context(), checks.New(spec("OTHER"), func(context.Context, *checks.Pass) error {
				if ran.Load() == n {
					t.Error("the slot was free only after the last quick check")
				}
				return nil
			}))
		}()
		return nil
	})
	all := []checks.Check{first}
	for range n {
		all = append(all, quick)
	}
	outcomes(&r, t.Context(), all...)
	<-other
}

// TestHandsAreNotMissed has two checks that need each other, since they share a scan, behind one that gives its slot back
// while another hand waits for it. Whoever leaves then must not be counted on. It is by chance when they meet.
func TestHandsAreNotMissed(t *testing.T) {
	look := func(context.Context, *checks.Pass, *int) error { return nil }
	busy := checks.New(spec("BUSY"), func(context.Context, *checks.Pass) error {
		for begun := time.Now(); time.Since(begun) < 101*time.Microsecond; {
		}
		return nil
	})
	for range 3000 {
		src := checks.Slice("ints", []int{1})
		r := checks.Runner{Slots: semaphore.NewWeighted(1), TimeLimit: time.Minute}
		outcomes(&r, t.Context(), busy, checks.Each(spec("A"), src, look), checks.Each(spec("B"), src, look)) // or it hangs
	}
}

// TestRunReturnsWithTheLastOutcome has a hand that waits for a slot while another one does the last job with its own. Then
// the slot goes to somebody else, for an hour.
func TestRunReturnsWithTheLastOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slots := semaphore.NewWeighted(1)
		require.NoError(t, slots.Acquire(t.Context(), 1))
		quick := func(name string) checks.Check {
			return checks.New(spec(name), func(context.Context, *checks.Pass) error {
				time.Sleep(time.Microsecond)
				return nil
			})
		}
		r := checks.Runner{Slots: slots, TimeLimit: time.Minute}
		begin := time.Now()
		done := make(chan time.Duration)
		go func() {
			outcomes(&r, t.Context(), quick("FIRST"), quick("LAST"))
			done <- time.Since(begin)
		}()
		synctest.Wait()
		other := make(chan struct{})
		go func() {
			defer close(other)
			if slots.Acquire(context.Background(), 1) == nil {
				time.Sleep(time.Hour)
				slots.Release(1)
			}
		}()
		synctest.Wait()
		slots.Release(1)
		if took := <-done; took > time.Second {
			t.Errorf("Run returned after %v", took)
		}
		<-other
	})
}

// TestContextAsText prints a check's context while it is ended.
func TestContextAsText(t *testing.T) {
	r := checks.Runner{TimeLimit: time.Minute}
	ctx, cancel := context.WithCancel(context.Background())
	var text string
	outcomes(&r, ctx, checks.New(spec("PRINTS"), func(ctx context.Context, _ *checks.Pass) error {
		go cancel()
		text = fmt.Sprint(ctx)
		return nil
	}))
	require.Equal(t, "context.Background.WithCancel.WithCancel", text)
}

// TestContextOfRun asks a check's context everything, at different times.
func TestContextOfRun(t *testing.T) {
	type key struct{}
	why := errors.New("told to stop")
	synctest.Test(t, func(t *testing.T) {
		for _, early := range []bool{true, false} { // whether it is asked before it ends
			for _, row := range []struct {
				name   string
				cancel bool // the context of the audit, not the time limit
				want   error
			}{{"time limit", false, checks.ErrTimeLimit}, {"audit", true, why}} {
				ctx, cancel := context.WithCancelCause(context.WithValue(t.Context(), key{}, "value"))
				var kept, child context.Context
				check := checks.New(spec("ASKING"), func(ctx context.Context, _ *checks.Pass) error {
					kept = ctx
					if early {
						require.NoError(t, ctx.Err())
						var stop context.CancelFunc
						child, stop = context.WithCancel(ctx)
						defer stop()
					}
					time.Sleep(30 * time.Second)
					if row.cancel {
						cancel(why)
					}
					time.Sleep(31 * time.Second) // beyond the limit
					if !early {
						var stop context.CancelFunc
						child, stop = context.WithCancel(ctx)
						defer stop()
					}
					for _, c := range []context.Context{ctx, child} {
						<-c.Done()
						require.ErrorIs(t, c.Err(), context.Canceled, row.name)
						require.ErrorIs(t, context.Cause(c), row.want, row.name)
						require.Equal(t, "value", c.Value(key{}))
					}
					return nil
				})
				r := checks.Runner{TimeLimit: time.Minute, Grace: time.Hour}
				out := outcomes(&r, ctx, check)[0]
				require.ErrorIs(t, out.Err, row.want)
				require.True(t, out.Stopped)
				require.ErrorIs(t, context.Cause(kept), row.want)
				cancel(nil)
			}
		}
		var kept context.Context
		r := checks.Runner{}
		out := outcomes(&r, t.Context(), checks.New(spec("KEEPING"), func(ctx context.Context, _ *checks.Pass) error {
			kept = ctx
			return nil
		}))[0]
		require.NoError(t, out.Err)
		require.ErrorIs(t, kept.Err(), context.Canceled, "it ends with the run, also for who asks first then")
		<-kept.Done()
	})
}

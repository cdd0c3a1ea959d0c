package checks_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// TestLostEvaluators has checks that end, exit and never return from the goroutine that judges, in the middle of a slice.
// The others see each resource once and in order, whoever goes on.
func TestLostEvaluators(t *testing.T) {
	const resources, at = 5000, 1500
	type result struct {
		Err     string
		Scanned int64
	}
	hostile := func(name string, from int, do func() error) func(*checks.Source[int]) checks.Check {
		return func(src *checks.Source[int]) checks.Check {
			return checks.Each(spec(name), src, func(_ context.Context, _ *checks.Pass, n *int) error {
				if *n >= from {
					return do()
				}
				return nil
			})
		}
	}
	stop := make(chan struct{})
	never := func() error { <-stop; return nil }
	for _, row := range []struct {
		name  string
		audit []func(*checks.Source[int]) checks.Check
		want  []result
		took  time.Duration
	}{
		{"one exits", []func(*checks.Source[int]) checks.Check{
			hostile("EXITS", at, func() error { runtime.Goexit(); return nil }),
		}, []result{{"runtime.Goexit was called", at}}, 0},
		{"one panics", []func(*checks.Source[int]) checks.Check{
			hostile("PANICS", at, func() error { panic("oh no") }),
		}, []result{{"panic: oh no", at}}, 0},
		// What it judged since it was last counted is not known while it hangs.
		{"one hangs", []func(*checks.Source[int]) checks.Check{
			hostile("HANGS", at, never),
		}, []result{{"went beyond the time limit of 1m0s", at / 256 * 256}}, time.Minute + time.Second},
		{"two hang, two exit", []func(*checks.Source[int]) checks.Check{
			hostile("HANGS", at, never), hostile("EXITS", at, func() error { runtime.Goexit(); return nil }),
			hostile("HANGS", 1024, never), hostile("EXITS", 0, func() error { runtime.Goexit(); return nil }),
		}, []result{
			{"went beyond the time limit of 1m0s", at / 256 * 256}, {"runtime.Goexit was called", at},
			{"went beyond the time limit of 1m0s", 1024}, {"runtime.Goexit was called", 0},
		}, 2 * (time.Minute + time.Second)},
		{"one comes back late", []func(*checks.Source[int]) checks.Check{
			hostile("SLEEPS", at, func() error { time.Sleep(time.Minute + time.Second/2); return nil }),
		}, []result{{"went beyond the time limit of 1m0s", at + 1}}, time.Minute + time.Second/2},
	} {
		for _, n := range limits {
			t.Run(row.name+"/"+slotted(n), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					stop = make(chan struct{})
					ints := make([]int, resources)
					var want []int
					for i := range ints {
						ints[i] = i
						want = append(want, i)
					}
					src := checks.Slice("ints", ints)
					seen := make([][]int, len(row.audit)+1)
					keeps := func(i int) checks.Check {
						return checks.Each(spec(fmt.Sprint("KEEPS_", i)), src, func(_ context.Context, _ *checks.Pass, n *int) error {
							seen[i] = append(seen[i], *n)
							return nil
						})
					}
					audit := []checks.Check{keeps(0)}
					for i, hostile := range row.audit {
						audit = append(audit, hostile(src), keeps(i+1))
					}
					limiter, back := slots(t, n)
					r := checks.Runner{Slots: limiter, TimeLimit: time.Minute}
					begin := time.Now()
					var got []result
					for i, out := range outcomes(&r, t.Context(), audit...) {
						if i%2 == 1 {
							got = append(got, result{fmt.Sprint(out.Err), out.Scanned})
						} else if out.Err != nil || out.Scanned != resources {
							t.Errorf("%v: scanned %d, error %v", audit[i].Spec().Name, out.Scanned, out.Err)
						}
					}
					if took := time.Since(begin); took != row.took {
						t.Errorf("audit took %v, want %v", took, row.took)
					}
					if diff := cmp.Diff(row.want, got); diff != "" {
						t.Errorf("hostile checks (-want +got):\n%s", diff)
					}
					for i, seen := range seen {
						if diff := cmp.Diff(want, seen); diff != "" {
							t.Errorf("KEEPS_%d saw (-want +got):\n%s", i, diff)
						}
					}
					close(stop)
					require.NoError(t, r.Wait(t.Context()))
					back()
				})
			})
		}
	}
}

// TestProgressOfALongBatch looks at the counters while a check judges.
func TestProgressOfALongBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		check := checks.Each(spec("STOPS"), checks.Slice("ints", make([]int, 1000)), func() func(context.Context, *checks.Pass, *int) error {
			judged := 0
			return func(_ context.Context, pass *checks.Pass, _ *int) error {
				if judged++; judged == 700 {
					pass.Report(finding("a"))
					time.Sleep(time.Second)
				}
				return nil
			}
		}())
		job := checks.Job{Check: check, Spec: new(check.Spec())}
		time.AfterFunc(time.Second/2, func() {
			if scanned, non := job.Progress(); scanned != 512 || non != 1 {
				t.Errorf("progress is %d and %d, want 512 and 1", scanned, non)
			}
		})
		var r checks.Runner
		r.Run(t.Context(), []*checks.Job{&job})
		if scanned, non := job.Progress(); scanned != 1000 || non != 1 {
			t.Errorf("progress is %d and %d in the end, want 1000 and 1", scanned, non)
		}
	})
}

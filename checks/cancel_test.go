package checks_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

var errStopped = errors.New("stopped by the operator")

// TestCancel stops an audit after a minute. Checks that run keep what they found, those that were done
// are done, and those that had not begun never do.
func TestCancel(t *testing.T) {
	const (
		plain = "<nil> 1 [plain BAD]"
		scan  = "stopped by the operator 60 [59 BAD]"
		hung  = "stopped by the operator 1 [hung BAD]"
		none  = "stopped by the operator 0 []"
	)
	for _, row := range []struct {
		slots int64
		want  []string // error, resources, findings
	}{
		{0, []string{plain, hung, scan, plain}},
		{1, []string{plain, hung, none, none}},
		{2, []string{plain, hung, scan, plain}},
	} {
		t.Run(slotted(row.slots), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				plain := checks.New(spec("PLAIN"), func(_ context.Context, pass *checks.Pass) error {
					pass.Report(finding("plain"))
					return nil
				})
				hung := checks.New(spec("HUNG"), func(ctx context.Context, pass *checks.Pass) error {
					pass.Report(finding("hung"))
					time.Sleep(time.Hour)
					return nil
				})
				each := checks.Each(spec("SCAN"), sharded("ints", 1000), func(ctx context.Context, pass *checks.Pass, n *int) error {
					if *n == 59 {
						pass.Report(finding("59"))
					}
					return work(ctx, time.Second)
				})
				scan := checks.New(each.Spec(), func(ctx context.Context, pass *checks.Pass) error {
					time.Sleep(time.Nanosecond) // until the check after it asks for a slot too, or else the scan might be first
					return each.Run(ctx, pass)
				})
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(60*time.Second+2, func() { cancel(errStopped) })
				limiter, back := slots(t, row.slots)
				r := checks.Runner{Slots: limiter, TimeLimit: 2 * time.Minute}
				begin := time.Now()
				var got []string
				for _, o := range outcomes(&r, ctx, plain, hung, scan, plain) {
					got = append(got, fmt.Sprint(o.Err, " ", o.Scanned, " ", clients(o.Findings)))
				}
				if diff := cmp.Diff(row.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if took := time.Since(begin); took != 61*time.Second+2 {
					t.Errorf("audit ended after %v, want a minute and a second of grace", took)
				}
				require.NoError(t, r.Wait(t.Context()))
				back()
			})
		})
	}
}

func TestCancelledBefore(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errStopped)
	for _, n := range limits {
		limiter, back := slots(t, n)
		r := checks.Runner{Slots: limiter}
		src := sharded("ints", 10)
		for i, out := range outcomes(&r, ctx, quiet("A", src), quiet("B", src), plain("C", 0)) {
			if out.Err != errStopped || out.Scanned != 0 {
				t.Errorf("check %d: scanned %d, error %v", i, out.Scanned, out.Err)
			}
		}
		require.NoError(t, r.Wait(t.Context()))
		back()
	}
}

// exhausted is a Limiter that gives no slot, and says why.
type exhausted struct{}

func (exhausted) Acquire(context.Context, int64) error { return errBroken }
func (exhausted) Release(int64)                        { panic("nothing to release") }

func TestSlotsThatFail(t *testing.T) {
	r := checks.Runner{Slots: exhausted{}}
	out := outcomes(&r, t.Context(), plain("A", 0))[0]
	if want := "no slot for the check: disk on fire"; out.Err == nil || out.Err.Error() != want {
		t.Errorf("error is %v, want %s", out.Err, want)
	}
}

// ration is a Limiter that gives so many slots in all.
type ration struct{ left int }

func (r *ration) Acquire(context.Context, int64) error {
	if r.left--; r.left < 0 {
		return errBroken
	}
	return nil
}
func (*ration) Release(int64) {}

func TestSlotsThatFailInAScan(t *testing.T) {
	// One for the check, one to list the shards, one for the first shard.
	for left := 1; left <= 3; left++ {
		r := checks.Runner{Slots: &ration{left}}
		out := outcomes(&r, t.Context(), quiet("A", sharded("ints", 1, 1)))[0]
		if want := `no slot for source "ints": disk on fire`; out.Err == nil || out.Err.Error() != want {
			t.Errorf("%d slots: error is %v, want %s", left, out.Err, want)
		}
		require.NoError(t, r.Wait(t.Context()))
	}
}

// TestNoGoroutineIsLeft does every deed in every place without synctest, and looks for goroutines.
func TestNoGoroutineIsLeft(t *testing.T) {
	r := checks.Runner{TimeLimit: 10 * time.Millisecond, Grace: time.Millisecond, MaxFindings: 10}
	stop := make(chan struct{})
	ctx := context.WithValue(t.Context(), never{}, stop)
	for _, d := range deeds {
		src := sharded("ints", 300, 300)
		outcomes(&r, ctx, checks.New(spec("RUN"), d.do), quiet("QUIET", src),
			checks.Each(spec("JUDGE"), src, func(ctx context.Context, pass *checks.Pass, n *int) error { return d.do(ctx, pass) }))
	}
	if goroutines("checks_test.init.func") == 0 {
		t.Error("the deed that hangs is not there, so this test would see nothing")
	}
	close(stop)
	require.NoError(t, r.Wait(t.Context()))
	// A goroutine that Wait has seen end may still be on its last instruction.
	for range 1_000_000 {
		if goroutines("checks.(*Runner).spawn") == 0 {
			return
		}
		runtime.Gosched()
	}
	t.Errorf("%d goroutines are left", goroutines("checks.(*Runner).spawn"))
}

// goroutines counts those that have the function in their stacks.
func goroutines(function string) int {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	n := 0
	for stack := range bytes.SplitSeq(stacks, []byte("\n\n")) {
		if bytes.Contains(stack, []byte(function)) {
			n++
		}
	}
	return n
}

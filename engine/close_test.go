package engine_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// noLeaks fails the test if, when everything else in it is over, a goroutine of this module is there that
// was not there when noLeaks was called. Goroutines that have done all but end are given time to do so.
func noLeaks(t testing.TB) {
	before := goroutines()
	t.Cleanup(func() {
		left := newGoroutines(before)
		for deadline := time.Now().Add(5 * time.Second); len(left) > 0 && time.Now().Before(deadline); left = newGoroutines(before) {
			runtime.Gosched()
		}
		for _, stack := range left {
			t.Errorf("a goroutine is left:\n%s", stack)
		}
	})
}

// newGoroutines returns the stacks of the goroutines of this module that are not among those before.
func newGoroutines(before map[string]string) (stacks []string) {
	for id, stack := range goroutines() {
		if _, old := before[id]; !old && strings.Contains(stack, "fleetaudit") {
			stacks = append(stacks, stack)
		}
	}
	return stacks
}

// goroutines returns the stacks of all goroutines by their ids.
func goroutines() map[string]string {
	buf := make([]byte, 1<<16)
	for n := runtime.Stack(buf, true); n == len(buf); n = runtime.Stack(buf, true) {
		buf = make([]byte, 2*len(buf))
	}
	stacks := make(map[string]string)
	for stack := range strings.SplitSeq(strings.TrimRight(string(buf), "\x00"), "\n\n") {
		id, _, _ := strings.Cut(stack, " [")
		stacks[id] = stack
	}
	return stacks
}

func TestIdleEngineOwnsNoGoroutine(t *testing.T) {
	noLeaks(t)
	before := goroutines()
	e, err := engine.New(engine.Config{Checks: []checks.Check{good("GOOD_CHECK")}, EnableAll: true})
	require.NoError(t, err)
	none := func(when string) {
		t.Helper()
		for _, stack := range newGoroutines(before) {
			t.Errorf("%s there is a goroutine:\n%s", when, stack)
		}
	}
	none("after New")
	_, err = e.CreateScheduledAudit(t.Context(), daily("DAILY", "GOOD_CHECK"))
	require.NoError(t, err)
	none("with a schedule")
	for _, err := range e.WatchAuditTask(t.Context(), "unknown") {
		require.Error(t, err)
	}
	none("after a watch")
	runAudit(t, e, "GOOD_CHECK")
	// No Close: what an audit owned goes with it. noLeaks looks when the test is over.
}

// A leak must be seen, or the tests here could not fail.
func TestNoLeaksSeesALeak(t *testing.T) {
	noLeaks(t)
	before := goroutines()
	release := make(chan struct{})
	defer close(release)
	go func() { <-release }()
	if n := len(newGoroutines(before)); n != 1 {
		t.Errorf("%d goroutines are seen, want 1", n)
	}
}

// Close cancels what runs, which keeps what it found, and leaves no goroutine.
func TestClose(t *testing.T) {
	noLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		told := make(notes, 10)
		e := openEngine(t, engine.Config{
			Notifier: told,
			Checks: []checks.Check{
				checks.New(specOf("QUICK"), func(_ context.Context, p *checks.Pass) error {
					report(p, "a")
					return nil
				}),
				checks.New(specOf("SLOW"), func(ctx context.Context, p *checks.Pass) error {
					report(p, "b")
					<-ctx.Done()
					return context.Cause(ctx)
				}),
			},
		})
		taskID := startAudit(t, e, "QUICK", "SLOW")
		synctest.Wait()
		require.NoError(t, e.Close())
		require.NoError(t, e.Close(), "again")

		want := map[string]model.AuditCheckDetails{
			"QUICK": {CheckRunStatus: "COMPLETED_NON_COMPLIANT", TotalResourcesCount: 1, NonCompliantResourcesCount: 1},
			"SLOW":  {CheckRunStatus: "CANCELED", TotalResourcesCount: 1, NonCompliantResourcesCount: 1},
		}
		out := waitAudit(t, e, taskID) // what it holds can still be read
		if diff := cmp.Diff(want, out.AuditDetails); diff != "" {
			t.Error(diff)
		}
		if out.TaskStatus != model.AuditTaskStatusCanceled {
			t.Error("the audit is", out.TaskStatus)
		}
		if diff := cmp.Diff([]string{"QUICK a BAD", "SLOW b BAD"}, foundBy(t, e, taskID)); diff != "" {
			t.Error(diff)
		}
		if n := (<-told).Audit; n.TaskID != taskID || n.TaskStatus != model.AuditTaskStatusCanceled || len(told) != 0 {
			t.Errorf("told of %v, and %d more", n, len(told))
		}
	})
}

// After Close, what changes something fails with ErrClosed, and what reads does not.
func TestOperationsAfterClose(t *testing.T) {
	noLeaks(t)
	e := openEngine(t, engine.Config{Checks: []checks.Check{good("GOOD_CHECK")}})
	require.NoError(t, e.Close())
	for _, op := range engine.Operations() {
		_, err := op.Call(t.Context(), e, op.NewInput())
		if closed := errors.Is(err, engine.ErrClosed); closed == reads(op.Name) {
			t.Errorf("%s: %v", op.Name, err)
		}
	}
	if _, err := e.RunDue(t.Context(), time.Now()); !errors.Is(err, engine.ErrClosed) {
		t.Error("RunDue:", err)
	}
	if err := e.Run(t.Context()); !errors.Is(err, engine.ErrClosed) {
		t.Error("Run:", err)
	}
}

// Whatever ignores that it was told to stop makes Close fail, in bounded time, and not hang.
func TestCloseGivesUp(t *testing.T) {
	noLeaks(t)
	rows := []struct {
		name   string
		config func(release <-chan struct{}) engine.Config
		names  []string
		after  time.Duration
		err    string // empty: none
	}{
		{
			name: "a check ignores it",
			config: func(release <-chan struct{}) engine.Config {
				return engine.Config{Concurrency: 3, Checks: []checks.Check{hanging("HANGING", release), hanging("TOO", release), good("GOOD")}}
			},
			names: []string{"HANGING", "TOO", "GOOD"},
			after: 10 * time.Second,
			err:   "engine: close: 2 goroutines of checks have not ended: gave up waiting",
		},
		{
			name: "a check is left only after Close has given up",
			config: func(release <-chan struct{}) engine.Config {
				return engine.Config{StopGrace: time.Minute, Checks: []checks.Check{hanging("HANGING", release)}}
			},
			names: []string{"HANGING"},
			after: 10 * time.Second,
			err:   "engine: close: 1 audits, 0 forecasts, 0 notifiers and 0 changes have not ended: gave up waiting",
		},
		{
			name: "a notifier ignores it",
			config: func(release <-chan struct{}) engine.Config {
				return engine.Config{
					Checks:   []checks.Check{good("GOOD")},
					Notifier: notify(func(context.Context, engine.Notification) error { <-release; return nil }),
				}
			},
			names: []string{"GOOD"},
			after: 10 * time.Second,
			err:   "engine: close: 0 audits, 0 forecasts, 1 notifiers and 0 changes have not ended: gave up waiting",
		},
		{
			name: "a notifier stops when its context ends",
			config: func(release <-chan struct{}) engine.Config {
				return engine.Config{
					Checks: []checks.Check{good("GOOD")},
					Notifier: notify(func(ctx context.Context, _ engine.Notification) error {
						<-ctx.Done()
						return context.Cause(ctx)
					}),
				}
			},
			names: []string{"GOOD"},
			after: 9 * time.Second,
		},
		{
			name: "a check stops in its grace",
			config: func(release <-chan struct{}) engine.Config {
				return engine.Config{Checks: []checks.Check{checks.New(specOf("SLOW"), func(ctx context.Context, _ *checks.Pass) error {
					<-ctx.Done()
					time.Sleep(500 * time.Millisecond)
					return nil
				})}}
			},
			names: []string{"SLOW"},
			after: 500 * time.Millisecond,
		},
		{
			name: "a check stops after its grace",
			config: func(release <-chan struct{}) engine.Config {
				return engine.Config{Checks: []checks.Check{checks.New(specOf("SLOW"), func(ctx context.Context, _ *checks.Pass) error {
					<-ctx.Done()
					time.Sleep(5 * time.Second)
					return nil
				})}}
			},
			names: []string{"SLOW"},
			after: 5 * time.Second,
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				e := openEngine(t, row.config(release))
				startAudit(t, e, row.names...)
				synctest.Wait()
				begun := time.Now()
				got := ""
				if err := e.Close(); err != nil {
					got = err.Error()
				}
				if got != row.err {
					t.Errorf("Close: %q, want %q", got, row.err)
				}
				if took := time.Since(begun); took != row.after {
					t.Errorf("Close took %v, want %v", took, row.after)
				}
				close(release) // openEngine then wants a Close without an error
				time.Sleep(time.Hour)
			})
		})
	}
}

// Close and starts that come at the same time: each start either fails, or its audit ends before Close
// returns.
func TestCloseRacesWithStarts(t *testing.T) {
	noLeaks(t)
	for range 20 {
		e := openEngine(t, engine.Config{MaxOnDemandAudits: -1, Checks: []checks.Check{untilDone("UNTIL_DONE")}})
		started := make(chan string, 200)
		begin := make(chan struct{})
		for range 4 {
			go func() {
				<-begin
				for range 40 {
					out, err := e.StartOnDemandAuditTask(context.Background(), target("UNTIL_DONE"))
					if err != nil {
						if !errors.Is(err, engine.ErrClosed) {
							t.Error(err)
						}
						break
					}
					started <- out.TaskID
				}
				started <- ""
			}()
		}
		close(begin)
		runtime.Gosched()
		require.NoError(t, e.Close())
		for left := 4; left > 0; {
			id := <-started
			if id == "" {
				left--
				continue
			}
			out, err := e.DescribeAuditTask(t.Context(), &model.DescribeAuditTaskInput{TaskID: id})
			require.NoError(t, err)
			if out.TaskStatus != model.AuditTaskStatusCanceled {
				t.Fatalf("after Close an audit is %s", out.TaskStatus)
			}
		}
	}
}

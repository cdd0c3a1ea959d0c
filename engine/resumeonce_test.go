package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/engine/storetest"
	"github.com/fleetaudit/fleetaudit/model"
)

// However often and from wherever Resume is called, each audit goes on once, and audits that this Engine has started are
// none of its business: neither they nor their notifications come twice.
func TestResumeOnce(t *testing.T) {
	noLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		runs, told := make(map[string]int), make(map[string]int)
		deliver, finish := make(chan struct{}), make(chan struct{})
		config := engine.Config{
			Store: storetest.NewMemory(), MaxOnDemandAudits: -1, Concurrency: 50,
			Checks: []checks.Check{checks.New(specOf("COUNTS"), func(ctx context.Context, p *checks.Pass) error {
				mu.Lock()
				runs[p.TaskID]++
				n := runs[p.TaskID]
				mu.Unlock()
				report(p, fmt.Sprint(n))
				select {
				case <-finish:
				case <-ctx.Done():
					return context.Cause(ctx)
				}
				return nil
			})},
			Notifier: notify(func(_ context.Context, n engine.Notification) error {
				mu.Lock()
				told[n.ID]++
				mu.Unlock()
				<-deliver
				return nil
			}),
		}
		e := openEngine(t, config)
		var left []string
		for range 10 {
			left = append(left, startAudit(t, e, "COUNTS"))
		}
		synctest.Wait()
		e = reopen(t, e, config)
		close(finish)
		var own []string // they end, and are being told of
		for range 3 {
			own = append(own, startAudit(t, e, "COUNTS"))
		}
		synctest.Wait()
		var all sync.WaitGroup
		var resumed []string
		for i := range 20 {
			all.Go(func() {
				ids, err := e.Resume()
				if i%2 > 0 {
					_, err = e.RunDue(t.Context(), time.Now())
				}
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
				}
				resumed = append(resumed, ids...)
			})
		}
		all.Wait()
		synctest.Wait()
		if diff := cmp.Diff(slices.Sorted(slices.Values(left)), slices.Sorted(slices.Values(resumed))); diff != "" {
			t.Errorf("resumed (-want +got):\n%s", diff)
		}
		close(deliver)
		synctest.Wait()
		for _, id := range append(own, left...) {
			want := 2
			if slices.Contains(own, id) {
				want = 1
			}
			if runs[id] != want || told[id] != 1 {
				t.Errorf("%s ran %d times and was told of %d times; want %d and 1", id, runs[id], told[id], want)
			}
			if out := waitAudit(t, e, id); out.TaskStatus != model.AuditTaskStatusCompleted {
				t.Errorf("%s is %s", id, out.TaskStatus)
			}
			if diff := cmp.Diff([]string{fmt.Sprintf("COUNTS %d BAD", want)}, foundBy(t, e, id)); diff != "" {
				t.Errorf("%s: %s", id, diff)
			}
		}
		for _, a := range e.Statistics(time.Now()).Audits {
			if a.Status == model.AuditTaskStatusInProgress && a.Count != 0 || a.Status == model.AuditTaskStatusCompleted && a.Count != 13 {
				t.Errorf("Statistics: %+v", a)
			}
		}
		e = reopen(t, e, config)
		ids, err := e.Resume()
		require.NoError(t, err)
		synctest.Wait()
		if len(ids) > 0 || len(told) != 13 {
			t.Errorf("resumed %v, told of %v", ids, told)
		}
	})
}

// A notification that was not delivered when the Engine closed is delivered by the next one, and one whose Notifier has
// failed is not, as ever.
func TestNotificationsAcrossRestarts(t *testing.T) {
	noLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var told []string
		fail := errors.New("no such topic")
		answer := func(ctx context.Context) error { return nil }
		config := engine.Config{
			Store: storetest.NewMemory(), Checks: []checks.Check{good("GOOD")},
			Notifier: notify(func(ctx context.Context, n engine.Notification) error {
				mu.Lock()
				told = append(told, n.ID)
				mu.Unlock()
				return answer(ctx)
			}),
		}
		e := openEngine(t, config)
		wantAgain := func(when string, want ...string) {
			t.Helper()
			e = reopen(t, e, config)
			told = nil
			_, err := e.Resume()
			require.NoError(t, err)
			synctest.Wait()
			if diff := cmp.Diff(want, slices.Sorted(slices.Values(told))); diff != "" {
				t.Errorf("%s: told after a restart (-want +got):\n%s", when, diff)
			}
		}
		runAudit(t, e, "GOOD")
		synctest.Wait()
		wantAgain("delivered")
		answer = func(context.Context) error { return fail }
		runAudit(t, e, "GOOD")
		synctest.Wait()
		wantAgain("failed")
		answer = func(context.Context) error { panic(fail) }
		runAudit(t, e, "GOOD")
		synctest.Wait()
		wantAgain("panicked")
		answer = func(ctx context.Context) error {
			<-ctx.Done()
			return context.Cause(ctx)
		}
		first := runAudit(t, e, "GOOD") // Close ends it
		second := startAudit(t, e, "GOOD")
		synctest.Wait()
		require.Equal(t, model.AuditTaskStatusCompleted, first.TaskStatus)
		require.Len(t, told, 2)
		unheard := slices.Sorted(slices.Values(told))
		require.Contains(t, unheard, second)
		config.Retention = day
		require.NoError(t, e.Close())
		time.Sleep(30 * day) // what is owed is kept until it is delivered
		answer = func(context.Context) error { return nil }
		wantAgain("cut short", unheard...)
		wantAgain("delivered at last")
		runDue(t, e, time.Now())
		_, err := e.WaitAuditTask(t.Context(), second)
		require.ErrorContains(t, err, "no longer kept")

		// A host that has no Notifier any more owes nothing to that of later.
		answer = func(ctx context.Context) error {
			<-ctx.Done()
			return context.Cause(ctx)
		}
		runAudit(t, e, "GOOD")
		notifier := config.Notifier
		config.Notifier = nil
		e = reopen(t, e, config)
		_, err = e.Resume()
		require.NoError(t, err)
		answer = func(context.Context) error { return nil }
		config.Notifier = notifier
		wantAgain("a Notifier was missing")
	})
}

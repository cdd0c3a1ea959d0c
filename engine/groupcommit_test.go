package engine_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
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

// group calls operations while the Store holds a Commit back, so that they wait for each other.
type group struct {
	*testing.T
	*engine.Engine
	store *recorder
	go1   chan error // lets a Commit go on
	errs  []error    // of each call
}

// newGroup makes an Engine whose Store is busy with another call.
func newGroup(t *testing.T, c engine.Config) *group {
	g := &group{T: t, store: new(recorder), go1: make(chan error)}
	c.Store = g.store
	g.Engine = openEngine(t, c)
	createSchedule(t, g.Engine, daily("daily", "GOOD"))
	g.store.ask = func(int, []engine.Change) (bool, error) {
		err := <-g.go1
		return err == nil, err
	}
	g.call(func() error {
		_, err := g.CreateAuditSuppression(t.Context(), suppressing("GOOD", "busy"))
		return err
	})
	return g
}

// call makes a call, and returns when it waits.
func (g *group) call(f func() error) {
	i := len(g.errs)
	g.errs = append(g.errs, errors.New("it has not returned"))
	go func() {
		err := f()
		g.errs[i] = err
	}()
	synctest.Wait()
}

// commit lets one Commit go on.
func (g *group) commit(err error) {
	g.go1 <- err
	synctest.Wait()
}

// returned counts the calls that have.
func (g *group) returned() (n int) {
	for _, err := range g.errs {
		if err == nil || err.Error() != "it has not returned" {
			n++
		}
	}
	return n
}

// Callers that come while the Store is busy share the next Commit, in the order in which they came; what one of them is
// refused is no concern of the others.
func TestGroupCommit(t *testing.T) {
	noLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		g := newGroup(t, engine.Config{Checks: []checks.Check{good("GOOD")}})
		arn := "arn:aws:iot:us-east-1:000000000000:scheduledaudit/daily"
		before := g.store.calls()
		var want []string
		for i := range 64 {
			switch i % 8 {
			case 0: // the last one is that of the later call
				g.call(func() error {
					_, err := g.TagResource(t.Context(), &model.TagResourceInput{ResourceARN: arn, Tags: []model.Tag{{Key: "last", Value: fmt.Sprint(i)}}})
					return err
				})
				want = append(want, "")
			case 1: // refused, by what is there already
				g.call(func() error {
					_, err := g.CreateAuditSuppression(t.Context(), &model.CreateAuditSuppressionInput{
						CheckName: "GOOD", ResourceIdentifier: device("busy").ResourceIdentifier, SuppressIndefinitely: new(true), ClientRequestToken: "other",
					})
					return err
				})
				want = append(want, "have a suppression already")
			case 2: // there for the next one
				g.call(func() error {
					_, err := g.CreateAuditSuppression(t.Context(), suppressing("GOOD", fmt.Sprint("brief-", i)))
					return err
				})
				want = append(want, "")
			case 3: // and gone again: the Store hears nothing of it
				g.call(func() error {
					_, err := g.DeleteAuditSuppression(t.Context(), &model.DeleteAuditSuppressionInput{
						CheckName: "GOOD", ResourceIdentifier: device(fmt.Sprint("brief-", i-1)).ResourceIdentifier,
					})
					return err
				})
				want = append(want, "")
			case 4: // refused, because of what the one before did
				g.call(func() error {
					_, err := g.UpdateAuditSuppression(t.Context(), &model.UpdateAuditSuppressionInput{
						CheckName: "GOOD", ResourceIdentifier: device(fmt.Sprint("brief-", i-2)).ResourceIdentifier, Description: new("x"),
					})
					return err
				})
				want = append(want, "have no suppression")
			case 5:
				g.call(func() error {
					_, err := g.CreateAuditSuppression(t.Context(), suppressing("GOOD", fmt.Sprint("kept-", i)))
					return err
				})
				want = append(want, "")
			case 6: // gone, and there again, as another
				g.call(func() error {
					_, err := g.DeleteScheduledAudit(t.Context(), &model.DeleteScheduledAuditInput{ScheduledAuditName: "daily"})
					return err
				})
				want = append(want, "")
			case 7:
				g.call(func() error {
					in := daily("daily", "GOOD")
					in.Tags = []model.Tag{{Key: "made", Value: fmt.Sprint(i)}}
					_, err := g.CreateScheduledAudit(t.Context(), in)
					return err
				})
				want = append(want, "")
			}
		}
		if n := g.returned(); n > 0 || g.store.calls() != before {
			t.Fatalf("%d calls have returned, and there were %d Commits more", n, g.store.calls()-before)
		}
		if out, err := g.ListAuditSuppressions(t.Context(), nil); err != nil || len(out.Suppressions) > 0 {
			t.Errorf("before the Commit this can be seen: %v, %v", out, err)
		}
		g.commit(nil)
		if n := g.returned(); n != 1 {
			t.Errorf("after the first Commit %d calls have returned", n)
		}
		g.commit(nil)
		if n := g.returned(); n != 65 || g.store.calls() != before+1 {
			t.Errorf("%d calls have returned, after %d Commits", n, g.store.calls()-before+1)
		}
		for i, want := range append([]string{""}, want...) {
			if err := g.errs[i]; (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("call %d: got %v, want %q", i, err, want)
			}
		}
		var changed []string
		for _, c := range g.store.changes(before)[0] {
			changed = append(changed, c.Table)
		}
		if diff := cmp.Diff([]string{
			"schedule", "suppression", "suppression", "suppression", "suppression", "suppression", "suppression", "suppression", "suppression",
		}, slices.Sorted(slices.Values(changed))); diff != "" {
			t.Errorf("the Store was handed (-want +got):\n%s", diff)
		}
		tags, err := g.ListTagsForResource(t.Context(), &model.ListTagsForResourceInput{ResourceARN: arn})
		require.NoError(t, err)
		require.Equal(t, []model.Tag{{Key: "made", Value: "63"}}, tags.Tags)
		g.store.ask = nil
		dump := fullDump(t, g.Engine, nil)
		twin, err := engine.New(engine.Config{Checks: []checks.Check{good("GOOD")}, Store: g.store.Clone()})
		require.NoError(t, err)
		if diff := cmp.Diff(dump, fullDump(t, twin, nil)); diff != "" {
			t.Errorf("a restart shows (-before +after):\n%s", diff)
		}
		require.NoError(t, twin.Close())
	})
}

// A limit holds for all calls of a group together.
func TestGroupCommitKeepsLimits(t *testing.T) {
	noLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		g := newGroup(t, engine.Config{Checks: []checks.Check{good("GOOD"), untilDone("UNTIL_DONE")}, MaxOnDemandAudits: 7})
		for range 64 {
			g.call(func() error {
				_, err := g.StartOnDemandAuditTask(t.Context(), target("UNTIL_DONE"))
				return err
			})
		}
		before := g.store.calls()
		g.commit(nil)
		g.commit(nil)
		if n := g.store.calls(); n != before+1 || g.returned() != 65 {
			t.Errorf("%d Commits, and %d have returned", n-before, g.returned())
		}
		for i, err := range g.errs[1:] {
			if limit, ok := errors.AsType[*model.LimitExceededException](err); ok != (i >= 7) || !ok && err != nil {
				t.Errorf("call %d: %v, %v", i, err, limit)
			}
		}
		close(g.go1)
	})
}

// A Commit takes 256 calls at most.
func TestGroupCommitIsBounded(t *testing.T) {
	noLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		g := newGroup(t, engine.Config{Checks: []checks.Check{good("GOOD")}})
		for i := range 600 {
			g.call(func() error {
				_, err := g.CreateAuditSuppression(t.Context(), suppressing("GOOD", fmt.Sprint(i)))
				return err
			})
		}
		before := g.store.calls()
		for _, want := range []int{1, 257, 513, 601} {
			g.commit(nil)
			if n := g.returned(); n != want {
				t.Errorf("%d calls have returned, want %d", n, want)
			}
		}
		if n := g.store.calls() - before; n != 3 {
			t.Errorf("%d Commits more, want 3", n)
		}
		for i, err := range g.errs {
			if err != nil {
				t.Errorf("call %d: %v", i, err)
			}
		}
	})
}

// A Commit that fails fails for everybody who was part of it, and for those who wait behind it, without another Commit.
func TestGroupCommitFails(t *testing.T) {
	noLeaks(t)
	for _, fault := range []error{errDisk, context.Canceled} {
		synctest.Test(t, func(t *testing.T) {
			g := newGroup(t, engine.Config{Checks: []checks.Check{good("GOOD")}})
			before := fullDump(t, g.Engine, nil)
			for i := range 300 {
				g.call(func() error {
					in := suppressing("GOOD", fmt.Sprint(i))
					if i%2 > 0 {
						in.CheckName = "NO_CHECK" // refused, if the Store had not failed
					}
					_, err := g.CreateAuditSuppression(t.Context(), in)
					return err
				})
			}
			g.call(func() error {
				_, err := g.StartOnDemandAuditTask(t.Context(), target("GOOD"))
				return err
			})
			g.commit(nil)
			commits := g.store.calls()
			kept := fullDump(t, g.Engine, nil)
			require.NotEqual(t, before, kept)
			g.commit(fault)
			if n := g.returned(); n != 302 || g.store.calls() != commits {
				t.Errorf("%d calls have returned, after %d Commits more", n, g.store.calls()-commits)
			}
			require.NoError(t, g.errs[0])
			for i, err := range g.errs[1:] {
				refusedByStore(t, fmt.Sprint("call ", i), err)
			}
			if err := g.Err(); !errors.Is(err, fault) {
				t.Error("Err:", err)
			}
			if diff := cmp.Diff(kept, fullDump(t, g.Engine, nil)); diff != "" {
				t.Errorf("it failed and changed something nevertheless (-before +after):\n%s", diff)
			}
		})
	}
}

// Many callers, audits and retention at once: what the Store holds after any Commit is what an Engine can open, and in the
// end it is what the Engine shows.
func TestGroupCommitUnderLoad(t *testing.T) {
	noLeaks(t)
	store := storetest.NewMemory()
	config := engine.Config{Checks: []checks.Check{checks.New(specOf("BAD"), func(_ context.Context, p *checks.Pass) error {
		for i := range 20 {
			report(p, fmt.Sprint(i))
		}
		return nil
	}), good("GOOD")}, EnableAll: true, Store: store, MaxOnDemandAudits: -1}
	e, err := engine.New(config)
	require.NoError(t, err)
	const callers = 12
	opened := make(chan error)
	stop := make(chan struct{})
	go func() {
		defer close(opened)
		for {
			select {
			case <-stop:
				return
			default:
			}
			again := config
			again.Store = store.Clone()
			other, err := engine.New(again)
			if err == nil {
				err = other.Close()
			}
			if err != nil {
				opened <- err
				return
			}
		}
	}()
	done := make(chan error, callers)
	for i := range callers {
		go func() {
			var err error
			for n := range 12 {
				id := fmt.Sprint(i, "-", n)
				_, err1 := e.CreateAuditSuppression(t.Context(), suppressing("BAD", id))
				out, err2 := e.StartOnDemandAuditTask(t.Context(), target("BAD", "GOOD"))
				err = errors.Join(err, err1, err2)
				if err2 == nil && n%3 == 0 {
					_, _ = e.WaitAuditTask(t.Context(), out.TaskID)          // it may have been dropped already
					_, err3 := e.RunDue(t.Context(), time.Now().Add(91*day)) // drops what has ended
					err = errors.Join(err, err3)
				}
			}
			done <- err
		}()
	}
	for range callers {
		require.NoError(t, <-done)
	}
	close(stop)
	require.NoError(t, <-opened)
	require.NoError(t, e.Close())
	tokens := regexp.MustCompile(`"nextToken": ".*"`) // there are more suppressions than a page has
	before := tokens.ReplaceAllString(dump(t, e, nil), "")
	again, err := engine.New(config)
	require.NoError(t, err)
	if diff := cmp.Diff(before, tokens.ReplaceAllString(dump(t, again, nil), "")); diff != "" {
		t.Errorf("a restart shows (-before +after):\n%s", diff)
	}
	require.NoError(t, again.Close())
}

package engine_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// addsUp fails the test unless the statistics of a snapshot count its checks, and fit its status.
func addsUp(t testing.TB, out *model.DescribeAuditTaskOutput) {
	t.Helper()
	var want model.TaskStatistics
	for name, d := range out.AuditDetails {
		want.TotalChecks++
		switch d.CheckRunStatus {
		case "IN_PROGRESS":
			want.InProgressChecks++
		case "WAITING_FOR_DATA_COLLECTION":
			want.WaitingForDataCollectionChecks++
		case "COMPLETED_COMPLIANT":
			want.CompliantChecks++
		case "COMPLETED_NON_COMPLIANT":
			want.NonCompliantChecks++
		case "FAILED":
			want.FailedChecks++
		case "CANCELED":
			want.CanceledChecks++
		default:
			t.Errorf("%s is %q", name, d.CheckRunStatus)
		}
		if d.NonCompliantResourcesCount > d.TotalResourcesCount || d.CheckCompliant != (d.CheckRunStatus == "COMPLETED_COMPLIANT") ||
			(d.ErrorCode != "") != (d.CheckRunStatus == "FAILED") {
			t.Errorf("%s contradicts itself: %+v", name, d)
		}
	}
	if diff := gocmp.Diff(want, out.TaskStatistics); diff != "" {
		t.Error("the statistics do not count the checks:", diff)
	}
	open := out.TaskStatistics.InProgressChecks + out.TaskStatistics.WaitingForDataCollectionChecks
	ended := out.TaskStatus != model.AuditTaskStatusInProgress
	if ended && open > 0 {
		t.Errorf("the audit is %s, and %d of its checks have not ended", out.TaskStatus, open)
	}
	if out.TaskStatus == model.AuditTaskStatusFailed && want.FailedChecks < want.TotalChecks {
		t.Error("the audit is FAILED, and not all of its checks are")
	}
}

// forward fails the test if one snapshot comes after another that is further.
func forward(t testing.TB, before, after *model.DescribeAuditTaskOutput) {
	t.Helper()
	if before.TaskStatus != model.AuditTaskStatusInProgress && gocmp.Diff(before, after) != "" {
		t.Error("an audit changed after its end:", gocmp.Diff(before, after))
	}
	for name, d := range before.AuditDetails {
		now := after.AuditDetails[name]
		open := d.CheckRunStatus == "IN_PROGRESS" || d.CheckRunStatus == "WAITING_FOR_DATA_COLLECTION"
		if !open && gocmp.Diff(d, now) != "" {
			t.Errorf("%s changed after its end: %s", name, gocmp.Diff(d, now))
		}
		if d.CheckRunStatus == "IN_PROGRESS" && now.TotalResourcesCount < d.TotalResourcesCount {
			t.Errorf("%s had %d resources, now %d", name, d.TotalResourcesCount, now.TotalResourcesCount)
		}
	}
}

// watchAudit watches an audit to its end, checks each snapshot, and returns them.
func watchAudit(t testing.TB, ctx context.Context, e *engine.Engine, taskID string) (all []*model.DescribeAuditTaskOutput) {
	for out, err := range e.WatchAuditTask(ctx, taskID) {
		if err != nil {
			t.Error(err)
			break
		}
		addsUp(t, out)
		if len(all) > 0 {
			forward(t, all[len(all)-1], out)
		}
		all = append(all, out)
	}
	if len(all) == 0 || all[len(all)-1].TaskStatus == model.AuditTaskStatusInProgress {
		t.Error("the last snapshot is not that of the end")
	}
	return all
}

// A watcher sees every change of a status, in order.
func TestWatchSeesEveryChange(t *testing.T) {
	noLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		ready := make(chan struct{})
		waiting := numbers(3, func(context.Context, int) { time.Sleep(time.Second) })
		waiting.Ready = func() <-chan struct{} { return ready }
		e := openEngine(t, engine.Config{Concurrency: 4, Checks: []checks.Check{
			checks.Each(specOf("WAITING"), waiting, func(_ context.Context, p *checks.Pass, i *int) error {
				p.Report(checks.Finding{Resource: device(fmt.Sprint(*i)), ReasonCode: "BAD"})
				return nil
			}),
			checks.New(specOf("GOOD"), func(context.Context, *checks.Pass) error { time.Sleep(5 * time.Second); return nil }),
			checks.New(specOf("BROKEN"), func(context.Context, *checks.Pass) error {
				time.Sleep(20 * time.Second)
				return errors.New("broken")
			}),
		}})
		taskID := startAudit(t, e, "WAITING", "GOOD", "BROKEN")
		time.AfterFunc(10*time.Second, func() { close(ready) })
		var seen []string
		begun := time.Now()
		for out, err := range e.WatchAuditTask(t.Context(), taskID) {
			require.NoError(t, err)
			d := out.AuditDetails
			seen = append(seen, fmt.Sprintf("%v %s: %s %s %s", time.Since(begun), out.TaskStatus,
				d["WAITING"].CheckRunStatus, d["GOOD"].CheckRunStatus, d["BROKEN"].CheckRunStatus))
		}
		// The first wait may or may not have begun when the watcher first looks.
		if len(seen) > 0 && seen[0] == "0s IN_PROGRESS: IN_PROGRESS IN_PROGRESS IN_PROGRESS" {
			seen = seen[1:]
		}
		// The audit may or may not have ended when the watcher sees that its last check has.
		seen = slices.DeleteFunc(seen, func(s string) bool {
			return s == "20s IN_PROGRESS: COMPLETED_NON_COMPLIANT COMPLETED_COMPLIANT FAILED"
		})
		want := []string{
			"0s IN_PROGRESS: WAITING_FOR_DATA_COLLECTION IN_PROGRESS IN_PROGRESS",
			"5s IN_PROGRESS: WAITING_FOR_DATA_COLLECTION COMPLETED_COMPLIANT IN_PROGRESS",
			"10s IN_PROGRESS: IN_PROGRESS COMPLETED_COMPLIANT IN_PROGRESS",
			"13s IN_PROGRESS: COMPLETED_NON_COMPLIANT COMPLETED_COMPLIANT IN_PROGRESS",
			"20s COMPLETED: COMPLETED_NON_COMPLIANT COMPLETED_COMPLIANT FAILED",
		}
		if diff := gocmp.Diff(want, seen); diff != "" {
			t.Error(diff)
		}
	})
}

// While a check works, its counts show how far it is.
func TestProgressOfACheck(t *testing.T) {
	noLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		e := openEngine(t, engine.Config{Checks: []checks.Check{checks.New(specOf("A"), func(_ context.Context, p *checks.Pass) error {
			for i := range 4 {
				time.Sleep(time.Second)
				p.Scanned(10)
				p.Report(checks.Finding{Resource: device(fmt.Sprint(i)), ReasonCode: "BAD"})
				p.Report(checks.Finding{Resource: device(fmt.Sprint(i)), ReasonCode: "WORSE"})
			}
			time.Sleep(time.Second)
			return nil
		})}})
		taskID := startAudit(t, e, "A")
		time.Sleep(time.Second / 2)
		for i := range int64(5) {
			out, err := e.DescribeAuditTask(t.Context(), &model.DescribeAuditTaskInput{TaskID: taskID})
			require.NoError(t, err)
			want := model.AuditCheckDetails{CheckRunStatus: "IN_PROGRESS", TotalResourcesCount: 10 * i, NonCompliantResourcesCount: i}
			if diff := gocmp.Diff(want, out.AuditDetails["A"]); diff != "" {
				t.Error(diff)
			}
			time.Sleep(time.Second)
		}
		want := model.AuditCheckDetails{CheckRunStatus: "COMPLETED_NON_COMPLIANT", TotalResourcesCount: 40, NonCompliantResourcesCount: 4}
		if diff := gocmp.Diff(want, waitAudit(t, e, taskID).AuditDetails["A"]); diff != "" {
			t.Error(diff)
		}
	})
}

// Many watch an audit of many checks while they end one after the other and all at once: every snapshot of
// every watcher adds up, nothing goes back, and the last snapshot is the same for all.
func TestManyWatchers(t *testing.T) {
	noLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		const n, watchers = 100, 8
		var all []checks.Check
		var names []string
		ready := make(chan struct{})
		for i := range n {
			names = append(names, fmt.Sprintf("CHECK_%03d", i))
			source := numbers(i, func(context.Context, int) { time.Sleep(time.Duration(i%3) * time.Millisecond) })
			if i%5 == 0 {
				source.Ready = func() <-chan struct{} { return ready }
			}
			all = append(all, checks.Each(specOf(names[i]), source, func(_ context.Context, p *checks.Pass, v *int) error {
				switch {
				case i%7 == 0 && *v == 5:
					return errors.New("broken")
				case i%2 == 0:
					p.Report(checks.Finding{Resource: device(fmt.Sprint(*v)), ReasonCode: "BAD"})
				}
				return nil
			}))
		}
		e := openEngine(t, engine.Config{Checks: all, Concurrency: 10})
		time.AfterFunc(50*time.Millisecond, func() { close(ready) })
		taskID := startAudit(t, e, names...)
		var watching sync.WaitGroup
		last := make([]*model.DescribeAuditTaskOutput, watchers)
		for i := range watchers {
			watching.Go(func() {
				snapshots := watchAudit(t, t.Context(), e, taskID)
				if len(snapshots) < 10 {
					t.Errorf("a watcher saw %d snapshots of %d checks, which is hardly watching", len(snapshots), n)
				}
				last[i] = snapshots[len(snapshots)-1]
			})
		}
		watching.Wait()
		for _, out := range last[1:] {
			if diff := gocmp.Diff(last[0], out); diff != "" {
				t.Fatal(diff)
			}
		}
		if diff := gocmp.Diff(waitAudit(t, e, taskID), last[0]); diff != "" {
			t.Error(diff)
		}
		want := model.TaskStatistics{TotalChecks: n, CompliantChecks: 44, NonCompliantChecks: 42, FailedChecks: 14}
		if diff := gocmp.Diff(want, last[0].TaskStatistics); diff != "" {
			t.Error(diff)
		}
	})
}

// A slow reader misses snapshots, but not the last one.
func TestSlowWatcher(t *testing.T) {
	noLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		var all []checks.Check
		var names []string
		for i := range 50 {
			names = append(names, fmt.Sprintf("CHECK_%03d", i))
			all = append(all, checks.New(specOf(names[i]), func(context.Context, *checks.Pass) error {
				time.Sleep(time.Second)
				return nil
			}))
		}
		e := openEngine(t, engine.Config{Checks: all, Concurrency: 1})
		taskID := startAudit(t, e, names...)
		var compliant []int
		for out, err := range e.WatchAuditTask(t.Context(), taskID) {
			require.NoError(t, err)
			addsUp(t, out)
			compliant = append(compliant, out.TaskStatistics.CompliantChecks)
			time.Sleep(20300 * time.Millisecond)
		}
		if diff := gocmp.Diff([]int{0, 20, 40, 50}, compliant); diff != "" {
			t.Error(diff)
		}
	})
}

// Watches and waits that end otherwise than with the audit.
func TestWatchEnds(t *testing.T) {
	noLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		e := openEngine(t, engine.Config{Checks: []checks.Check{untilDone("UNTIL_DONE")}, CheckTimeLimit: -1})
		collect := func(ctx context.Context, taskID string) (n int, last error) {
			for out, err := range e.WatchAuditTask(ctx, taskID) {
				if (out == nil) == (err == nil) {
					t.Errorf("yields %v and %v", out, err)
				}
				n, last = n+1, err
			}
			return n, last
		}
		_, err := e.WaitAuditTask(t.Context(), "unknown")
		n, err2 := collect(t.Context(), "unknown")
		for _, err := range []error{err, err2} {
			if _, ok := errors.AsType[*model.ResourceNotFoundException](err); !ok || n != 1 {
				t.Errorf("unknown: %v after %d", err, n)
			}
		}

		taskID := startAudit(t, e, "UNTIL_DONE")
		for range e.WatchAuditTask(t.Context(), taskID) {
			break // and no goroutine is left
		}

		why := errors.New("nobody looks any more")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Minute, func() { cancel(why) })
		begun := time.Now()
		if n, err := collect(ctx, taskID); n != 2 || err != why || time.Since(begun) != time.Minute {
			t.Errorf("watch: %v after %d and %v", err, n, time.Since(begun))
		}
		if _, err := e.WaitAuditTask(ctx, taskID); err != why {
			t.Error("wait:", err)
		}

		cancelAudit(t, e, taskID)
		out := waitAudit(t, e, taskID)
		// An audit that has ended needs no patience.
		if again, err := e.WaitAuditTask(ctx, taskID); err != nil || gocmp.Diff(out, again) != "" {
			t.Error("wait after the end:", err, gocmp.Diff(out, again))
		}
		if n, err := collect(ctx, taskID); n != 1 || err != nil {
			t.Errorf("watch after the end: %v after %d", err, n)
		}
		if got := watchAudit(t, ctx, e, taskID); len(got) != 1 || gocmp.Diff(out, got[0]) != "" {
			t.Error("watch after the end:", gocmp.Diff(out, got[0]))
		}
	})
}

// A check that was left behind may do what it likes: its audit has ended, and stays as it is.
func TestNothingChangesAfterTheEnd(t *testing.T) {
	noLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		late := numbers(1, func(context.Context, int) {})
		late.Ready = func() <-chan struct{} { return make(chan struct{}) }
		book := new(logbook)
		e := openEngine(t, engine.Config{
			Logger: book.logger(), CheckTimeLimit: time.Second, Retention: 24 * time.Hour,
			Checks: []checks.Check{checks.New(specOf("LATE"), func(_ context.Context, p *checks.Pass) error {
				report(p, "in time")
				time.Sleep(48 * time.Hour)
				report(p, "late")
				ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
				defer cancel()
				for range late.Read(ctx, p) { // it waits for data
				}
				return nil
			}), good("GOOD")},
		})
		taskID := startAudit(t, e, "LATE", "GOOD")
		out := waitAudit(t, e, taskID)
		if diff := gocmp.Diff(map[string]string{"LATE": "FAILED", "GOOD": "COMPLETED_COMPLIANT"}, statuses(out)); diff != "" {
			t.Error(diff)
		}
		time.Sleep(47 * time.Hour)
		synctest.Wait()
		if diff := gocmp.Diff(out, waitAudit(t, e, taskID)); diff != "" {
			t.Error(diff)
		}
		// Not even when the audit is not kept any more.
		_, err := e.RunDue(t.Context(), time.Now())
		require.NoError(t, err)
		_, err = e.WaitAuditTask(t.Context(), taskID)
		require.Error(t, err)
		time.Sleep(3 * time.Hour)
		synctest.Wait()
	})
}

// Snapshots belong to whoever gets them.
func TestSnapshotsShareNothing(t *testing.T) {
	noLeaks(t)
	e := openEngine(t, engine.Config{Checks: []checks.Check{good("A"), good("B")}})
	taskID := startAudit(t, e, "B", "A")
	want := waitAudit(t, e, taskID)
	got := waitAudit(t, e, taskID)
	got.AuditDetails["A"] = model.AuditCheckDetails{}
	got.AuditDetails["C"] = model.AuditCheckDetails{}
	if diff := gocmp.Diff(want, waitAudit(t, e, taskID)); diff != "" {
		t.Error(diff)
	}
	if diff := gocmp.Diff([]string{"A", "B"}, slices.SortedFunc(maps.Keys(want.AuditDetails), cmp.Compare)); diff != "" {
		t.Error(diff)
	}
}

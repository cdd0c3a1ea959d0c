package engine_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// The Store fails at each Commit of an audit in turn. What was visible before stays so, nothing comes after it, the
// audit stops, and the next Engine ends it.
func TestStoreFailsInAudit(t *testing.T) {
	noLeaks(t)
	names := []string{"DEVICE_CHECK", "HOLD_CHECK", "BROKEN_CHECK", "DATA_CHECK"}
	var want *model.DescribeAuditTaskOutput // of an audit that nothing disturbs
	var wantFound []string
	reached := 0 // commits
	for at := -1; at <= reached; at++ {
		for _, fault := range storeFaults {
			t.Run(fmt.Sprintf("%d/%s", at, fault.name), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s, store := newStock(), &breaking{}
					var mu sync.Mutex
					var told []engine.Notification
					config := s.stocked(names...)
					config.Store = store
					config.Notifier = notify(func(_ context.Context, n engine.Notification) error {
						mu.Lock()
						defer mu.Unlock()
						told = append(told, n)
						return nil
					})
					e := openEngine(t, config)
					begin := store.commits + 1 // the first is the start
					if at >= 0 {
						store.at, store.fault = begin+at, fault.commit
					}
					taskID := startAudit(t, e, names...)
					synctest.Wait()
					time.Sleep(time.Minute)
					closeAll(s.hold)
					time.Sleep(time.Minute)
					closeAll(s.data)
					synctest.Wait()
					if at < 0 {
						want, wantFound = waitAudit(t, e, taskID), foundBy(t, e, taskID)
						require.Len(t, told, 1)
						return
					}
					if e.Err() == nil { // this one did with fewer commits
						return
					}
					reached = max(reached, at+1)
					if store.commits != begin+at+1 {
						t.Errorf("%d commits, want %d", store.commits-begin, at+1)
					}
					out := describe(t, e, taskID)
					last := out.TaskStatus == model.AuditTaskStatusCompleted // it was only to settle the notification
					addsUp(t, out)
					_, err := e.WaitAuditTask(t.Context(), taskID)
					if last {
						require.NoError(t, err)
					} else {
						refusedByStore(t, "WaitAuditTask", err)
						var over error
						for _, over = range e.WatchAuditTask(t.Context(), taskID) {
						}
						refusedByStore(t, "WatchAuditTask", over)
						if len(told) > 0 {
							t.Error("told of", told)
						}
					}
					for _, a := range e.Statistics(time.Now()).Audits {
						if inProgress(a) == last {
							t.Errorf("Statistics: %+v", a)
						}
					}
					// Findings are there of what has ended, and of nothing else.
					seen := findingsOf(t, e, taskID)
					for name, d := range out.AuditDetails {
						ended := d.CheckRunStatus != "IN_PROGRESS" && d.CheckRunStatus != "WAITING_FOR_DATA_COLLECTION"
						if !ended && seen[name] != nil || ended && int64(len(seen[name])) < d.NonCompliantResourcesCount {
							t.Errorf("%s is %s, and has %d findings", name, d.CheckRunStatus, len(seen[name]))
						}
					}
					begun := time.Now()
					if err := e.Close(); err != nil || !time.Now().Equal(begun) {
						t.Errorf("Close after %v: %v", time.Since(begun), err)
					}

					config.Store = &store.Memory
					again := openEngine(t, config)
					kept := describe(t, again, taskID)
					for name, d := range out.AuditDetails { // nothing that was visible is lost
						if seen[name] != nil {
							if diff := cmp.Diff(d, kept.AuditDetails[name]); diff != "" {
								t.Errorf("%s (-seen +kept):\n%s", name, diff)
							}
							if diff := cmp.Diff(seen[name], findingsOf(t, again, taskID)[name]); diff != "" {
								t.Errorf("findings of %s (-seen +kept):\n%s", name, diff)
							}
						}
					}
					_, err = again.Resume()
					require.NoError(t, err)
					if diff := cmp.Diff(want, waitAudit(t, again, taskID)); diff != "" {
						t.Errorf("in the end (-want +got):\n%s", diff)
					}
					if diff := cmp.Diff(wantFound, foundBy(t, again, taskID)); diff != "" {
						t.Errorf("in the end (-want +got):\n%s", diff)
					}
					synctest.Wait()
					wantTold := 1
					if last && !fault.applied {
						wantTold = 2
					}
					if len(told) != wantTold || told[0].ID != taskID || told[len(told)-1].ID != taskID {
						t.Errorf("told %d times, want %d: %v", len(told), wantTold, told)
					}
				})
			})
		}
	}
	if reached < 5 {
		t.Fatalf("the audit took %d commits; want some", reached)
	}
}

// A Store that fails ends the checks that run, also those that wait for a slot or for data.
func TestStoreFailureStopsChecks(t *testing.T) {
	noLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		s, store := newStock(), &breaking{}
		config := s.stocked("DATA_CHECK")
		config.Concurrency, config.Store, config.EnableAll = 1, store, true
		running := make(map[string]bool)
		for _, name := range []string{"ONE", "TWO"} {
			config.Checks = append(config.Checks, checks.New(specOf(name), func(ctx context.Context, p *checks.Pass) error {
				running[name] = true
				<-ctx.Done()
				running[name] = false
				return context.Cause(ctx)
			}))
		}
		e := openEngine(t, config)
		taskID := startAudit(t, e, "ONE", "TWO", "DATA_CHECK")
		synctest.Wait()
		require.Len(t, running, 1)
		store.failNow(func(func()) error { return errDisk })
		_, err := e.DeleteAccountAuditConfiguration(t.Context(), nil)
		refusedByStore(t, "DeleteAccountAuditConfiguration", err)
		synctest.Wait()
		if len(running) != 1 || running["ONE"] || running["TWO"] {
			t.Error("checks that run:", running)
		}
		if out := describe(t, e, taskID); out.TaskStatus != model.AuditTaskStatusInProgress {
			t.Error("the audit is", out.TaskStatus)
		}
		_, err = e.Resume()
		if err != nil {
			refusedByStore(t, "Resume", err)
		}
	})
}

// New hands the Store what the Config brings, and fails with it.
func TestNewFailsWithTheStore(t *testing.T) {
	store := &breaking{}
	config := engine.Config{Checks: []checks.Check{good("GOOD")}, Store: store}
	store.failNow(func(func()) error { return errDisk })
	_, err := engine.New(config)
	require.ErrorIs(t, err, errDisk)
	require.EqualError(t, err, "engine: the Store cannot be written: the disk is full")
	require.Empty(t, store.Rows())
	store.failNow(func(func()) error { panic(errDisk) })
	_, err = engine.New(config)
	require.EqualError(t, err, "engine: the Store cannot be written: the Store panicked: the disk is full")
	store.fault = nil
	e, err := engine.New(config)
	require.NoError(t, err)
	require.NoError(t, e.Close())
}

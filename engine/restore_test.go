package engine_test

import (
	"bytes"
	"errors"
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

// Only an Engine that holds nothing, and has had no audit, is restored into.
func TestRestoreIntoANonEmptyEngine(t *testing.T) {
	noLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		s := newStock()
		config := s.stocked(furniture...)
		stream := snapshot(t, furnished(t, config))
		for _, row := range []struct {
			name  string
			fill  func(e *engine.Engine)
			after bool // it is as empty as it was
		}{
			{"an audit in progress", func(e *engine.Engine) { startAudit(t, e, "HOLD_CHECK") }, false},
			{"an audit", func(e *engine.Engine) { runAudit(t, e, "DEVICE_CHECK") }, false},
			{"an audit that is dropped", func(e *engine.Engine) {
				runAudit(t, e, "DEVICE_CHECK")
				synctest.Wait()
				time.Sleep(91 * day)
				runDue(t, e, time.Now())
				_, err := e.ListAuditTasks(t.Context(), nil)
				require.Error(t, err)
			}, false},
			{"a schedule", func(e *engine.Engine) { createSchedule(t, e, daily("daily", "OK_CHECK")) }, false},
			{"a suppression", func(e *engine.Engine) {
				_, err := e.CreateAuditSuppression(t.Context(), suppressing("OK_CHECK", "a"))
				require.NoError(t, err)
			}, false},
			{"a schedule that is deleted", func(e *engine.Engine) {
				createSchedule(t, e, daily("daily", "OK_CHECK"))
				_, err := e.DeleteScheduledAudit(t.Context(), &model.DeleteScheduledAuditInput{ScheduledAuditName: "daily"})
				require.NoError(t, err)
			}, true},
			{"settings", func(e *engine.Engine) {
				_, err := e.UpdateAccountAuditConfiguration(t.Context(), &model.UpdateAccountAuditConfigurationInput{RoleARN: "arn:aws:iam::000000000000:role/audit"})
				require.NoError(t, err)
			}, true},
			{"no settings", func(e *engine.Engine) {
				_, err := e.DeleteAccountAuditConfiguration(t.Context(), nil)
				require.NoError(t, err)
			}, true},
		} {
			for _, store := range []engine.Store{nil, storetest.NewMemory()} {
				config.Store = store
				e := openEngine(t, config)
				row.fill(e)
				synctest.Wait()
				before := fullDump(t, e, nil)
				err := e.Restore(bytes.NewReader(stream))
				if row.after != (err == nil) || err != nil && !errors.Is(err, engine.ErrNotEmpty) {
					t.Errorf("%s: %v", row.name, err)
				}
				if diff := cmp.Diff(before, fullDump(t, e, nil)); diff != "" && err != nil {
					t.Errorf("%s: Restore failed and changed something (-before +after):\n%s", row.name, diff)
				}
				createSchedule(t, e, daily("another", "OK_CHECK"))
				runAudit(t, e, "OK_CHECK")
				require.NoError(t, e.Close())
			}
		}
	})
}

// A Store that fails while it takes what is restored has all of it or nothing, and the Engine has nothing.
func TestRestoreAndTheStoreFails(t *testing.T) {
	noLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		s := newStock()
		config := s.stocked(furniture...)
		source := furnished(t, config)
		stream := snapshot(t, source)
		for _, fault := range storeFaults {
			if fault.name == "Goexit" {
				continue
			}
			store := &breaking{}
			config.Store, config.EnableAll = store, true
			e := openEngine(t, config)
			before := fullDump(t, e, nil)
			store.failNow(fault.commit)
			refusedByStore(t, "Restore", e.Restore(bytes.NewReader(stream)))
			if diff := cmp.Diff(before, fullDump(t, e, nil)); diff != "" {
				t.Errorf("%s: Restore failed and changed something (-before +after):\n%s", fault.name, diff)
			}
			refusedByStore(t, "Restore again", e.Restore(bytes.NewReader(stream)))
			require.NotEmpty(t, snapshot(t, e)) // that is no write
			require.NoError(t, e.Close())

			config.Store = &store.Memory
			config.Retention = 5 * day
			e = openEngine(t, config)
			if !fault.applied {
				require.NoError(t, e.Restore(bytes.NewReader(stream)))
			}
			_, err := e.Resume()
			require.NoError(t, err)
			synctest.Wait()
			if diff := cmp.Diff(fullDump(t, source, nil), fullDump(t, e, nil)); diff != "" {
				t.Errorf("%s: in the end (-want +got):\n%s", fault.name, diff)
			}
			config.Retention = 0
		}
	})
}

// Calls that come together with Restore come before it, and then it is refused, or after it.
func TestRestoreInAGroup(t *testing.T) {
	noLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		s := newStock()
		config := s.stocked(furniture...)
		stream := snapshot(t, furnished(t, config))
		closeAll(s.hold, s.data)
		store := &recorder{}
		gate := make(chan struct{}, 1000)
		config.Store, config.EnableAll = store, true
		e := openEngine(t, config)
		store.ask = func(int, []engine.Change) (bool, error) { <-gate; return true, nil }
		errs := make(chan error, 10)
		call := func(f func() error) {
			go func() { errs <- f() }()
			synctest.Wait()
		}
		call(func() error {
			_, err := e.UpdateAccountAuditConfiguration(t.Context(), &model.UpdateAccountAuditConfigurationInput{RoleARN: "arn:aws:iam::000000000000:role/audit"})
			return err
		})
		call(func() error { return e.Restore(bytes.NewReader(stream)) })
		var first, second string
		call(func() error {
			out, err := e.StartOnDemandAuditTask(t.Context(), target("DEVICE_CHECK"))
			if err == nil {
				first = out.TaskID
			}
			return err
		})
		call(func() error {
			out, err := e.StartOnDemandAuditTask(t.Context(), target("DEVICE_CHECK"))
			if err == nil {
				second = out.TaskID
			}
			return err
		})
		for range cap(gate) {
			gate <- struct{}{}
		}
		for range 4 {
			require.NoError(t, <-errs)
		}
		synctest.Wait()
		for _, id := range []string{first, second} {
			if out := waitAudit(t, e, id); out.TaskStatus != model.AuditTaskStatusCompleted {
				t.Errorf("%s is %s", id, out.TaskStatus)
			}
		}
		before, stats := fullDump(t, e, nil), held(e)
		e = reopen(t, e, config)
		if diff := cmp.Diff(before+stats, fullDump(t, e, nil)+held(e)); diff != "" {
			t.Errorf("a restart shows (-before +after):\n%s", diff)
		}
	})
}

// An account without settings is restored as such, over those that the Config gave to the Engine.
func TestRestoreOfNoSettings(t *testing.T) {
	config := engine.Config{Checks: []checks.Check{good("GOOD")}}
	source := openEngine(t, config)
	_, err := source.DeleteAccountAuditConfiguration(t.Context(), nil)
	require.NoError(t, err)
	config.Store = storetest.NewMemory()
	e := openEngine(t, config)
	require.NoError(t, e.Restore(bytes.NewReader(snapshot(t, source))))
	for range 2 {
		_, err = e.StartOnDemandAuditTask(t.Context(), target("GOOD"))
		require.ErrorContains(t, err, "is not enabled")
		e = reopen(t, e, config)
	}
}

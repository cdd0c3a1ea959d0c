package engine_test

import (
	"context"
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

// Close leaves audits in progress to the next Engine, of which Run and RunDue resume them. Who waits for one is told.
func TestCloseSuspends(t *testing.T) {
	noLeaks(t)
	for _, by := range []string{"Resume", "Run", "RunDue"} {
		t.Run(by, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStock()
				config := s.stocked("DEVICE_CHECK", "HOLD_CHECK", "DATA_CHECK")
				told := make(notes, 10)
				config.Notifier, config.Store = told, storetest.NewMemory()
				e := openEngine(t, config)
				over := startAudit(t, e, "DEVICE_CHECK")
				synctest.Wait()
				<-told
				taskID := startAudit(t, e, "DEVICE_CHECK", "HOLD_CHECK", "DATA_CHECK")
				synctest.Wait()
				errs := make(chan error, 2)
				go func() {
					_, err := e.WaitAuditTask(t.Context(), taskID)
					errs <- err
				}()
				go func() {
					var last error
					for _, err := range e.WatchAuditTask(t.Context(), taskID) {
						last = err
					}
					errs <- last
				}()
				synctest.Wait()
				require.NoError(t, e.Close())
				for range 2 {
					if err := <-errs; !errors.Is(err, engine.ErrClosed) {
						t.Error("who waited got", err)
					}
				}
				if _, err := e.WaitAuditTask(t.Context(), taskID); !errors.Is(err, engine.ErrClosed) {
					t.Error("who waits later gets", err)
				}
				if out := waitAudit(t, e, over); out.TaskStatus != model.AuditTaskStatusCompleted {
					t.Error("one that had ended is", out.TaskStatus)
				}
				for out, err := range e.WatchAuditTask(t.Context(), over) {
					if err != nil || out.TaskStatus != model.AuditTaskStatusCompleted {
						t.Error("one that had ended is", out, err)
					}
				}
				out := describe(t, e, taskID)
				if diff := cmp.Diff(map[string]string{
					"DEVICE_CHECK": "COMPLETED_NON_COMPLIANT", "HOLD_CHECK": "IN_PROGRESS", "DATA_CHECK": "WAITING_FOR_DATA_COLLECTION",
				}, statuses(out)); diff != "" || out.TaskStatus != model.AuditTaskStatusInProgress {
					t.Errorf("after Close it is %s: %s", out.TaskStatus, diff)
				}
				if len(told) > 0 {
					t.Error("told of", <-told)
				}

				closeAll(s.hold, s.data)
				e = openEngine(t, config)
				synctest.Wait()
				if out := describe(t, e, taskID); out.TaskStatus != model.AuditTaskStatusInProgress {
					t.Error("nobody has resumed it, and it is", out.TaskStatus)
				}
				switch by {
				case "Resume":
					ids, err := e.Resume()
					require.NoError(t, err)
					require.Equal(t, []string{taskID}, ids)
				case "Run":
					ran := make(chan error)
					go func() { ran <- e.Run(t.Context()) }()
					defer func() {
						if err := <-ran; !errors.Is(err, engine.ErrClosed) {
							t.Error("Run:", err)
						}
					}()
				case "RunDue":
					if ids := runDue(t, e, time.Now()); len(ids) > 0 {
						t.Error("RunDue says that it started", ids)
					}
				}
				if out := waitAudit(t, e, taskID); out.TaskStatus != model.AuditTaskStatusCompleted {
					t.Error("it is", out.TaskStatus)
				}
				synctest.Wait()
				if n := <-told; n.ID != taskID || len(told) > 0 {
					t.Errorf("told of %s, and of %d more", n.ID, len(told))
				}
				require.NoError(t, e.Close())
				if _, err := e.Resume(); err != nil {
					t.Error("nothing is left to resume:", err)
				}
				late := openEngine(t, config)
				require.NoError(t, late.Close())
				if _, err := late.Resume(); !errors.Is(err, engine.ErrClosed) && err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// A check that waited for data when the Engine ended waits no more when the next one has it.
func TestResumedCheckHasData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ready, hold := make(chan struct{}), make(chan struct{})
		source := checks.Slice("devices", []int{1})
		source.Ready = func() <-chan struct{} { return ready }
		config := engine.Config{EnableAll: true, Store: storetest.NewMemory(), Checks: []checks.Check{
			checks.Each(specOf("LATE"), source, func(context.Context, *checks.Pass, *int) error { <-hold; return nil }),
		}}
		e, err := engine.New(config)
		require.NoError(t, err)
		task := startAudit(t, e, "LATE")
		time.Sleep(time.Second)
		require.Equal(t, model.AuditCheckRunStatusWaitingForDataCollection, describe(t, e, task).AuditDetails["LATE"].CheckRunStatus)
		require.NoError(t, e.Close())
		close(ready)
		e, err = engine.New(config)
		require.NoError(t, err)
		_, err = e.Resume()
		require.NoError(t, err)
		time.Sleep(time.Second)
		require.Equal(t, model.AuditCheckRunStatusInProgress, describe(t, e, task).AuditDetails["LATE"].CheckRunStatus)
		close(hold)
		_, err = e.WaitAuditTask(t.Context(), task)
		require.NoError(t, err)
		require.NoError(t, e.Close())
	})
}

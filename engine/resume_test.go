package engine_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// stocked makes a Config of checks of a stock.
func (s *stock) stocked(names ...string) engine.Config {
	c := engine.Config{Spread: -1, Concurrency: 4}
	for _, name := range names {
		c.Checks = append(c.Checks, s.checks[name])
	}
	return c
}

func describe(t testing.TB, e *engine.Engine, taskID string) *model.DescribeAuditTaskOutput {
	t.Helper()
	out, err := e.DescribeAuditTask(t.Context(), &model.DescribeAuditTaskInput{TaskID: taskID})
	require.NoError(t, err)
	return out
}

// findingsOf returns the findings of an audit by check.
func findingsOf(t testing.TB, e *engine.Engine, taskID string) map[string][]model.AuditFinding {
	t.Helper()
	all := make(map[string][]model.AuditFinding)
	for f, err := range e.AuditFindings(t.Context(), &model.ListAuditFindingsInput{TaskID: taskID}) {
		require.NoError(t, err)
		all[f.CheckName] = append(all[f.CheckName], f)
	}
	return all
}

// closeAll closes a channel unless it is closed.
func closeAll(all ...chan struct{}) {
	for _, c := range all {
		select {
		case <-c:
		default:
			close(c)
		}
	}
}

// A scheduled audit of checks of every kind crashes at each of its Commits. The next Engine ends it as it would have
// ended: what had ended keeps its details, its findings and their ids, the rest starts over and reports once.
func TestCrashAtEachCommit(t *testing.T) {
	names := []string{"DEVICE_CHECK", "DATA_CHECK", "OK_CHECK", "HOLD_CHECK", "DENIED_CHECK", "BROKEN_CHECK", "RELATED_CHECK"}
	synctest.Test(t, func(t *testing.T) {
		type delivery struct {
			commits int // before it
			note    engine.Notification
		}
		var told []delivery
		store := &recorder{}
		s := newStock()
		config := s.stocked(names...)
		config.Store = store
		config.Notifier = notify(func(_ context.Context, n engine.Notification) error {
			told = append(told, delivery{store.calls(), n})
			return nil
		})
		e := openEngine(t, config)
		_, err := e.CreateAuditSuppression(t.Context(), &model.CreateAuditSuppressionInput{
			CheckName: "DEVICE_CHECK", ResourceIdentifier: device("pump-2").ResourceIdentifier, SuppressIndefinitely: new(true), ClientRequestToken: "t",
		})
		require.NoError(t, err)
		createSchedule(t, e, daily("daily", names...))
		_, err = e.DeleteAccountAuditConfiguration(t.Context(), nil)
		require.NoError(t, err)
		enabled := make(map[string]model.AuditCheckConfiguration)
		for _, name := range names {
			enabled[name] = model.AuditCheckConfiguration{Enabled: name != "RELATED_CHECK"}
		}
		_, err = e.UpdateAccountAuditConfiguration(t.Context(), &model.UpdateAccountAuditConfigurationInput{
			RoleARN: "arn:aws:iam::000000000000:role/audit", AuditCheckConfigurations: enabled,
		})
		require.NoError(t, err)
		time.Sleep(day)
		first := store.calls() + 1 // with the audit
		ids := runDue(t, e, time.Now())
		require.Len(t, ids, 1)
		for _, check := range []string{"", "DATA_CHECK", "HOLD_CHECK"} {
			time.Sleep(time.Minute)
			if check != "" {
				s.release(check)
			}
			synctest.Wait()
		}
		want, wantStatus, last := describe(t, e, ids[0]), status(t, e, "daily"), store.calls()
		wantFound := foundBy(t, e, ids[0])
		require.Equal(t, map[string]string{
			"DEVICE_CHECK": "COMPLETED_NON_COMPLIANT", "DATA_CHECK": "COMPLETED_NON_COMPLIANT", "OK_CHECK": "COMPLETED_COMPLIANT",
			"HOLD_CHECK": "COMPLETED_NON_COMPLIANT", "DENIED_CHECK": "FAILED", "BROKEN_CHECK": "FAILED", "RELATED_CHECK": "FAILED",
		}, statuses(want))
		require.Len(t, told, 1)
		finished := told[0].commits // after it the audit has ended; one more settles that this was told
		require.Equal(t, finished+1, last)
		if steps := last - first; steps < 5 {
			t.Fatalf("the audit took %d commits; want some", steps)
		}

		partly := 0
		for n := first; n <= last; n++ {
			var again []engine.Notification
			config.Store = store.state(n)
			config.Notifier = notify(func(_ context.Context, n engine.Notification) error {
				again = append(again, n)
				return nil
			})
			crashed, err := engine.New(config)
			require.NoError(t, err)
			before, kept := describe(t, crashed, ids[0]), findingsOf(t, crashed, ids[0])
			if before.TaskStatistics.InProgressChecks > 0 && len(kept) > 0 {
				partly++
			}
			if wait := before.TaskStatistics.WaitingForDataCollectionChecks; wait > 1 {
				t.Errorf("commit %d: %d checks wait", n, wait)
			}
			resumed, err := crashed.Resume()
			require.NoError(t, err)
			if (len(resumed) == 1) != (n < finished) {
				t.Errorf("commit %d: resumed %v", n, resumed)
			}
			synctest.Wait()
			if diff := cmp.Diff(want, describe(t, crashed, ids[0])); diff != "" {
				t.Errorf("commit %d: the audit differs (-want +got):\n%s", n, diff)
			}
			if diff := cmp.Diff(wantFound, foundBy(t, crashed, ids[0])); diff != "" {
				t.Errorf("commit %d: its findings differ (-want +got):\n%s", n, diff)
			}
			after := findingsOf(t, crashed, ids[0])
			for name, d := range before.AuditDetails {
				if d.CheckRunStatus == model.AuditCheckRunStatusInProgress || d.CheckRunStatus == model.AuditCheckRunStatusWaitingForDataCollection {
					if kept[name] != nil {
						t.Errorf("commit %d: %s has not ended, and has findings", n, name)
					}
					continue
				}
				if diff := cmp.Diff(d, describe(t, crashed, ids[0]).AuditDetails[name]); diff != "" {
					t.Errorf("commit %d: %s had ended (-then +now):\n%s", n, name, diff)
				}
				if diff := cmp.Diff(kept[name], after[name]); diff != "" {
					t.Errorf("commit %d: findings of %s, which had ended (-then +now):\n%s", n, name, diff)
				}
			}
			if diff := cmp.Diff(wantStatus, status(t, crashed, "daily")); diff != "" {
				t.Errorf("commit %d: the schedule (-want +got):\n%s", n, diff)
			}
			if s, err := crashed.ScheduleStatus("daily"); err != nil || s.LastCompleted.IsZero() || s.LastTaskID != ids[0] {
				t.Errorf("commit %d: %+v, %v", n, s, err)
			}
			// From the end on until that it was told is kept, a crash has it told twice.
			if wantTold := min(1, last-n); len(again) != wantTold {
				t.Errorf("commit %d: told %d times more, want %d", n, len(again), wantTold)
			} else if len(again) > 0 {
				if diff := cmp.Diff(told[0].note, again[0]); diff != "" {
					t.Errorf("commit %d: the notification (-first +second):\n%s", n, diff)
				}
			}
			more, err := crashed.Resume()
			require.NoError(t, err)
			if audits := crashed.Statistics(time.Now()).Audits; len(more) > 0 || slices.ContainsFunc(audits, inProgress) {
				t.Errorf("commit %d: resumed again: %v, %v", n, more, audits)
			}
			require.NoError(t, crashed.Close())
			if len(again) > 1 {
				t.Errorf("commit %d: told %d times", n, len(again))
			}
		}
		if partly < 2 {
			t.Errorf("at %d commits a check had ended and another had not; want some", partly)
		}
	})
}

// inProgress tells whether a counts audits that are in progress.
func inProgress(a engine.AuditStatistics) bool {
	return a.Status == model.AuditTaskStatusInProgress && a.Count != 0
}

// What becomes of checks that had not ended, when their audit was canceled, or the account or the Config has changed.
func TestResumeElsewise(t *testing.T) {
	names := []string{"DEVICE_CHECK", "HOLD_CHECK", "DATA_CHECK"}
	disabled := model.AuditCheckDetails{
		CheckRunStatus: "FAILED", ErrorCode: model.CodeAuditCheckDisabled, Message: "the check is not enabled for the account",
	}
	ended := model.AuditCheckDetails{CheckRunStatus: "COMPLETED_NON_COMPLIANT", TotalResourcesCount: 4, NonCompliantResourcesCount: 3}
	data := model.AuditCheckDetails{CheckRunStatus: "COMPLETED_NON_COMPLIANT", TotalResourcesCount: 1, NonCompliantResourcesCount: 1}
	held := model.AuditCheckDetails{CheckRunStatus: "COMPLETED_NON_COMPLIANT", TotalResourcesCount: 2, NonCompliantResourcesCount: 1}
	for _, row := range []struct {
		name   string
		before func(t *testing.T, e *engine.Engine, taskID string) // the crash
		after  func(t *testing.T, e *engine.Engine, taskID string) // before it is resumed
		checks []string
		want   *model.DescribeAuditTaskOutput
	}{
		{
			name:   "nothing has changed",
			checks: names,
			want: &model.DescribeAuditTaskOutput{TaskStatus: "COMPLETED", AuditDetails: map[string]model.AuditCheckDetails{
				"DEVICE_CHECK": ended, "HOLD_CHECK": held, "DATA_CHECK": data,
			}},
		},
		{
			name:   "canceled before the crash",
			before: func(t *testing.T, e *engine.Engine, taskID string) { cancelAudit(t, e, taskID) },
			checks: names,
			want: &model.DescribeAuditTaskOutput{TaskStatus: "CANCELED", AuditDetails: map[string]model.AuditCheckDetails{
				"DEVICE_CHECK": ended, "HOLD_CHECK": {CheckRunStatus: "CANCELED"}, "DATA_CHECK": {CheckRunStatus: "CANCELED"},
			}},
		},
		{
			name:   "canceled before it is resumed",
			after:  func(t *testing.T, e *engine.Engine, taskID string) { cancelAudit(t, e, taskID) },
			checks: names,
			want: &model.DescribeAuditTaskOutput{TaskStatus: "CANCELED", AuditDetails: map[string]model.AuditCheckDetails{
				"DEVICE_CHECK": ended, "HOLD_CHECK": {CheckRunStatus: "CANCELED"}, "DATA_CHECK": {CheckRunStatus: "CANCELED"},
			}},
		},
		{
			name:   "checks are there no more",
			checks: []string{"OK_CHECK", "DATA_CHECK"},
			want: &model.DescribeAuditTaskOutput{TaskStatus: "COMPLETED", AuditDetails: map[string]model.AuditCheckDetails{
				"DEVICE_CHECK": ended, "HOLD_CHECK": disabled, "DATA_CHECK": data,
			}},
		},
		{
			name: "a check is disabled",
			after: func(t *testing.T, e *engine.Engine, _ string) {
				_, err := e.UpdateAccountAuditConfiguration(t.Context(), &model.UpdateAccountAuditConfigurationInput{
					AuditCheckConfigurations: map[string]model.AuditCheckConfiguration{"DATA_CHECK": {}},
				})
				require.NoError(t, err)
			},
			checks: names,
			want: &model.DescribeAuditTaskOutput{TaskStatus: "COMPLETED", AuditDetails: map[string]model.AuditCheckDetails{
				"DEVICE_CHECK": ended, "HOLD_CHECK": held, "DATA_CHECK": disabled,
			}},
		},
		{
			name: "the settings are gone",
			before: func(t *testing.T, e *engine.Engine, _ string) {
				_, err := e.DeleteAccountAuditConfiguration(t.Context(), nil)
				require.NoError(t, err)
			},
			checks: names,
			want: &model.DescribeAuditTaskOutput{TaskStatus: "COMPLETED", AuditDetails: map[string]model.AuditCheckDetails{
				"DEVICE_CHECK": ended, "HOLD_CHECK": disabled, "DATA_CHECK": disabled,
			}},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStock()
				config := s.stocked(names...)
				store := &recorder{}
				config.Store = store
				e := openEngine(t, config)
				taskID := startAudit(t, e, names...)
				synctest.Wait()
				if got := describe(t, e, taskID).TaskStatistics; got.InProgressChecks != 1 || got.WaitingForDataCollectionChecks != 1 {
					t.Fatalf("at the crash: %+v", got)
				}
				crash := store.state(store.calls())
				if row.before != nil {
					n := store.calls()
					row.before(t, e, taskID)
					crash = store.state(n + 1) // just that
				}
				found := findingsOf(t, e, taskID)["DEVICE_CHECK"]
				closeAll(s.hold, s.data)
				synctest.Wait()

				time.Sleep(time.Hour)
				config = s.stocked(row.checks...)
				config.Store = crash
				told := make(notes, 10)
				config.Notifier = told
				e = openEngine(t, config)
				if row.after != nil {
					row.after(t, e, taskID)
				}
				ids, err := e.Resume()
				require.NoError(t, err)
				require.Equal(t, []string{taskID}, ids)
				out := waitAudit(t, e, taskID)
				addsUp(t, out)
				if n := out.TaskStatistics.TotalChecks; n != 3 {
					t.Error("of", n, "checks")
				}
				if at := out.TaskStartTime.Time; !at.Equal(time.Now().Add(-time.Hour)) {
					t.Error("started at", at)
				}
				got := &model.DescribeAuditTaskOutput{TaskStatus: out.TaskStatus, AuditDetails: out.AuditDetails}
				if row.want.TaskStatus == model.AuditTaskStatusCanceled { // how far they came is open
					for name, d := range got.AuditDetails {
						if d.CheckRunStatus == model.AuditCheckRunStatusCanceled {
							got.AuditDetails[name] = model.AuditCheckDetails{CheckRunStatus: d.CheckRunStatus}
						}
					}
				}
				if diff := cmp.Diff(row.want, got); diff != "" {
					t.Errorf("it ended otherwise (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(found, findingsOf(t, e, taskID)["DEVICE_CHECK"]); diff != "" {
					t.Errorf("what had ended found something else (-then +now):\n%s", diff)
				}
				synctest.Wait()
				if n := <-told; n.ID != taskID || n.Audit.TaskStatus != out.TaskStatus || len(told) > 0 {
					t.Errorf("told of %s, %s, and %d more", n.ID, n.Audit.TaskStatus, len(told))
				}
				before := fullDump(t, e, nil)
				e = reopen(t, e, config)
				if diff := cmp.Diff(before, fullDump(t, e, nil)); diff != "" {
					t.Errorf("a restart shows (-before +after):\n%s", diff)
				}
			})
		})
	}
}

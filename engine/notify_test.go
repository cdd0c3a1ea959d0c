package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"runtime"
	"slices"
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

// denied is an error whose text is a message of its own.
type denied struct{}

func (denied) Error() string { return "the logging options cannot be read" }

func (denied) Unwrap() error { return checks.ErrInsufficientPermissions }

// The situations of AWS's examples give AWS's notifications, but for ids and times.
func TestNotificationsAsPublished(t *testing.T) {
	noLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		told := make(notes, 10)
		e := openEngine(t, engine.Config{AccountID: "123456789012", Notifier: told, Checks: []checks.Check{
			checks.New(specOf("DEVICE_CERTIFICATE_EXPIRING_CHECK"), func(_ context.Context, p *checks.Pass) error {
				report(p, "1")
				return nil
			}),
			checks.New(specOf("LOGGING_DISABLED_CHECK"), func(context.Context, *checks.Pass) error { return denied{} }),
		}})
		_, err := e.CreateScheduledAudit(t.Context(), &model.CreateScheduledAuditInput{
			ScheduledAuditName: "myWeeklyAudit", Frequency: model.AuditFrequencyWeekly, DayOfWeek: model.DayOfWeekThu,
			TargetCheckNames: []string{"DEVICE_CERTIFICATE_EXPIRING_CHECK"},
		})
		require.NoError(t, err)
		same := func(name, taskID string, start time.Time) {
			t.Helper()
			got, want := object(t, encode(t, (<-told).Audit)), object(t, published(t, name))
			want["taskId"], want["taskStartTime"] = taskID, float64(start.UnixMilli())
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
		time.Sleep(7 * 24 * time.Hour)
		start := time.Now()
		ids, err := e.RunDue(t.Context(), start)
		require.NoError(t, err)
		require.Len(t, ids, 1)
		time.Sleep(time.Second) // the notification has the time of the start, not its own
		same("completed.json", ids[0], start)

		start = time.Now()
		same("failed.json", startAudit(t, e, "LOGGING_DISABLED_CHECK"), start)
	})
}

// Whatever became of an audit, its end is told once, in the published form, and it says what
// DescribeAuditTask says at that moment.
func TestNotificationOfEveryEnd(t *testing.T) {
	noLeaks(t)
	rows := schema(t)
	synctest.Test(t, func(t *testing.T) {
		var e *engine.Engine
		told := make(chan engine.Notification, 10)
		e = openEngine(t, engine.Config{
			Concurrency: 4,
			Notifier: notify(func(ctx context.Context, n engine.Notification) error {
				out, err := e.DescribeAuditTask(ctx, &model.DescribeAuditTaskInput{TaskID: n.Audit.TaskID})
				if err != nil {
					return err
				}
				want := model.AuditNotification{
					AccountID: "000000000000", TaskID: n.Audit.TaskID, TaskStatus: out.TaskStatus, TaskType: out.TaskType,
					ScheduledAuditName: out.ScheduledAuditName, FailedChecksCount: out.TaskStatistics.FailedChecks,
					CanceledChecksCount: out.TaskStatistics.CanceledChecks, CompliantChecksCount: out.TaskStatistics.CompliantChecks,
					NonCompliantChecksCount: out.TaskStatistics.NonCompliantChecks, TotalChecksCount: out.TaskStatistics.TotalChecks,
					TaskStartTime: out.TaskStartTime.UnixMilli(),
				}
				for _, name := range []string{"BAD", "BROKEN", "GOOD", "UNTIL_DONE"} { // the engine's order
					if d, ok := out.AuditDetails[name]; ok {
						if d.ErrorCode == model.CodeInternal {
							d.ErrorCode = "" // which AWS does not have
						}
						want.AuditDetails = append(want.AuditDetails, model.AuditNotificationDetails{
							CheckName: name, CheckRunStatus: d.CheckRunStatus, TotalResourcesCount: d.TotalResourcesCount,
							NonCompliantResourcesCount: d.NonCompliantResourcesCount, ErrorCode: d.ErrorCode, Message: d.Message,
						})
					}
				}
				if diff := cmp.Diff(want, n.Audit); diff != "" {
					t.Error(diff)
				}
				if p := schemaProblems(rows, "", object(t, encode(t, n.Audit))); p != nil {
					t.Errorf("%q", p)
				}
				told <- n
				return nil
			}),
			Checks: []checks.Check{
				checks.New(specOf("BAD"), func(_ context.Context, p *checks.Pass) error { report(p, "1"); return nil }),
				checks.New(specOf("BROKEN"), func(context.Context, *checks.Pass) error { return errors.New("broken") }),
				good("GOOD"), untilDone("UNTIL_DONE"),
			},
		})
		want := func(taskID, status, schedule string) {
			t.Helper()
			synctest.Wait()
			if len(told) != 1 {
				t.Fatalf("told %d times of %s", len(told), taskID)
			}
			if a := (<-told).Audit; a.TaskID != taskID || string(a.TaskStatus) != status || a.ScheduledAuditName != schedule {
				t.Errorf("told of %s, which is %s, of %q; want %s, %s, %q", a.TaskID, a.TaskStatus, a.ScheduledAuditName, taskID, status, schedule)
			}
		}
		want(startAudit(t, e, "GOOD", "BAD", "BROKEN"), "COMPLETED", "")
		want(startAudit(t, e, "BROKEN"), "FAILED", "")
		canceled := startAudit(t, e, "UNTIL_DONE", "GOOD", "BAD")
		synctest.Wait()
		cancelAudit(t, e, canceled)
		want(canceled, "CANCELED", "")

		_, err := e.CreateScheduledAudit(t.Context(), daily("EVERY_DAY", "GOOD", "BAD"))
		require.NoError(t, err)
		time.Sleep(24 * time.Hour)
		ids, err := e.RunDue(t.Context(), time.Now())
		require.NoError(t, err)
		want(ids[0], "COMPLETED", "EVERY_DAY")

		// The account has no check enabled any more, but the schedule stays.
		_, err = e.DeleteAccountAuditConfiguration(t.Context(), nil)
		require.NoError(t, err)
		time.Sleep(24 * time.Hour)
		ids, err = e.RunDue(t.Context(), time.Now())
		require.NoError(t, err)
		want(ids[0], "FAILED", "EVERY_DAY")
	})
}

// A target that is enabled is handed over with the notification; one that is disabled is not told. What
// counts is the account's settings when the audit ends.
func TestNotificationTarget(t *testing.T) {
	noLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		const topic, role = "arn:aws:sns:us-east-1:000000000000:audits", "arn:aws:iam::000000000000:role/notify"
		told := make(notes, 10)
		e := openEngine(t, engine.Config{Notifier: told, Checks: []checks.Check{
			good("GOOD"), checks.New(specOf("SLOW"), func(context.Context, *checks.Pass) error { time.Sleep(time.Minute); return nil }),
		}})
		set := func(target model.AuditNotificationTarget) {
			t.Helper()
			_, err := e.UpdateAccountAuditConfiguration(t.Context(), &model.UpdateAccountAuditConfigurationInput{
				AuditNotificationTargetConfigurations: map[model.AuditNotificationType]model.AuditNotificationTarget{
					model.AuditNotificationTypeSNS: target,
				},
			})
			require.NoError(t, err)
		}
		type parcel struct{ Target, Role string }
		var got []parcel
		take := func() {
			synctest.Wait()
			for len(told) > 0 {
				n := <-told
				got = append(got, parcel{n.TargetARN, n.RoleARN})
			}
		}
		runAudit(t, e, "GOOD")
		take() // no target
		set(model.AuditNotificationTarget{TargetARN: topic, RoleARN: role, Enabled: true})
		runAudit(t, e, "GOOD")
		take()
		set(model.AuditNotificationTarget{})
		runAudit(t, e, "GOOD")
		take() // disabled
		slow := startAudit(t, e, "SLOW")
		set(model.AuditNotificationTarget{Enabled: true})
		waitAudit(t, e, slow)
		take()
		slow = startAudit(t, e, "SLOW")
		_, err := e.DeleteAccountAuditConfiguration(t.Context(), nil)
		require.NoError(t, err)
		waitAudit(t, e, slow)
		take()
		if diff := cmp.Diff([]parcel{{}, {topic, role}, {topic, role}, {}}, got); diff != "" {
			t.Error(diff)
		}
	})
}

// entry is a line of a log.
type entry struct {
	Time       time.Time
	Level, Msg string
}

// Whatever a notifier does, audits and operations are as quick as without it, and the log tells.
func TestBrokenNotifiers(t *testing.T) {
	noLeaks(t)
	rows := []struct {
		name   string
		notify func(ctx context.Context, release <-chan struct{}) error
		after  time.Duration
		msg    string // of the log; empty: nothing is logged
		detail string
	}{
		{name: "slow", notify: func(context.Context, <-chan struct{}) error { time.Sleep(20 * time.Second); return nil }},
		{"fails", func(context.Context, <-chan struct{}) error { return errors.New("no route") }, 0, "notifier failed", "no route"},
		{"panics", func(context.Context, <-chan struct{}) error { panic("boom") }, 0, "notifier panicked", "boom"},
		{"panics with nil", func(context.Context, <-chan struct{}) error { panic(nil) }, 0, "notifier panicked", "panic called with nil"},
		{"exits its goroutine", func(context.Context, <-chan struct{}) error { runtime.Goexit(); return nil }, 0, "notifier called runtime.Goexit", ""},
		{
			"takes too long, and stops", func(ctx context.Context, _ <-chan struct{}) error { <-ctx.Done(); return ctx.Err() },
			30 * time.Second, "notifier failed", "context deadline exceeded",
		},
		{
			"hangs", func(_ context.Context, release <-chan struct{}) error { <-release; return nil },
			31 * time.Second, "notifier has not returned, though its time is over", "",
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				begun := time.Now()
				book := new(logbook)
				calls := make(chan string, 10)
				e := openEngine(t, engine.Config{
					Logger: slog.New(slog.NewJSONHandler(book, nil)), Concurrency: 1, Checks: []checks.Check{good("GOOD")},
					Notifier: notify(func(ctx context.Context, n engine.Notification) error {
						calls <- n.Audit.TaskID
						return row.notify(ctx, release)
					}),
				})
				var ids []string
				for range 3 {
					id := startAudit(t, e, "GOOD")
					if out := waitAudit(t, e, id); out.TaskStatus != model.AuditTaskStatusCompleted {
						t.Error("the audit is", out.TaskStatus)
					}
					ids = append(ids, id)
				}
				if took := time.Since(begun); took != 0 {
					t.Errorf("three audits took %v", took)
				}
				time.Sleep(time.Minute)
				for range 3 {
					id := <-calls
					if !slices.Contains(ids, id) {
						t.Error("told of", id)
					}
					ids = slices.DeleteFunc(ids, func(s string) bool { return s == id })
				}
				if len(calls) > 0 {
					t.Errorf("told %d times too often", len(calls))
				}
				var want []entry
				for range 3 {
					if row.msg != "" {
						want = append(want, entry{begun.Add(row.after), "ERROR", row.msg})
					}
				}
				var got []entry
				for line := range strings.Lines(book.String()) {
					var v struct {
						entry
						Error, Panic, Task string
					}
					require.NoError(t, json.Unmarshal([]byte(line), &v))
					v.Time = v.Time.Local()
					got = append(got, v.entry)
					if !strings.Contains(v.Error+v.Panic, row.detail) || v.Task == "" {
						t.Errorf("logged %.300s, want %q", line, row.detail)
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error("the log:", diff)
				}
				close(release)
			})
		})
	}
}

package engine_test

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
	"github.com/fleetaudit/fleetaudit/schedule"
)

const day = 24 * time.Hour

func daily(name string, checks ...string) *model.CreateScheduledAuditInput {
	return &model.CreateScheduledAuditInput{ScheduledAuditName: name, Frequency: model.AuditFrequencyDaily, TargetCheckNames: checks}
}

func createSchedule(t testing.TB, e *engine.Engine, in *model.CreateScheduledAuditInput) {
	t.Helper()
	_, err := e.CreateScheduledAudit(t.Context(), in)
	require.NoError(t, err)
}

func runDue(t testing.TB, e *engine.Engine, now time.Time) []string {
	t.Helper()
	ids, err := e.RunDue(t.Context(), now)
	require.NoError(t, err)
	return ids
}

// status returns what the ScheduleStatus says of slots.
func status(t testing.TB, e *engine.Engine, name string) engine.ScheduleStatus {
	t.Helper()
	s, err := e.ScheduleStatus(name)
	require.NoError(t, err)
	return engine.ScheduleStatus{Next: s.Next, LastSlot: s.LastSlot, MissedSlots: s.MissedSlots, SkippedSlots: s.SkippedSlots}
}

// running runs the schedule loop until the test is over.
func running(t *testing.T, e *engine.Engine) {
	ctx, cancel := context.WithCancel(context.Background())
	var loop sync.WaitGroup
	loop.Go(func() {
		if err := e.Run(ctx); err != context.Canceled {
			t.Error("Run:", err)
		}
	})
	t.Cleanup(func() { cancel(); loop.Wait() })
}

// diary is a Notifier that writes down when audits of schedules began.
type diary struct {
	mu     sync.Mutex
	starts map[string][]time.Time
}

func (d *diary) Notify(_ context.Context, n engine.Notification) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.starts == nil {
		d.starts = make(map[string][]time.Time)
	}
	a := n.Audit
	d.starts[a.ScheduledAuditName] = append(d.starts[a.ScheduledAuditName], time.UnixMilli(a.TaskStartTime).UTC())
	return nil
}

// of returns the starts of a schedule's audits in order.
func (d *diary) of(name string) []time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.SortedFunc(slices.Values(d.starts[name]), time.Time.Compare)
}

// slots returns the slots of s from its anchor until end, as an engine shows them, in whole milliseconds.
func slots(s schedule.Schedule, end time.Time) (all []time.Time) {
	for t := range s.All(s.Anchor.Add(-1)) {
		if t.After(end) {
			break
		}
		all = append(all, t.UTC().Truncate(time.Millisecond))
	}
	return all
}

// raced tells whether the race detector slows this test down.
func raced() bool {
	info, _ := debug.ReadBuildInfo()
	return slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// Ninety days of daily audits, each of a dozen checks over three sources.
func TestNinetyDays(t *testing.T) {
	noLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		var all []checks.Check
		var names []string
		for s := range 3 {
			source := numbers(40, func(context.Context, int) {})
			for i := range 4 {
				name := fmt.Sprintf("CHECK_%d_%d", s, i)
				names = append(names, name)
				all = append(all, checks.Each(specOf(name), source, func(_ context.Context, p *checks.Pass, v *int) error {
					if *v < i {
						p.Report(checks.Finding{Resource: device(fmt.Sprint(*v)), ReasonCode: "BAD"})
					}
					return nil
				}))
			}
		}
		starts := new(diary)
		e := openEngine(t, engine.Config{Checks: all, Notifier: starts, TimeOfDay: 3 * time.Hour})
		begun := time.Now()
		createSchedule(t, e, daily("EVERY_DAY", names...))
		running(t, e)
		time.Sleep(90*day - time.Second)
		synctest.Wait()
		want := slots(schedule.Schedule{
			Frequency: model.AuditFrequencyDaily, Anchor: begun, At: 3*time.Hour + schedule.Spread("EVERY_DAY", 21*time.Hour),
		}, time.Now())
		if diff := cmp.Diff(want, starts.of("EVERY_DAY")); diff != "" || len(want) != 90 {
			t.Errorf("want %d audits: %s", len(want), diff)
		}
		list := &model.ListAuditTasksInput{
			StartTime: model.At(begun), EndTime: model.At(time.Now()), TaskStatus: model.AuditTaskStatusCompleted,
			MaxResults: new(int32(250)),
		}
		out, err := e.ListAuditTasks(t.Context(), list)
		require.NoError(t, err)
		if len(out.Tasks) != 90 {
			t.Errorf("%d audits are listed as completed", len(out.Tasks))
		}
		for _, task := range out.Tasks {
			got, err := e.DescribeAuditTask(t.Context(), &model.DescribeAuditTaskInput{TaskID: task.TaskID})
			require.NoError(t, err)
			addsUp(t, got)
			if diff := cmp.Diff(model.TaskStatistics{TotalChecks: 12, CompliantChecks: 3, NonCompliantChecks: 9}, got.TaskStatistics); diff != "" {
				t.Error(diff)
			}
			if n := len(foundBy(t, e, task.TaskID)); n != 3*(1+2+3) {
				t.Errorf("%d findings", n)
			}
		}
	})
}

// century is a schedule of every frequency and kind of day.
func century() map[string]schedule.Schedule {
	return map[string]schedule.Schedule{
		"DAILY":        {Frequency: model.AuditFrequencyDaily},
		"WEEKLY":       {Frequency: model.AuditFrequencyWeekly, DayOfWeek: model.DayOfWeekWed},
		"BIWEEKLY":     {Frequency: model.AuditFrequencyBiweekly, DayOfWeek: model.DayOfWeekSun},
		"MONTHLY_31":   {Frequency: model.AuditFrequencyMonthly, DayOfMonth: "31"},
		"MONTHLY_LAST": {Frequency: model.AuditFrequencyMonthly, DayOfMonth: model.DayOfMonthLast},
		"MONTHLY_29":   {Frequency: model.AuditFrequencyMonthly, DayOfMonth: "29"},
	}
}

// A hundred years of every frequency: the audits that are started are those of the calendar, none missed
// and none twice. With the race detector, which makes it ten times as long, it is ten years.
func TestCentury(t *testing.T) {
	noLeaks(t)
	years := 100
	if raced() {
		years = 10
	}
	open := func(t *testing.T, n engine.Notifier) (*engine.Engine, map[string]schedule.Schedule) {
		e := openEngine(t, engine.Config{
			Checks: []checks.Check{good("GOOD")}, Notifier: n, MaxScheduledAudits: -1, Retention: 7 * day, TimeOfDay: 90 * time.Minute,
		})
		all := century()
		for name, s := range all {
			createSchedule(t, e, &model.CreateScheduledAuditInput{
				ScheduledAuditName: name, Frequency: s.Frequency, DayOfWeek: s.DayOfWeek, DayOfMonth: s.DayOfMonth,
				TargetCheckNames: []string{"GOOD"},
			})
			s.Anchor = time.Now()
			s.At = 90*time.Minute + schedule.Spread(name, 24*time.Hour-90*time.Minute)
			all[name] = s
		}
		return e, all
	}
	same := func(t *testing.T, got map[string][]time.Time, all map[string]schedule.Schedule, end time.Time) {
		for name, s := range all {
			want := slots(s, end)
			if len(want) < 12*years-1 {
				t.Errorf("%s has %d slots in %d years", name, len(want), years)
			}
			if !slices.Equal(want, got[name]) {
				t.Errorf("%s: %s", name, cmp.Diff(want, got[name]))
			}
		}
	}
	t.Run("Run", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			starts := new(diary)
			e, all := open(t, starts)
			e.SetMaxSleep(day)
			running(t, e)
			time.Sleep(time.Until(time.Now().AddDate(years, 0, 0)))
			synctest.Wait()
			got := make(map[string][]time.Time)
			for name := range all {
				got[name] = starts.of(name)
			}
			same(t, got, all, time.Now())
		})
	})
	t.Run("RunDue", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			e, all := open(t, nil)
			got := make(map[string][]time.Time)
			ids := make(map[string]bool)
			end := time.Now().AddDate(years, 0, 0)
			for time.Now().Before(end) {
				time.Sleep(day)
				for _, id := range runDue(t, e, time.Now()) {
					out := waitAudit(t, e, id)
					s, err := e.ScheduleStatus(out.ScheduledAuditName)
					require.NoError(t, err)
					if s.LastTaskID != id || ids[id] {
						t.Fatalf("the last audit of %s is %s, want %s", out.ScheduledAuditName, s.LastTaskID, id)
					}
					got[out.ScheduledAuditName] = append(got[out.ScheduledAuditName], s.LastSlot.UTC())
				}
			}
			same(t, got, all, time.Now())
			for name := range all {
				if s := status(t, e, name); s.MissedSlots+s.SkippedSlots > 0 {
					t.Errorf("%s: %+v", name, s)
				}
			}
		})
	})
}

// Schedules that come, change and go while Run sleeps.
func TestSchedulesChangeWhileRunSleeps(t *testing.T) {
	noLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		starts := new(diary)
		e := openEngine(t, engine.Config{Checks: []checks.Check{good("GOOD")}, Notifier: starts, TimeOfDay: 12 * time.Hour, Spread: -1})
		at := func(days int) time.Time {
			return time.Date(2000, 1, 1, 12, 0, 0, 0, time.UTC).AddDate(0, 0, days-1)
		}
		update := func(in *model.UpdateScheduledAuditInput) {
			t.Helper()
			_, err := e.UpdateScheduledAudit(t.Context(), in)
			require.NoError(t, err)
		}
		// Every ten minutes Run looks up anyway, but not at noon.
		time.Sleep(3 * time.Minute)
		running(t, e)
		remove := func(name string) {
			t.Helper()
			_, err := e.DeleteScheduledAudit(t.Context(), &model.DeleteScheduledAuditInput{ScheduledAuditName: name})
			require.NoError(t, err)
		}
		time.Sleep(12*time.Hour - 5*time.Minute)
		synctest.Wait()
		createSchedule(t, e, daily("FIRST", "GOOD")) // January 1, 11:58
		time.Sleep(day)
		remove("FIRST")
		time.Sleep(12*time.Hour + 2*time.Minute)
		createSchedule(t, e, daily("A", "GOOD")) // January 3, 0:00
		time.Sleep(12*time.Hour - time.Minute)
		synctest.Wait()
		createSchedule(t, e, daily("B", "GOOD")) // a minute before it is due
		time.Sleep(2 * day)
		update(&model.UpdateScheduledAuditInput{ScheduledAuditName: "A", Frequency: model.AuditFrequencyMonthly, DayOfMonth: "10"})
		update(&model.UpdateScheduledAuditInput{ScheduledAuditName: "B", TargetCheckNames: []string{"GOOD"}}) // not its calendar
		time.Sleep(2 * day)
		remove("B")
		time.Sleep(30 * day)
		for name, want := range map[string][]time.Time{
			"FIRST": {at(1)},
			"A":     {at(3), at(4), at(10)},
			"B":     {at(3), at(4), at(5), at(6)},
		} {
			if diff := cmp.Diff(want, starts.of(name)); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	})
}

// However many loops there are, a slot has one audit.
func TestTwoRuns(t *testing.T) {
	noLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		starts := new(diary)
		e := openEngine(t, engine.Config{Checks: []checks.Check{good("GOOD")}, Notifier: starts, MaxScheduledAudits: -1})
		begun := time.Now()
		names := []string{"A", "B", "C"}
		for _, name := range names {
			createSchedule(t, e, daily(name, "GOOD"))
		}
		for range 3 {
			running(t, e)
		}
		for range 30 * 24 {
			time.Sleep(time.Hour)
			var calls sync.WaitGroup
			for range 4 {
				calls.Go(func() { runDue(t, e, time.Now()) })
			}
			calls.Wait()
		}
		synctest.Wait()
		for _, name := range names {
			want := slots(schedule.Schedule{
				Frequency: model.AuditFrequencyDaily, Anchor: begun, At: schedule.Spread(name, day),
			}, time.Now())
			if diff := cmp.Diff(want, starts.of(name)); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	})
}

// lastAudit returns the task id of the last audit of a schedule.
func lastAudit(t *testing.T, e *engine.Engine, name string) string {
	t.Helper()
	s, err := e.ScheduleStatus(name)
	require.NoError(t, err)
	return s.LastTaskID
}

// Run ends with its context, or with the Engine, and says why; audits that it started go on.
func TestRunEnds(t *testing.T) {
	noLeaks(t)
	for _, schedules := range []int{0, 1} {
		synctest.Test(t, func(t *testing.T) {
			e := openEngine(t, engine.Config{Spread: -1, CheckTimeLimit: -1, Checks: []checks.Check{untilDone("UNTIL_DONE")}})
			if schedules > 0 {
				createSchedule(t, e, daily("A", "UNTIL_DONE"))
			}
			why := errors.New("the host stops")
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(36*time.Hour, func() { cancel(why) })
			begun := time.Now()
			if err := e.Run(ctx); err != why || time.Since(begun) != 36*time.Hour {
				t.Errorf("Run: %v after %v", err, time.Since(begun))
			}
			if err := e.Run(ctx); err != why {
				t.Error("Run again:", err)
			}
			if ids, err := e.RunDue(ctx, time.Now()); err != why || ids != nil {
				t.Error("RunDue:", ids, err)
			}
			if schedules > 0 {
				out, err := e.DescribeAuditTask(t.Context(), &model.DescribeAuditTaskInput{TaskID: lastAudit(t, e, "A")})
				require.NoError(t, err)
				if out.TaskStatus != model.AuditTaskStatusInProgress {
					t.Error("the audit is", out.TaskStatus)
				}
			}
			time.AfterFunc(time.Hour, func() { e.Close() })
			begun = time.Now()
			if err := e.Run(t.Context()); !errors.Is(err, engine.ErrClosed) || time.Since(begun) != time.Hour {
				t.Errorf("Run: %v after %v", err, time.Since(begun))
			}
		})
	}
}

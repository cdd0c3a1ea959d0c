package engine_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	_ "time/tzdata"

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

// status returns the ScheduleStatus without the task id, which is random.
func status(t testing.TB, e *engine.Engine, name string) engine.ScheduleStatus {
	t.Helper()
	s, err := e.ScheduleStatus(name)
	require.NoError(t, err)
	s.LastTaskID = ""
	return s
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
		time.Sleep(2*day - 3*time.Minute)
		synctest.Wait()
		createSchedule(t, e, daily("A", "GOOD")) // January 3, 0:00
		time.Sleep(12*time.Hour - time.Minute)
		synctest.Wait()
		createSchedule(t, e, daily("B", "GOOD")) // a minute before it is due
		time.Sleep(2 * day)
		update(&model.UpdateScheduledAuditInput{ScheduledAuditName: "A", Frequency: model.AuditFrequencyMonthly, DayOfMonth: "10"})
		update(&model.UpdateScheduledAuditInput{ScheduledAuditName: "B", TargetCheckNames: []string{"GOOD"}}) // not its calendar
		time.Sleep(2 * day)
		_, err := e.DeleteScheduledAudit(t.Context(), &model.DeleteScheduledAuditInput{ScheduledAuditName: "B"})
		require.NoError(t, err)
		time.Sleep(30 * day)
		want := map[string][]time.Time{
			"A": {at(3), at(4), at(10)},
			"B": {at(3), at(4), at(5), at(6)},
		}
		if diff := cmp.Diff(want, map[string][]time.Time{"A": starts.of("A"), "B": starts.of("B")}); diff != "" {
			t.Error(diff)
		}
	})
}

// A new calendar that is due at the very instant at which the old one was has no second audit of it.
func TestUpdateAtTheInstantOfASlot(t *testing.T) {
	noLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		e := openEngine(t, engine.Config{Checks: []checks.Check{good("GOOD")}, Spread: -1})
		createSchedule(t, e, daily("A", "GOOD"))
		now := time.Now() // a midnight: Saturday, January 1
		require.Len(t, runDue(t, e, now), 1)
		_, err := e.UpdateScheduledAudit(t.Context(), &model.UpdateScheduledAuditInput{
			ScheduledAuditName: "A", Frequency: model.AuditFrequencyWeekly, DayOfWeek: model.DayOfWeekSat,
		})
		require.NoError(t, err)
		require.Empty(t, runDue(t, e, now))
		if diff := cmp.Diff(engine.ScheduleStatus{Next: now.Add(7 * day), LastSlot: now}, status(t, e, "A")); diff != "" {
			t.Error(diff)
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

// RunDue from many goroutines, in real time.
func TestConcurrentRunDue(t *testing.T) {
	noLeaks(t)
	const schedules, callers, days = 20, 8, 10
	e := openEngine(t, engine.Config{Checks: []checks.Check{good("GOOD")}, MaxScheduledAudits: -1, Retention: -1})
	for i := range schedules {
		createSchedule(t, e, daily(fmt.Sprintf("S%d", i), "GOOD"))
	}
	seen := make(map[string]bool)
	for d := range days {
		now := time.Now().AddDate(0, 0, d+1)
		ids := make([][]string, callers)
		var calls sync.WaitGroup
		for i := range callers {
			calls.Go(func() { ids[i] = runDue(t, e, now) })
		}
		calls.Wait()
		all := slices.Concat(ids...)
		if len(all) != schedules {
			t.Errorf("day %d: %d audits were started, want %d", d, len(all), schedules)
		}
		for _, id := range all {
			if seen[id] {
				t.Error("started twice:", id)
			}
			seen[id] = true
			waitAudit(t, e, id)
		}
	}
}

// What becomes of slots that nobody was there to run.
func TestDowntime(t *testing.T) {
	noLeaks(t)
	noon := time.Date(2000, 1, 1, 12, 0, 0, 0, time.UTC) // the first slot
	rows := []struct {
		name        string
		policy      engine.MissedRuns
		missedAfter time.Duration
		now         time.Time
		starts      int
		last        time.Time // slot that an audit was started for
		missed      int
	}{
		{"not due yet", engine.RunOnce, 0, noon.Add(-1), 0, time.Time{}, 0},
		{"on time", engine.RunOnce, 0, noon, 1, noon, 0},
		{"hours late", engine.RunOnce, 0, noon.Add(23 * time.Hour), 1, noon, 0},
		{"two slots late", engine.RunOnce, 0, noon.Add(2*day + time.Hour), 1, noon.Add(2 * day), 2},
		{"years late", engine.RunOnce, 0, noon.AddDate(3, 0, 0).Add(-1), 1, noon.AddDate(3, 0, -1), 3*365 + 1 - 1},
		{"skip: on time", engine.SkipMissed, 0, noon, 1, noon, 0},
		{"skip: an hour late", engine.SkipMissed, 0, noon.Add(time.Hour), 1, noon, 0},
		{"skip: more than an hour late", engine.SkipMissed, 0, noon.Add(time.Hour + 1), 0, time.Time{}, 1},
		{"skip: a minute is too late", engine.SkipMissed, time.Minute, noon.Add(2 * time.Minute), 0, time.Time{}, 1},
		{"skip: ten days late, on time for the last", engine.SkipMissed, 0, noon.Add(10*day + time.Minute), 1, noon.Add(10 * day), 10},
		{"skip: ten days late", engine.SkipMissed, 0, noon.Add(10*day + 2*time.Hour), 0, time.Time{}, 11},
		{"skip: years late", engine.SkipMissed, 0, noon.AddDate(3, 0, 0).Add(-1), 0, time.Time{}, 3*365 + 1},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := openEngine(t, engine.Config{
					Checks: []checks.Check{good("GOOD")}, TimeOfDay: 12 * time.Hour, Spread: -1,
					MissedRuns: row.policy, MissedAfter: row.missedAfter,
				})
				createSchedule(t, e, daily("A", "GOOD"))
				if ids := runDue(t, e, row.now); len(ids) != row.starts {
					t.Errorf("%d audits were started, want %d", len(ids), row.starts)
				}
				if ids := runDue(t, e, row.now); len(ids) != 0 {
					t.Errorf("again %d audits were started", len(ids))
				}
				s := schedule.Schedule{Frequency: model.AuditFrequencyDaily, Anchor: time.Now(), At: 12 * time.Hour}
				want := engine.ScheduleStatus{Next: s.Next(row.now), LastSlot: row.last, MissedSlots: row.missed}
				if diff := cmp.Diff(want, status(t, e, "A")); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// At the end of the calendar a schedule has had its last slot.
func TestEndOfTheCalendar(t *testing.T) {
	noLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		e := openEngine(t, engine.Config{Checks: []checks.Check{good("GOOD")}, Spread: -1})
		createSchedule(t, e, &model.CreateScheduledAuditInput{
			ScheduledAuditName: "A", Frequency: model.AuditFrequencyMonthly, DayOfMonth: "31", TargetCheckNames: []string{"GOOD"},
		})
		end := time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
		require.Len(t, runDue(t, e, end), 1)
		want := engine.ScheduleStatus{LastSlot: end, MissedSlots: 8000*12 - 1}
		if diff := cmp.Diff(want, status(t, e, "A")); diff != "" {
			t.Error(diff)
		}
		require.Empty(t, runDue(t, e, end.AddDate(1, 0, 0)))
	})
}

// A slot that falls while the same schedule's audit still runs is skipped and counted; audits of other
// schedules and on demand are no reason to skip.
func TestOverlap(t *testing.T) {
	noLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		starts := new(diary)
		e := openEngine(t, engine.Config{
			Notifier: starts, Spread: -1, CheckTimeLimit: -1, Concurrency: 10,
			Checks: []checks.Check{good("QUICK"), checks.New(specOf("SLOW"), func(ctx context.Context, _ *checks.Pass) error {
				select {
				case <-time.After(60 * time.Hour):
				case <-ctx.Done():
				}
				return nil
			})},
		})
		time.Sleep(time.Hour)
		begun := time.Now().Truncate(day)
		createSchedule(t, e, daily("SLOW", "SLOW"))
		createSchedule(t, e, daily("QUICK", "QUICK"))
		createSchedule(t, e, daily("ALWAYS_DEMANDED", "QUICK"))
		startAudit(t, e, "SLOW", "QUICK")
		running(t, e)
		time.Sleep(10 * day) // until January 11, 1:00: ten slots
		synctest.Wait()
		at := func(days int) time.Time { return begun.Add(time.Duration(days) * day) }
		if diff := cmp.Diff([]time.Time{at(1), at(4), at(7)}, starts.of("SLOW")); diff != "" {
			t.Error(diff)
		}
		want := engine.ScheduleStatus{Next: at(11), LastSlot: at(10), SkippedSlots: 6}
		if diff := cmp.Diff(want, status(t, e, "SLOW")); diff != "" {
			t.Error(diff)
		}
		for _, name := range []string{"QUICK", "ALWAYS_DEMANDED"} {
			if n := len(starts.of(name)); n != 10 {
				t.Errorf("%s had %d audits", name, n)
			}
		}
		// Deleted and created again, a schedule is another one, but its audit still runs.
		_, err := e.DeleteScheduledAudit(t.Context(), &model.DeleteScheduledAuditInput{ScheduledAuditName: "SLOW"})
		require.NoError(t, err)
		createSchedule(t, e, daily("SLOW", "SLOW"))
		time.Sleep(3 * day)
		want = engine.ScheduleStatus{Next: at(14), LastSlot: at(13), SkippedSlots: 2}
		if diff := cmp.Diff(want, status(t, e, "SLOW")); diff != "" {
			t.Error(diff)
		}
	})
}

// A clock that is set back gives no slot a second audit.
func TestClockSetBack(t *testing.T) {
	noLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		e := openEngine(t, engine.Config{Checks: []checks.Check{good("GOOD")}, Spread: -1})
		createSchedule(t, e, daily("A", "GOOD"))
		for _, row := range []struct{ day, starts int }{{10, 1}, {5, 0}, {9, 0}, {10, 0}, {11, 1}, {11, 0}, {3, 0}, {12, 1}} {
			ids := runDue(t, e, time.Date(2000, 1, row.day, 6, 0, 0, 0, time.UTC))
			if len(ids) != row.starts {
				t.Errorf("January %d: %d audits were started, want %d", row.day, len(ids), row.starts)
			}
			for _, id := range ids {
				waitAudit(t, e, id)
			}
		}
	})
}

// Where the clocks are put forward, a time that does not exist is due when the gap is over; where they are
// put back, a time that exists twice is due the first time.
func TestDaylightSaving(t *testing.T) {
	noLeaks(t)
	newYork, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	rows := []struct {
		timeOfDay time.Duration
		around    time.Time
		want      []string
	}{
		{
			2*time.Hour + 30*time.Minute, time.Date(2000, 4, 1, 0, 0, 0, 0, newYork),
			[]string{"2000-04-01T07:30:00Z", "2000-04-02T07:00:00Z", "2000-04-03T06:30:00Z"},
		},
		{
			1*time.Hour + 30*time.Minute, time.Date(2000, 10, 28, 0, 0, 0, 0, newYork),
			[]string{"2000-10-28T05:30:00Z", "2000-10-29T05:30:00Z", "2000-10-30T06:30:00Z"},
		},
	}
	for _, row := range rows {
		synctest.Test(t, func(t *testing.T) {
			starts := new(diary)
			e := openEngine(t, engine.Config{
				Checks: []checks.Check{good("GOOD")}, Notifier: starts, Location: newYork, TimeOfDay: row.timeOfDay, Spread: -1,
			})
			time.Sleep(time.Until(row.around))
			createSchedule(t, e, daily("A", "GOOD"))
			running(t, e)
			time.Sleep(3 * day)
			synctest.Wait()
			var got []string
			for _, at := range starts.of("A") {
				got = append(got, at.Format(time.RFC3339))
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A thousand schedules do not start together, but each at the same time every day, and within the window.
func TestSpread(t *testing.T) {
	noLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		const n = 1000
		e := openEngine(t, engine.Config{
			Checks: []checks.Check{good("GOOD")}, MaxScheduledAudits: -1, TimeOfDay: 22 * time.Hour, Spread: 2 * time.Hour,
		})
		for i := range n {
			createSchedule(t, e, daily(fmt.Sprintf("S%d", i), "GOOD"))
		}
		midnight := time.Now()
		minutes := make(map[int]int)
		for i := range n {
			next := status(t, e, fmt.Sprintf("S%d", i)).Next
			at := next.Sub(midnight)
			if at < 22*time.Hour || at >= 24*time.Hour {
				t.Errorf("S%d is due at %v", i, at)
			}
			minutes[int((at-22*time.Hour)/time.Minute)]++
		}
		if most := slices.Max(slices.Collect(maps.Values(minutes))); most > 25 || len(minutes) < 110 {
			t.Errorf("%d schedules start in one minute; %d of 120 minutes are used", most, len(minutes))
		}
		before := status(t, e, "S7").Next
		require.Len(t, runDue(t, e, midnight.Add(day)), n)
		if after := status(t, e, "S7").Next; after.Sub(before) != day {
			t.Errorf("S7 is due at %v, then at %v", before, after)
		}
	})
}

// A check knows when it judges, and when the same schedule ran before.
func TestPassTimes(t *testing.T) {
	noLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		type times struct{ Time, Since time.Time }
		seen := make(chan times, 1)
		e := openEngine(t, engine.Config{Spread: -1, Checks: []checks.Check{checks.New(specOf("A"), func(_ context.Context, p *checks.Pass) error {
			seen <- times{p.Time, p.Since}
			return nil
		})}})
		begun := time.Now()
		at := func(days int) time.Time { return begun.Add(time.Duration(days)*day + time.Hour) }
		createSchedule(t, e, daily("A", "A"))
		createSchedule(t, e, daily("B", "A"))
		_, err := e.DeleteScheduledAudit(t.Context(), &model.DeleteScheduledAuditInput{ScheduledAuditName: "B"})
		require.NoError(t, err)
		want := func(want times) {
			t.Helper()
			if diff := cmp.Diff(want, <-seen); diff != "" {
				t.Error(diff)
			}
			synctest.Wait()
		}
		runDue(t, e, at(0))
		want(times{at(0), time.Time{}})
		runDue(t, e, at(1))
		want(times{at(1), at(0)})
		startAudit(t, e, "A")
		want(times{time.Now(), time.Time{}})
		runDue(t, e, at(9))
		want(times{at(9), at(1)})
		_, err = e.StartAuditAsOf(t.Context(), target("A"), at(500))
		require.NoError(t, err)
		want(times{at(500), time.Time{}})
		_, err = e.UpdateScheduledAudit(t.Context(), &model.UpdateScheduledAuditInput{
			ScheduledAuditName: "A", Frequency: model.AuditFrequencyWeekly, DayOfWeek: model.DayOfWeekMon,
		})
		require.NoError(t, err)
		runDue(t, e, at(20))
		want(times{at(20), at(9)})
	})
}

// The loop drops audits, with their findings, exactly when they are older than is retained; never one that
// is in progress.
func TestRetention(t *testing.T) {
	noLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		e := openEngine(t, engine.Config{
			Retention: 10 * day, TimeOfDay: 12 * time.Hour, Spread: -1, CheckTimeLimit: -1, Concurrency: 4,
			Checks: []checks.Check{
				checks.New(specOf("BAD"), func(_ context.Context, p *checks.Pass) error { report(p, "1"); return nil }),
				checks.New(specOf("SLOW"), func(ctx context.Context, p *checks.Pass) error {
					report(p, "1")
					select {
					case <-time.After(15 * day):
					case <-ctx.Done():
					}
					return nil
				}),
			},
		})
		slow := startAudit(t, e, "SLOW")
		createSchedule(t, e, daily("A", "BAD"))
		running(t, e)
		known := map[string]bool{slow: true}
		begun := time.Now()
		for range 40 {
			time.Sleep(day)
			time.Sleep(15 * time.Minute) // Run looks every ten
			synctest.Wait()
			known[lastAudit(t, e, "A")] = true
			known[startAudit(t, e, "BAD")] = true
			synctest.Wait()
			ended := 0
			for id := range known {
				in := &model.DescribeAuditTaskInput{TaskID: id}
				out, err := e.DescribeAuditTask(t.Context(), in)
				if err != nil {
					if _, ok := errors.AsType[*model.ResourceNotFoundException](err); !ok {
						t.Fatal(err)
					}
					if _, err := e.ListAuditFindings(t.Context(), &model.ListAuditFindingsInput{TaskID: id}); err == nil {
						t.Error("the findings of a dropped audit are there")
					}
					delete(known, id)
					if id == slow && time.Since(begun) < 15*day {
						t.Error("an audit in progress was dropped")
					}
					continue
				}
				if age := time.Since(out.TaskStartTime.Time); age > 10*day+10*time.Minute && out.TaskStatus != model.AuditTaskStatusInProgress {
					t.Errorf("an audit of age %v is there", age)
				}
				if out.TaskStatus == model.AuditTaskStatusInProgress {
					continue
				}
				ended++
				if n := len(foundBy(t, e, id)); n != 1 {
					t.Errorf("an audit has %d findings", n)
				}
			}
			// Both daily audits of the last ten days, and the slow one in its time.
			days := int(time.Since(begun) / day)
			want := min(days, 10) * 2
			if time.Since(begun) < 15*day {
				want++
			}
			if len(known) < want {
				t.Errorf("after %d days %d audits are kept, want %d", days, len(known), want)
			}
			period := &model.ListAuditTasksInput{
				StartTime: model.At(time.Now().Add(-10 * day)), EndTime: model.At(time.Now()), MaxResults: new(int32(250)),
			}
			findings := 0
			for _, err := range e.AuditFindings(t.Context(), &model.ListAuditFindingsInput{
				StartTime: model.At(begun), EndTime: model.At(time.Now()),
			}) {
				require.NoError(t, err)
				findings++
			}
			if findings != ended {
				t.Errorf("%d findings are there, of %d audits that have ended", findings, ended)
			}
			list, err := e.ListAuditTasks(t.Context(), period)
			require.NoError(t, err)
			for _, task := range list.Tasks {
				if !known[task.TaskID] {
					t.Error("an audit is listed that is not there")
				}
			}
		}
		if known[slow] {
			t.Error("the slow audit was never dropped")
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

// To the millisecond: what started at the limit is kept, what started before it is not. Without a limit
// everything is kept.
func TestRetentionLimit(t *testing.T) {
	noLeaks(t)
	for _, row := range []struct {
		retention, after time.Duration
		kept             bool
	}{
		{0, 90 * day, true},
		{0, 90*day + time.Millisecond, false},
		{time.Hour, time.Hour, true},
		{time.Hour, time.Hour + time.Millisecond, false},
		{-1, 100 * 365 * day, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			e := openEngine(t, engine.Config{Retention: row.retention, Checks: []checks.Check{good("GOOD")}})
			taskID := startAudit(t, e, "GOOD")
			waitAudit(t, e, taskID)
			time.Sleep(row.after)
			runDue(t, e, time.Now())
			_, err := e.DescribeAuditTask(t.Context(), &model.DescribeAuditTaskInput{TaskID: taskID})
			if kept := err == nil; kept != row.kept {
				t.Errorf("%v, after %v: kept: %v", row.retention, row.after, kept)
			}
		})
	}
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

package engine_test

import (
	"context"
	"fmt"
	"maps"
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

// A new calendar drops the slots of the old one that nothing has run, and they are counted.
func TestUpdateOfAnOverdueSchedule(t *testing.T) {
	noLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		e := openEngine(t, engine.Config{Checks: []checks.Check{good("GOOD")}, Spread: -1})
		createSchedule(t, e, daily("A", "GOOD"))
		time.Sleep(50 * time.Hour) // over three midnights, the first at once
		_, err := e.UpdateScheduledAudit(t.Context(), &model.UpdateScheduledAuditInput{
			ScheduledAuditName: "A", Frequency: model.AuditFrequencyMonthly, DayOfMonth: "15",
		})
		require.NoError(t, err)
		require.Empty(t, runDue(t, e, time.Now()))
		want := engine.ScheduleStatus{Next: time.Date(2000, 1, 15, 0, 0, 0, 0, time.UTC), MissedSlots: 3}
		if diff := cmp.Diff(want, status(t, e, "A")); diff != "" {
			t.Error(diff)
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
		require.Zero(t, e.Statistics(end.AddDate(1, 0, 0)).Schedules[0].Overdue)
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

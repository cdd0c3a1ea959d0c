package engine_test

import (
	"slices"
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

// sleepUntilDue sleeps until a schedule is due, and returns the time.
func sleepUntilDue(t testing.TB, e *engine.Engine, name string) time.Time {
	t.Helper()
	time.Sleep(time.Until(status(t, e, name).Next))
	return time.Now()
}

func suppressing(check, id string) *model.CreateAuditSuppressionInput {
	return &model.CreateAuditSuppressionInput{
		CheckName: check, ResourceIdentifier: device(id).ResourceIdentifier, SuppressIndefinitely: new(true), ClientRequestToken: id,
	}
}

// variants are schedules of every kind.
var variants = []model.CreateScheduledAuditInput{
	{ScheduledAuditName: "daily", Frequency: model.AuditFrequencyDaily},
	{ScheduledAuditName: "weekly", Frequency: model.AuditFrequencyWeekly, DayOfWeek: model.DayOfWeekSun},
	{ScheduledAuditName: "biweekly", Frequency: model.AuditFrequencyBiweekly, DayOfWeek: model.DayOfWeekWed},
	{ScheduledAuditName: "monthly", Frequency: model.AuditFrequencyMonthly, DayOfMonth: "31"},
	{ScheduledAuditName: "last", Frequency: model.AuditFrequencyMonthly, DayOfMonth: "LAST"},
}

// A year of schedules of every kind, in zones whose clocks change: an Engine that is made anew after each audit starts the
// audits that one would which goes on, each slot once.
func TestSchedulesAcrossRestarts(t *testing.T) {
	for _, place := range []string{"UTC", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo"} {
		t.Run(place, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				zone, err := time.LoadLocation(place)
				require.NoError(t, err)
				open := func(store engine.Store) *engine.Engine {
					e, err := engine.New(engine.Config{
						Checks: []checks.Check{good("GOOD")}, EnableAll: true, Store: store,
						Retention: 3 * day, Location: zone, TimeOfDay: 30 * time.Minute, Spread: 3 * time.Hour,
					})
					require.NoError(t, err)
					return e
				}
				time.Sleep(31*time.Hour + 12345*time.Microsecond + 7) // an anchor that is no round time
				memory := storetest.NewMemory()
				steady, broken := open(nil), open(memory)
				for _, in := range variants {
					in.TargetCheckNames = []string{"GOOD"}
					createSchedule(t, steady, &in)
					createSchedule(t, broken, &in)
				}
				shown := func(e *engine.Engine) (all []engine.ScheduleStatus) {
					for _, s := range e.Statistics(time.Now()).Schedules {
						s.LastTaskID = ""
						all = append(all, s.ScheduleStatus)
					}
					return all
				}
				started := 0
				months := 13
				if raced() {
					months = 2
				}
				for end := time.Now().AddDate(0, months, 0); time.Now().Before(end); {
					next := slices.MinFunc(shown(steady), func(a, b engine.ScheduleStatus) int { return a.Next.Compare(b.Next) }).Next
					time.Sleep(time.Until(next))
					a, b := runDue(t, steady, time.Now()), runDue(t, broken, time.Now())
					synctest.Wait()
					if len(a) != len(b) {
						t.Fatalf("%v: %d audits were started, and %d", next, len(a), len(b))
					}
					started += len(a)
					require.NoError(t, broken.Close())
					broken = open(memory)
					if again := runDue(t, broken, time.Now()); len(again) > 0 {
						t.Fatalf("%v: a slot has had its audit, and has another", next)
					}
					if diff := cmp.Diff(shown(steady), shown(broken)); diff != "" {
						t.Fatalf("%v: (-one that goes on +one made anew)\n%s", next, diff)
					}
				}
				if started < months*(28+4+2+2) {
					t.Errorf("%d audits were started", started)
				}
				require.NoError(t, steady.Close())
				require.NoError(t, broken.Close())
			})
		})
	}
}

// Slots that passed while there was no process follow the policy, and are counted.
func TestMissedSlotsAcrossRestarts(t *testing.T) {
	for _, row := range []struct {
		policy  engine.MissedRuns
		down    time.Duration
		started int
		missed  int // slots
	}{
		{policy: engine.RunOnce, down: 10*day + time.Hour, started: 1, missed: 9},
		{policy: engine.RunOnce, down: 30 * time.Minute},
		{policy: engine.RunOnce, down: day + 30*time.Minute, started: 1},
		{policy: engine.SkipMissed, down: 10*day + 2*time.Hour, missed: 10},
		{policy: engine.SkipMissed, down: 10*day + 30*time.Minute, started: 1, missed: 9}, // the last is not late
	} {
		synctest.Test(t, func(t *testing.T) {
			config := engine.Config{
				Checks: []checks.Check{good("GOOD")}, Store: storetest.NewMemory(), MissedRuns: row.policy, TimeOfDay: 9 * time.Hour, Spread: -1,
			}
			e := openEngine(t, config)
			createSchedule(t, e, daily("daily", "GOOD"))
			due := sleepUntilDue(t, e, "daily")
			require.Len(t, runDue(t, e, due), 1)
			synctest.Wait()
			require.NoError(t, e.Close())
			time.Sleep(row.down)
			e = openEngine(t, config)
			ids := runDue(t, e, time.Now())
			synctest.Wait()
			got := status(t, e, "daily")
			want := engine.ScheduleStatus{LastSlot: due, MissedSlots: row.missed}
			want.Next = due.Add(row.down.Truncate(day) + day)
			if row.started > 0 {
				want.LastSlot = due.Add(row.down.Truncate(day))
			}
			if diff := cmp.Diff(want, got); diff != "" || len(ids) != row.started {
				t.Errorf("%+v: %d were started; (-want +got)\n%s", row, len(ids), diff)
			}
			e = reopen(t, e, config)
			if diff := cmp.Diff(got, status(t, e, "daily")); diff != "" {
				t.Errorf("%+v: a restart shows\n%s", row, diff)
			}
		})
	}
}

// A slot that falls while the schedule's audit is still to be resumed, or runs again, is skipped and counted.
func TestSkippedSlotsAcrossRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStock()
		config := s.stocked("HOLD_CHECK")
		config.Store, config.CheckTimeLimit = storetest.NewMemory(), -1
		e := openEngine(t, config)
		createSchedule(t, e, daily("daily", "HOLD_CHECK"))
		due := sleepUntilDue(t, e, "daily")
		ids := runDue(t, e, due)
		require.Len(t, ids, 1)
		synctest.Wait()
		require.NoError(t, e.Close())
		time.Sleep(day)
		e = openEngine(t, config)
		require.Empty(t, runDue(t, e, time.Now()))
		synctest.Wait()
		time.Sleep(day)
		require.Empty(t, runDue(t, e, time.Now()))
		want := engine.ScheduleStatus{Next: due.Add(3 * day), LastSlot: due, SkippedSlots: 2}
		if diff := cmp.Diff(want, status(t, e, "daily")); diff != "" {
			t.Error(diff)
		}
		e = reopen(t, e, config)
		if diff := cmp.Diff(want, status(t, e, "daily")); diff != "" {
			t.Error("after a restart:", diff)
		}
		closeAll(s.hold)
		_, err := e.Resume()
		require.NoError(t, err)
		if out := waitAudit(t, e, ids[0]); out.TaskStatus != model.AuditTaskStatusCompleted || out.ScheduledAuditName != "daily" {
			t.Errorf("%s of %s", out.TaskStatus, out.ScheduledAuditName)
		}
		time.Sleep(day)
		require.Len(t, runDue(t, e, time.Now()), 1)
	})
}

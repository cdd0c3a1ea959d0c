package engine_test

import (
	"context"
	"fmt"
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

func TestScheduledAudit(t *testing.T) { runScript(t, "scheduledaudit.txt") }

func TestMaxScheduledAudits(t *testing.T) {
	for _, row := range []struct{ max, want int }{{0, 5}, {1, 1}, {7, 7}, {-1, 20}, {-5, 20}} {
		t.Run(fmt.Sprint(row.max), func(t *testing.T) {
			e, err := engine.New(engine.Config{
				Checks: []checks.Check{newStock().checks["OK_CHECK"]}, EnableAll: true, MaxScheduledAudits: row.max,
			})
			require.NoError(t, err)
			for n := range 20 {
				_, err := e.CreateScheduledAudit(t.Context(), &model.CreateScheduledAuditInput{
					ScheduledAuditName: fmt.Sprint("audit-", n),
					Frequency:          model.AuditFrequencyDaily,
					TargetCheckNames:   []string{"OK_CHECK"},
				})
				var want error
				if n >= row.want {
					want = &model.LimitExceededException{
						Message: fmt.Sprintf("the account has %d scheduled audits, which is all it may have", row.want),
					}
				}
				if diff := cmp.Diff(want, err); diff != "" {
					t.Errorf("after %d (-want +got):\n%s", n, diff)
				}
			}
		})
	}
}

// Where the first slot of a daily schedule is, for what Config says of the time of day.
func TestTimeOfDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // so it is 2000-01-01T00:00:00Z
		berlin, err := time.LoadLocation("Europe/Berlin")
		require.NoError(t, err)
		today := time.Now().UTC()
		const hour = time.Hour
		for _, row := range []struct {
			name              string
			location          *time.Location
			timeOfDay, spread time.Duration
			want              time.Time
		}{
			{"zero: anywhere in the day", nil, 0, 0, today.Add(schedule.Spread("a", 24*hour))},
			{"zero spread: until midnight", nil, 20 * hour, 0, today.Add(20*hour + schedule.Spread("a", 4*hour))},
			{"no spread", nil, 20 * hour, -1, today.Add(20 * hour)},
			{"no spread, now", nil, 0, -1, today},
			{"an hour", nil, 20 * hour, hour, today.Add(20*hour + schedule.Spread("a", hour))},
			{"elsewhere", berlin, 20 * hour, -1, today.Add(19 * hour)},
			{"elsewhere it has been already", berlin, 0, -1, today.Add(23 * hour)},
		} {
			e, err := engine.New(engine.Config{
				Checks: []checks.Check{newStock().checks["OK_CHECK"]}, EnableAll: true,
				Location: row.location, TimeOfDay: row.timeOfDay, Spread: row.spread,
			})
			require.NoError(t, err)
			_, err = e.CreateScheduledAudit(t.Context(), &model.CreateScheduledAuditInput{
				ScheduledAuditName: "a", Frequency: model.AuditFrequencyDaily, TargetCheckNames: []string{"OK_CHECK"},
			})
			require.NoError(t, err)
			status, err := e.ScheduleStatus("a")
			require.NoError(t, err)
			if !status.Next.Equal(row.want) {
				t.Errorf("%s: the first slot is %v, not %v", row.name, status.Next, row.want)
			}
		}
	})
}

// A host that has a cron of its own calls RunDue; any other would let Run do that, on a goroutine of its
// own, until the program ends.
func ExampleEngine_RunDue() {
	ctx := context.Background()
	e, err := engine.New(engine.Config{
		Checks:    []checks.Check{newStock().checks["OK_CHECK"]},
		EnableAll: true,
		TimeOfDay: 3 * time.Hour,
		Spread:    -1, // at three o'clock sharp
	})
	if err != nil {
		panic(err)
	}
	defer e.Close()
	_, err = e.CreateScheduledAudit(ctx, &model.CreateScheduledAuditInput{
		ScheduledAuditName: "nightly",
		Frequency:          model.AuditFrequencyDaily,
		TargetCheckNames:   []string{"OK_CHECK"},
	})
	if err != nil {
		panic(err)
	}
	status, _ := e.ScheduleStatus("nightly")
	fmt.Println(status.Next.Format("15:04 MST"))

	started, err := e.RunDue(ctx, status.Next.Add(-time.Second))
	fmt.Println(len(started), err)
	started, err = e.RunDue(ctx, status.Next)
	fmt.Println(len(started), err)
	audit, err := e.WaitAuditTask(ctx, started[0])
	fmt.Println(audit.TaskType, audit.ScheduledAuditName, audit.TaskStatus, err)

	after, _ := e.ScheduleStatus("nightly")
	fmt.Println(after.Next.Sub(status.Next), after.LastSlot.Equal(status.Next), after.LastTaskID == started[0])
	// Output:
	// 03:00 UTC
	// 0 <nil>
	// 1 <nil>
	// SCHEDULED_AUDIT_TASK nightly COMPLETED <nil>
	// 24h0m0s true true
}

package inventory_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

func ready(source func() <-chan struct{}) bool {
	select {
	case <-source():
		return true
	default:
		return false
	}
}

// TestRecorderReady: the certificates are ready at the first call of which the clock is two hours after an event, the
// clients at the first event of all. In a bubble, where the Recorder's timer does not run out between two calls.
func TestRecorderReady(t *testing.T) {
	for _, row := range []struct {
		name  string
		calls [][2]time.Duration // of the clock and of the event, as of eventDay
		want  int                // which of them made the certificates ready, from 1 on; 0: none
	}{
		{"live events", [][2]time.Duration{{8 * time.Hour, 8 * time.Hour}, {9 * time.Hour, 9 * time.Hour}, {10*time.Hour - 1, 10*time.Hour - 1},
			{10 * time.Hour, 10 * time.Hour}}, 4},
		{"an old event", [][2]time.Duration{{8 * time.Hour, 6 * time.Hour}}, 1},
		{"one that is not old enough", [][2]time.Duration{{8 * time.Hour, 6*time.Hour + 1}}, 0},
		{"an old one after young ones", [][2]time.Duration{{8 * time.Hour, 8 * time.Hour}, {8 * time.Hour, 7 * time.Hour}, {8 * time.Hour, -time.Hour}}, 3},
		{"one of the future", [][2]time.Duration{{8 * time.Hour, 9 * time.Hour}, {11*time.Hour - 1, 9 * time.Hour}, {11 * time.Hour, 9 * time.Hour}}, 3},
		{"a clock that is set back", [][2]time.Duration{{8 * time.Hour, 8 * time.Hour}, {7 * time.Hour, 8 * time.Hour}, {10 * time.Hour, 10 * time.Hour}}, 3},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := record(t, inventory.RecorderConfig{})
			inv := inventory.New(inventory.Contents{})
			r.Attach(inv)
			for _, round := range []string{"the first time", "when collection has begun anew"} {
				require.Error(t, r.Record(eventDay, inventory.ConnectionEvent{}))
				require.False(t, ready(inv.Clients.Ready), row.name)
				for i, c := range row.calls {
					e := connectionEvent(t, "00:00 + lock a s1")
					e.Timestamp = eventDay.Add(c[1])
					require.NoError(t, r.Record(eventDay.Add(c[0]), e))
					require.True(t, ready(inv.Clients.Ready), row.name)
					if got, want := ready(inv.CertificateUses.Ready), row.want > 0 && i+1 >= row.want; got != want {
						t.Errorf("%s, %s, after call %d: ready is %v", row.name, round, i+1, got)
					}
				}
				for _, collect := range []func(bool){inv.Clients.Collect, inv.CertificateUses.Collect} {
					collect(false)
					collect(true)
				}
			}
		})
	}
}

// TestRecorderReadyInTime: where no event comes any more, the certificates are ready when the earliest is two hours
// old. What was dropped until then makes nothing ready.
func TestRecorderReadyInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := record(t, inventory.RecorderConfig{})
		inv := inventory.New(inventory.Contents{})
		r.Attach(inv)
		connect := func(ago time.Duration) {
			e := connectionEvent(t, "00:00 + lock a s1")
			e.Timestamp = time.Now().Add(-ago)
			require.NoError(t, r.Record(time.Now(), e))
		}
		wait := func(d time.Duration, want bool) {
			t.Helper()
			time.Sleep(d)
			synctest.Wait()
			if got := ready(inv.CertificateUses.Ready); got != want {
				t.Errorf("ready is %v at %v", got, time.Now())
			}
		}
		connect(0)
		wait(2*time.Hour-1, false)
		inv.CertificateUses.Collect(false)
		inv.CertificateUses.Collect(true)
		wait(24*time.Hour, false)
		connect(0)
		wait(time.Minute, false)
		connect(time.Hour) // which is earlier
		wait(time.Hour-1, false)
		wait(1, true)
	})
}

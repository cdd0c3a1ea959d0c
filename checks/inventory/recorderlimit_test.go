package inventory_test

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

// visit is a connection that has begun and ended.
func visit(client, session string, principal int, from, to time.Duration, reason inventory.DisconnectReason) []inventory.ConnectionEvent {
	start := inventory.ConnectionEvent{
		ClientID: client, SessionIdentifier: session, PrincipalIdentifier: fmt.Sprintf("%064x", principal),
		Timestamp: eventDay.Add(from), EventType: inventory.EventConnected,
	}
	end := start
	end.Timestamp, end.EventType, end.DisconnectReason = eventDay.Add(to), inventory.EventDisconnected, reason
	return []inventory.ConnectionEvent{start, end}
}

// feed gives events to a Recorder, with a clock that is a day further.
func feed(t testing.TB, r *inventory.Recorder, events []inventory.ConnectionEvent) {
	t.Helper()
	for _, e := range events {
		if err := r.Record(eventDay.AddDate(0, 0, 1), e); err != nil {
			t.Fatal(err)
		}
	}
}

// flap is n connections of one client id, five seconds each with five seconds between them.
func flap(client string, n int) (events []inventory.ConnectionEvent) {
	for i := range n {
		from := time.Duration(10*i) * time.Second
		events = append(events, visit(client, fmt.Sprint(i), 1, from, from+5*time.Second, inventory.DisconnectConnectionLost)...)
	}
	return events
}

// TestRecorderLimitOfClient: of a client with too many connections the oldest go, but for those of a takeover.
func TestRecorderLimitOfClient(t *testing.T) {
	const most = 16
	events := flap("lock", 3)
	// The fourth is taken over by the fifth.
	events = append(events, visit("lock", "3", 1, 30*time.Second, 35*time.Second, inventory.DisconnectDuplicateClientID)...)
	events = append(events, visit("lock", "4", 2, 35*time.Second, 36*time.Second, inventory.DisconnectConnectionLost)...)
	events = append(events, flap("lock", 500)[10:]...)
	r := record(t, inventory.RecorderConfig{MaxConnectionsPerClient: most})
	for i := range events {
		feed(t, r, events[i:i+1])
		stats := r.Stats()
		require.LessOrEqual(t, stats.Connections, most)
		require.EqualValues(t, (i+2)/2, stats.Dropped+uint64(stats.Connections))
	}
	inv := inventory.New(inventory.Contents{})
	r.Attach(inv)
	kept := read(t, inv.Clients)[0].Connections
	require.Greater(t, len(kept), most/2)
	for i, c := range kept[:len(kept)-2] {
		require.Equal(t, eventDay.Add(time.Duration(10*(499-i))*time.Second), c.ConnectedAt, "connection %d", i)
	}
	taker, taken := kept[len(kept)-2], kept[len(kept)-1]
	require.True(t, taken.TakenOver)
	require.Equal(t, taker.Principal, taken.TakenOverBy)
	require.Equal(t, fmt.Sprintf("%064x", 2), taker.Principal)
}

// TestRecorderFloodOfOne: a client id that flaps pushes out no connection of another.
func TestRecorderFloodOfOne(t *testing.T) {
	r := record(t, inventory.RecorderConfig{MaxConnections: 100, MaxConnectionsPerClient: 16})
	var others []inventory.ConnectionEvent
	for i := range 40 {
		others = append(others, flap(fmt.Sprintf("lamp-%d", i), 2)...)
	}
	feed(t, r, others)
	before := recorded(t, r)
	feed(t, r, flap("lock", 5000))
	stats := r.Stats()
	require.LessOrEqual(t, stats.Connections, 100)
	require.EqualValues(t, 5080-stats.Connections, stats.Dropped)
	after := recorded(t, r)
	for _, row := range before {
		if strings.HasPrefix(row, "client ") {
			require.Contains(t, after, row)
		}
	}
}

// TestRecorderFloodOfMany: client ids that somebody makes up take no more memory than the limit allows, are counted,
// and push out no takeover.
func TestRecorderFloodOfMany(t *testing.T) {
	const most = 1500
	for _, row := range []struct {
		name   string
		events int // of visit, that come
	}{{"connected and gone", 2}, {"left open", 1}} {
		t.Run(row.name, func(t *testing.T) {
			r := record(t, inventory.RecorderConfig{MaxConnections: most})
			for i := range 100 { // of each the first connection is taken over
				lock := fmt.Sprintf("lock-%d", i)
				feed(t, r, visit(lock, "1", 2*i, time.Hour, 2*time.Hour, inventory.DisconnectDuplicateClientID))
				feed(t, r, visit(lock, "2", 2*i+1, 2*time.Hour, 3*time.Hour, inventory.DisconnectConnectionLost))
				// Then some connect without one, or are connected, or take over again.
				switch i % 5 {
				case 1:
					feed(t, r, visit(lock, "3", i, 3*time.Hour, 4*time.Hour, inventory.DisconnectConnectionLost))
				case 2:
					feed(t, r, visit(lock, "3", i, 3*time.Hour, 4*time.Hour, "")[:1])
				case 3:
					for session := range 9 {
						from := 3*time.Hour + time.Duration(session)*time.Minute
						feed(t, r, visit(lock, fmt.Sprint(3+session), session, from, from+time.Minute, inventory.DisconnectDuplicateClientID))
					}
				}
			}
			for i := range 100 {
				feed(t, r, flap(fmt.Sprintf("lamp-%d", i), 10))
			}
			made := 0
			flood := func(n int) int {
				for range n {
					from := 4*time.Hour + time.Duration(made)*time.Millisecond
					feed(t, r, visit(fmt.Sprintf("made-up-%d", made), "1", made%7, from, from+time.Second, inventory.DisconnectConnectionLost)[:row.events])
					made++
				}
				return heap()
			}
			full := flood(3 * most)
			if grown := flood(10*most) - full; grown > most*40 {
				t.Errorf("after as many client ids as can be remembered, further ones took %d bytes", grown)
			}
			stats := r.Stats()
			require.Equal(t, most, stats.Connections)
			require.EqualValues(t, 1200+20+20+180+made-most, stats.Dropped)
			inv := inventory.New(inventory.Contents{})
			r.Attach(inv)
			takeovers := 0
			for _, c := range read(t, inv.Clients) {
				if i := slices.IndexFunc(c.Connections, func(c inventory.Connection) bool { return c.TakenOver }); i >= 0 &&
					strings.HasPrefix(c.ID, "lock") && (i == 0 || c.Connections[i].TakenOverBy == c.Connections[i-1].Principal) {
					takeovers++
				}
			}
			require.Equal(t, 100, takeovers)
			runtime.KeepAlive(r)
		})
	}
}

// TestRecorderFloodAfterTakeovers: takeovers that were recorded one after the other are not pushed out either, nor
// those of which only what was taken over is known.
func TestRecorderFloodAfterTakeovers(t *testing.T) {
	r := record(t, inventory.RecorderConfig{MaxConnections: 1000})
	for i := range 100 {
		lock := fmt.Sprintf("lock-%d", i)
		feed(t, r, visit(lock, "1", 2*i, time.Hour, 2*time.Hour, inventory.DisconnectDuplicateClientID))
		feed(t, r, visit(lock, "2", 2*i+1, 2*time.Hour, 3*time.Hour, ""))
		feed(t, r, visit(fmt.Sprintf("latch-%d", i), "1", i, time.Hour, 2*time.Hour, inventory.DisconnectDuplicateClientID)[1:])
	}
	for i := range 10_000 {
		feed(t, r, visit(fmt.Sprintf("made-up-%d", i), "1", i, 3*time.Hour, 4*time.Hour, ""))
	}
	inv := inventory.New(inventory.Contents{})
	r.Attach(inv)
	takeovers := 0
	for _, c := range read(t, inv.Clients) {
		if c.Connections[len(c.Connections)-1].TakenOver {
			takeovers++
		}
	}
	require.Equal(t, 200, takeovers)
}

// TestRecorderDropsEverything: what is not needed any more gives its memory back.
func TestRecorderDropsEverything(t *testing.T) {
	before := heap()
	r := record(t, inventory.RecorderConfig{})
	inv := inventory.New(inventory.Contents{})
	r.Attach(inv)
	for i := range 20_000 {
		feed(t, r, visit(fmt.Sprintf("lamp-%d", i), "1", i, time.Hour, 2*time.Hour, ""))
	}
	full := heap() - before
	require.Greater(t, full, 100*20_000)
	inv.Clients.Collect(false)
	require.Equal(t, 20_000, r.Stats().Connections) // the other view has them still
	inv.CertificateUses.Collect(false)
	require.Equal(t, inventory.RecorderStats{}, r.Stats())
	require.Less(t, heap()-before, full/10)
	feed(t, r, visit("lock", "1", 1, time.Hour, 2*time.Hour, "")) // which nobody wants
	require.Equal(t, inventory.RecorderStats{}, r.Stats())
	runtime.KeepAlive(r)
}

package inventory_test

import (
	"fmt"
	"math/rand/v2"
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

// TestRecorderLimitOfNames: long names count as connections do, whatever comes and goes.
func TestRecorderLimitOfNames(t *testing.T) {
	const most = 500
	r := record(t, inventory.RecorderConfig{MaxConnections: most, MaxConnectionsPerClient: 8})
	inv := inventory.New(inventory.Contents{})
	r.Attach(inv)
	random := rand.New(rand.NewPCG(8, 8))
	name := func(longest int) string {
		return fmt.Sprintf("%0*d", 1+random.IntN(longest), random.IntN(50))
	}
	judge := func(when string) {
		t.Helper()
		counted, anew := r.NameBytes()
		if counted != anew {
			t.Fatalf("%s: %d bytes of names are counted, there are %d", when, counted, anew)
		}
		if n := max(r.Stats().Connections, r.Principals()) + counted/40; n > most {
			t.Fatalf("%s: connections and names count %d, at most %d are allowed", when, n, most)
		}
	}
	fullest := 0
	for i := range 5000 {
		e := inventory.ConnectionEvent{
			ClientID: name(256), PrincipalIdentifier: name(1024), SessionIdentifier: fmt.Sprint(random.IntN(4)),
			Timestamp: eventDay.Add(time.Duration(random.IntN(3600)) * time.Second), EventType: inventory.EventConnected,
		}
		if i%3 == 0 {
			e.EventType = inventory.EventDisconnected
		}
		if i%7 == 0 {
			e.PrincipalIdentifier = fmt.Sprintf("%064x", i%100)
		}
		feed(t, r, []inventory.ConnectionEvent{e})
		judge(fmt.Sprint("event ", i))
		counted, _ := r.NameBytes()
		fullest = max(fullest, counted/40)
		if i%1000 == 500 {
			for _, on := range []bool{false, true} {
				inv.Clients.Collect(on)
				judge("one view was dropped")
			}
		}
	}
	require.Greater(t, fullest, most/2, "the names are too short to try anything")
	inv.Clients.Collect(false)
	inv.CertificateUses.Collect(false)
	judge("both views were dropped")
}

// TestRecorderLimitOfAName: a name counts from its 65th byte on, 40 bytes as a connection.
func TestRecorderLimitOfAName(t *testing.T) {
	long := strings.Repeat("x", 256)
	for _, row := range []struct {
		client, principal int // bytes
		want              int // of two connections of 1 byte, how many stay
	}{
		{64, 64, 2}, {64 + 39, 64, 2}, {64 + 40, 64, 1}, {64, 64 + 40, 1}, {64 + 20, 64 + 20, 1}, {64, 64 + 79, 1}, {64, 64 + 80, 0}, {256, 0, 0},
	} {
		r := record(t, inventory.RecorderConfig{MaxConnections: 3})
		feed(t, r, visit("1", "1", 1, time.Hour, 2*time.Hour, "")[:1])
		feed(t, r, visit("2", "1", 2, time.Hour, 2*time.Hour, "")[:1])
		e := visit(long[:row.client], "1", 3, time.Hour, 2*time.Hour, "")[0]
		e.PrincipalIdentifier = long[:row.principal]
		feed(t, r, []inventory.ConnectionEvent{e})
		own := 1
		if row.client == 256 {
			own = 0 // it counts too much even alone
		}
		require.Equal(t, row.want+own, r.Stats().Connections, "%+v", row)
		require.EqualValues(t, 3-row.want-own, r.Stats().Dropped, "%+v", row)
	}
}

// TestRecorderLimitOfPrincipals: connections that end with another principal than they began with count for both.
func TestRecorderLimitOfPrincipals(t *testing.T) {
	const most = 10
	r := record(t, inventory.RecorderConfig{MaxConnections: most})
	for i := range 100 {
		events := visit(fmt.Sprintf("lamp-%d", i), "1", 2*i, time.Hour, 2*time.Hour, "")
		events[1].PrincipalIdentifier = fmt.Sprintf("%064x", 2*i+1)
		feed(t, r, events)
		require.Equal(t, 2*r.Stats().Connections, r.Principals())
		require.Equal(t, min(i+1, most/2), r.Stats().Connections)
	}
}

// TestRecorderNumbersAgain: a number that another identity had is a certificate's when it is given to one.
func TestRecorderNumbersAgain(t *testing.T) {
	r := record(t, inventory.RecorderConfig{MaxConnections: 1})
	for _, row := range []string{"08:00 + lock user-7 s1", "08:00 + lamp a s1", "08:00 + plug b s1", "08:00 + door c s1"} {
		feed(t, r, []inventory.ConnectionEvent{connectionEvent(t, row)})
	}
	require.Equal(t, []string{"client door: 08:00.. c", "certificate c: door 08:00.. c"}, recorded(t, r))
	feed(t, r, []inventory.ConnectionEvent{connectionEvent(t, "08:00 + lock user-8 s1")})
	require.Equal(t, []string{"client lock: 08:00.. user-8"}, recorded(t, r))
}

// TestRecorderSpares: what has just come is not dropped for what came before, also where it would matter least.
func TestRecorderSpares(t *testing.T) {
	r := record(t, inventory.RecorderConfig{MaxConnections: 2})
	for _, row := range []string{"08:00 + lamp a s1", "08:10 + plug b s1", "07:00 - lock c s1 CONNECTION_LOST"} {
		feed(t, r, []inventory.ConnectionEvent{connectionEvent(t, row)})
	}
	require.Equal(t, []string{
		"client lock: ?..07:00 c", "client plug: 08:10.. b", "certificate b: plug 08:10.. b", "certificate c: lock ?..07:00 c",
	}, recorded(t, r))
}

// TestRecorderSample: the connection that goes is the one that is over for longest of sixteen, wherever it is.
func TestRecorderSample(t *testing.T) {
	for longest := range 16 {
		r := record(t, inventory.RecorderConfig{MaxConnections: 16})
		for i := range 16 {
			from := time.Duration(2+(i+16-longest)%16) * time.Hour / 2
			feed(t, r, visit(fmt.Sprintf("lamp-%d", i), "1", i, from, from+time.Minute, ""))
		}
		feed(t, r, visit("lock", "1", 16, time.Hour, 2*time.Hour, "")[:1])
		inv := inventory.New(inventory.Contents{})
		r.Attach(inv)
		for _, c := range read(t, inv.Clients) {
			require.NotEqual(t, fmt.Sprintf("lamp-%d", longest), c.ID)
		}
		require.Equal(t, 16, r.Stats().Connections)
	}
}

// TestRecorderLimitOfSession: of a session that is told again and again to be connected, when it began and ended stays.
func TestRecorderLimitOfSession(t *testing.T) {
	const most = 16
	again := func(client string, n int) (events []inventory.ConnectionEvent) {
		for i := range n {
			events = append(events, visit(client, "1", 1, time.Hour+time.Duration(i)*time.Second, 10*time.Hour, "")[0])
		}
		return append(events, visit(client, "1", 1, time.Hour, 10*time.Hour, inventory.DisconnectConnectionLost)[1])
	}
	want := "client lock: 01:00..10:00 " + fmt.Sprintf("%064x", 1)
	r := record(t, inventory.RecorderConfig{MaxConnectionsPerClient: most})
	for i, e := range again("lock", 500) {
		feed(t, r, []inventory.ConnectionEvent{e})
		require.LessOrEqual(t, r.Stats().Connections, most)
		if i > 0 && i < 500 {
			require.Equal(t, "client lock: 01:00.. "+fmt.Sprintf("%064x", 1), recorded(t, r)[0])
		}
	}
	require.Equal(t, want, recorded(t, r)[0])

	// The same where there are too many in all, also when nothing else is left to go.
	for most := range 6 {
		r = record(t, inventory.RecorderConfig{MaxConnections: 1 + most})
		feed(t, r, again("lock", 20))
		feed(t, r, again("lamp", 20))
		require.LessOrEqual(t, r.Stats().Connections, 1+most)
		if most >= 3 {
			require.EqualValues(t, 40, r.Stats().Dropped+uint64(r.Stats().Connections))
			require.Equal(t, strings.Replace(want, "lock", "lamp", 1), recorded(t, r)[0])
		}
	}

	// A session goes as a whole.
	r = record(t, inventory.RecorderConfig{MaxConnectionsPerClient: 4}, again("lock", 2)...)
	for session := range 3 {
		from := time.Duration(11+2*session) * time.Hour
		feed(t, r, visit("lock", fmt.Sprint(2+session), 1, from, from+time.Hour, inventory.DisconnectConnectionLost))
	}
	require.Equal(t, inventory.RecorderStats{Clients: 1, Connections: 3, Dropped: 2}, r.Stats())
	require.NotContains(t, recorded(t, r)[0], "..10:00")

	// And all of it is forgotten in time.
	r = record(t, inventory.RecorderConfig{}, again("lock", 20)...)
	later := connectionEvent(t, "08:00 + tick c s1")
	for range 5 {
		later.Timestamp = later.Timestamp.AddDate(0, 0, 10)
		require.NoError(t, r.Record(later.Timestamp, later))
	}
	require.Equal(t, 1, r.Stats().Clients)
	require.EqualValues(t, 0, r.Stats().Dropped)
}

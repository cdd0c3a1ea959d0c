package inventory_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

func TestNewRecorder(t *testing.T) {
	for _, row := range []struct {
		config inventory.RecorderConfig
		want   string
	}{
		{inventory.RecorderConfig{}, ""},
		{inventory.RecorderConfig{MaxConnections: 1, MaxConnectionsPerClient: 4}, ""},
		{inventory.RecorderConfig{MaxConnections: -1}, "RecorderConfig.MaxConnections is -1, must be of 1 to 1000000000, or 0 for 4000000"},
		{inventory.RecorderConfig{MaxConnections: 1_000_000_001}, "RecorderConfig.MaxConnections is 1000000001, must be of 1 to 1000000000, or 0 for 4000000"},
		{inventory.RecorderConfig{MaxConnectionsPerClient: 3}, "RecorderConfig.MaxConnectionsPerClient is 3, must be at least 4, or 0 for 256"},
		{inventory.RecorderConfig{MaxConnectionsPerClient: -7}, "RecorderConfig.MaxConnectionsPerClient is -7, must be at least 4, or 0 for 256"},
	} {
		r, err := inventory.NewRecorder(row.config)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != row.want || (r == nil) != (err != nil) {
			t.Errorf("%+v: %q, want %q", row.config, got, row.want)
		}
	}
}

// TestConnectionEventValidate tries each fault; what has one is refused by a Recorder, and left out by Connections.
func TestConnectionEventValidate(t *testing.T) {
	now := eventDay.Add(12 * time.Hour)
	long := strings.Repeat("x", 257)
	for _, row := range []struct {
		name   string
		change func(*inventory.ConnectionEvent)
		want   string // behind "connection event: "
	}{
		{"as it should be", func(e *inventory.ConnectionEvent) {}, ""},
		{"nothing but what is needed", func(e *inventory.ConnectionEvent) {
			*e = inventory.ConnectionEvent{ClientID: "x", Timestamp: now, EventType: "connected"}
		}, ""},
		{"longest client id", func(e *inventory.ConnectionEvent) { e.ClientID = long[:256] }, ""},
		{"longest principal", func(e *inventory.ConnectionEvent) { e.PrincipalIdentifier = strings.Repeat("p", 1024) }, ""},
		{"other words of a broker", func(e *inventory.ConnectionEvent) { e.DisconnectReason = "\xff?" }, ""},
		{"odd session", func(e *inventory.ConnectionEvent) { e.SessionIdentifier = "\xff\x00" + long }, ""},
		{"a NUL in a client id", func(e *inventory.ConnectionEvent) { e.ClientID = "a\x00b" }, ""},
		{"no client id", func(e *inventory.ConnectionEvent) { e.ClientID = "" }, "ClientID is empty"},
		{"long client id", func(e *inventory.ConnectionEvent) { e.ClientID = long },
			`ClientID "` + long[:40] + `" has 257 bytes, at most 256 are allowed`},
		{"client id that is no UTF-8", func(e *inventory.ConnectionEvent) { e.ClientID = "a\xffb" }, `ClientID "a\xffb" is not valid UTF-8`},
		{"long principal", func(e *inventory.ConnectionEvent) { e.PrincipalIdentifier = strings.Repeat("p", 1025) },
			`PrincipalIdentifier "` + strings.Repeat("p", 40) + `" has 1025 bytes, at most 1024 are allowed`},
		{"principal that is no UTF-8", func(e *inventory.ConnectionEvent) { e.PrincipalIdentifier = "\xc3\x28" },
			`PrincipalIdentifier "\xc3(" is not valid UTF-8`},
		{"no time", func(e *inventory.ConnectionEvent) { e.Timestamp = time.Time{} }, "Timestamp is missing"},
		{"the first time", func(e *inventory.ConnectionEvent) { e.Timestamp = time.Unix(0, math.MinInt64).UTC() },
			"Timestamp 1677-09-21 00:12:43.145224192 +0000 UTC is not of the years 1678 to 2261"},
		{"the last time", func(e *inventory.ConnectionEvent) { e.Timestamp = time.Unix(0, math.MaxInt64).UTC() },
			"Timestamp 2262-04-11 23:47:16.854775807 +0000 UTC is not of the years 1678 to 2261"},
		{"a time beyond all", func(e *inventory.ConnectionEvent) { e.Timestamp = time.Unix(math.MaxInt64>>1, 0).UTC() },
			fmt.Sprintf("Timestamp %v is not of the years 1678 to 2261", time.Unix(math.MaxInt64>>1, 0).UTC())},
		{"long ago", func(e *inventory.ConnectionEvent) { e.Timestamp = time.Date(1678, 1, 1, 0, 0, 0, 0, time.UTC) }, ""},
		{"no type", func(e *inventory.ConnectionEvent) { e.EventType = "" }, `EventType "" is neither "connected" nor "disconnected"`},
		{"another type", func(e *inventory.ConnectionEvent) { e.EventType = "Connected" },
			`EventType "Connected" is neither "connected" nor "disconnected"`},
		{"several faults", func(e *inventory.ConnectionEvent) { *e = inventory.ConnectionEvent{EventType: "subscribed"} },
			`ClientID is empty; Timestamp is missing; EventType "subscribed" is neither "connected" nor "disconnected"`},
	} {
		e := connectionEvent(t, "08:00 + lock a s1")
		row.change(&e)
		got := ""
		if err := e.Validate(); err != nil {
			got = strings.TrimPrefix(err.Error(), "connection event: ")
		}
		if got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
		r, err := inventory.NewRecorder(inventory.RecorderConfig{})
		require.NoError(t, err)
		err = r.Record(now, e)
		refused := uint64(0)
		if row.want != "" {
			refused = 1
			require.EqualError(t, err, "connection event: "+row.want, row.name)
		}
		if stats := r.Stats(); stats.Refused != refused || err == nil && row.want != "" {
			t.Errorf("%s: %+v, %v", row.name, stats, err)
		}
		if clients, _ := inventory.Connections([]inventory.ConnectionEvent{e}); len(clients) != 1-int(refused) {
			t.Errorf("%s: %d clients", row.name, len(clients))
		}
	}
}

// TestRecorderNow tries times of the host.
func TestRecorderNow(t *testing.T) {
	e := connectionEvent(t, "08:00 + lock a s1")
	at := e.Timestamp
	for _, row := range []struct {
		now  time.Time
		want string
	}{
		{at, ""},
		{at.Add(-time.Hour), ""},
		{at.Add(-time.Hour - 1), "connection event: Timestamp 2024-05-31 08:00:00 +0000 UTC is more than an hour after 2024-05-31 06:59:59.999999999 +0000 UTC"},
		{time.Time{}, "now is 0001-01-01 00:00:00 +0000 UTC, must be of the years 1678 to 2261"},
		{time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC), "now is 2262-01-01 00:00:00 +0000 UTC, must be of the years 1678 to 2261"},
		{time.Unix(math.MaxInt64>>1, 0), fmt.Sprintf("now is %v, must be of the years 1678 to 2261", time.Unix(math.MaxInt64>>1, 0))},
	} {
		r := record(t, inventory.RecorderConfig{})
		got := ""
		if err := r.Record(row.now, e); err != nil {
			got = err.Error()
		}
		if got != row.want {
			t.Errorf("now %v: %q, want %q", row.now, got, row.want)
		}
		if stats := r.Stats(); (stats.Connections == 1) != (row.want == "") || stats.Refused == 1 != (row.want != "") {
			t.Errorf("now %v: %+v", row.now, stats)
		}
	}
}

// Events of all times together are only what they are: no sum or difference of them goes wrong.
func TestConnectionsOfAllTimes(t *testing.T) {
	first, last := time.Date(1678, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2261, 12, 31, 23, 59, 59, 999_999_999, time.UTC)
	for _, reason := range inventory.DisconnectReason("").Values() {
		events := []inventory.ConnectionEvent{
			{ClientID: "lock", SessionIdentifier: "s1", Timestamp: first, EventType: "connected"},
			{ClientID: "lock", SessionIdentifier: "s1", Timestamp: last, EventType: "disconnected", DisconnectReason: reason},
			{ClientID: "lock", SessionIdentifier: "s2", Timestamp: first.Add(1), EventType: "connected"},
			{ClientID: "lock", SessionIdentifier: "s3", Timestamp: last, EventType: "disconnected", DisconnectReason: reason},
		}
		want := connectionRows(naiveConnections(events))
		if diff := cmp.Diff(want, connectionRows(inventory.Connections(events))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", reason, diff)
		}
	}
}

// day feeds the events of a day of a hundred days: each client is connected from noon for the hours of its number.
func day(t *testing.T, r *inventory.Recorder, clients, day int) (events []inventory.ConnectionEvent) {
	t.Helper()
	for hour := range 24 {
		for n := range clients {
			e := inventory.ConnectionEvent{
				ClientID: fmt.Sprintf("client-%02d", n), PrincipalIdentifier: fmt.Sprintf("%064x", n),
				SessionIdentifier: fmt.Sprint(day), Timestamp: eventDay.AddDate(0, 0, day).Add(time.Duration(hour) * time.Hour),
			}
			switch hour {
			case 12:
				e.EventType = inventory.EventConnected
			case 12 + n%11:
				e.EventType, e.DisconnectReason = inventory.EventDisconnected, inventory.DisconnectConnectionLost
			default:
				continue
			}
			require.NoError(t, r.Record(e.Timestamp, e))
			events = append(events, e)
		}
	}
	return events
}

// TestRecorderRetention: 31 days are there on days of a hundred, and nothing that ended 32 days and one round of
// events before.
func TestRecorderRetention(t *testing.T) {
	const clients = 10
	r := record(t, inventory.RecorderConfig{})
	var events []inventory.ConnectionEvent
	for today := range 100 {
		events = append(events, day(t, r, clients, today)...)
		if today%9 != 0 && today != 31 && today != 32 {
			continue
		}
		now := events[len(events)-1].Timestamp
		// What is too old goes by the events of one more day at the latest.
		sure, gone := now.AddDate(0, 0, -32), now.AddDate(0, 0, -33).Add(-time.Hour)
		all, _ := naiveConnections(events)
		kept := make(map[string]bool)
		inv := inventory.New(inventory.Contents{})
		r.Attach(inv)
		for _, c := range read(t, inv.Clients) {
			for _, connection := range c.Connections {
				kept[c.ID+connection.ConnectedAt.String()] = true
				if end := connection.DisconnectedAt; !end.IsZero() && end.Before(gone) {
					t.Fatalf("day %d: %s has a connection that ended %v", today, c.ID, end)
				}
			}
		}
		for _, c := range all {
			for _, connection := range c.Connections {
				if end := connection.DisconnectedAt; (end.IsZero() || !end.Before(sure)) && !kept[c.ID+connection.ConnectedAt.String()] {
					t.Fatalf("day %d: %s has no connection that ended %v", today, c.ID, end)
				}
			}
		}
		require.Zero(t, r.Stats().Dropped)
	}
}

// A connection that has been open for longer than connections are remembered is remembered.
func TestRecorderRetentionOfOpen(t *testing.T) {
	r := record(t, inventory.RecorderConfig{}, connectionEvent(t, "08:00 + lock a s1"), connectionEvent(t, "09:00 - lamp b s1"))
	later := connectionEvent(t, "08:00 + tick c ?")
	for range 10 {
		later.Timestamp = later.Timestamp.AddDate(0, 0, 10)
		require.NoError(t, r.Record(later.Timestamp, later))
	}
	got := recorded(t, r)
	require.Contains(t, got, "client lock: 08:00.. a")
	for _, row := range got {
		require.NotContains(t, row, "lamp")
	}
	// Its end comes, and then it is forgotten too.
	end := connectionEvent(t, "10:00 - lock a s1 CONNECTION_LOST")
	end.Timestamp = later.Timestamp
	require.NoError(t, r.Record(end.Timestamp, end))
	for range 10 {
		later.Timestamp = later.Timestamp.AddDate(0, 0, 10)
		require.NoError(t, r.Record(later.Timestamp, later))
	}
	for _, row := range recorded(t, r) {
		require.NotContains(t, row, "lock")
	}
}

// TestRecorderForget: of what only one view has seen nothing is left when that view is dropped, whatever came of it.
func TestRecorderForget(t *testing.T) {
	r := record(t, inventory.RecorderConfig{MaxConnections: 2})
	inv := inventory.New(inventory.Contents{})
	r.Attach(inv)
	give := func(row string) { require.NoError(t, r.Record(eventDay.AddDate(0, 0, 1), connectionEvent(t, row))) }
	inv.CertificateUses.Collect(false)
	give("08:01 + lock a ?")
	inv.CertificateUses.Collect(true)
	give("08:05 - lock a ? CONNECTION_LOST")
	require.Equal(t, []string{"client lock: 08:01..08:05 a", "certificate a: lock ?..08:05 a"}, recorded(t, r))
	inv.Clients.Collect(false)
	give("08:03 + lock a ?")
	require.Equal(t, inventory.RecorderStats{Clients: 1, Connections: 1}, r.Stats())
	require.Equal(t, []string{"certificate a: lock 08:03..08:05 a"}, connectionRows(nil, read(t, inv.CertificateUses)))
	for i := range 5 {
		give(fmt.Sprintf("09:00 + lamp-%d a ?", i))
	}
	require.Equal(t, inventory.RecorderStats{Clients: 2, Connections: 2, Dropped: 4}, r.Stats())
}

func TestBrokerRestarted(t *testing.T) {
	first, last := time.Date(1678, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2261, 12, 31, 23, 59, 59, 999_999_999, time.UTC)
	for _, row := range []struct {
		at   time.Time
		want string
	}{
		{eventDay, ""},
		{first, ""},
		{last, ""},
		{time.Time{}, "at is 0001-01-01 00:00:00 +0000 UTC, must be of the years 1678 to 2261"},
		{first.Add(-1), "at is 1677-12-31 23:59:59.999999999 +0000 UTC, must be of the years 1678 to 2261"},
		{last.Add(1), "at is 2262-01-01 00:00:00 +0000 UTC, must be of the years 1678 to 2261"},
	} {
		r := record(t, inventory.RecorderConfig{}, connectionEvent(t, "08:00 + lock a s1"))
		got := ""
		if err := r.BrokerRestarted(row.at); err != nil {
			got = err.Error()
		}
		if got != row.want {
			t.Errorf("%v: %q, want %q", row.at, got, row.want)
		}
		if remembered := r.Restarts() == 1; remembered != (row.want == "") {
			t.Errorf("%v: remembered is %v", row.at, remembered)
		}
	}
}

// TestBrokerRestartedSwitchedOff: a restart while nothing is collected counts for what is told later.
func TestBrokerRestartedSwitchedOff(t *testing.T) {
	r := record(t, inventory.RecorderConfig{}, connectionEvent(t, "08:00 + lock a s1"))
	inv := inventory.New(inventory.Contents{})
	r.Attach(inv)
	collect := func(on bool) {
		inv.Clients.Collect(on)
		inv.CertificateUses.Collect(on)
	}
	require.NoError(t, r.BrokerRestarted(eventDay.Add(9*time.Hour)))
	collect(false)
	require.NoError(t, r.BrokerRestarted(eventDay.Add(10*time.Hour)))
	collect(true)
	for _, row := range []string{"08:00 + lock a s1", "09:30 + lamp a s1", "10:30 + plug a s1"} {
		feed(t, r, []inventory.ConnectionEvent{connectionEvent(t, row)})
	}
	require.Equal(t, []string{
		"client lamp: 09:30..10:00 a", "client lock: 08:00..09:00 a", "client plug: 10:30.. a",
		"certificate a: plug 10:30.. a | lamp 09:30..10:00 a | lock 08:00..09:00 a",
	}, recorded(t, r))
}

// TestBrokerRestartedOften: of too many restarts those go that say least, in whatever order they come.
func TestBrokerRestartedOften(t *testing.T) {
	r := record(t, inventory.RecorderConfig{}, connectionEvent(t, "08:00 + lock a s1"), connectionEvent(t, "12:30 + lamp b s1"))
	restarts := []time.Time{
		time.Date(1678, 1, 1, 0, 0, 0, 0, time.UTC), eventDay.Add(9 * time.Hour), eventDay.Add(15 * time.Hour),
		time.Date(2261, 12, 31, 0, 0, 0, 0, time.UTC),
	}
	for i := range 6000 {
		restarts = append(restarts, eventDay.Add(12*time.Hour+time.Duration(i)*time.Millisecond))
	}
	random := rand.New(rand.NewPCG(9, 9))
	random.Shuffle(len(restarts), func(i, j int) { restarts[i], restarts[j] = restarts[j], restarts[i] })
	for _, at := range restarts {
		require.NoError(t, r.BrokerRestarted(at))
	}
	require.Equal(t, 4096, r.Restarts())
	require.Equal(t, []string{
		"client lamp: 12:30..15:00 b", "client lock: 08:00..09:00 a", "certificate a: lock 08:00..09:00 a", "certificate b: lamp 12:30..15:00 b",
	}, recorded(t, r))
}

// What ended with a restart is forgotten as what ended otherwise.
func TestBrokerRestartedRetention(t *testing.T) {
	r := record(t, inventory.RecorderConfig{}, connectionEvent(t, "08:00 + lock a s1"))
	require.NoError(t, r.BrokerRestarted(eventDay.Add(9*time.Hour)))
	for _, days := range []int{31, 33, 33} {
		tick := connectionEvent(t, "08:00 + tick c s1")
		tick.Timestamp = tick.Timestamp.AddDate(0, 0, days)
		require.NoError(t, r.Record(tick.Timestamp, tick))
		if days == 31 {
			require.Equal(t, 2, r.Stats().Clients)
		}
	}
	require.Equal(t, 1, r.Stats().Clients)
}

// TestRecorderKeepsEnds: what a connection that is forgotten told of the end of another is still known.
func TestRecorderKeepsEnds(t *testing.T) {
	events := visit("lock", "z", 2, 0, 90*time.Minute, inventory.DisconnectDuplicateClientID) // taken over by what comes
	lost := visit("lock", "a1", 1, time.Hour, 0, "")[0]                                       // whose own end is not told
	events = append(events, lost)
	events = append(events, visit("lock", "a2", 1, 2*time.Hour, 3*time.Hour, inventory.DisconnectClientInitiated)...)
	end := func(r *inventory.Recorder) time.Duration {
		inv := inventory.New(inventory.Contents{})
		r.Attach(inv)
		for _, c := range read(t, inv.Clients) {
			for _, s := range c.Connections {
				if c.ID == "lock" && s.ConnectedAt.Equal(lost.Timestamp) {
					return s.DisconnectedAt.Sub(eventDay)
				}
			}
		}
		return -1
	}
	busy := record(t, inventory.RecorderConfig{MaxConnectionsPerClient: 8}, events...)
	crowded := record(t, inventory.RecorderConfig{MaxConnections: 100}, events...)
	for i := range 300 {
		from := 4*time.Hour + time.Duration(i)*time.Minute
		feed(t, busy, visit("lock", fmt.Sprint(i), 1, from, from+time.Second, inventory.DisconnectClientInitiated))
		feed(t, crowded, visit(fmt.Sprint("plug", i), "s", 3, from, from+time.Second, inventory.DisconnectClientInitiated))
	}
	feed(t, crowded, visit("lock", "b", 4, 12*time.Hour, 13*time.Hour, inventory.DisconnectClientInitiated)[:1])
	require.Equal(t, 2*time.Hour, end(busy))
	require.Equal(t, 2*time.Hour, end(crowded))
	require.NotZero(t, busy.Stats().Dropped)
	require.NotZero(t, crowded.Stats().Dropped)
}

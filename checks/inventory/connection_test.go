package inventory_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

// eventDay is the day of the events of rows.
var eventDay = time.Date(2024, 5, 31, 0, 0, 0, 0, time.UTC)

// connectionEvent reads "08:00 + lock a s1" or "08:10 - lock a s1 CONNECTION_LOST".
func connectionEvent(t testing.TB, row string) inventory.ConnectionEvent {
	t.Helper()
	f := strings.Fields(row)
	require.GreaterOrEqual(t, len(f), 5, "%q", row)
	for i := range f {
		f[i] = strings.TrimPrefix(f[i], "?")
	}
	at, err := time.Parse("15:04:05", f[0]+":00"[:max(0, 8-len(f[0]))])
	require.NoError(t, err)
	e := inventory.ConnectionEvent{
		ClientID:            f[2],
		Timestamp:           eventDay.Add(at.Sub(at.Truncate(24 * time.Hour))),
		EventType:           inventory.EventConnected,
		PrincipalIdentifier: f[3],
		SessionIdentifier:   f[4],
	}
	if len(f[3]) == 1 {
		e.PrincipalIdentifier = strings.Repeat(f[3], 64)
	}
	if f[1] == "-" {
		e.EventType = inventory.EventDisconnected
		if len(f) > 5 {
			e.DisconnectReason = inventory.DisconnectReason(f[5])
		}
	}
	return e
}

// connectionRows writes clients and certificates as testdata/connections.txt does.
func connectionRows(clients []inventory.Client, uses []inventory.CertificateUse) (rows []string) {
	clock := func(t time.Time) string {
		switch {
		case t.IsZero():
			return ""
		case t.Before(eventDay) || t.Sub(eventDay) >= 24*time.Hour:
			return t.Format(time.RFC3339Nano)
		}
		return strings.TrimSuffix(t.Format("15:04:05.999999999"), ":00")
	}
	who := func(principal string) string {
		if principal == "" {
			return "?"
		}
		if len(principal) == 64 && principal == strings.Repeat(principal[:1], 64) {
			return principal[:1]
		}
		return principal
	}
	list := func(connections []inventory.Connection, client bool) string {
		var all []string
		for _, c := range connections {
			var b strings.Builder
			if client {
				b.WriteString(c.ClientID + " ")
			}
			start := clock(c.ConnectedAt)
			if start == "" {
				start = "?"
			}
			fmt.Fprintf(&b, "%s..%s %s", start, clock(c.DisconnectedAt), who(c.Principal))
			if c.TakenOver || c.TakenOverBy != "" {
				fmt.Fprintf(&b, " by %s", who(c.TakenOverBy))
			}
			all = append(all, b.String())
		}
		return strings.Join(all, " | ")
	}
	for _, c := range clients {
		rows = append(rows, fmt.Sprintf("client %s: %s", c.ID, list(c.Connections, false)))
	}
	for _, u := range uses {
		rows = append(rows, fmt.Sprintf("certificate %s: %s", who(u.CertificateID), list(u.Connections, true)))
	}
	return rows
}

// recorded returns what a Recorder has, in the order of Connections.
func recorded(t *testing.T, r *inventory.Recorder) []string {
	t.Helper()
	inv := inventory.New(inventory.Contents{})
	r.Attach(inv)
	if r.Stats().Clients == 0 {
		return nil // its Sources may wait for data
	}
	clients, uses := read(t, inv.Clients), read(t, inv.CertificateUses)
	slices.SortFunc(clients, func(a, b inventory.Client) int { return strings.Compare(a.ID, b.ID) })
	slices.SortFunc(uses, func(a, b inventory.CertificateUse) int { return strings.Compare(a.CertificateID, b.CertificateID) })
	return connectionRows(clients, uses)
}

// record gives events to a new Recorder, a day after eventDay.
func record(t testing.TB, c inventory.RecorderConfig, events ...inventory.ConnectionEvent) *inventory.Recorder {
	t.Helper()
	r, err := inventory.NewRecorder(c)
	require.NoError(t, err)
	for _, e := range events {
		require.NoError(t, r.Record(eventDay.AddDate(0, 0, 1), e))
	}
	return r
}

// arrangements yields events in several orders, with none, some or all of them twice.
func arrangements(events []inventory.ConnectionEvent, yield func(how string, events []inventory.ConnectionEvent)) {
	yield("in order", events)
	backward := slices.Clone(events)
	slices.Reverse(backward)
	yield("backward", backward)
	yield("each twice", slices.Concat(events, backward))
	random := rand.New(rand.NewPCG(1, uint64(len(events))))
	for range 20 {
		mixed := slices.Clone(events)
		for range random.IntN(len(events) + 1) {
			mixed = append(mixed, events[random.IntN(len(events))])
		}
		random.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		yield("mixed", mixed)
	}
}

// TestConnections holds Connections, Recorders and the test's own way against testdata/connections.txt.
func TestConnections(t *testing.T) {
	data, err := os.ReadFile("testdata/connections.txt")
	require.NoError(t, err)
	cases := strings.Split(string(data), "\n== ")[1:]
	require.Greater(t, len(cases), 20)
	for _, text := range cases {
		name, text, _ := strings.Cut(text, "\n")
		t.Run(name, func(t *testing.T) {
			var events []inventory.ConnectionEvent
			var restarts []time.Time
			var want []string
			for row := range strings.Lines(text) {
				row = strings.TrimSpace(row)
				clock, restarted := strings.CutSuffix(row, " restarted")
				switch {
				case row == "":
				case restarted:
					restarts = append(restarts, connectionEvent(t, clock+" + broker ? ?").Timestamp)
				case row[0] >= '0' && row[0] <= '9':
					events = append(events, connectionEvent(t, row))
				default:
					want = append(want, row)
				}
			}
			if diff := cmp.Diff(want, connectionRows(naiveConnections(events, restarts...))); diff != "" {
				t.Errorf("the test's own way (-want +got):\n%s", diff)
			}
			random := rand.New(rand.NewPCG(2, 2))
			arrangements(events, func(how string, events []inventory.ConnectionEvent) {
				if diff := cmp.Diff(want, connectionRows(inventory.Connections(events))); diff != "" && len(restarts) == 0 {
					t.Errorf("Connections, %s (-want +got):\n%s", how, diff)
				}
				if diff := cmp.Diff(want, recordedAmid(t, random, events, restarts)); diff != "" {
					t.Errorf("Recorder, %s (-want +got):\n%s", how, diff)
				}
			})
		})
	}
}

// A client id that flaps all the month: in proportion to the square of its connections this would take minutes.
func TestConnectionsOfOneClient(t *testing.T) {
	for _, session := range []string{"", "s%d"} {
		var events []inventory.ConnectionEvent
		for i := range 30_000 {
			for _, e := range []inventory.ConnectionEvent{
				{EventType: inventory.EventConnected, Timestamp: eventDay.Add(time.Duration(i) * time.Minute)},
				{EventType: inventory.EventDisconnected, Timestamp: eventDay.Add(time.Duration(i+1) * time.Minute)},
			} {
				e.ClientID, e.PrincipalIdentifier = "lock", fmt.Sprintf("%064x", i)
				if session != "" {
					e.SessionIdentifier = fmt.Sprintf(session, i)
				}
				events = append(events, e)
			}
		}
		clients, uses := inventory.Connections(events)
		require.Len(t, clients, 1)
		require.Len(t, clients[0].Connections, 30_000)
		require.Len(t, uses, 30_000)
		for _, c := range clients[0].Connections {
			require.Equal(t, time.Minute, c.DisconnectedAt.Sub(c.ConnectedAt))
		}
	}
}

// TestCertificateARN: events may have the ARN of a certificate in the place of its id.
func TestCertificateARN(t *testing.T) {
	id, arn := strings.Repeat("a", 64), "arn:aws:iot:eu-west-1:123456789012:cert/"+strings.Repeat("A", 64)
	first, second := connectionEvent(t, "08:00 + lock a s1"), connectionEvent(t, "09:00 + lock a s2")
	second.PrincipalIdentifier = arn
	_, uses := inventory.Connections([]inventory.ConnectionEvent{first, second})
	require.Equal(t, []string{"certificate a: lock 09:00.. a | lock 08:00..09:00 a"}, connectionRows(nil, uses))
	for principal, want := range map[string]string{
		id: id, arn: id, "": "", "arn:aws:iot:eu-west-1:123456789012:cert/": "", arn + "a": "", id + "/": "", "cert/" + id: "",
	} {
		if got := (&inventory.Connection{Principal: principal}).CertificateID(); got != want {
			t.Errorf("%q is the certificate %q, want %q", principal, got, want)
		}
	}
}

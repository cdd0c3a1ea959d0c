package inventory_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

// anyEvent makes an event of four bytes, out of so few values that events have much to do with each other.
func anyEvent(b []byte) inventory.ConnectionEvent {
	e := inventory.ConnectionEvent{
		ClientID:            []string{"lamp", "lock"}[b[0]&1],
		SessionIdentifier:   []string{"", "s1", "s2", "s3"}[b[0]>>1&3],
		PrincipalIdentifier: []string{"", strings.Repeat("a", 64), strings.Repeat("B", 64), "user-7"}[b[0]>>3&3],
		EventType:           []inventory.ConnectionEventType{inventory.EventConnected, inventory.EventDisconnected}[b[1]&1],
		Timestamp:           eventDay.Add(time.Duration(b[2]&31)*30*time.Second + time.Duration(b[3]&3)),
	}
	if e.EventType == inventory.EventDisconnected {
		e.DisconnectReason = []inventory.DisconnectReason{"", inventory.DisconnectDuplicateClientID, inventory.DisconnectConnectionLost, "other"}[b[1]>>1&3]
		e.ClientInitiatedDisconnect = b[1]>>3&7 == 7
	}
	return e
}

// anyEvents makes events of data, four bytes each; one in eight is a restart of the broker.
func anyEvents(data []byte) (events []inventory.ConnectionEvent, restarts []time.Time) {
	for four := range slices.Chunk(data, 4) {
		switch {
		case len(four) < 4 || len(events) == 40:
		case four[1]>>5 == 7:
			restarts = append(restarts, anyEvent(four).Timestamp)
		default:
			events = append(events, anyEvent(four))
		}
	}
	return events, restarts
}

// recordedAmid returns what a Recorder has of events, if it is told of restarts between them.
func recordedAmid(t *testing.T, random *rand.Rand, events []inventory.ConnectionEvent, restarts []time.Time) []string {
	r := record(t, inventory.RecorderConfig{})
	for i := range len(events) + 1 {
		for len(restarts) > 0 && (i == len(events) || random.IntN(2) == 0) {
			require.NoError(t, r.BrokerRestarted(restarts[0]))
			restarts = restarts[1:]
		}
		if i < len(events) {
			feed(t, r, events[i:i+1])
		}
	}
	return recorded(t, r)
}

// judgeEvents holds Connections and a Recorder against the test's own way.
func judgeEvents(t *testing.T, events []inventory.ConnectionEvent, restarts []time.Time, seed uint64) {
	want, wantRestarted := connectionRows(naiveConnections(events)), connectionRows(naiveConnections(events, restarts...))
	mixed := slices.Clone(events)
	random := rand.New(rand.NewPCG(seed, 0))
	for range random.IntN(len(events) + 1) {
		mixed = append(mixed, events[random.IntN(len(events))])
	}
	random.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
	for _, row := range []struct {
		name      string
		want, got []string
	}{
		{"Connections", want, connectionRows(inventory.Connections(events))},
		{"Connections, mixed", want, connectionRows(inventory.Connections(mixed))},
		{"Recorder", wantRestarted, recordedAmid(t, random, events, restarts)},
		{"Recorder, mixed", wantRestarted, recordedAmid(t, random, mixed, restarts)},
	} {
		if diff := cmp.Diff(row.want, row.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
			t.Log("restarts", restarts)
			for _, e := range mixed {
				t.Log(e.Timestamp.Format("15:04:05.999999999"), e.EventType, e.ClientID, fmt.Sprintf("%.1s", e.PrincipalIdentifier), e.SessionIdentifier,
					e.DisconnectReason, e.ClientInitiatedDisconnect)
			}
			t.FailNow()
		}
	}
}

// TestRecorderRandom tries what FuzzRecorder tries, on as many random events as there is time for.
func TestRecorderRandom(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 3))
	for i := range 1000 {
		data := make([]byte, 4*random.IntN(16))
		for j := range data {
			data[j] = byte(random.Uint32())
		}
		events, restarts := anyEvents(data)
		judgeEvents(t, events, restarts, uint64(i))
	}
}

func FuzzRecorder(f *testing.F) {
	f.Add([]byte("01234567"), uint64(1))
	f.Add([]byte("aBcDeFgHiJkLmNoPqRsTuVwXyZ012345"), uint64(2))
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		events, restarts := anyEvents(data)
		judgeEvents(t, events, restarts, seed)
	})
}

// script is events as they should be, between which collection goes on and off.
type script struct {
	recorder *inventory.Recorder
	inv      *inventory.Inventory
	on       [2]bool
	seen     [2][]inventory.ConnectionEvent // by the view of clients, and by that of certificates
	ready    [2]bool
	restarts []time.Time
	now      time.Time
	open     map[string]inventory.ConnectionEvent
	sessions int
}

// step does what a byte says.
func (s *script) step(t *testing.T, b byte) {
	view := int(b & 1)
	switch id := fmt.Sprintf("client-%d", b>>4); {
	case b&15 < 2:
		s.on[view] = !s.on[view]
		if !s.on[view] {
			s.seen[view], s.ready[view] = nil, false
		}
		[]func(bool){s.inv.Clients.Collect, s.inv.CertificateUses.Collect}[view](s.on[view])
	case b == 0xff:
		s.restarts = append(s.restarts, s.now)
		require.NoError(t, s.recorder.BrokerRestarted(s.now))
	default:
		s.now = s.now.Add(time.Duration(b>>1) * 4 * time.Second)
		e, open := s.open[id]
		if open && b&2 == 0 {
			e.EventType, e.DisconnectReason = inventory.EventDisconnected, inventory.DisconnectConnectionLost
			delete(s.open, id)
		} else {
			s.sessions++
			e = inventory.ConnectionEvent{
				ClientID: id, SessionIdentifier: fmt.Sprint(s.sessions), EventType: inventory.EventConnected,
				PrincipalIdentifier: strings.Repeat(string("abcdef"[b>>2&3]), 64),
			}
			s.open[id] = e
		}
		e.Timestamp = s.now
		require.NoError(t, s.recorder.Record(s.now, e))
		for v := range s.seen {
			if s.on[v] {
				s.seen[v] = append(s.seen[v], e)
				s.ready[v] = s.ready[v] || v == 0 || s.now.Sub(s.seen[v][0].Timestamp) >= 2*time.Hour
			}
		}
	}
}

// judge holds each view against the events that it has seen.
func (s *script) judge(t *testing.T) {
	wantClients, _ := naiveConnections(s.seen[0], s.restarts...)
	_, wantUses := naiveConnections(s.seen[1], s.restarts...)
	if !s.ready[1] {
		wantUses = nil
	}
	var clients []inventory.Client
	var uses []inventory.CertificateUse
	if len(s.seen[0]) > 0 {
		clients = read(t, s.inv.Clients)
	}
	if s.ready[1] {
		uses = read(t, s.inv.CertificateUses)
	}
	slices.SortFunc(clients, func(a, b inventory.Client) int { return strings.Compare(a.ID, b.ID) })
	slices.SortFunc(uses, func(a, b inventory.CertificateUse) int { return strings.Compare(a.CertificateID, b.CertificateID) })
	if diff := cmp.Diff(connectionRows(wantClients, wantUses), connectionRows(clients, uses)); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	for view, source := range []func() <-chan struct{}{s.inv.Clients.Ready, s.inv.CertificateUses.Ready} {
		select {
		case <-source():
			require.True(t, s.ready[view], "view %d is ready, and there was no such event", view)
		default:
			require.False(t, s.ready[view], "view %d is not ready, and there was such an event", view)
		}
	}
	if len(s.seen[0])+len(s.seen[1]) == 0 {
		stats := s.recorder.Stats()
		require.Zero(t, stats.Clients+stats.Connections, "something is left of what was dropped")
	}
}

// longestScript is how many steps a script has at most; a Recorder that remembers as many connections of each client
// forgets none of them.
const longestScript = 400

func playScript(t *testing.T, steps []byte) {
	s := script{now: eventDay, on: [2]bool{true, true}, open: make(map[string]inventory.ConnectionEvent), inv: inventory.New(inventory.Contents{})}
	s.recorder = record(t, inventory.RecorderConfig{MaxConnectionsPerClient: longestScript})
	s.recorder.Attach(s.inv)
	for i, b := range steps {
		s.step(t, b)
		if i%16 == 15 {
			s.judge(t)
		}
	}
	s.judge(t)
}

// TestRecorderViews tries what FuzzRecorderViews tries.
func TestRecorderViews(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 5))
	for range 300 {
		steps := make([]byte, random.IntN(250))
		for i := range steps {
			steps[i] = byte(random.Uint32())
		}
		playScript(t, steps)
	}
}

func FuzzRecorderViews(f *testing.F) {
	f.Add([]byte{2, 18, 0, 34, 1, 50, 0, 1, 66})
	f.Add(bytes.Repeat([]byte{'/'}, longestScript)) // one client, over and over
	f.Fuzz(func(t *testing.T, steps []byte) {
		if len(steps) > longestScript {
			return
		}
		playScript(t, steps)
	})
}

package inventory_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

// heap returns the live bytes on the heap.
func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// fleetEvent is an event of a fleet in which each client has a certificate, its texts made anew as a broker's are.
func fleetEvent(client, connection int, kind inventory.ConnectionEventType, at time.Time) inventory.ConnectionEvent {
	return inventory.ConnectionEvent{
		ClientID:            fmt.Sprintf("device-%07d", client),
		Timestamp:           at,
		EventType:           kind,
		SessionIdentifier:   fmt.Sprintf("%032x", client*1000+connection),
		PrincipalIdentifier: fmt.Sprintf("%064x", client),
	}
}

// eventHolder is the peer of a Recorder: what a host would keep for a check of its own.
type eventHolder map[string][]inventory.ConnectionEvent

func (h eventHolder) record(e inventory.ConnectionEvent) { h[e.ClientID] = append(h[e.ClientID], e) }

// load is what a fleet costs.
type load struct {
	client, connection int // heap after the first connection of each client, and what the second took
	took, longest      time.Duration
}

// measure gives the events of a fleet to record: each client connects, goes, and connects again.
func (l *load) measure(clients int, record func(inventory.ConnectionEvent)) {
	batch := make([]inventory.ConnectionEvent, 1000)
	pass := func(connection int, kind inventory.ConnectionEventType, after time.Duration) {
		for first := 0; first < clients; first += len(batch) {
			for i := range batch {
				batch[i] = fleetEvent(first+i, connection, kind, eventDay.Add(after+time.Duration(first+i)*time.Microsecond))
			}
			start := time.Now()
			for _, e := range batch {
				record(e)
			}
			took := time.Since(start)
			l.took += took
			l.longest = max(l.longest, took)
		}
		clear(batch)
	}
	empty := heap()
	pass(1, inventory.EventConnected, 0)
	once := heap()
	pass(1, inventory.EventDisconnected, time.Hour)
	pass(2, inventory.EventConnected, 2*time.Hour)
	l.client += once - empty
	l.connection += heap() - once
}

// BenchmarkRecorder holds a Recorder against a map of lists of events: heap a client that has connected once with a
// certificate of its own, heap of a further connection, the time of an event, and the most that a thousand took.
func BenchmarkRecorder(b *testing.B) {
	for _, clients := range []int{100_000, 1_000_000} {
		b.Run(fmt.Sprint(clients), func(b *testing.B) {
			var recorder, holder load
			for b.Loop() {
				r := record(b, inventory.RecorderConfig{})
				recorder.measure(clients, func(e inventory.ConnectionEvent) {
					if err := r.Record(eventDay.Add(3*time.Hour), e); err != nil {
						b.Fatal(err)
					}
				})
				require.Equal(b, inventory.RecorderStats{Clients: clients, Connections: 2 * clients}, r.Stats())
				h := make(eventHolder)
				holder.measure(clients, h.record)
				runtime.KeepAlive(r)
				runtime.KeepAlive(h)
			}
			each := float64(b.N * clients)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(recorder.client)/each, "B/client")
			b.ReportMetric(float64(recorder.connection)/each, "B/connection")
			b.ReportMetric(float64(recorder.took)/each/3, "ns/event")
			b.ReportMetric(float64(recorder.longest.Microseconds()), "µs-longest-1000")
			b.ReportMetric(float64(holder.client)/float64(recorder.client), "map/recorder-heap-client")
			b.ReportMetric(float64(holder.connection)/float64(recorder.connection), "map/recorder-heap-connection")
			b.ReportMetric(float64(recorder.took)/float64(holder.took), "recorder/map-time")
		})
	}
}

// BenchmarkRecorderFull is an event of a client id that was never seen, when the limit has been reached: where the
// others show nothing, and where all of them show a takeover.
func BenchmarkRecorderFull(b *testing.B) {
	for _, reason := range []inventory.DisconnectReason{inventory.DisconnectConnectionLost, inventory.DisconnectDuplicateClientID} {
		b.Run(string(reason), func(b *testing.B) {
			r := record(b, inventory.RecorderConfig{MaxConnections: 100_000})
			for i := range 50_000 {
				client := fmt.Sprintf("lamp-%d", i)
				feed(b, r, visit(client, "1", i, time.Hour, 2*time.Hour, reason))
				feed(b, r, visit(client, "2", i, 2*time.Hour, 3*time.Hour, inventory.DisconnectConnectionLost))
			}
			n := 0
			for b.Loop() {
				n++
				feed(b, r, visit(fmt.Sprintf("made-up-%d", n), "1", n, 3*time.Hour, 4*time.Hour, "")[:1])
			}
			require.EqualValues(b, n, r.Stats().Dropped)
		})
	}
}

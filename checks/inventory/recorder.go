package inventory

import (
	"fmt"
	"sync"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
)

// Recorder keeps the connections of the last 31 days as a broker tells of them, in memory that is bounded. Its
// two Sources are [Inventory.Clients] and [Inventory.CertificateUses]; [Recorder.Attach] puts them there. Make it
// with [NewRecorder]. It has no goroutine, and is safe for concurrent use.
//
// A million clients that connect once, each with a certificate of its own, take 162 MB, which is 162 bytes a client;
// every further connection that is remembered takes 40 bytes. Memory that was needed once is used again, but is
// given back only when an Engine has no enabled check left that uses one of the Sources. So after a flood of client ids
// that somebody made up it stays at what MaxConnections allows.
//
// A Source is ready once it can say something: that of clients at the first event; that of certificates [Settling]
// after the earliest Timestamp that it has seen, since the window of its check ends so long before the audit. For that
// it has a timer, which counts from the now of Record; a later now that is late enough does as well. Old events that
// are given to it anew make it ready at once.
//
// The Sources are for the checks of one Engine. Another one over the same Sources, in which no check that uses them is
// enabled, would have what was collected dropped, and collecting switched off.
//
// What came before the Recorder, or before the process was started again, it does not know: a host that keeps its
// events may give it those of the last 31 days. Their order makes no difference. After a crash or a restart of the
// broker, which tells no disconnected events, call [Recorder.BrokerRestarted]: else the connections of before seem to be
// open until their client ids connect again, and a device that takes a new client id each time seems to share its
// certificate.
type Recorder struct {
	config       RecorderConfig
	clients      *checks.Source[Client]
	certificates *checks.Source[CertificateUse]

	mu               sync.RWMutex
	history          *history
	byClient         viewState
	byCertificate    viewState
	hand             uint32 // the client that is looked at next, for connections that are too old
	sample           uint32 // the connection that is looked at next, for one to drop
	dropped, refused uint64
	spans            spans
}

// RecorderConfig bounds a [Recorder]. Its zero value is good for a million clients.
type RecorderConfig struct {
	// MaxConnections is how many connections are remembered in all; zero: 4,000,000, which take 300 MB when they
	// are of a million clients. It should be several times the number of clients. Of a client id, and of a principal
	// that is no certificate, each 40 bytes beyond the first 64 count as one more, and so do principals when there are
	// more of them than connections. So the default takes 1.3 GB at the worst: when each connection has a client id
	// and such a principal of its own, of 64 bytes each; 840 MB if these are certificates.
	MaxConnections int
	// MaxConnectionsPerClient is how many are remembered of one client id, at least 4; zero: 256.
	MaxConnectionsPerClient int
}

const (
	defaultMaxConnections          = 4_000_000
	defaultMaxConnectionsPerClient = 256
	mostConnections                = 1_000_000_000 // they are numbered in 32 bits

	// retention is how long a connection is remembered after its end: 31 days, and a day for [Settling], by which a
	// window may lie further back, and for audits that start late.
	retention = 32 * 24 * time.Hour
	// maxAhead is how far an event may be ahead of the clock of the host.
	maxAhead = time.Hour
)

// viewState is what a view is told by Collect, and tells by Ready.
type viewState struct {
	on       bool
	settling time.Duration // how old an event must be for the view to be ready; -maxAhead: whatever it is
	ready    chan struct{} // closed once there is such an event
	any      bool          // ready is closed
	earliest int64         // of the events; noEnd: there was none
	timer    *time.Timer   // makes it ready; nil: there was no event, or it is
	drops    int           // how often what it had was dropped
}

// NewRecorder makes a Recorder that records for both of its Sources until Collect says otherwise. An error names
// the field of c that is not valid.
func NewRecorder(c RecorderConfig) (*Recorder, error) {
	if n := c.MaxConnections; n < 0 || n > mostConnections {
		return nil, fmt.Errorf("RecorderConfig.MaxConnections is %d, must be of 1 to %d, or 0 for %d", n, mostConnections, defaultMaxConnections)
	}
	if n := c.MaxConnectionsPerClient; n < 0 || n > 0 && n <= few {
		return nil, fmt.Errorf("RecorderConfig.MaxConnectionsPerClient is %d, must be at least %d, or 0 for %d", n, few+1, defaultMaxConnectionsPerClient)
	}
	if c.MaxConnections == 0 {
		c.MaxConnections = defaultMaxConnections
	}
	if c.MaxConnectionsPerClient == 0 {
		c.MaxConnectionsPerClient = defaultMaxConnectionsPerClient
	}
	r := &Recorder{config: c, history: newHistory()}
	r.byClient = viewState{on: true, ready: make(chan struct{}), earliest: noEnd, settling: -maxAhead}
	r.byCertificate = viewState{on: true, ready: make(chan struct{}), earliest: noEnd, settling: Settling}
	r.clients = &checks.Source[Client]{
		Name:    "clients with connections",
		Shards:  r.clientShards,
		Ready:   func() <-chan struct{} { return r.ready(&r.byClient) },
		Collect: func(on bool) { r.collect(clientView, on) },
	}
	r.certificates = &checks.Source[CertificateUse]{
		Name:    "certificates with connections",
		Shards:  r.certificateShards,
		Ready:   func() <-chan struct{} { return r.ready(&r.byCertificate) },
		Collect: func(on bool) { r.collect(certificateView, on) },
	}
	return r, nil
}

// Attach makes the Recorder's Sources those of inv. It must come before the checks are made.
func (r *Recorder) Attach(inv *Inventory) {
	inv.Clients, inv.CertificateUses = r.clients, r.certificates
}

// Record takes note of an event. now is the host's time, by which it is told what is too old to be remembered. An
// event that [ConnectionEvent.Validate] finds fault with, or that is more than an hour later than now, is refused
// with an error that says so, and so is a now of other years than the Timestamp of an event may have. Events may come
// in any order, and twice, as [Connections] says.
//
// Record forgets two kinds of connections. Those that ended 32 days before now have become of no interest; one client
// is looked at each time, so they are gone after as many events as there are clients. Those beyond a limit of the
// [RecorderConfig] are dropped, which [RecorderStats] counts:
//
//   - Of a client with too many, a quarter: first what tells again that a session is connected, then those that are
//     over and neither took over another nor were taken over, from the oldest on, then the oldest of the others. So
//     what CONFLICTING_CLIENT_IDS_CHECK finds stays.
//   - Of too many in all, a quarter of those of the client that has most among the next 16, in the same way. Where
//     none of them has more than three, it is one connection: the one that is over for longest and shows no
//     takeover, or else the one of a client with no other that is open for longest. Only if the next 512 all show
//     takeovers, the oldest of them goes.
func (r *Recorder) Record(now time.Time, e ConnectionEvent) error {
	err := e.Validate()
	switch {
	case err != nil:
	case !counted(now):
		err = fmt.Errorf("now is %v, must be of the years 1678 to 2261", now)
	case e.Timestamp.After(now.Add(maxAhead)):
		err = fmt.Errorf("connection event: Timestamp %v is more than an hour after %v", e.Timestamp, now)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.refused++
		return err
	}
	var seen views
	if r.byClient.on {
		seen |= clientView
		r.see(&r.byClient, now, e.Timestamp)
	}
	if r.byCertificate.on {
		seen |= certificateView
		r.see(&r.byCertificate, now, e.Timestamp)
	}
	if seen == 0 {
		return nil
	}
	client := r.history.put(&e, seen)
	r.limit(client)
	r.age(now.Add(-retention).UnixNano())
	return nil
}

// BrokerRestarted takes note that the broker crashed, or was started anew, at an instant: every connection that began
// before ended then at the latest, and was not taken over, whatever its disconnected event says or said. Events of
// before and after may still come, in any order. It holds for both Sources, also while Collect has switched them off.
// An error says that at is not of the years that the Timestamp of an event may have; one that lies ahead would end
// connections that have yet to begin. Of more than 4,096 restarts those go that the next one followed soonest.
func (r *Recorder) BrokerRestarted(at time.Time) error {
	if !counted(at) {
		return fmt.Errorf("at is %v, must be of the years 1678 to 2261", at)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.history.restarted(at.UnixNano())
	return nil
}

// RecorderStats are the figures of a [Recorder].
type RecorderStats struct {
	Clients     int // that it remembers
	Connections int // that it remembers; a session that is said to have begun twice counts twice
	// Dropped is how many connections were forgotten since the Recorder was made because of a limit of its
	// [RecorderConfig]. If it grows, checks may miss what they should find, and a limit should be raised.
	Dropped uint64
	// Refused is how many events were not valid, or of the future.
	Refused uint64
}

// Stats returns the figures of now.
func (r *Recorder) Stats() RecorderStats {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return RecorderStats{r.history.clients.len(), r.history.conns.len(), r.dropped, r.refused}
}

// see says that there is an event.
func (r *Recorder) see(v *viewState, now, at time.Time) {
	earlier := at.UnixNano() < v.earliest
	v.earliest = min(v.earliest, at.UnixNano())
	rest := time.Unix(0, v.earliest).Sub(now.Add(-v.settling))
	if v.any || rest > 0 && !earlier {
		return
	}
	v.stop()
	if rest <= 0 {
		v.any = true
		close(v.ready)
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(rest, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if v.timer == timer { // else it was stopped too late
			v.timer, v.any = nil, true
			close(v.ready)
		}
	})
	v.timer = timer
}

func (v *viewState) stop() {
	if v.timer != nil {
		v.timer.Stop()
		v.timer = nil
	}
}

func (r *Recorder) ready(v *viewState) <-chan struct{} {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return v.ready
}

func (r *Recorder) state(view views) *viewState {
	if view == clientView {
		return &r.byClient
	}
	return &r.byCertificate
}

// collect switches a view on or off. What it had is dropped when it is switched off.
func (r *Recorder) collect(view views, on bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v := r.state(view)
	if v.on == on {
		return
	}
	v.on = on
	if on {
		return
	}
	v.drops++
	v.earliest = noEnd
	v.stop()
	if v.any { // else who waits goes on waiting
		v.any, v.ready = false, make(chan struct{})
	}
	if !r.byClient.on && !r.byCertificate.on {
		restarts := r.history.restarts
		r.history = newHistory()
		r.history.restarts = restarts
		r.hand, r.sample, r.spans = 0, 0, spans{}
		return
	}
	r.history.forget(view)
}

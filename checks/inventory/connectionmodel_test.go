package inventory_test

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

// The doc comment of Connections, done in the plainest way: all events are kept, and everything is made of them
// anew. Nothing here is quick.

// naive is a start, an end, or both of them.
type naive struct {
	start, end *inventory.ConnectionEvent
	also       string    // who it was, if only a later start says so
	from, to   time.Time // of the connection; zero: not known
	takenOver  bool
	taker      string
}

func who(e *inventory.ConnectionEvent) string {
	if e == nil {
		return ""
	}
	if p := e.PrincipalIdentifier; len(p) == 64 && strings.Trim(strings.ToLower(p), "0123456789abcdef") == "" {
		return strings.ToLower(p)
	}
	return e.PrincipalIdentifier
}

func (n *naive) who() string { return cmp.Or(who(n.start), n.also, who(n.end)) }

// severed says whether the broker began anew after one instant, and no later than another.
func severed(restarts []time.Time, after, until time.Time) bool {
	return slices.ContainsFunc(restarts, func(at time.Time) bool { return at.After(after) && !at.After(until) })
}

func (n *naive) begun() time.Time {
	if n.from.IsZero() {
		return n.to.Add(-1)
	}
	return n.from
}

// reason is what an end tells: 1 a takeover, 2 another reason, 0 nothing.
func reason(e *inventory.ConnectionEvent) int {
	switch {
	case e == nil || e.EventType == inventory.EventConnected:
		return 0
	case e.DisconnectReason == inventory.DisconnectDuplicateClientID:
		return 1
	case e.ClientInitiatedDisconnect || slices.Contains(e.DisconnectReason.Values(), e.DisconnectReason):
		return 2
	}
	return 0
}

// naiveDistinct sorts the events of one session, and leaves those out that are there twice.
func naiveDistinct(events []*inventory.ConnectionEvent) (distinct []*inventory.ConnectionEvent) {
	slices.SortFunc(events, func(a, b *inventory.ConnectionEvent) int {
		return cmp.Or(a.Timestamp.Compare(b.Timestamp), cmp.Compare(reason(a), reason(b)), cmp.Compare(who(a), who(b)))
	})
	for i, e := range events {
		twice := false
		for j, other := range events {
			if i != j && e.EventType == other.EventType && e.Timestamp.Equal(other.Timestamp) && reason(e) == reason(other) {
				twice = twice || who(e) == who(other) && j < i || who(e) == "" && who(other) != ""
			}
		}
		if !twice {
			distinct = append(distinct, e)
		}
	}
	return distinct
}

// naivePairs pairs the events of one session.
func naivePairs(events []*inventory.ConnectionEvent, restarts []time.Time) (pairs []*naive) {
	events = naiveDistinct(events)
	if len(events) == 2 && events[0].EventType != events[1].EventType && events[0].SessionIdentifier != "" {
		if events[0].EventType == inventory.EventDisconnected {
			slices.Reverse(events)
		}
		return []*naive{{start: events[0], end: events[1]}}
	}
	newest := func() *naive {
		for _, p := range slices.Backward(pairs) {
			if p.start != nil {
				return p
			}
		}
		return nil
	}
	add := func(e *inventory.ConnectionEvent) {
		last := newest()
		if e.EventType == inventory.EventConnected {
			if e.SessionIdentifier != "" && last != nil && last.end == nil && !severed(restarts, last.start.Timestamp, e.Timestamp) {
				last.also = cmp.Or(last.also, who(e)) // it is connected already
			} else {
				pairs = append(pairs, &naive{start: e})
			}
			return
		}
		if reason(e) == 1 && e.SessionIdentifier == "" {
			for _, p := range slices.Backward(pairs) {
				if p != last && p.start != nil && p.end == nil {
					p.end = e
					return
				}
			}
		}
		if last != nil && last.end == nil {
			last.end = e
		} else {
			pairs = append(pairs, &naive{end: e})
		}
	}
	for len(events) > 0 {
		var starts, ends []*inventory.ConnectionEvent
		at := events[0].Timestamp
		for len(events) > 0 && events[0].Timestamp.Equal(at) {
			if events[0].EventType == inventory.EventConnected {
				starts = append(starts, events[0])
			} else {
				ends = append(ends, events[0])
			}
			events = events[1:]
		}
		first, then := starts, ends
		if last := newest(); last != nil && last.end == nil {
			first, then = ends, starts
		}
		for _, e := range slices.Concat(first, then) {
			add(e)
		}
	}
	return pairs
}

// naiveClient makes the connections of a client, newest first.
func naiveClient(events []*inventory.ConnectionEvent, restarts []time.Time) (all []*naive) {
	sessions := make(map[string][]*inventory.ConnectionEvent)
	for _, e := range events {
		sessions[e.SessionIdentifier] = append(sessions[e.SessionIdentifier], e)
	}
	for _, s := range sessions {
		all = append(all, naivePairs(s, restarts)...)
	}
	forever := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	lasts := func(n *naive) time.Time {
		if n.to.IsZero() {
			return forever
		}
		return n.to
	}
	for _, n := range all {
		if n.start != nil {
			n.from = n.start.Timestamp.UTC()
		}
		if n.end != nil {
			n.to = n.end.Timestamp.UTC()
		}
		n.takenOver = reason(n.end) == 1
	}
	slices.SortFunc(all, func(a, b *naive) int {
		return cmp.Or(b.begun().Compare(a.begun()), a.from.Compare(b.from), lasts(b).Compare(lasts(a)),
			cmp.Compare(a.who(), b.who()), cmp.Compare(reason(a.end), reason(b.end)))
	})
	apart := func(a, b time.Time) time.Duration { return max(a.Sub(b), b.Sub(a)) }
	tookOver := make(map[*naive]*naive)
	// All are judged by what the events say, before anything is put in.
	var ends []time.Time
	for _, n := range all {
		to := n.to
		var next *naive // the first of those that began later; of one instant the one that lasts longest
		for _, m := range all {
			if n.start != nil && m.start != nil && m.from.After(n.from) && (next == nil || m.from.Before(next.from)) {
				next = m
			}
		}
		switch {
		case n.start == nil:
			for _, m := range all {
				if m.start != nil && (next == nil || apart(m.from, to) < apart(next.from, to) ||
					apart(m.from, to) == apart(next.from, to) && m.from.Before(next.from)) {
					next = m
				}
			}
		case severed(restarts, n.from, forever) && (next == nil || !to.IsZero() || severed(restarts, n.from, next.from)):
			// It ended at the first restart, unless it is told of a sooner end.
			first := forever
			for _, at := range restarts {
				if at.After(n.from) && at.Before(first) {
					first = at
				}
			}
			if to.IsZero() || to.After(first) {
				to, n.takenOver = first, false
			} else if next != nil && to.After(next.from) && apart(to, next.from) <= 2*time.Minute && reason(n.end) == 2 {
				to = next.from
			}
		case next == nil:
		case to.IsZero():
			to, n.takenOver = next.from, n.who() == "" || n.who() != next.who()
		case to.After(next.from) && apart(to, next.from) <= 2*time.Minute && reason(n.end) == 2:
			to = next.from
		}
		if !to.IsZero() && to.Before(n.from) {
			to = n.from
		}
		if n.takenOver && next != nil && apart(next.from, to) <= 2*time.Minute {
			tookOver[n] = next
		}
		ends = append(ends, to)
	}
	for i, n := range all {
		n.to = ends[i]
		if m := tookOver[n]; m != nil {
			n.taker = m.who()
		}
	}
	return all
}

// naiveConnections is Connections, and what a Recorder has after restarts of the broker.
func naiveConnections(events []inventory.ConnectionEvent, restarts ...time.Time) (clients []inventory.Client, uses []inventory.CertificateUse) {
	byClient := make(map[string][]*inventory.ConnectionEvent)
	for i := range events {
		if events[i].Validate() == nil {
			byClient[events[i].ClientID] = append(byClient[events[i].ClientID], &events[i])
		}
	}
	byCertificate := make(map[string][]inventory.Connection)
	for id, list := range byClient {
		c := inventory.Client{ID: id}
		for _, n := range naiveClient(list, restarts) {
			connection := inventory.Connection{ClientID: id, Principal: n.who(), ConnectedAt: n.from, DisconnectedAt: n.to,
				TakenOver: n.takenOver, TakenOverBy: n.taker}
			c.Connections = append(c.Connections, connection)
			if certificate := connection.CertificateID(); certificate != "" {
				byCertificate[certificate] = append(byCertificate[certificate], connection)
			}
		}
		clients = append(clients, c)
	}
	slices.SortFunc(clients, func(a, b inventory.Client) int { return cmp.Compare(a.ID, b.ID) })
	for id, list := range byCertificate {
		slices.SortStableFunc(list, func(a, b inventory.Connection) int {
			first, second := (&naive{from: a.ConnectedAt, to: a.DisconnectedAt}).begun(), (&naive{from: b.ConnectedAt, to: b.DisconnectedAt}).begun()
			return cmp.Or(second.Compare(first), cmp.Compare(a.ClientID, b.ClientID))
		})
		uses = append(uses, inventory.CertificateUse{CertificateID: id, Connections: list})
	}
	slices.SortFunc(uses, func(a, b inventory.CertificateUse) int { return cmp.Compare(a.CertificateID, b.CertificateID) })
	return clients, uses
}

package inventory

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"hash/maphash"
	"math"
	"slices"
	"strings"
)

// history is what is known of connections. It is not safe for concurrent use. Most of it holds no pointers, so
// that a large one is nothing to the garbage collector.
type history struct {
	seed       maphash.Seed
	conns      slab[conn]
	clients    slab[clientRow]
	principals slab[principalRow]
	byID       index[string]
	byKey      index[principalKey]
	names      map[uint32]string // of the principals that are no certificates
	born       uint32            // principals so far
	moves      uint64            // how often a connection may have gone from one row to another
	beyond     int               // bytes of names, as beyond counts them
	restarts   []int64           // when the broker began anew, the first first

	// Of the session of an event: its connections before and after it, and where they are.
	before, after []conn
	rows          []uint32
}

// conn is one connection, 40 bytes.
type conn struct {
	start, end int64  // nanoseconds since 1970, or unknown
	session    uint32 // hash of its identifier; zero: it has none
	client     uint32
	principal  uint32 // of its start; zero: not known
	ender      uint32 // the principal of its end; zero: not known
	older      uint32 // the next of its client's; zero: this is the last
	marks      marks
}

// who is the principal; zero: not known.
func (c *conn) who() uint32 { return cmp.Or(c.principal, c.ender) }

// When a start or end is not known. A connection without an end is open.
const (
	noStart = math.MinInt64
	noEnd   = math.MaxInt64
)

// marks say what else is known of a connection.
type marks uint32

const (
	byTakeover marks = 1 << iota // it ended so
	otherwise                    // it ended in another way that AWS has a word for
	startSeen                    // and one bit up: which views saw it begin
	_
	endSeen // and one bit up: which views saw it end

	why = byTakeover | otherwise
)

// views are a set of the two views of a history. A view sees the events that came while it was on.
type views = marks

const (
	clientView      views = 1
	certificateView views = 2
	everyView             = clientView | certificateView
)

func (m marks) start() views { return m / startSeen & everyView }
func (m marks) end() views   { return m / endSeen & everyView }

type clientRow struct {
	id    string
	first uint32 // of its connections
	count uint32 // of its connections
}

// principalKey is the id of a certificate, or a hash of what another principal is called.
type principalKey struct {
	id          [32]byte
	certificate bool
}

type principalRow struct {
	id    [32]byte // of its key
	count uint32   // of starts and ends that have it
	born  uint32   // as which principal of the history
}

func newHistory() *history {
	return &history{
		seed:  maphash.MakeSeed(),
		byID:  newIndex[string](),
		byKey: newIndex[principalKey](),
		names: make(map[uint32]string),
	}
}

const (
	// freeName is how many bytes of a name count nothing.
	freeName = 64
	// connSize is how many bytes of names count as a connection.
	connSize = 40
)

// beyond is how many bytes of a name count.
func beyond(name string) int { return max(0, len(name)-freeName) }

// size is what counts against MaxConnections. A connection may have two principals, of its start and of its end.
func (h *history) size() int { return max(h.conns.len(), h.principals.len()) + h.beyond/connSize }

// certificateKey reads the id of a certificate, or the one in its ARN.
func certificateKey(principal string) (key [32]byte, ok bool) {
	if strings.HasPrefix(principal, "arn:") {
		_, principal, _ = strings.Cut(principal, ":cert/")
	}
	if len(principal) != 2*len(key) {
		return key, false
	}
	_, err := hex.Decode(key[:], []byte(principal))
	return key, err == nil
}

func (h *history) clientID(n uint32) string { return h.clients.at(n).id }

func (h *history) principalKey(n uint32) principalKey {
	return principalKey{h.principals.at(n).id, h.isCertificate(n)}
}

func (h *history) internClient(id string) uint32 {
	n := h.byID.find(id, h.clientID)
	if n == 0 {
		n = h.clients.take()
		id = strings.Clone(id)
		h.clients.at(n).id = id
		h.byID.add(id, n)
		h.beyond += beyond(id)
	}
	return n
}

func (h *history) internPrincipal(principal string) uint32 {
	if principal == "" {
		return 0
	}
	id, certificate := certificateKey(principal)
	if !certificate {
		id = sha256.Sum256([]byte(principal))
	}
	key := principalKey{id, certificate}
	n := h.byKey.find(key, h.principalKey)
	if n == 0 {
		n = h.principals.take()
		h.born++
		*h.principals.at(n) = principalRow{id: id, born: h.born}
		h.byKey.add(key, n)
		if !certificate {
			h.names[n] = strings.Clone(principal)
			h.beyond += beyond(principal)
		}
	}
	return n
}

func (h *history) isCertificate(principal uint32) bool {
	if len(h.names) == 0 {
		return principal != 0
	}
	_, named := h.names[principal]
	return principal != 0 && !named
}

// principalText is how a principal is written; certificate ids are in lower case.
func (h *history) principalText(n uint32) string {
	if n == 0 {
		return ""
	}
	if name, ok := h.names[n]; ok {
		return name
	}
	return hex.EncodeToString(h.principals.at(n).id[:])
}

func (h *history) comparePrincipals(a, b uint32) int {
	switch {
	case a == b:
		return 0
	case h.isCertificate(a) && h.isCertificate(b):
		return bytes.Compare(h.principals.at(a).id[:], h.principals.at(b).id[:])
	}
	return strings.Compare(h.principalText(a), h.principalText(b))
}

// hold counts a connection's principals.
func (h *history) hold(c *conn) {
	for _, principal := range [...]uint32{c.principal, c.ender} {
		if principal != 0 {
			h.principals.at(principal).count++
		}
	}
}

// release is the contrary of hold.
func (h *history) release(c *conn) {
	for _, principal := range [...]uint32{c.principal, c.ender} {
		if principal == 0 {
			continue
		}
		if p := h.principals.at(principal); p.count > 1 {
			p.count--
			continue
		}
		h.byKey.remove(h.principalKey(principal), principal)
		h.beyond -= beyond(h.names[principal])
		delete(h.names, principal)
		h.principals.give(principal)
	}
}

// add gives a client a connection more. Its principals must have been counted.
func (h *history) add(c conn) {
	client := h.clients.at(c.client)
	n := h.conns.take()
	c.older = client.first
	*h.conns.at(n) = c
	client.first = n
	client.count++
}

// remove takes those connections of a client away for which gone holds, and the client with the last.
func (h *history) remove(client uint32, gone func(n uint32) bool) (removed int) {
	row := h.clients.at(client)
	for at := &row.first; *at != 0; {
		n := *at
		c := h.conns.at(n)
		if !gone(n) {
			at = &c.older
			continue
		}
		*at = c.older
		h.release(c)
		h.conns.give(n)
		row.count--
		removed++
	}
	if row.count == 0 {
		h.byID.remove(row.id, client)
		h.beyond -= beyond(row.id)
		h.clients.give(client)
	}
	return removed
}

// told makes of a valid event what it tells, for the views that see it. Its principal is not counted.
func (h *history) told(e *ConnectionEvent, seen views) conn {
	c := conn{start: noStart, end: noEnd, client: h.internClient(e.ClientID)}
	principal := h.internPrincipal(e.PrincipalIdentifier)
	if e.SessionIdentifier != "" {
		c.session = max(1, uint32(maphash.String(h.seed, e.SessionIdentifier)))
	}
	if at := e.Timestamp.UnixNano(); e.EventType == EventConnected {
		c.start, c.principal, c.marks = at, principal, seen*startSeen
	} else {
		c.end, c.ender, c.marks = at, principal, seen*endSeen
		switch {
		case e.DisconnectReason == DisconnectDuplicateClientID:
			c.marks |= byTakeover
		case e.ClientInitiatedDisconnect || e.DisconnectReason.otherwise():
			c.marks |= otherwise
		}
	}
	return c
}

// putAll adds what all events tell, to a history that is empty. It takes a time that is in proportion to them,
// however many a client has.
func (h *history) putAll(told []conn) {
	slices.SortFunc(told, func(a, b conn) int {
		return cmp.Or(cmp.Compare(a.client, b.client), cmp.Compare(a.session, b.session))
	})
	for len(told) > 0 {
		n := 1
		for n < len(told) && told[n].client == told[0].client && told[n].session == told[0].session {
			n++
		}
		for _, c := range h.paired(told[:n:n]) {
			h.hold(&c)
			h.add(c)
		}
		told = told[n:]
	}
}

// put adds what an event tells, for the views that see it, and returns the number of its client. The event must
// be valid.
func (h *history) put(e *ConnectionEvent, seen views) (client uint32) {
	told := h.told(e, seen)
	h.hold(&told)
	h.before, h.rows = h.before[:0], h.rows[:0]
	for n := h.clients.at(told.client).first; n != 0; n = h.conns.at(n).older {
		if c := h.conns.at(n); c.session == told.session {
			h.before, h.rows = append(h.before, *c), append(h.rows, n)
		}
	}
	h.after = h.pair(append(h.after[:0], h.before...), told)

	// Principals are counted first, so that none is forgotten that goes from one connection to another.
	for i := range h.after {
		h.hold(&h.after[i])
	}
	for i, c := range h.after {
		if i < len(h.rows) {
			row := h.conns.at(h.rows[i])
			if was := row.who(); was != 0 && was != c.who() {
				h.moves++
			}
			c.older = row.older
			*row = c
		} else {
			h.add(c)
		}
	}
	for i := range h.before {
		h.release(&h.before[i])
	}
	if len(h.after) < len(h.rows) {
		h.moves++
		surplus := h.rows[len(h.after):]
		for _, n := range surplus {
			c := h.conns.at(n)
			c.principal, c.ender = 0, 0 // which are not counted any more
		}
		h.remove(told.client, func(n uint32) bool { return slices.Contains(surplus, n) })
	}
	h.release(&told)
	return told.client
}

package inventory

import (
	"cmp"
	"slices"
	"time"
)

// ClockSkew is how exact the times of AWS's lifecycle events are.
const ClockSkew = 2 * time.Minute

// near says that two instants may be the same. An instant that is not known is near to none.
func near(a, b int64) bool {
	return min(a, b) != noStart && max(a, b)-int64(ClockSkew) <= min(a, b)
}

// stretch is a connection as a view has it.
type stretch struct {
	start, end int64 // an end that events leave open has been put in
	session    uint32
	row        uint32 // of its start
	tail       uint32 // of its end, if that is another
	principal  uint32
	why        marks // what is known of its end
	takenOver  bool
	taker      uint32 // the principal of what took over
}

// start is when a connection began, and whose it is.
type start struct {
	at        int64
	principal uint32
}

// begun is when a connection is known to have been open first.
func (s *stretch) begun() int64 {
	if s.start == noStart {
		return s.end - 1
	}
	return s.start
}

// spans is room for the spans of one client, used again for the next.
type spans struct {
	all    []stretch
	joined []joint
}

// joint is that a row is in the stretch of an older one.
type joint struct{ row, into uint32 }

// of makes the spans of a client, newest first.
func (s *spans) of(h *history, client uint32, seen views) []stretch {
	all := s.all[:0]
	unended := 0
	for n := h.clients.at(client).first; n != 0; n = h.conns.at(n).older {
		c := h.conns.at(n)
		v := stretch{start: noStart, end: noEnd, session: c.session, row: n, principal: c.who()}
		if c.marks.start()&seen != 0 {
			v.start = c.start
		}
		if c.marks.end()&seen != 0 {
			v.end, v.why = c.end, c.marks&why
			v.takenOver = c.marks&byTakeover != 0
		}
		if v.start != noStart || v.end != noEnd {
			all = append(all, v)
			if v.end == noEnd && v.session != 0 {
				unended++
			}
		}
	}
	s.all, s.joined = all, s.joined[:0]
	if unended > 0 && len(all) > 1 {
		all = s.join(h)
	}
	slices.SortFunc(all, func(a, b stretch) int {
		// One whose start is not known began after what began an instant before its end.
		return cmp.Or(cmp.Compare(b.begun(), a.begun()), cmp.Compare(a.start, b.start), cmp.Compare(b.end, a.end),
			h.comparePrincipals(a.principal, b.principal), cmp.Compare(a.why, b.why))
	})
	next, newest := start{at: noEnd}, start{at: noEnd} // the next of the client id, and the last of those seen
	unknown := 0                                       // from where on it is not known when they began
	for i := range all {
		v := &all[i]
		if v.start == noStart {
			continue
		}
		this := start{v.start, v.principal}
		takeOver(all[unknown:i], this, newest)
		unknown = i + 1
		if v.start < newest.at {
			next, newest = newest, this
		}
		switch restart := h.restartAfter(v.start); {
		case v.end == noEnd && restart > next.at:
			v.end, v.takenOver = next.at, v.principal == 0 || v.principal != next.principal
		case v.end > restart:
			v.end, v.takenOver = restart, false
		case next.at == noEnd:
		case v.end > next.at && near(v.end, next.at) && v.why&otherwise != 0:
			v.end = next.at
		}
		v.end = max(v.end, v.start)
		takeOver(all[i:unknown], start{at: noStart}, next)
	}
	takeOver(all[unknown:], start{at: noStart}, newest)
	return all
}

// join makes one of stretches of a session that began while it was open.
func (s *spans) join(h *history) []stretch {
	slices.SortFunc(s.all, func(a, b stretch) int {
		return cmp.Or(cmp.Compare(a.session, b.session), cmp.Compare(a.start, b.start), h.comparePrincipals(a.principal, b.principal))
	})
	kept := s.all[:0]
	for _, v := range s.all {
		if n := len(kept) - 1; n >= 0 && v.session != 0 && kept[n].session == v.session &&
			kept[n].start != noStart && kept[n].end == noEnd && h.restartAfter(kept[n].start) > v.start {
			k := &kept[n]
			k.end, k.why, k.takenOver, k.tail = v.end, v.why, v.takenOver, v.row
			k.principal = cmp.Or(k.principal, v.principal)
			s.joined = append(s.joined, joint{v.row, k.row})
			continue
		}
		kept = append(kept, v)
	}
	s.all = kept
	return kept
}

// mostRestarts is how many restarts of the broker are remembered.
const mostRestarts = 4096

// restarted remembers a restart. Of too many, the one goes that the next one followed soonest, in whose place that
// can stand.
func (h *history) restarted(at int64) {
	i, known := slices.BinarySearch(h.restarts, at)
	if known {
		return
	}
	h.restarts = slices.Insert(h.restarts, i, at)
	if len(h.restarts) <= mostRestarts {
		return
	}
	gap := func(i int) uint64 { return uint64(h.restarts[i+1]) - uint64(h.restarts[i]) } // which may be too much for an int64
	least := 0
	for i := range len(h.restarts) - 1 {
		if gap(i) < gap(least) {
			least = i
		}
	}
	h.restarts = slices.Delete(h.restarts, least, least+1)
}

// restartAfter is when the broker began anew after an instant; noEnd: it did not.
func (h *history) restartAfter(at int64) int64 {
	if i, _ := slices.BinarySearch(h.restarts, at+1); i < len(h.restarts) {
		return h.restarts[i]
	}
	return noEnd
}

// takeOver says whose connection took over those of all that were taken over: of the one that began before, or of
// the one after, whichever is nearer to the end.
func takeOver(all []stretch, before, after start) {
	for i := range all {
		switch v := &all[i]; {
		case !v.takenOver:
		case near(before.at, v.end) && (!near(after.at, v.end) || v.end-before.at <= after.at-v.end):
			v.taker = before.principal
		case near(after.at, v.end):
			v.taker = after.principal
		}
	}
}

// client makes the Client that a view has, if it has any.
func (h *history) client(s *spans, n uint32, seen views) (Client, bool) {
	all := s.of(h, n, seen)
	if len(all) == 0 {
		return Client{}, false
	}
	c := Client{ID: h.clients.at(n).id, Connections: make([]Connection, 0, len(all))}
	principal, text := uint32(0), ""
	for i := range all {
		if all[i].principal != principal {
			principal, text = all[i].principal, h.principalText(all[i].principal)
		}
		c.Connections = append(c.Connections, h.connection(&all[i], c.ID, text))
	}
	return c, true
}

func (h *history) connection(s *stretch, clientID, principal string) Connection {
	c := Connection{ClientID: clientID, Principal: principal, TakenOver: s.takenOver}
	switch s.taker {
	case 0:
	case s.principal:
		c.TakenOverBy = principal
	default:
		c.TakenOverBy = h.principalText(s.taker)
	}
	if s.start != noStart {
		c.ConnectedAt = time.Unix(0, s.start).UTC()
	}
	if s.end != noEnd {
		c.DisconnectedAt = time.Unix(0, s.end).UTC()
	}
	return c
}

// use is that a client has used a certificate.
type use struct{ certificate, client uint32 }

type uses []use

// usesAmong appends the uses among the connections of numbers from first to last.
func (h *history) usesAmong(u uses, first, last uint32, seen views) uses {
	for n := first; n <= last; n++ {
		if c := h.conns.at(n); (c.marks.start()|c.marks.end())&seen != 0 && h.isCertificate(c.who()) {
			u = append(u, use{c.who(), c.client})
		}
	}
	return u
}

// sorted puts the uses of a certificate side by side, each once.
func (u uses) sorted() uses {
	slices.SortFunc(u, func(a, b use) int {
		return cmp.Or(cmp.Compare(a.certificate, b.certificate), cmp.Compare(a.client, b.client))
	})
	return slices.Compact(u)
}

// groups divides what is sorted by certificate.
func (u uses) groups() (groups []uses) {
	for first, i := 0, 1; i <= len(u); i++ {
		if i == len(u) || u[i].certificate != u[first].certificate {
			groups = append(groups, u[first:i])
			first = i
		}
	}
	return groups
}

// connectionsOf appends those connections of a client that a certificate was used for.
func (h *history) connectionsOf(list []Connection, s *spans, u use, certificateID string, seen views) []Connection {
	all := s.of(h, u.client, seen)
	for i := range all {
		if all[i].principal == u.certificate {
			list = append(list, h.connection(&all[i], h.clients.at(u.client).id, certificateID))
		}
	}
	return list
}

// newestFirst sorts the connections of a certificate.
func newestFirst(list []Connection) {
	slices.SortStableFunc(list, func(a, b Connection) int {
		return cmp.Or(b.begun().Compare(a.begun()), cmp.Compare(a.ClientID, b.ClientID))
	})
}

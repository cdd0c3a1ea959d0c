package inventory

import (
	"cmp"
	"slices"
)

// limit drops connections of the client that has just got one, if it has too many, and of others, if there are
// too many in all.
func (r *Recorder) limit(client uint32) {
	h := r.history
	if most := r.config.MaxConnectionsPerClient; int(h.clients.at(client).count) > most {
		r.trim(client, most-most/4)
	}
	for h.size() > r.config.MaxConnections {
		victim := r.victim(client)
		n := int(h.clients.at(victim).count)
		if n == 1 || r.trim(victim, n-max(1, n/4)) == 0 {
			r.dropped += uint64(h.remove(victim, func(uint32) bool { return true }))
		}
	}
}

const (
	// sampleSize is how many connections are looked at to find the one to drop.
	sampleSize = 16
	// sampleMost is how many are looked at if each of them shows a takeover.
	sampleMost = 512
	// few connections of a client are not trimmed, but dropped one by one as their loss says. Of more than three,
	// the oldest can go without the last takeover going with it.
	few = 3
)

// victim returns a client that should lose a connection: not spared, unless there is no other.
func (r *Recorder) victim(spared uint32) uint32 {
	h := r.history
	var victim uint32
	var most uint32
	var least loss
	looked := 0
	for range h.conns.used {
		r.sample = r.sample%h.conns.used + 1
		client := h.conns.at(r.sample).client
		if client == 0 || client == spared {
			continue
		}
		count := max(few, h.clients.at(client).count)
		l := r.loss(client)
		if victim == 0 || count > most || count == most && l.less(least) {
			victim, most, least = client, count, l
		}
		if looked++; looked >= sampleMost || looked >= sampleSize && least.kind < showsTakeover {
			break
		}
	}
	if victim == 0 {
		return spared
	}
	return victim
}

// loss is what it means to drop a connection.
type loss struct {
	kind int
	at   int64 // since when it is over, or open
}

// The kinds of losses, from the least on.
const (
	isOver = iota
	isOpen
	showsTakeover
)

func (l loss) less(m loss) bool { return l.kind < m.kind || l.kind == m.kind && l.at < m.at }

// loss tells what would be dropped of a client with few connections; of others it is the least.
func (r *Recorder) loss(client uint32) loss {
	if r.history.clients.at(client).count > few {
		return loss{}
	}
	all := r.spans.of(r.history, client, everyView)
	if i := expendable(all); i >= 0 {
		return loss{isOver, all[i].end}
	}
	oldest := &all[len(all)-1]
	if len(all) == 1 && oldest.end == noEnd {
		return loss{isOpen, oldest.start}
	}
	return loss{showsTakeover, oldest.end}
}

// expendable returns the oldest of all connections of a client that is over and shows nothing; -1: there is none.
func expendable(all []stretch) int {
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].end != noEnd && !shows(all, i) {
			return i
		}
	}
	return -1
}

// shows says that a connection, of all of a client with the newest first, took over another or was taken over.
func shows(all []stretch, i int) bool {
	takeover := func(older int) bool {
		return older < len(all) && (all[older].takenOver || older > 0 && all[older].end > all[older-1].begun())
	}
	return takeover(i) || takeover(i+1)
}

// trim drops rows of a client until it has keep: those that are in the midst of a connection, then the oldest of the
// connections that are over and show nothing, then the oldest of the others, but for the newest.
func (r *Recorder) trim(client uint32, keep int) (dropped int) {
	h := r.history
	all := r.spans.of(h, client, everyView)
	surplus := int(h.clients.at(client).count) - keep
	var drop []uint32
	for i, j := range r.spans.joined {
		// The last of those that are in a connection has its end.
		if next := i + 1; len(drop) < surplus && next < len(r.spans.joined) && r.spans.joined[next].into == j.into {
			drop = append(drop, j.row)
		}
	}
	take := func(s *stretch) {
		if drop = append(drop, s.row); s.tail != 0 {
			drop = append(drop, s.tail)
		}
	}
	for i := len(all) - 1; i >= 0 && len(drop) < surplus; i-- {
		if all[i].end != noEnd && !shows(all, i) {
			take(&all[i])
		}
	}
	for i := len(all) - 1; i > 0 && len(drop) < surplus; i-- {
		if all[i].end == noEnd || shows(all, i) {
			take(&all[i])
		}
	}
	slices.Sort(drop)
	for i := range all {
		if _, gone := slices.BinarySearch(drop, all[i].row); !gone {
			h.settle(&all[i])
		}
	}
	dropped = h.remove(client, func(n uint32) bool {
		_, ok := slices.BinarySearch(drop, n)
		return ok
	})
	r.dropped += uint64(dropped)
	return dropped
}

// settle writes down an end that the next connection has told, which may be forgotten.
func (h *history) settle(s *stretch) {
	c := h.conns.at(cmp.Or(s.tail, s.row))
	if c.end != noEnd || s.end == noEnd {
		return
	}
	c.end = s.end
	c.marks |= c.marks.start() * endSeen
	if s.takenOver {
		c.marks |= byTakeover
	}
}

// age forgets what ended before limit, of the client whose turn it is.
func (r *Recorder) age(limit int64) {
	h := r.history
	r.hand = r.hand%max(1, h.clients.used) + 1
	client := r.hand
	if h.clients.used == 0 || h.clients.at(client).count == 0 {
		return
	}
	old := false
	for n := h.clients.at(client).first; n != 0; n = h.conns.at(n).older {
		c := h.conns.at(n)
		old = old || c.start < limit && (c.start != noStart || c.end < limit)
	}
	if !old {
		return
	}
	var drop []uint32
	all := r.spans.of(h, client, everyView)
	for i := range all {
		if all[i].end < limit {
			drop = append(drop, all[i].row)
		}
	}
	for _, j := range r.spans.joined {
		if slices.Contains(drop, j.into) {
			drop = append(drop, j.row)
		}
	}
	h.remove(client, func(n uint32) bool { return slices.Contains(drop, n) })
}

// forget takes from a view what it has seen, and forgets what no view has seen.
func (h *history) forget(view views) {
	for client := range h.clients.numbers() {
		if h.clients.at(client).count == 0 {
			continue
		}
		h.remove(client, func(n uint32) bool {
			c := h.conns.at(n)
			was := *c
			c.marks &^= view*startSeen | view*endSeen
			if c.marks.start() == 0 {
				c.start, c.principal = noStart, 0
			}
			if c.marks.end() == 0 {
				c.end, c.ender = noEnd, 0
				c.marks &^= why
			}
			h.hold(c)
			h.release(&was)
			return c.marks == 0
		})
	}
}

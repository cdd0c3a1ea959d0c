package inventory

import (
	"cmp"
	"slices"
)

// pair adds to the connections of a session what an event tells: the start of a connection, or the end of one.
// In whatever order events are added, the same connections come of them. group is overwritten.
func (h *history) pair(group []conn, told conn) []conn {
	if len(group) == 0 {
		return append(group, told)
	}
	if told.session != 0 && len(group) == 1 {
		// A session as it should be: of its two events it does not matter which is said to be earlier.
		switch only := group[0]; {
		case only.end == noEnd && told.start == noStart:
			group[0] = ended(only, told)
			return group
		case only.start == noStart && told.end == noEnd:
			group[0] = ended(told, only)
			return group
		}
	} else {
		latest := int64(noStart)
		for i := range group {
			latest = max(latest, group[i].start)
			if group[i].end != noEnd {
				latest = max(latest, group[i].end)
			}
		}
		if told.at() > latest {
			s := h.sequenceOf(group)
			s.add(told)
			return s.conns
		}
	}
	return h.paired(append(group, told))
}

// paired makes connections of all that is known of a session. group is overwritten.
func (h *history) paired(group []conn) []conn {
	starts, ends := apart(group)
	starts = h.distinct(starts)
	ends = h.distinct(ends)
	if group[0].session != 0 && len(starts) == 1 && len(ends) == 1 {
		return append(group[:0], ended(starts[0], ends[0]))
	}
	s := sequence{conns: group[:0], newest: -1}
	for len(starts)+len(ends) > 0 {
		first := int64(noEnd)
		if len(starts) > 0 {
			first = starts[0].start
		}
		if len(ends) > 0 {
			first = min(first, ends[0].end)
		}
		// Of one instant: first the end of what is open, then the start of what comes next.
		if s.newestIsOpen() {
			ends = s.take(ends, first)
			starts = s.take(starts, first)
		} else {
			starts = s.take(starts, first)
			ends = s.take(ends, first)
		}
	}
	return s.conns
}

// at is the instant of a conn that has only one.
func (c *conn) at() int64 {
	if c.start != noStart {
		return c.start
	}
	return c.end
}

// apart takes connections apart into starts and ends.
func apart(group []conn) (starts, ends []conn) {
	for _, c := range group {
		start, end := c, c
		start.end, start.ender, start.marks = noEnd, 0, c.marks.start()*startSeen
		end.start, end.principal, end.marks = noStart, 0, c.marks&^(everyView*startSeen)
		if c.start != noStart {
			starts = append(starts, start)
		}
		if c.end != noEnd {
			ends = append(ends, end)
		}
	}
	return starts, ends
}

// distinct sorts starts or ends, and makes one of those that are there twice. One that does not tell of whom it is
// is the same as another that does.
func (h *history) distinct(list []conn) []conn {
	slices.SortFunc(list, func(a, b conn) int {
		return cmp.Or(cmp.Compare(a.at(), b.at()), cmp.Compare(a.marks&why, b.marks&why), h.comparePrincipals(a.who(), b.who()))
	})
	kept := list[:0]
	for _, c := range list {
		if n := len(kept) - 1; n >= 0 && kept[n].at() == c.at() && kept[n].marks&why == c.marks&why &&
			(kept[n].who() == c.who() || kept[n].who() == 0) {
			c.marks |= kept[n].marks
			kept[n] = c
			continue
		}
		kept = append(kept, c)
	}
	return kept
}

// sequence is connections to which starts and ends are added in the order of their times.
type sequence struct {
	conns  []conn
	newest int   // which began last; -1: it is not known of any when it began
	open   []int // which have begun and not ended, in the order of their starts
}

func (h *history) sequenceOf(group []conn) sequence {
	s := sequence{conns: group, newest: -1}
	compare := func(i, j int) int {
		return cmp.Or(cmp.Compare(group[i].start, group[j].start), h.comparePrincipals(group[i].principal, group[j].principal))
	}
	for i := range group {
		if group[i].start == noStart {
			continue
		}
		if s.newest < 0 || compare(i, s.newest) > 0 {
			s.newest = i
		}
		if group[i].end == noEnd {
			s.open = append(s.open, i)
		}
	}
	slices.SortFunc(s.open, compare)
	return s
}

func (s *sequence) newestIsOpen() bool { return s.newest >= 0 && s.conns[s.newest].end == noEnd }

// take adds those of list that are of one instant, and returns the others.
func (s *sequence) take(list []conn, at int64) []conn {
	for len(list) > 0 && list[0].at() == at {
		s.add(list[0])
		list = list[1:]
	}
	return list
}

// add adds a start or an end.
func (s *sequence) add(told conn) {
	if told.end == noEnd {
		s.newest = len(s.conns)
		s.open = append(s.open, s.newest)
		s.conns = append(s.conns, told)
		return
	}
	which := len(s.open) - 1
	// A session has no other connection that took this one over.
	switch takeover := told.marks&byTakeover != 0 && told.session == 0; {
	case takeover && which > 0 && s.newestIsOpen():
		which--
	case !takeover && !s.newestIsOpen():
		which = -1
	}
	if which < 0 {
		s.conns = append(s.conns, told)
		return
	}
	target := &s.conns[s.open[which]]
	*target = ended(*target, told)
	s.open = slices.Delete(s.open, which, which+1)
}

// ended is a connection of which the end has become known.
func ended(start, end conn) conn {
	start.end, start.ender = end.end, end.ender
	start.marks |= end.marks
	return start
}

package findings

import (
	"cmp"
	"slices"
)

// Drop takes whole audits out, whether or not they have findings yet: retention. Task ids that are not
// there are passed over. What no remaining audit uses is given back: findings, index entries, texts.
// [Store.Get] no longer finds their findings (unless an audit of the same task id is begun again, whose
// findings then have the same ids), listings go on without them, and an Append to one of them
// fails. The time it takes grows with what the store holds, so drop many audits in one call rather than
// in many; readers do not wait for it.
func (s *Store) Drop(taskIDs ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	gone := make(map[*audit]bool)
	for _, id := range taskIDs {
		if a := s.audit(id); a != nil {
			gone[a] = true
			s.audits.Delete(a.prefix)
		}
	}
	if len(gone) == 0 {
		return
	}

	old := s.view.Load()
	var kept []*segment
	for _, c := range old.all.chunks {
		for _, segment := range c.segments {
			if !gone[segment.audit] {
				kept = append(kept, segment)
			}
		}
	}
	var renumber []uint32
	s.dict, renumber = s.dict.keep(kept)

	v := view{words: s.dict.words, seq: old.seq}
	moved := make(map[*segment]*segment, len(kept))
	checks := make(map[string][]*segment)
	for i, segment := range kept {
		if renumber != nil {
			kept[i] = segment.renumbered(renumber)
		}
		moved[segment] = kept[i]
		v.count += len(segment.contents)
		checks[segment.check] = append(checks[segment.check], kept[i])
	}
	v.all = newList(kept)
	v.checks = make(map[string]list, len(checks))
	for check, segments := range checks {
		v.checks[check] = newList(segments)
	}
	for _, t := range old.tiers {
		if t = t.keep(moved); t != nil {
			v.tiers = append(v.tiers, t)
		}
	}
	slices.SortStableFunc(v.tiers, func(a, b *tier) int { return cmp.Compare(len(b.entries), len(a.entries)) })
	s.view.Store(&v)
}

func (s *segment) renumbered(renumber []uint32) *segment {
	moved := *s
	moved.contents = make([]uint32, len(s.contents))
	for i, c := range s.contents {
		moved.contents[i] = renumber[c]
	}
	return &moved
}

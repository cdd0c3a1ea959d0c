package findings

import "slices"

// Drop takes whole audits out, whether or not they have findings yet: retention. Task ids that are not
// there are passed over. What no remaining audit uses is given back: findings, index entries, texts. What
// was first seen in a dropped audit, and found again in one that stays, takes 12 bytes to remember that.
// [Store.Get] no longer finds their findings (unless an audit of the same task id is begun again, whose
// findings then have the same ids), listings go on without them, and an Append to one of them
// fails. The time it takes grows with what the store holds, so drop many audits in one call rather than
// in many; readers do not wait for it.
func (s *Store) Drop(taskIDs ...string) {
	t := s.Txn()
	defer t.Abort()
	t.Drop(taskIDs...)
	t.Commit()
}

// Drop is [Store.Drop] as a part of the transaction. Audits that have no runs cost next to nothing.
func (t *Txn) Drop(taskIDs ...string) {
	if t.over {
		return
	}
	gone := make(map[*audit]bool)
	for _, id := range taskIDs {
		a := t.store.audit(id)
		if a == nil || t.gone[a] {
			continue
		}
		if t.gone == nil {
			t.gone = make(map[*audit]bool)
		}
		t.gone[a] = true
		if len(a.ran) > 0 {
			gone[a] = true
		}
	}
	if len(gone) == 0 {
		return
	}

	t.list()
	old := t.view
	carried := old.carry(gone, t.store.seed)
	var kept, away []*segment
	for segment := range old.runs.from(top(), every) {
		if gone[segment.audit] {
			away = append(away, segment)
		} else {
			kept = append(kept, segment)
		}
	}
	var contents, texts []uint32
	t.dict, contents, texts = t.dict.keep(kept)

	moved := make(map[*segment]*segment, len(kept))
	var found []*segment
	checks := make(map[string]*checkSegments)
	count := 0
	for i, segment := range kept {
		if contents != nil {
			kept[i] = segment.renumbered(contents)
		}
		moved[segment] = kept[i]
		check := checks[segment.check]
		if check == nil {
			check = new(checkSegments)
			checks[segment.check] = check
		}
		if n := len(segment.contents); n > 0 {
			count += n
			found, check.all = append(found, kept[i]), append(check.all, kept[i])
		}
		if !segment.audit.hypothetical {
			check.runs = append(check.runs, kept[i])
		}
	}
	v := view{
		words: t.dict.words, seq: old.seq, count: count, all: newList(found), runs: newList(kept),
		checks: make(map[string]*checkView, len(checks)),
	}
	for name, check := range checks {
		v.checks[name] = &checkView{newList(check.all), newList(check.runs), carried[name].renumbered(texts)}
	}
	for _, tier := range old.tiers {
		if tier = tier.keep(moved); tier != nil {
			v.tiers = append(v.tiers, tier)
		}
	}
	slices.SortStableFunc(v.tiers, bySize)
	t.view, t.own, t.changed = v, true, true
	if t.mirror != nil {
		t.mirror.drop(away, kept, t.store.view.Load(), &t.view)
	}
}

// checkSegments is what a checkView has lists of.
type checkSegments struct{ all, runs []*segment }

func (s *segment) renumbered(renumber []uint32) *segment {
	moved := *s
	moved.contents = make([]uint32, len(s.contents))
	for i, c := range s.contents {
		moved.contents[i] = renumber[c]
	}
	return &moved
}

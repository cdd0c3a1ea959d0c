package findings

import (
	"fmt"
	"hash/maphash"
	"iter"

	"github.com/fleetaudit/fleetaudit/model"
)

// Change is what became of one finding between two audits.
type Change struct {
	State         State              // NEW, UNCHANGED, REOPENED, RESOLVED or NOT_REEVALUATED
	Finding       model.AuditFinding // the newer audit's; where it has none, the last one before it
	WasSuppressed bool               // whether the finding before it was; false where the store has none before it
}

// Diff compares two audits, given by their task ids, over the checks that either ran. What the older one
// left open are, for each check, the findings of its last run that completed, up to the older audit and
// including it, together with those of incomplete runs since. Of hypothetical audits only the two
// themselves count. Then a finding of newer is UNCHANGED when it was open; else REOPENED when an audit before
// that completed run found it, be it one that is kept or the dropped one in which it was first seen; else NEW.
// One that was first seen in a dropped audit and that no completed run which is kept has resolved since was open, too. One that
// was open and that newer has not found is RESOLVED when newer's run of the check completed, and
// NOT_REEVALUATED when that is incomplete, still to come, or no part of newer; but of what only dropped audits
// found nothing is left to tell.
//
// The changes come by check: those of newer by ordinal, then those that only older ran. Within a check
// come the findings of newer in their order, then the others, the latest run's first.
//
// The sequence goes through the store as it was at the call, as often as it is ranged over, also
// concurrently; its findings belong to the caller. For each finding that was not open it goes through those that older
// audits have of the resource. While it goes through a check, it takes at most 12
// bytes or so for each finding of the runs that tell what was open.
//
// The error wraps [ErrUnknownTask] when the store has no such audit. It is an error, too, when both are
// the same, or older comes after newer in the order of start times, then of Begin.
func (s *Store) Diff(older, newer string) (iter.Seq[Change], error) {
	v := s.view.Load()
	a, b := s.audit(older), s.audit(newer)
	switch {
	case a == nil:
		return nil, fmt.Errorf("findings: older %q %w", older, ErrUnknownTask)
	case b == nil:
		return nil, fmt.Errorf("findings: newer %q %w", newer, ErrUnknownTask)
	case a == b:
		return nil, fmt.Errorf("findings: older %q and newer %q must be two audits", older, newer)
	case a.compare(b) > 0:
		return nil, fmt.Errorf("findings: older %q must not be of a later time than newer %q", older, newer)
	}
	return func(yield func(Change) bool) {
		was, is := v.runsOf(a), v.runsOf(b)
		for _, run := range is {
			if !v.changes(run.check(), a, was.of(run.check()), run, s.seed, yield) {
				return
			}
		}
		for _, run := range was {
			if is.of(run.check()) == nil && !v.changes(run.check(), a, run, nil, s.seed, yield) {
				return
			}
		}
	}, nil
}

// auditRuns is what an audit ran, by ordinal.
type auditRuns []checkRun

func (v *view) runsOf(a *audit) auditRuns {
	var runs auditRuns
	places := make(map[string]int)
	for s := range v.runs.from(a.top(), every) {
		if s.audit != a {
			break
		}
		i, ok := places[s.check]
		if !ok {
			i = len(runs)
			places[s.check] = i
			runs = append(runs, nil)
		}
		runs[i] = append(runs[i], s)
	}
	return runs
}

// of returns the run of a check, or nil.
func (r auditRuns) of(check string) checkRun {
	for _, run := range r {
		if run.check() == check {
			return run
		}
	}
	return nil
}

// changes yields those of one check, of which older has the run was and the newer audit the run is; one of
// them may be nil.
func (v *view) changes(name string, older *audit, was, is checkRun, seed maphash.Seed, yield func(Change) bool) bool {
	check := v.check(name)
	open := was
	var closing *audit   // that resolved what is not open
	rest := older.past() // the runs from here on say nothing of what is open
	if was.complete() {
		closing = older
	}
	for run := range check.runs.byAudit(rest) {
		if closing != nil {
			break
		}
		open, rest = append(open, run...), run.audit().past()
		if run.complete() {
			closing = run.audit()
		}
	}
	before := newUnion(&v.words, seed, open)
	matched, r := newBitmap(before.size), reader{words: &v.words}
	notOpen := v.notOpen(name, older, closing, rest, seed)
	if !newUnion(&v.words, seed, is).each(func(_ uint32, s *segment, i uint32) bool {
		c := v.contents.at(s.contents[i])
		var change Change
		if row, ok := before.find(c.key()); ok {
			matched.set(row)
			t, j := before.place(row)
			change.State, change.WasSuppressed = StateUnchanged, t.suppressed(j)
		} else {
			change.State = notOpen(c)
		}
		change.Finding = r.finding(s, i)
		return yield(change)
	}) {
		return false
	}
	state := StateNotReevaluated
	if is.complete() {
		state = StateResolved
	}
	return before.each(func(row uint32, s *segment, i uint32) bool {
		return matched.has(row) || yield(Change{state, r.finding(s, i), s.suppressed(i)})
	})
}

// notOpen tells the state of a content whose fingerprint is not among the findings that older left open: p is
// where the runs begin that do not tell what is open, and closing the audit of the last one that does.
func (v *view) notOpen(name string, older, closing *audit, p position, seed maphash.Seed) func(c *content) State {
	check := v.check(name)
	some := false
	for range check.runs.from(p, every) {
		some = true
		break
	}
	return func(c *content) State {
		if o, ok := check.firsts.find(c); ok {
			switch {
			case closing != nil && o.audit.compare(closing) < 0:
				return StateReopened
			case o.audit.compare(older) < 0:
				return StateUnchanged
			}
		}
		if !some {
			return StateNew
		}
		hash := hashOf(seed, v.text(c.resource))
		for _, t := range v.tiers {
			for _, e := range t.from(hash, p) {
				s, i := t.place(e)
				if s.check == name && !s.audit.hypothetical && v.contents.at(s.contents[i]).key() == c.key() {
					return StateReopened
				}
			}
		}
		return StateNew
	}
}

package findings

import (
	"cmp"
	"hash/maphash"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/fleetaudit/fleetaudit/model"
)

// State says what became of a finding.
type State string

// The states. A [Change] has one of the first five, a [History] one of the last three.
const (
	StateNew            State = "NEW"             // found for the first time
	StateUnchanged      State = "UNCHANGED"       // found before, and again
	StateReopened       State = "REOPENED"        // found again, after it had been resolved
	StateResolved       State = "RESOLVED"        // no longer found, by a run that completed
	StateNotReevaluated State = "NOT_REEVALUATED" // open, since the newest run did not complete and so may have missed it
	StateOpen           State = "OPEN"            // found, and not resolved since
)

// Values lists every State.
func (State) Values() []State {
	return []State{StateNew, StateUnchanged, StateReopened, StateResolved, StateNotReevaluated, StateOpen}
}

// Sighting is an audit, and when it started. The zero value means that there is none.
type Sighting struct {
	TaskID string
	Time   time.Time // in milliseconds, UTC
}

// History is what became of a fingerprint over the audits that the store keeps.
type History struct {
	Fingerprint Fingerprint
	State       State      // OPEN, RESOLVED or NOT_REEVALUATED
	FirstSeen   Sighting   // may name an audit that was dropped
	LastSeen    Sighting   // the newest run that found it
	Resolved    Sighting   // the first run after LastSeen that completed without it; zero while open
	Reopened    []Sighting // each run that found it after it had been resolved, oldest first
}

// History returns the history of a fingerprint over the runs of its check, in the order of their audits
// (start time, then Begin), without hypothetical audits. A run that completed without the finding
// resolves it, also where that is because the resource was deleted; an incomplete run never does.
// Several runs of the check in one audit count as one, which is incomplete when one of them is.
//
// It is false when no kept audit that is not hypothetical found it. When [Store.Drop] takes out the audit
// in which it was first seen, FirstSeen still names that one, for as long as a kept audit has found it;
// the other members know only the audits that are kept. What no kept audit has found is forgotten, and
// new when it comes back.
//
// It costs a look-up of the resource, then its findings in all audits, and the runs of the check. The History belongs
// to the caller.
func (s *Store) History(fp Fingerprint) (History, bool) {
	v := s.view.Load()
	found, c := v.sightings(&fp, s.seed)
	if len(found) == 0 {
		return History{}, false
	}
	h := History{Fingerprint: fp, State: StateOpen}
	check := v.check(fp.CheckName)
	runs := slices.Collect(check.runs.byAudit(top()))
	slices.Reverse(runs)
	// Before the first sighting, nothing that happened matters.
	begin := found[len(found)-1].audit
	first, ok := check.firsts.find(c)
	if ok && first.audit.compare(begin) < 0 {
		begin = first.audit
		h.FirstSeen, h.LastSeen = first.seen, first.seen
	}
	for _, run := range runs {
		if run.audit().compare(begin) < 0 {
			continue
		}
		n := len(found)
		for n > 0 && found[n-1].audit == run.audit() {
			n--
		}
		switch seen := n < len(found); {
		case seen:
			if h.FirstSeen == (Sighting{}) {
				h.FirstSeen = run.origin().seen
			} else if h.State == StateResolved {
				h.Reopened = append(h.Reopened, run.origin().seen)
			}
			h.State, h.LastSeen, h.Resolved = StateOpen, run.origin().seen, Sighting{}
		case h.State == StateResolved:
		case run.complete():
			h.State, h.Resolved = StateResolved, run.origin().seen
		default:
			h.State = StateNotReevaluated
		}
		found = found[:n]
	}
	return h, true
}

// sightings returns the segments that hold the fingerprint, newest first, without those of hypothetical
// audits, and one of the contents that say it.
func (v *view) sightings(fp *Fingerprint, seed maphash.Seed) (found []*segment, c *content) {
	resource := appendIdentifier(nil, &fp.Resource)
	hash := hashOf(seed, resource)
	for s, i := range entriesFrom(v.tiers, hash, top()) {
		if s.check != fp.CheckName || s.audit.hypothetical {
			continue
		}
		at := v.contents.at(s.contents[i])
		if string(v.text(at.code)) == fp.ReasonCode && string(v.text(at.resource)) == string(resource) {
			found, c = append(found, s), at
		}
	}
	return found, c
}

// compare is negative when a stands before b in the order of histories: by start, then by Begin.
func (a *audit) compare(b *audit) int {
	return cmp.Or(a.start.Compare(b.start), cmp.Compare(a.begun, b.begun))
}

// past is the position after everything of the audit, where those that are older begin.
func (a *audit) past() position {
	return position{start: a.start, begun: a.begun, ordinal: math.MaxUint32}
}

// checkRun is the run of one check in one audit. It has several segments when the audit ran the check
// under several ordinals, which then count as one run.
type checkRun []*segment

func (r checkRun) audit() *audit { return r[0].audit }
func (r checkRun) check() string { return r[0].check }

// complete says whether what the run did not find is not there. An audit that did not run the check has
// an empty run, which says nothing.
func (r checkRun) complete() bool {
	return len(r) > 0 && !slices.ContainsFunc(r, func(s *segment) bool { return s.incomplete })
}

func (r checkRun) origin() origin {
	return origin{r.audit(), Sighting{r.audit().taskID, model.At(r.audit().start).Time}}
}

// byAudit yields the runs at p or after it, newest first. The segments of l are of one check.
func (l list) byAudit(p position) iter.Seq[checkRun] {
	return func(yield func(checkRun) bool) {
		var run checkRun
		for s := range l.from(p, every) {
			if len(run) > 0 && run.audit() != s.audit {
				if !yield(run) {
					return
				}
				run = nil
			}
			run = append(run, s)
		}
		if len(run) > 0 {
			yield(run)
		}
	}
}

//go:build unix

package crash_test

import (
	"maps"
	"slices"

	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// seenState is when a fingerprint was seen first, and which audits that were kept then have it.
type seenState struct {
	first findings.Sighting
	in    map[string]bool
}

// compareSeen compares when fingerprints were seen first: as long as an audit is kept that has one, that is not forgotten.
func (w *world) compareSeen(d *dumpView) {
	is := make(map[findings.Fingerprint]findings.Sighting)
	for _, s := range d.Seen {
		is[s.Fingerprint] = s.First
	}
	var there []*auditState
	for _, a := range w.audits {
		if !a.gone {
			there = append(there, a)
		}
	}
	for _, fp := range watched() {
		now := seenState{first: is[fp], in: make(map[string]bool)}
		var earliest *auditState
		for _, a := range there {
			if a.finds[fp] {
				now.in[a.TaskID] = true
				if earliest == nil || a.Start.Before(earliest.Start) {
					earliest = a
				}
			}
		}
		first := w.audits[now.first.TaskID]
		before := w.seen[fp]
		kept := slices.ContainsFunc(slices.Collect(maps.Keys(now.in)), func(id string) bool { return before.in[id] })
		switch {
		case earliest == nil:
			if now.first != (findings.Sighting{}) {
				w.fail("%s was first seen %v, but no audit that is kept has it", text(fp), now.first)
			}
		case first == nil || !first.gone && !now.in[first.TaskID] || !first.startsAt(now.first.Time) || now.first.Time.After(earliest.Start):
			w.fail("%s was first seen %v, where it is %s; %s of %s has it", text(fp), now.first, text(first), earliest.TaskID, earliest.Start)
		case kept && now.first.Time.After(before.first.Time):
			w.fail("%s was first seen %v, before the crash %v", text(fp), now.first, before.first)
		}
		w.seen[fp] = now
	}
}

// compareStatistics compares what an Engine says of itself when it has just been made.
func (w *world) compareStatistics(s *engine.Statistics) {
	progress := make(map[model.AuditTaskType]int)
	completed := make(map[string][]foundView) // what the runs of a check found
	for _, a := range w.audits {
		if a.gone {
			continue
		}
		if !a.ended() {
			progress[a.Kind]++
		}
		for name, r := range a.frozen {
			switch r.details.CheckRunStatus {
			case model.AuditCheckRunStatusCompletedCompliant, model.AuditCheckRunStatusCompletedNonCompliant:
				completed[name] = append(completed[name], *r.found)
			}
		}
	}
	for _, of := range s.Audits {
		if of.Status == model.AuditTaskStatusInProgress {
			progress[of.Type] -= of.Count
		}
	}
	for kind, n := range progress {
		if n != 0 {
			w.fail("%d audits of type %s are in progress more than %+v", n, kind, s.Audits)
		}
	}
	for _, of := range s.Checks {
		runs := completed[of.CheckName]
		ok := of.Findings == 0 && of.Suppressed == 0 && of.LastCompleted.IsZero()
		if len(runs) > 0 {
			ok = !of.LastCompleted.IsZero() && slices.ContainsFunc(runs, func(f foundView) bool {
				return f.Count-f.Hidden == of.Findings && f.Hidden == of.Suppressed
			})
		}
		if !ok {
			w.fail("the statistics have %+v, the runs that are kept %s", of, text(runs))
		}
	}
}

// end is for when the last child was closed: what must have happened by then.
func (w *world) end() {
	for id, a := range w.audits {
		if len(w.notes[id]) == 0 {
			w.fail("the end of %s, which is %s, gone: %t, was never told", id, a.Status, a.gone)
		}
	}
	for id := range w.notes {
		if w.audits[id] == nil {
			w.fail("the end of %s was told, which nobody has started", id)
		}
	}
}

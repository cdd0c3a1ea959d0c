//go:build unix

package crash_test

import (
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

func (a *auditState) ended() bool {
	return a.Status != "" && a.Status != model.AuditTaskStatusInProgress
}

// startsAt tells whether an audit may have started at a time. Of one on demand the operation does not say when it did.
func (a *auditState) startsAt(t time.Time) bool {
	return a.Start.Equal(t) || a.Start.IsZero() && !t.Before(a.begun.Truncate(time.Millisecond)) && t.Before(time.Now())
}

// hasEnded tells whether a check run has.
func hasEnded(s model.AuditCheckRunStatus) bool {
	return s != model.AuditCheckRunStatusInProgress && s != model.AuditCheckRunStatusWaitingForDataCollection
}

// runsOf returns runs of which nothing is known but the checks.
func runsOf(checks []string) map[string]model.AuditCheckDetails {
	runs := make(map[string]model.AuditCheckDetails)
	for _, name := range checks {
		runs[name] = model.AuditCheckDetails{}
	}
	return runs
}

// names returns the checks of an audit.
func names(runs map[string]model.AuditCheckDetails) []string { return slices.Sorted(maps.Keys(runs)) }

// begin takes an audit for one that was started.
func (w *world) begin(id string, a *auditState) {
	if w.audits[id] != nil {
		w.fail("the audit %s was started twice", id)
		return
	}
	a.TaskID, a.frozen, a.finds = id, make(map[string]runState), make(map[findings.Fingerprint]bool)
	w.audits[id] = a
	for _, n := range w.notes[id] { // which were faster than the operation
		w.match(a, &n.noteView)
	}
}

// startedBy returns what an operation has started at a time.
func startedBy(op *operation, at time.Time) *auditState {
	a := &auditState{begun: op.At, auditView: auditView{
		Kind: model.AuditTaskTypeOnDemand, Start: at, Runs: runsOf(op.Start.TargetCheckNames),
	}}
	a.expire(op.swept)
	return a
}

func (w *world) acknowledgeStart(op *operation, e *event) {
	known := w.audits[w.keys[op.Key]]
	if op.Key == "" || known != nil && known.gone {
		known = nil
	}
	must := known != nil && !known.mayGo // it is there, and so it is what comes back
	switch {
	case e.Err != "" && (must || e.Err != "InvalidRequestException" && e.Err != "LimitExceededException"):
		w.fail("%s answered %s; before, it started %s", text(op), e.Err, w.keys[op.Key])
	case e.Err != "":
	case must && !slices.Equal(e.TaskIDs, []string{known.TaskID}):
		w.fail("%s returned %v, but has started %s before", text(op), e.TaskIDs, known.TaskID)
	default:
		may := known != nil // it may have been dropped between two calls
		for _, id := range e.TaskIDs {
			if known == nil || known.TaskID != id {
				a := startedBy(op, time.Time{})
				w.begin(id, a)
				if op.Key != "" {
					w.keys[op.Key] = id
				}
				may = may || a.mayGo
			}
		}
		if len(e.TaskIDs) > 1 && !may {
			w.fail("%s, called twice at once, has started %v", text(op), e.TaskIDs)
		}
	}
}

// notify takes a notification.
func (w *world) notify(n *noteView) {
	for _, before := range w.notes[n.TaskID] {
		switch {
		case before.life == w.life:
			w.fail("the end of %s was told twice, and no crash in between", n.TaskID)
		case before.life <= w.clean:
			w.fail("the end of %s was told again, in life %d before the Engine was closed", n.TaskID, before.life)
		case before.ID != n.ID:
			w.fail("the end of %s was told as %q and as %q", n.TaskID, before.ID, n.ID)
		}
		w.repeated++
	}
	if n.ID == "" {
		w.fail("the end of %s was told without an ID", n.TaskID)
	}
	w.notes[n.TaskID] = append(w.notes[n.TaskID], note{*n, w.life})
	if a := w.audits[n.TaskID]; a != nil {
		w.match(a, n)
	}
}

// match compares an audit with how its end was told: from then on that is how it ended.
func (w *world) match(a *auditState, n *noteView) {
	if a.ended() && a.Status != n.Status {
		w.fail("the audit %s is %s, but was told as %s", a.TaskID, a.Status, n.Status)
	}
	if a.ended() && a.Statistics.TotalChecks > 0 && a.Statistics != n.Statistics {
		w.fail("the audit %s has %+v, but was told with %+v", a.TaskID, a.Statistics, n.Statistics)
	}
	a.Status, a.Statistics = n.Status, n.Statistics
}

// freeze takes down what can no longer change, and compares what could not.
func (w *world) freeze(a *auditState, is *auditView) {
	if a.gone {
		return // somebody looked before it went
	}
	var sum model.TaskStatistics
	for name, d := range is.Runs {
		sum.TotalChecks++
		switch d.CheckRunStatus {
		case model.AuditCheckRunStatusInProgress:
			sum.InProgressChecks++
		case model.AuditCheckRunStatusWaitingForDataCollection:
			sum.WaitingForDataCollectionChecks++
		case model.AuditCheckRunStatusCompletedCompliant:
			sum.CompliantChecks++
		case model.AuditCheckRunStatusCompletedNonCompliant:
			sum.NonCompliantChecks++
		case model.AuditCheckRunStatusFailed:
			sum.FailedChecks++
		case model.AuditCheckRunStatusCanceled:
			sum.CanceledChecks++
		}
		if !hasEnded(d.CheckRunStatus) {
			continue
		}
		old, ok := a.frozen[name]
		if ok && old.details != d {
			w.fail("%s of the audit %s was %s, and is %s", name, a.TaskID, text(old.details), text(d))
		}
		old.details = d
		a.frozen[name] = old
	}
	if sum != is.Statistics {
		w.fail("the audit %s has the statistics %+v, its checks make it %+v", a.TaskID, is.Statistics, sum)
	}
	if is.Status == model.AuditTaskStatusInProgress {
		return
	}
	if a.ended() && (a.Status != is.Status || a.Statistics.TotalChecks > 0 && a.Statistics != is.Statistics) {
		w.fail("the audit %s was %s with %+v, and is %s with %+v", a.TaskID, a.Status, a.Statistics, is.Status, is.Statistics)
	}
	a.Status, a.Statistics = is.Status, is.Statistics
	want := model.AuditTaskStatusCompleted
	switch {
	case a.canceled || sum.CanceledChecks > 0 || a.mayStop && is.Status == model.AuditTaskStatusCanceled:
		want = model.AuditTaskStatusCanceled
	case sum.FailedChecks == sum.TotalChecks:
		want = model.AuditTaskStatusFailed
	}
	if is.Status != want || sum.InProgressChecks+sum.WaitingForDataCollectionChecks > 0 {
		w.fail("the audit %s is %s with %+v, want %s", a.TaskID, is.Status, sum, want)
	}
}

// compareAudits compares the audits and what they found.
func (w *world) compareAudits(d *dumpView, settled bool, now time.Time) {
	there := make(map[string]bool)
	adopted := make(map[string]bool) // by whom it was started
	for i := range d.Audits {
		is := &d.Audits[i]
		id := is.TaskID
		if there[id] {
			w.fail("the audit %s is there twice", id)
		}
		there[id] = true
		if w.audits[id] == nil {
			w.adopt(is, adopted, now)
		}
		a := w.audits[id]
		switch {
		case a.gone:
			w.fail("the audit %s was not there before, and is there again", id)
			a.gone = false
		case a.mustGo:
			w.fail("the audit %s had been dropped, and is there again", id)
		}
		if !a.startsAt(is.Start) {
			w.fail("the audit %s started at %s, and now at %s", id, a.Start, is.Start)
		}
		a.Start = is.Start
		if a.Kind != is.Kind || a.Schedule != is.Schedule || !slices.Equal(names(a.Runs), names(is.Runs)) {
			w.fail("the audit %s was %s, and is %s", id, text(a.auditView), text(is))
		}
		if a.ended() && is.Status == model.AuditTaskStatusInProgress {
			w.fail("the audit %s was %s, and is in progress again", id, a.Status)
		}
		if settled && is.Status == model.AuditTaskStatusInProgress {
			w.fail("the audit %s has not ended", id)
		}
		if !settled && is.Status == model.AuditTaskStatusInProgress {
			w.interrupted++
		}
		for name := range a.frozen {
			if !hasEnded(is.Runs[name].CheckRunStatus) {
				w.fail("%s of the audit %s had ended, and is %s", name, id, is.Runs[name].CheckRunStatus)
			}
		}
		w.freeze(a, is)
		if is.Read {
			w.compareFindings(a, is)
		}
	}
	for id, a := range w.audits {
		if there[id] || a.gone {
			continue
		}
		if !a.mayGo {
			w.fail("the audit %s of %s is lost", id, a.Start)
		}
		a.gone = true
		w.dropped++
	}
	if d.Period != nil {
		counts := make(map[string]int)
		for _, a := range d.Audits {
			for _, f := range a.Findings {
				counts[a.TaskID] += f.Count
			}
			if counts[a.TaskID] == 0 {
				delete(counts, a.TaskID)
			}
		}
		if !maps.Equal(counts, d.Period) {
			w.fail("by audit there are findings %v, in the period of all of them %v", counts, d.Period)
		}
	}
}

// adopt finds out who has started an audit that nobody has acknowledged.
func (w *world) adopt(is *auditView, adopted map[string]bool, now time.Time) {
	w.adopted++
	for number, op := range w.pending {
		key := fmt.Sprint(number, is.Schedule)
		if adopted[key] {
			continue
		}
		switch {
		case op.Start != nil && is.Kind == model.AuditTaskTypeOnDemand && slices.Contains(names(is.Runs), mark(number)) &&
			!is.Start.Before(op.At.Truncate(time.Millisecond)) && !is.Start.After(now):
			if op.Key != "" {
				if before := w.keys[op.Key]; before != "" && !w.audits[before].mayGo {
					w.fail("%s has started %s, and before that %s", text(op), is.TaskID, before)
				}
				w.keys[op.Key] = is.TaskID
			}
			w.begin(is.TaskID, startedBy(op, is.Start))
		case !op.Due.IsZero() && is.Start.Equal(op.Due) && w.schedules[is.Schedule] != nil:
			w.begin(is.TaskID, &auditState{begun: op.At, auditView: auditView{
				Kind: model.AuditTaskTypeScheduled, Start: op.Due, Schedule: is.Schedule, Runs: runsOf(w.schedules[is.Schedule].Checks),
			}})
		default:
			continue
		}
		adopted[key] = true
		return
	}
	w.fail("nobody has started the audit %s", text(is))
	w.begin(is.TaskID, &auditState{auditView: *is, begun: now})
}

// compareFindings compares what an audit found with what its checks find, and with what was there before.
func (w *world) compareFindings(a *auditState, is *auditView) {
	for name, f := range is.Findings {
		if r, ok := is.Runs[name]; !ok || !hasEnded(r.CheckRunStatus) {
			w.fail("the audit %s has %d findings of %s, which is %q", a.TaskID, f.Count, name, r.CheckRunStatus)
		}
	}
	for name, r := range a.frozen {
		f := is.Findings[name]
		if r.found != nil {
			if !same(r.found, f) {
				w.fail("%s of the audit %s had found %s, and now %s", name, a.TaskID, text(r.found), text(f))
			}
			continue
		}
		r.found = &f
		a.frozen[name] = r
		w.judgeRun(a, name, r)
	}
}

// judgeRun compares what a check run found with what it has to find.
func (w *world) judgeRun(a *auditState, name string, r runState) {
	rows, fails := expected(name, a.TaskID)
	d, f := r.details, r.found
	ok := f.Count == len(rows)
	switch d.CheckRunStatus {
	case model.AuditCheckRunStatusFailed:
		if d.ErrorCode == model.CodeAuditCheckDisabled {
			rows, fails = nil, true
			ok = f.Count == 0
		}
		ok = ok && fails
	case model.AuditCheckRunStatusCanceled:
		ok = f.Count <= len(rows) && a.mayStop
	default:
		compliant := d.CheckRunStatus == model.AuditCheckRunStatusCompletedCompliant
		ok = ok && !fails && d.TotalResourcesCount == int64(size(name)) && compliant == (f.Resources == int64(len(f.Suppressed)))
	}
	ok = ok && f.Resources == d.NonCompliantResourcesCount && int64(len(f.Suppressed)) == d.SuppressedNonCompliantResourcesCount
	if ok && f.Count > 0 {
		h := fnv.New64a()
		for _, row := range rows[:f.Count] {
			fmt.Fprintln(h, row)
		}
		ok = h.Sum64() == f.Contents
	}
	for _, resource := range f.Suppressed {
		ok = ok && w.ever[suppressionKey(name, model.ResourceIdentifier{ClientID: resource})]
	}
	for _, fp := range watched() {
		prefix := content(fp.Resource, fp.ReasonCode, "")
		if ok && fp.CheckName == name && slices.ContainsFunc(rows[:f.Count], func(row string) bool { return strings.HasPrefix(row, prefix) }) {
			a.finds[fp] = true
		}
	}
	if !ok {
		w.fail("%s of the audit %s, which has %d findings, fails: %t, is %s with %s", name, a.TaskID, len(rows), fails, text(d), text(f))
	}
}

package engine

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/hashicorp/go-memdb"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// acceptance is what a check run takes for suppressed: the suppressions as they were when it started.
type acceptance struct {
	suppressions findings.Suppressions
	at           time.Time // when it started, or as of when it judges
	began        time.Time // when it started
}

// change is what became of one check run.
type change struct {
	ordinal int
	kind    changeKind
	waiting bool
}

type changeKind uint8

const (
	checkWaits    changeKind = iota // or waits no more: waiting says which
	checkEnded                      // its job has the outcome
	checkDisabled                   // and so it cannot run
)

// run puts the findings of a check run that has ended into t, and says how it did, and when. It adds what Statistics is
// to know of it to the counts.
func (x *execution) run(t *findings.Txn, c change, now time.Time) (d model.AuditCheckDetails, end runEnd) {
	switch {
	case c.kind == checkEnded:
		return x.details(t, c, now), endAt(x.jobs[c.ordinal].end)
	case c.kind == checkDisabled:
		return x.failed(t, c), endAt(x.base)
	case c.waiting:
		d.CheckRunStatus = model.AuditCheckRunStatusWaitingForDataCollection
	default:
		d.CheckRunStatus = model.AuditCheckRunStatusInProgress
	}
	return d, notEnded
}

// failed says of a check that it could not run. That it failed keeps open what it found before.
func (x *execution) failed(t *findings.Txn, c change) model.AuditCheckDetails {
	e, name := x.engine, x.checks[c.ordinal]
	run := findings.Run{TaskID: x.taskID, Ordinal: c.ordinal, CheckName: name, Time: x.base, Incomplete: true}
	if err := t.Append(run, nil); err != nil {
		e.config.Logger.Error("an audit has no findings", "task", x.taskID, "error", err)
	}
	if i, ok := e.ordinals[name]; ok {
		x.counts = append(x.counts, tallied{check: i, status: model.AuditCheckRunStatusFailed})
	}
	return model.AuditCheckDetails{
		CheckRunStatus: model.AuditCheckRunStatusFailed,
		ErrorCode:      model.CodeAuditCheckDisabled,
		Message:        "the check is not enabled for the account",
	}
}

// details keeps the findings of a check run that has ended, and says how it did.
func (x *execution) details(t *findings.Txn, c change, now time.Time) model.AuditCheckDetails {
	x.mu.Lock()
	accept := x.accepts[c.ordinal]
	x.mu.Unlock()
	j, out := x.jobs[c.ordinal], x.outcome(c)
	found := accept.mark(j.Spec.Name, out)
	if err := x.keep(t, c, now, found); err != nil && out.Err == nil {
		out.Err, out.Message = err, err.Error()
	}
	d := ended(out, found.resources, x.stopped(out))
	count := tallied{check: j.check, status: d.CheckRunStatus, end: j.end}
	if !accept.began.IsZero() {
		count.took = j.end.Sub(accept.began)
	}
	if count.latest = completed(d.CheckRunStatus) && j.Now != nil; count.latest {
		count.suppressed = found.suppressed
		count.active = out.Len() - found.suppressed
	}
	x.counts = append(x.counts, count)
	return d
}

// outcome returns how a check run has ended.
func (x *execution) outcome(c change) *checks.Outcome { return &x.jobs[c.ordinal].outcome }

// log tells of a check run that has failed. The handler is the host's, and must not end what it is told of, nor run in a
// transaction.
func (x *execution) log(c change) {
	if c.kind != checkEnded {
		return
	}
	if out := x.outcome(c); out.Err != nil && !x.stopped(out) {
		defer func() { _ = recover() }()
		logFailure(&x.jobs[c.ordinal].logger.log, out)
	}
}

// stopped tells whether a check run ended because its audit was told to stop.
func (x *execution) stopped(out *checks.Outcome) bool {
	return out.Stopped && x.ctx.Err() != nil && errors.Is(out.Err, context.Cause(x.ctx))
}

// ended says how a check run did that has ended. Resources whose findings are suppressed do not decide.
func ended(out *checks.Outcome, suppressed int64, canceled bool) model.AuditCheckDetails {
	d := model.AuditCheckDetails{
		TotalResourcesCount:                  out.Scanned,
		NonCompliantResourcesCount:           out.NonCompliant,
		SuppressedNonCompliantResourcesCount: suppressed,
	}
	switch {
	case out.Err == nil && out.NonCompliant == suppressed:
		d.CheckRunStatus = model.AuditCheckRunStatusCompletedCompliant
		d.CheckCompliant = true
	case out.Err == nil:
		d.CheckRunStatus = model.AuditCheckRunStatusCompletedNonCompliant
	case canceled:
		d.CheckRunStatus = model.AuditCheckRunStatusCanceled
	default:
		d.CheckRunStatus = model.AuditCheckRunStatusFailed
		d.ErrorCode = model.CodeInternal
		if out.InsufficientPermissions {
			d.ErrorCode = model.CodeInsufficientPermissions
		}
		d.Message = shorten(out.Message)
	}
	return d
}

// keep stores what a check run found.
func (x *execution) keep(t *findings.Txn, c change, now time.Time, found markedFindings) error {
	j := x.jobs[c.ordinal]
	run := findings.Run{
		TaskID:     x.taskID,
		Ordinal:    c.ordinal,
		CheckName:  j.Spec.Name,
		Severity:   j.Spec.Severity,
		Time:       now,
		Incomplete: j.outcome.Err != nil,
	}
	if err := t.AppendSeq(run, found.reported.Len(), found.all); err != nil { // it does not fit: that there was a run does
		run.Incomplete = true
		return errors.Join(err, t.Append(run, nil))
	}
	return nil
}

// markedFindings are what a check reported, and what of that is suppressed.
type markedFindings struct {
	reported   *checks.Outcome
	marks      []bool // whether each one is suppressed; nil: none is
	suppressed int    // how many are
	resources  int64  // of those
}

// mark tells what of that which a check reported is suppressed.
func (a acceptance) mark(check string, reported *checks.Outcome) markedFindings {
	if reported.Len() == 0 || !a.suppressions.Any(check) {
		return markedFindings{reported: reported}
	}
	m := markedFindings{reported: reported, marks: make([]bool, 0, reported.Len())}
	resources := make(map[model.ResourceIdentifier]struct{})
	for f := range reported.All() {
		id := f.Resource.ResourceIdentifier
		yes := a.suppressions.Match(check, id, a.at)
		m.marks = append(m.marks, yes)
		if yes {
			m.suppressed++
			resources[id] = struct{}{}
		}
	}
	m.resources = int64(len(resources))
	return m
}

// all yields the findings as the store takes them, each in the same place.
func (m markedFindings) all(yield func(*findings.Finding) bool) {
	var v findings.Finding
	i := 0
	for f := range m.reported.All() {
		v.Resource, v.Related, v.Reason, v.ReasonCode = f.Resource, f.Related, f.Reason, f.ReasonCode
		v.Suppressed = m.marks != nil && m.marks[i]
		if !yield(&v) {
			return
		}
		i++
	}
}

func logFailure(logger *slog.Logger, out *checks.Outcome) {
	if out.Stack != nil {
		logger.Error("check failed", "error", out.Message, "stack", string(out.Stack))
		return
	}
	logger.Warn("check failed", "error", out.Message)
}

// maxMessage is the length that AWS gives to the message of a check run.
const maxMessage = 2048

func shorten(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD") // as JSON would have it
	if r := []rune(s); len(r) > maxMessage {
		return string(r[:maxMessage-3]) + "..."
	}
	return s
}

// statistics counts check runs by status.
func statistics(runs []*model.AuditCheckDetails) model.TaskStatistics {
	s := model.TaskStatistics{TotalChecks: len(runs)}
	for _, d := range runs {
		*counter(&s, d.CheckRunStatus)++
	}
	return s
}

// statistics counts the check runs of an audit as txn has them.
func (e *Engine) statistics(txn *memdb.Txn, a *auditRow) model.TaskStatistics {
	s := model.TaskStatistics{TotalChecks: len(a.checks), InProgressChecks: len(a.checks)}
	last := make([]*model.AuditCheckDetails, len(a.checks))
	for row := range rows[progressRow](txn, progressTable, "id", text(a.taskID)) {
		for i := range row.runs {
			r := &row.runs[i]
			before := model.AuditCheckRunStatusInProgress
			if last[r.ordinal] != nil {
				before = last[r.ordinal].CheckRunStatus
			}
			last[r.ordinal] = row.of(*r)
			*counter(&s, before)--
			*counter(&s, last[r.ordinal].CheckRunStatus)++
		}
	}
	return s
}

// counter returns where the check runs of a status are counted.
func counter(s *model.TaskStatistics, status model.AuditCheckRunStatus) *int {
	switch status {
	case model.AuditCheckRunStatusInProgress:
		return &s.InProgressChecks
	case model.AuditCheckRunStatusWaitingForDataCollection:
		return &s.WaitingForDataCollectionChecks
	case model.AuditCheckRunStatusCanceled:
		return &s.CanceledChecks
	case model.AuditCheckRunStatusCompletedCompliant:
		return &s.CompliantChecks
	case model.AuditCheckRunStatusCompletedNonCompliant:
		return &s.NonCompliantChecks
	case model.AuditCheckRunStatusFailed:
		return &s.FailedChecks
	}
	return new(int) // there are no others
}

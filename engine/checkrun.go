package engine

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

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
	ordinal  int
	waiting  bool // if outcome is nil
	outcome  *checks.Outcome
	disabled bool      // if outcome is nil: it cannot run
	end      time.Time // of what has ended
}

// run puts the findings of a check run that has ended into t, and says how it did.
func (x *execution) run(t *findings.Txn, c change) checkRun {
	r := checkRun{ordinal: c.ordinal, end: model.At(c.end).Time}
	switch {
	case c.outcome != nil:
		r.details = x.details(t, c)
	case c.disabled:
		r.details = x.failed(t, c)
	default:
		r.end = time.Time{}
		r.details.CheckRunStatus = model.AuditCheckRunStatusInProgress
		if c.waiting {
			r.details.CheckRunStatus = model.AuditCheckRunStatusWaitingForDataCollection
		}
	}
	return r
}

// failed says of a check that it could not run. That it failed keeps open what it found before.
func (x *execution) failed(t *findings.Txn, c change) model.AuditCheckDetails {
	e, name := x.engine, x.checks[c.ordinal]
	run := findings.Run{TaskID: x.taskID, Ordinal: c.ordinal, CheckName: name, Time: c.end, Incomplete: true}
	if err := t.Append(run, nil); err != nil {
		e.config.Logger.Error("an audit has no findings", "task", x.taskID, "error", err)
	}
	if i, ok := e.ordinals[name]; ok {
		x.ended = append(x.ended, func() { e.tally.run(i, model.AuditCheckRunStatusFailed, 0) })
	}
	return model.AuditCheckDetails{
		CheckRunStatus: model.AuditCheckRunStatusFailed,
		ErrorCode:      model.CodeAuditCheckDisabled,
		Message:        "the check is not enabled for the account",
	}
}

// details keeps the findings of a check run that has ended, and says how it did.
func (x *execution) details(t *findings.Txn, c change) model.AuditCheckDetails {
	out := c.outcome
	found, suppressed, err := x.keep(t, c)
	if err != nil && out.Err == nil {
		out.Err, out.Message = err, err.Error()
	}
	d := ended(out, suppressed, x.stopped(out))
	x.ended = append(x.ended, func() { x.tally(c, d.CheckRunStatus, found) })
	return d
}

// log tells of a check run that has failed. The handler is the host's, and must not end what it is told of, nor run in a
// transaction.
func (x *execution) log(c change) {
	if out := c.outcome; out != nil && out.Err != nil && !x.stopped(out) {
		defer func() { _ = recover() }()
		logFailure(x.jobs[c.ordinal].Pass.Logger, out)
	}
}

// tally counts a check run that has ended for Statistics.
func (x *execution) tally(c change, status model.AuditCheckRunStatus, found []findings.Finding) {
	x.mu.Lock()
	began := x.accepts[c.ordinal].began
	x.mu.Unlock()
	var took time.Duration
	if !began.IsZero() {
		took = c.end.Sub(began)
	}
	job, t := x.jobs[c.ordinal], &x.engine.tally
	i := x.engine.ordinals[job.Spec.Name]
	t.run(i, status, took)
	if completed(status) && job.Now != nil {
		t.found(i, found, c.end)
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

// keep stores what a check run found, and counts the resources of which that is suppressed.
func (x *execution) keep(t *findings.Txn, c change) (found []findings.Finding, suppressed int64, err error) {
	spec := x.jobs[c.ordinal].Spec
	x.mu.Lock()
	accept := x.accepts[c.ordinal]
	x.mu.Unlock()
	found, suppressed = accept.mark(spec.Name, c.outcome.Findings)
	run := findings.Run{
		TaskID:     x.taskID,
		Ordinal:    c.ordinal,
		CheckName:  spec.Name,
		Severity:   spec.Severity,
		Time:       x.now(),
		Incomplete: c.outcome.Err != nil,
	}
	if err := t.Append(run, found); err != nil { // it does not fit: that there was a run does
		run.Incomplete = true
		return found, suppressed, errors.Join(err, t.Append(run, nil))
	}
	return found, suppressed, nil
}

// mark makes findings of what a check reported, and counts the resources of which they are suppressed.
func (a acceptance) mark(check string, reported []checks.Finding) (found []findings.Finding, suppressed int64) {
	found = make([]findings.Finding, len(reported))
	resources := make(map[model.ResourceIdentifier]struct{})
	for i, f := range reported {
		id := f.Resource.ResourceIdentifier
		found[i] = findings.Finding{
			Resource: f.Resource, Related: f.Related, Reason: f.Reason, ReasonCode: f.ReasonCode,
			Suppressed: a.suppressions.Match(check, id, a.at),
		}
		if found[i].Suppressed {
			resources[id] = struct{}{}
		}
	}
	return found, int64(len(resources))
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
func statistics(runs []model.AuditCheckDetails) model.TaskStatistics {
	s := model.TaskStatistics{TotalChecks: len(runs)}
	for i := range runs {
		switch runs[i].CheckRunStatus {
		case model.AuditCheckRunStatusInProgress:
			s.InProgressChecks++
		case model.AuditCheckRunStatusWaitingForDataCollection:
			s.WaitingForDataCollectionChecks++
		case model.AuditCheckRunStatusCanceled:
			s.CanceledChecks++
		case model.AuditCheckRunStatusCompletedCompliant:
			s.CompliantChecks++
		case model.AuditCheckRunStatusCompletedNonCompliant:
			s.NonCompliantChecks++
		case model.AuditCheckRunStatusFailed:
			s.FailedChecks++
		}
	}
	return s
}

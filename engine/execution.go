package engine

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/go-memdb"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// errCanceled is why the checks of an audit stop when CancelAuditTask was called.
var errCanceled = errors.New("the audit was canceled")

// request says which audit to start.
type request struct {
	kind     model.AuditTaskType
	checks   []string
	start    time.Time
	asOf     time.Time // what checks take for now; zero: start
	schedule string
	since    time.Time
}

// execution is one audit while it runs. What its checks tell is committed in batches: each commit takes
// along what arrived since the one before, and is followed by a rest in proportion. So an audit of many
// quick checks costs few commits, and no check waits for one.
type execution struct {
	engine *Engine
	taskID string
	start  time.Time     // as clients see it
	clock  time.Time     // the same moment, with a monotonic reading
	jobs   []*checks.Job // by ordinal; nil where the check is disabled
	ctx    context.Context
	cancel context.CancelCauseFunc

	disabled map[int]string // checks that do not run, by ordinal

	commits int           // that brought changes
	news    chan struct{} // holds one if pending may hold something
	mu      sync.Mutex
	pending []change
	accepts []acceptance // by ordinal
}

// acceptance is what a check run takes for suppressed: the suppressions as they were when it started.
type acceptance struct {
	suppressions findings.Suppressions
	at           time.Time // when it started, or as of when it judges
}

// change is what became of one check run.
type change struct {
	ordinal int
	waiting bool // if outcome is nil
	outcome *checks.Outcome
}

// newExecution puts a new audit into txn, which must be committed; then launch must be called.
func (e *Engine) newExecution(txn *memdb.Txn, r request) *execution {
	x := &execution{
		engine: e,
		taskID: newTaskID(),
		start:  model.At(r.start).Time,
		clock:  time.Now(),
		jobs:   make([]*checks.Job, len(r.checks)),
		news:   make(chan struct{}, 1),

		disabled: make(map[int]string),
		accepts:  make([]acceptance, len(r.checks)),
	}
	x.ctx, x.cancel = context.WithCancelCause(e.ctx)
	account := e.account(txn)
	names := slices.Clone(r.checks)
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(e.place(a), e.place(b)) })
	var disabled []checkRun
	for ordinal, name := range names {
		if i, ok := e.ordinals[name]; ok && account.enabled(name) {
			x.jobs[ordinal] = x.job(ordinal, i, r, account.checks[name].Configuration)
			continue
		}
		x.disabled[ordinal] = name
		disabled = append(disabled, checkRun{ordinal, model.AuditCheckDetails{
			CheckRunStatus: model.AuditCheckRunStatusFailed,
			ErrorCode:      model.CodeAuditCheckDisabled,
			Message:        "the check is not enabled for the account",
		}})
	}
	x.put(txn, disabled)
	put(txn, auditTable, &auditRow{
		taskID:    x.taskID,
		seq:       e.created.Add(1),
		kind:      r.kind,
		checks:    names,
		status:    model.AuditTaskStatusInProgress,
		startTime: x.start,
		schedule:  r.schedule,
		asOf:      r.asOf,
	})
	// Within the transaction, so that both have audits in the same order. It fails only for an id that is taken.
	if err := e.findings.Begin(findings.Audit{TaskID: x.taskID, StartTime: x.start, Hypothetical: !r.asOf.IsZero()}); err != nil {
		panic(err)
	}
	e.mu.Lock()
	e.running[x.taskID] = x // before the commit, so that whoever sees the audit can cancel it
	e.mu.Unlock()
	return x
}

// put puts what became of check runs into txn.
func (x *execution) put(txn *memdb.Txn, runs []checkRun) {
	if len(runs) > 0 {
		put(txn, progressTable, &progressRow{x.taskID, x.commits, runs})
		x.commits++
	}
}

// place is where a check stands among those of the Engine; one that it does not have comes last.
func (e *Engine) place(name string) int {
	if i, ok := e.ordinals[name]; ok {
		return i
	}
	return len(e.specs)
}

func (x *execution) job(ordinal, i int, r request, set map[string]string) *checks.Job {
	e := x.engine
	// Not of x.start, which has no more than milliseconds.
	now := func() time.Time { return r.start.Add(time.Since(x.clock)) }
	if r.asOf.IsZero() {
		r.asOf = x.start
	} else {
		now = nil
	}
	return &checks.Job{
		Check: e.config.Checks[i],
		Spec:  e.specs[i],
		Pass: checks.Pass{
			TaskID: x.taskID,
			Time:   r.asOf,
			Since:  r.since,
			Config: configured(e.specs[i], set),
		},
		Now: now,
		Start: func(at time.Time) {
			if now != nil {
				at = now() // it may have waited for a slot
			}
			x.accept(ordinal, at)
		},
		Waiting: func(yes bool) { x.note(change{ordinal: ordinal, waiting: yes}) },
		End:     func(out checks.Outcome) { x.note(change{ordinal: ordinal, outcome: &out}) },
	}
}

// configured returns the parameters of a check as the account has set them.
func configured(s checks.Spec, set map[string]string) checks.Config {
	var ignored model.Problems // they were checked when the account was configured
	return s.Configure(&ignored, "", set)
}

// accept fixes the suppressions of a check run.
func (x *execution) accept(ordinal int, at time.Time) {
	e := x.engine
	s := findings.NewSuppressions(e.suppressions(e.state.Txn(false), x.jobs[ordinal].Spec.Name))
	x.mu.Lock()
	defer x.mu.Unlock()
	x.accepts[ordinal] = acceptance{s, at}
}

const (
	commitRest    = 4                      // times the length of a commit is the rest after it,
	maxCommitRest = 100 * time.Millisecond // but no longer, however many findings the commit brought
)

// launch lets the audit run on a goroutine of the Engine's, and calls done when it has ended.
func (x *execution) launch(done func()) {
	e := x.engine
	for ordinal, name := range x.disabled {
		// That it failed keeps open what it found before.
		run := findings.Run{TaskID: x.taskID, Ordinal: ordinal, CheckName: name, Time: x.start, Incomplete: true}
		if err := e.findings.Append(run, nil); err != nil {
			e.config.Logger.Error("an audit has no findings", "task", x.taskID, "error", err)
		}
	}
	ran := make(chan struct{})
	e.work.Go(func() {
		defer close(ran)
		enabled := slices.DeleteFunc(slices.Clone(x.jobs), func(j *checks.Job) bool { return j == nil })
		for _, j := range enabled {
			// Not before: the handler is the host's, and must not run in a transaction.
			j.Pass.Logger = e.config.Logger.With("check", j.Spec.Name, "task", x.taskID)
		}
		e.runner.Run(x.ctx, enabled)
	})
	go func() {
		defer done()
		defer x.cancel(nil)
		for running := true; running; {
			select {
			case <-x.news:
			case <-ran:
				running = false
			}
			begun := time.Now()
			x.commit()
			rest := time.NewTimer(min(commitRest*time.Since(begun), maxCommitRest))
			select {
			case <-rest.C:
			case <-ran:
			}
			rest.Stop()
		}
		x.finish()
	}()
}

// note takes a change, to be committed soon.
func (x *execution) note(c change) {
	x.mu.Lock()
	x.pending = append(x.pending, c)
	x.mu.Unlock()
	select {
	case x.news <- struct{}{}:
	default:
	}
}

// commit commits the changes that have arrived.
func (x *execution) commit() {
	x.mu.Lock()
	batch := x.pending
	x.pending = nil
	x.mu.Unlock()
	if len(batch) == 0 {
		return
	}
	runs := make([]checkRun, len(batch))
	for i, c := range batch {
		runs[i].ordinal = c.ordinal
		switch d := &runs[i].details; {
		case c.outcome != nil:
			*d = x.details(c)
		case c.waiting:
			d.CheckRunStatus = model.AuditCheckRunStatusWaitingForDataCollection
		default:
			d.CheckRunStatus = model.AuditCheckRunStatusInProgress
		}
	}
	txn := x.engine.state.Txn(true)
	defer txn.Abort()
	x.put(txn, runs)
	txn.Commit()
}

// details keeps the findings of a check run that has ended, and says how it did.
func (x *execution) details(c change) model.AuditCheckDetails {
	out := c.outcome
	suppressed, err := x.keep(c)
	if err != nil && out.Err == nil {
		out.Err, out.Message = err, err.Error()
	}
	d := ended(out, suppressed, out.Stopped && x.ctx.Err() != nil && errors.Is(out.Err, context.Cause(x.ctx)))
	if d.CheckRunStatus == model.AuditCheckRunStatusFailed {
		logFailure(x.jobs[c.ordinal].Pass.Logger, out)
	}
	return d
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
func (x *execution) keep(c change) (suppressed int64, err error) {
	e := x.engine
	spec := x.jobs[c.ordinal].Spec
	x.mu.Lock()
	accept := x.accepts[c.ordinal]
	x.mu.Unlock()
	found, suppressed := accept.mark(spec.Name, c.outcome.Findings)
	return suppressed, e.findings.Append(findings.Run{
		TaskID:     x.taskID,
		Ordinal:    c.ordinal,
		CheckName:  spec.Name,
		Severity:   spec.Severity,
		Time:       x.start.Add(time.Since(x.clock)),
		Incomplete: c.outcome.Err != nil,
	}, found)
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

// logFailure tells of a check that failed. The handler is the host's, and must not end what it is told of.
func logFailure(logger *slog.Logger, out *checks.Outcome) {
	defer func() { _ = recover() }()
	if out.Stack != nil {
		logger.Error("check failed", "error", out.Message, "stack", string(out.Stack))
		return
	}
	logger.Warn("check failed", "error", out.Message)
}

// maxMessage is the length that AWS gives to the message of a check run.
const maxMessage = 2048

func shorten(s string) string {
	if r := []rune(s); len(r) > maxMessage {
		return string(r[:maxMessage-3]) + "..."
	}
	return s
}

// finish ends the audit when each of its checks has ended.
func (x *execution) finish() {
	e := x.engine
	txn := e.state.Txn(true)
	defer txn.Abort()
	row := *e.audit(txn, x.taskID)
	runs := e.runs(txn, &row)
	stats := statistics(runs)
	switch {
	case row.canceled || stats.CanceledChecks > 0:
		row.status = model.AuditTaskStatusCanceled
	case stats.FailedChecks == stats.TotalChecks:
		row.status = model.AuditTaskStatusFailed
	default:
		row.status = model.AuditTaskStatusCompleted
	}
	put(txn, auditTable, &row)
	account := e.account(txn)
	txn.Commit()
	e.mu.Lock()
	delete(e.running, x.taskID)
	e.mu.Unlock()
	e.notify(account, &row, runs, stats)
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

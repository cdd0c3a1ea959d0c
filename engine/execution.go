package engine

import (
	"cmp"
	"context"
	"errors"
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
	slot     time.Time
	since    time.Time
}

// execution is one audit while it runs. What its checks tell is committed in batches: whoever comes first
// commits, and takes along what arrives meanwhile, so that an audit of many quick checks costs few commits.
type execution struct {
	engine *Engine
	taskID string
	start  time.Time     // as clients see it
	clock  time.Time     // the same moment, with a monotonic reading
	jobs   []*checks.Job // by ordinal; nil where the check is disabled
	ctx    context.Context
	cancel context.CancelCauseFunc

	mu         sync.Mutex
	idle       *sync.Cond
	committing bool
	pending    []change
}

// change is what became of one check run.
type change struct {
	ordinal int
	waiting bool // if outcome is nil
	outcome *checks.Outcome
}

// newExecution puts a new audit into txn. After the commit, launch must be called.
func (e *Engine) newExecution(txn *memdb.Txn, r request) *execution {
	x := &execution{
		engine: e,
		taskID: newTaskID(),
		start:  model.At(r.start).Time,
		clock:  time.Now(),
		jobs:   make([]*checks.Job, len(r.checks)),
	}
	x.idle = sync.NewCond(&x.mu)
	x.ctx, x.cancel = context.WithCancelCause(e.ctx)
	if r.asOf.IsZero() {
		r.asOf = x.start
	}
	account := e.account(txn)
	names := slices.Clone(r.checks)
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(e.place(a), e.place(b)) })
	for ordinal, name := range names {
		row := &checkRow{taskID: x.taskID, ordinal: ordinal, name: name}
		if i, ok := e.ordinals[name]; ok && account.enabled(name) {
			row.details.CheckRunStatus = model.AuditCheckRunStatusInProgress
			x.jobs[ordinal] = x.job(ordinal, i, r, account.checks[name].Configuration)
		} else {
			row.details = model.AuditCheckDetails{
				CheckRunStatus: model.AuditCheckRunStatusFailed,
				ErrorCode:      model.CodeAuditCheckDisabled,
				Message:        "the check is not enabled for the account",
			}
		}
		put(txn, checkTable, row)
	}
	put(txn, auditTable, &auditRow{
		taskID:    x.taskID,
		seq:       e.order(),
		kind:      r.kind,
		status:    model.AuditTaskStatusInProgress,
		startTime: x.start,
		schedule:  r.schedule,
		slot:      r.slot,
	})
	return x
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
	var ignored model.Problems // it was checked when the account was configured
	return &checks.Job{
		Check: e.config.Checks[i],
		Spec:  e.specs[i],
		Pass: checks.Pass{
			TaskID: x.taskID,
			Time:   r.asOf,
			Since:  r.since,
			Config: e.specs[i].Configure(&ignored, "", set),
			Logger: e.config.Logger.With("check", e.specs[i].Name, "task", x.taskID),
		},
		Waiting: func(yes bool) { x.note(change{ordinal: ordinal, waiting: yes}) },
		End:     func(out checks.Outcome) { x.note(change{ordinal: ordinal, outcome: &out}) },
	}
}

// launch lets the audit run on a goroutine of the Engine's, and calls done when it has ended.
func (x *execution) launch(done func()) {
	e := x.engine
	e.mu.Lock()
	e.running[x.taskID] = x
	e.mu.Unlock()
	if err := e.findings.Begin(findings.Audit{TaskID: x.taskID, StartTime: x.start}); err != nil {
		e.config.Logger.Error("findings of an audit cannot be kept", "task", x.taskID, "error", err)
	}
	go func() {
		defer done()
		defer x.cancel(nil)
		enabled := slices.DeleteFunc(slices.Clone(x.jobs), func(j *checks.Job) bool { return j == nil })
		e.runner.Run(x.ctx, enabled)
		x.finish()
	}()
}

// note takes a change, and commits it and those of others, unless somebody else is about to.
func (x *execution) note(c change) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.pending = append(x.pending, c)
	if x.committing {
		return
	}
	x.committing = true
	for len(x.pending) > 0 {
		batch := x.pending
		x.pending = nil
		x.mu.Unlock()
		x.commit(batch)
		x.mu.Lock()
	}
	x.committing = false
	x.idle.Broadcast()
}

func (x *execution) commit(batch []change) {
	e := x.engine
	details := make([]model.AuditCheckDetails, len(batch))
	for i, c := range batch {
		switch {
		case c.outcome != nil:
			details[i] = x.details(c)
		case c.waiting:
			details[i].CheckRunStatus = model.AuditCheckRunStatusWaitingForDataCollection
		default:
			details[i].CheckRunStatus = model.AuditCheckRunStatusInProgress
		}
	}
	txn := e.state.Txn(true)
	defer txn.Abort()
	for i, c := range batch {
		row := *first[checkRow](txn, checkTable, "id", checkKey(x.taskID, c.ordinal))
		row.details = details[i]
		put(txn, checkTable, &row)
	}
	txn.Commit()
}

// details keeps the findings of a check run that has ended, and says how it did.
func (x *execution) details(c change) model.AuditCheckDetails {
	out := c.outcome
	d := model.AuditCheckDetails{
		TotalResourcesCount:        out.Scanned,
		NonCompliantResourcesCount: out.NonCompliant,
	}
	err := out.Err
	if keep := x.keep(c); err == nil {
		err = keep
	}
	switch {
	case err == nil && out.NonCompliant == 0:
		d.CheckRunStatus = model.AuditCheckRunStatusCompletedCompliant
		d.CheckCompliant = true
	case err == nil:
		d.CheckRunStatus = model.AuditCheckRunStatusCompletedNonCompliant
	case errors.Is(err, errCanceled), errors.Is(err, ErrClosed):
		d.CheckRunStatus = model.AuditCheckRunStatusCanceled
	default:
		d.CheckRunStatus = model.AuditCheckRunStatusFailed
		d.ErrorCode = model.CodeInternal
		if errors.Is(err, checks.ErrInsufficientPermissions) {
			d.ErrorCode = model.CodeInsufficientPermissions
		}
		d.Message = shorten(err.Error())
		x.log(c.ordinal, err)
	}
	return d
}

// keep stores what a check run found.
func (x *execution) keep(c change) error {
	e := x.engine
	spec := x.jobs[c.ordinal].Spec
	found := make([]findings.Finding, len(c.outcome.Findings))
	for i, f := range c.outcome.Findings {
		found[i] = findings.Finding{Resource: f.Resource, Related: f.Related, Reason: f.Reason, ReasonCode: f.ReasonCode}
	}
	return e.findings.Append(findings.Run{
		TaskID:    x.taskID,
		Ordinal:   c.ordinal,
		CheckName: spec.Name,
		Severity:  spec.Severity,
		Time:      x.start.Add(time.Since(x.clock)),
	}, found)
}

func (x *execution) log(ordinal int, err error) {
	logger := x.jobs[ordinal].Pass.Logger
	if p, ok := errors.AsType[*checks.PanicError](err); ok {
		logger.Error("check failed", "error", err, "stack", string(p.Stack))
		return
	}
	logger.Warn("check failed", "error", err)
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
	x.mu.Lock()
	for x.committing {
		x.idle.Wait()
	}
	x.mu.Unlock()

	end := x.start.Add(time.Since(x.clock))
	txn := e.state.Txn(true)
	defer txn.Abort()
	row := *e.audit(txn, x.taskID)
	runs := slices.Collect(rows[checkRow](txn, checkTable, "id", text(x.taskID)))
	stats := statistics(runs)
	row.endTime = end
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
func statistics(runs []*checkRow) model.TaskStatistics {
	s := model.TaskStatistics{TotalChecks: len(runs)}
	for _, r := range runs {
		switch r.details.CheckRunStatus {
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

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
	since    time.Time
}

// execution is one audit while it runs. What its checks tell is committed in batches: each commit takes
// along what arrived since the one before, and is followed by a rest in proportion. So an audit of many
// quick checks costs few commits, and no check waits for one.
type execution struct {
	engine *Engine
	taskID string
	kind   model.AuditTaskType
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

// newExecution puts a new audit into txn, which must be committed; then launch must be called.
func (e *Engine) newExecution(txn *memdb.Txn, r request) *execution {
	x := &execution{
		engine: e,
		taskID: newTaskID(),
		kind:   r.kind,
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
	for _, name := range x.disabled {
		if i, ok := e.ordinals[name]; ok {
			e.tally.run(i, model.AuditCheckRunStatusFailed, 0)
		}
	}
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
	// Before the commit, so that whoever sees the audit can cancel it, and finds it counted.
	e.tally.audit(x.kind, "", model.AuditTaskStatusInProgress)
	e.mu.Lock()
	e.running[x.taskID] = x
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
		End:     func(out checks.Outcome) { x.note(change{ordinal: ordinal, outcome: &out, end: time.Now()}) },
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
	x.accepts[ordinal] = acceptance{s, at, time.Now()}
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
	// The schedule may be gone by now, or be another one of that name.
	if old := e.schedule(txn, row.schedule); old != nil && old.lastTaskID == x.taskID && row.status == model.AuditTaskStatusCompleted {
		of := *old
		of.lastCompleted = model.At(time.Now()).Time
		put(txn, scheduleTable, &of)
	}
	account := e.account(txn)
	// Before anybody can see that it has ended.
	e.tally.audit(x.kind, model.AuditTaskStatusInProgress, row.status)
	txn.Commit()
	e.mu.Lock()
	delete(e.running, x.taskID)
	e.mu.Unlock()
	e.notify(account, &row, runs, stats)
}

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
	key      string // idempotency key, or empty
}

// execution is one audit while it runs. What its checks tell is committed in batches: each commit takes
// along what arrived since the one before, and is followed by a rest in proportion. So an audit of many
// quick checks costs few commits, and no check waits for one.
type execution struct {
	engine *Engine
	taskID string
	seq    uint64
	checks []string      // names, by ordinal
	base   time.Time     // when it started, or was resumed
	clock  time.Time     // the same moment, with a monotonic reading
	jobs   []*checks.Job // by ordinal; nil where there is none: the check is disabled, or ended before the audit was resumed
	ctx    context.Context
	cancel context.CancelCauseFunc

	commits int           // that brought changes
	ended   []func()      // what follows when the runs are kept that the next commit brings
	news    chan struct{} // holds one if pending may hold something
	mu      sync.Mutex
	pending []change
	accepts []acceptance // by ordinal
}

// newExecution puts a new audit into a transaction; when that is committed, launch must be called.
func (e *Engine) newExecution(u *update, r request) *execution {
	names := slices.Clone(r.checks)
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(e.place(a), e.place(b)) })
	row := &auditRow{
		taskID:    newTaskID(),
		seq:       e.created.Add(1),
		kind:      r.kind,
		checks:    names,
		status:    model.AuditTaskStatusInProgress,
		startTime: model.At(r.start).Time,
		schedule:  r.schedule,
		since:     r.since,
		asOf:      r.asOf,
		key:       r.key,
	}
	put(u.txn, auditTable, row)
	// Within the transaction, so that both have audits in the same order.
	must(row, beginFindings(e.findings, row))
	x := e.execute(row, r.start, e.account(u.txn), nil)
	u.kept = append(u.kept, func() {
		// Before anybody sees the audit, so that whoever does can cancel it, and finds it counted.
		e.tally.audit(row.kind, "", model.AuditTaskStatusInProgress)
		e.register(x)
	})
	return x
}

// beginFindings registers an audit with the findings. It fails only for an id that is taken.
func beginFindings(store *findings.Store, row *auditRow) error {
	return store.Begin(findings.Audit{
		TaskID: row.taskID, StartTime: row.startTime, Order: row.seq, Hypothetical: !row.asOf.IsZero(),
	})
}

func (e *Engine) register(x *execution) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.running[x.taskID] = x
}

// execute makes the execution of an audit that starts, or starts again, at base. done says which of its checks need
// not run, by ordinal; nil: none.
func (e *Engine) execute(row *auditRow, base time.Time, account *accountRow, done []bool) *execution {
	x := &execution{
		engine:  e,
		taskID:  row.taskID,
		seq:     row.seq,
		checks:  row.checks,
		base:    base,
		clock:   time.Now(),
		jobs:    make([]*checks.Job, len(row.checks)),
		news:    make(chan struct{}, 1),
		accepts: make([]acceptance, len(row.checks)),
	}
	x.ctx, x.cancel = context.WithCancelCause(e.ctx)
	for ordinal, name := range row.checks {
		if done != nil && done[ordinal] {
			continue
		}
		if i, ok := e.ordinals[name]; ok && account.enabled(name) {
			x.jobs[ordinal] = x.job(ordinal, i, row, account.checks[name].Configuration)
		} else {
			x.note(change{ordinal: ordinal, disabled: true, end: base})
		}
	}
	return x
}

// put puts what became of check runs into txn.
func (x *execution) put(txn *memdb.Txn, runs []checkRun) {
	if len(runs) > 0 {
		put(txn, progressTable, &progressRow{x.taskID, x.seq, x.commits, runs})
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

// now returns the time, without the steps that a clock may make while the audit runs.
func (x *execution) now() time.Time { return x.base.Add(time.Since(x.clock)) }

func (x *execution) job(ordinal, i int, row *auditRow, set map[string]string) *checks.Job {
	e := x.engine
	asOf, now := row.asOf, (func() time.Time)(nil)
	if asOf.IsZero() {
		asOf, now = model.At(x.base).Time, x.now
	}
	return &checks.Job{
		Check: e.config.Checks[i],
		Spec:  e.specs[i],
		Pass: checks.Pass{
			TaskID: x.taskID,
			Time:   asOf,
			Since:  row.since,
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
	var ignored model.Problems // they were checked when the account was configured, or told of when it was loaded
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
			case <-e.failed:
			}
			begun := time.Now()
			if err := x.commit(); err != nil || e.Err() != nil {
				x.cancel(errStoreFailed())
				<-ran
				break
			}
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
func (x *execution) commit() error {
	x.mu.Lock()
	batch := x.pending
	x.pending = nil
	x.mu.Unlock()
	if x.suspended() { // what Close stopped starts over
		batch = slices.DeleteFunc(batch, func(c change) bool { return c.outcome == nil || x.stopped(c.outcome) })
	}
	if len(batch) == 0 {
		return nil
	}
	t := x.engine.findings.Txn()
	defer t.Abort()
	x.ended = nil
	runs := make([]checkRun, len(batch))
	for i, c := range batch {
		runs[i] = x.run(t, c)
	}
	err := x.engine.submit(&write{findings: t, rows: t.Rows(), op: func(u *update) error {
		x.put(u.txn, runs)
		u.kept = append(u.kept, x.ended...)
		return nil
	}})
	t.Abort() // what follows must not hold it
	for _, c := range batch {
		x.log(c)
	}
	return err
}

// suspended tells whether Close has stopped the audit, to be resumed by the next Engine.
func (x *execution) suspended() bool {
	return x.engine.config.Store != nil && errors.Is(context.Cause(x.ctx), ErrClosed)
}

// finish ends the audit when each of its checks has ended. If the Store has failed, or Close has suspended the audit,
// some have not.
func (x *execution) finish() {
	e := x.engine
	var row auditRow
	var runs []model.AuditCheckDetails
	var account *accountRow
	err := e.submit(&write{op: func(u *update) error {
		old := e.audit(u.txn, x.taskID)
		row, runs, account = *old, e.runs(u.txn, old), e.account(u.txn)
		stats := statistics(runs)
		switch {
		case stats.InProgressChecks+stats.WaitingForDataCollectionChecks > 0:
			return nil
		case row.canceled || stats.CanceledChecks > 0:
			row.status = model.AuditTaskStatusCanceled
		case stats.FailedChecks == stats.TotalChecks:
			row.status = model.AuditTaskStatusFailed
		default:
			row.status = model.AuditTaskStatusCompleted
		}
		row.owed = e.config.Store != nil && e.wantsNotification(account)
		put(u.txn, auditTable, &row)
		// The schedule may be gone by now, or be another one of that name.
		if old := e.schedule(u.txn, row.schedule); old != nil && old.lastTaskID == x.taskID && row.status == model.AuditTaskStatusCompleted {
			of := *old
			of.lastCompleted = model.At(time.Now()).Time
			put(u.txn, scheduleTable, &of)
		}
		// Before anybody can see that it has ended.
		u.kept = append(u.kept, func() { e.tally.audit(row.kind, model.AuditTaskStatusInProgress, row.status) })
		return nil
	}})
	e.mu.Lock()
	delete(e.running, x.taskID)
	e.mu.Unlock()
	if err == nil && row.status != model.AuditTaskStatusInProgress && e.wantsNotification(account) {
		e.notify(account, &row, runs)
	}
}

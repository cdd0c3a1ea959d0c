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
	checks []string    // names, by ordinal
	base   time.Time   // when it started, or was resumed
	clock  time.Time   // the same moment, with a monotonic reading
	jobs   []*checkJob // by ordinal; nil where there is none: the check is disabled, or ended before the audit was resumed
	ctx    context.Context
	cancel context.CancelCauseFunc

	commits int           // that brought changes
	counts  []tallied     // of the last commit
	spare   []change      // what the commit before brought: room for what comes while the next one goes on
	news    chan struct{} // holds one if pending may hold something
	mu      sync.Mutex
	pending []change
	accepts []acceptance // by ordinal
}

// checkJob is one check of an audit while it runs.
type checkJob struct {
	checks.Job
	audit   *execution
	ordinal int // in the audit
	check   int // in the Engine
	logger  checkLogger
	outcome checks.Outcome // from when it has ended until that is committed
	end     time.Time      // when it has ended
}

// newExecution puts a new audit into a transaction; when that is committed, launch must be called.
func (e *Engine) newExecution(u *update, r request) *execution {
	row := &auditRow{
		taskID:    newTaskID(),
		seq:       e.created.Add(1),
		kind:      r.kind,
		checks:    e.inOrder(r.checks),
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
		jobs:    make([]*checkJob, len(row.checks)),
		news:    make(chan struct{}, 1),
		accepts: make([]acceptance, len(row.checks)),
	}
	x.ctx, x.cancel = context.WithCancelCause(e.ctx)
	at, now := row.asOf, (func() time.Time)(nil)
	if at.IsZero() {
		at, now = model.At(base).Time, x.now
	}
	jobs, settings, last := make([]checkJob, len(row.checks)), e.settings(account), -1
	for ordinal, name := range row.checks {
		if done != nil && done[ordinal] {
			continue
		}
		i, ok := e.ordinal(name, last+1)
		if !ok || !settings[i].enabled {
			x.note(change{kind: checkDisabled, ordinal: ordinal})
			continue
		}
		last = i
		j := &jobs[ordinal]
		j.audit, j.ordinal, j.check = x, ordinal, i
		j.Check, j.Spec, j.Now = e.config.Checks[i], &e.specs[i], now
		j.Pass = checks.Pass{
			TaskID: x.taskID,
			Time:   at,
			Since:  row.since,
			Config: configured(&e.specs[i], settings[i].parameters),
			Logger: j.logger.logger(j),
		}
		j.Packed, j.Start, j.Waiting, j.End = true, j.started, j.waits, j.ended
		x.jobs[ordinal] = j
	}
	return x
}

// put puts what became of check runs into txn.
func (x *execution) put(txn *memdb.Txn, row *progressRow) {
	if len(row.runs) > 0 {
		row.taskID, row.seq, row.number = x.taskID, x.seq, x.commits
		put(txn, progressTable, row)
		x.commits++
	}
}

// inOrder returns checks in the order of the Engine's; those that it does not have come last.
func (e *Engine) inOrder(names []string) []string {
	places, last, inOrder := make([]int, len(names)), -1, true
	for i, name := range names {
		place, ok := e.ordinal(name, last+1)
		if !ok {
			place = len(e.specs)
		}
		inOrder = inOrder && last <= place
		places[i], last = place, place
	}
	if inOrder {
		return slices.Clone(names)
	}
	order := make([]int, len(names)) // by place
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(places[a], places[b]) })
	ordered := make([]string, len(names))
	for i, at := range order {
		ordered[i] = names[at]
	}
	return ordered
}

// ordinal returns where a check stands among those of the Engine. Lists of checks are mostly in that order: a guess that
// is right costs no look-up.
func (e *Engine) ordinal(name string, guess int) (int, bool) {
	if guess < len(e.specs) && e.specs[guess].Name == name {
		return guess, true
	}
	i, ok := e.ordinals[name]
	return i, ok
}

// now returns the time, without the steps that a clock may make while the audit runs.
func (x *execution) now() time.Time { return x.since(time.Now()) }

// since is what now was at a reading of the clock.
func (x *execution) since(reading time.Time) time.Time { return x.base.Add(reading.Sub(x.clock)) }

// configured returns the parameters of a check as the account has set them.
func configured(s *checks.Spec, set map[string]string) checks.Config {
	var ignored model.Problems // they were checked when the account was configured, or told of when it was loaded
	return s.Configure(&ignored, "", set)
}

// started fixes the suppressions of the check run.
func (j *checkJob) started(at time.Time) {
	x, began := j.audit, time.Now()
	if j.Now != nil {
		at = x.since(began) // it may have waited for a slot
	}
	s := x.engine.suppressionsOf(j.check)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.accepts[j.ordinal] = acceptance{s, at, began}
}

func (j *checkJob) waits(yes bool) {
	j.audit.note(change{kind: checkWaits, ordinal: j.ordinal, waiting: yes})
}

func (j *checkJob) ended(out checks.Outcome) {
	j.outcome, j.end = out, time.Now()
	j.audit.note(change{kind: checkEnded, ordinal: j.ordinal})
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
		enabled := make([]*checks.Job, 0, len(x.jobs))
		for _, j := range x.jobs {
			if j != nil {
				enabled = append(enabled, &j.Job)
			}
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
	x.pending = x.spare[:0]
	x.mu.Unlock()
	x.spare = batch
	if x.suspended() { // what Close stopped starts over
		batch = slices.DeleteFunc(batch, func(c change) bool { return c.kind != checkEnded || x.stopped(x.outcome(c)) })
	}
	if len(batch) == 0 {
		return nil
	}
	t := x.engine.findings.Txn()
	defer t.Abort()
	row, now := &progressRow{runs: make([]checkRun, 0, len(batch))}, x.now()
	x.counts = slices.Grow(x.counts[:0], len(batch))
	for _, c := range batch {
		d, end := x.run(t, c, now)
		row.add(c.ordinal, d, end)
	}
	err := x.engine.submit(&write{findings: t, rows: t.Rows(), op: func(u *update) error {
		x.put(u.txn, row)
		u.kept = append(u.kept, func() { x.engine.tally.count(x.counts) })
		return nil
	}})
	t.Abort() // what follows must not hold it
	for _, c := range batch {
		x.log(c)
		if c.kind == checkEnded {
			x.jobs[c.ordinal].outcome = checks.Outcome{}
		}
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
	var runs []*model.AuditCheckDetails
	var account *accountRow
	err := e.submit(&write{op: func(u *update) error {
		old := e.audit(u.txn, x.taskID)
		row, account = *old, e.account(u.txn)
		stats := e.statistics(u.txn, old)
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
		if e.wantsNotification(account) {
			row.owed, runs = e.config.Store != nil, e.runs(u.txn, old)
		}
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

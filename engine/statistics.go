package engine

import (
	"slices"
	"sync"
	"time"

	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// Statistics says what an Engine has done since it was made, and how its schedules stand. Of what a [Store] held then, it
// has the schedules, the audits in progress, and what each check's last completed run found.
type Statistics struct {
	Audits    []AuditStatistics    // of each type and status that has occurred, in AWS's order
	Checks    []CheckStatistics    // in the order of the Engine's checks
	Schedules []ScheduleStatistics // by name
}

// AuditStatistics counts audits of one type and status: those that are IN_PROGRESS now, or that have ended so.
type AuditStatistics struct {
	Type   model.AuditTaskType
	Status model.AuditTaskStatus
	Count  int
}

// CheckStatistics says what came of the runs of one check. What it found is that of its last run that completed, not
// counting audits as of another time.
type CheckStatistics struct {
	CheckName     string
	Severity      model.AuditFindingSeverity
	Runs          []RunStatistics // of each status that has occurred, in AWS's order
	Findings      int             // that are not suppressed
	Suppressed    int             // findings that are
	LastCompleted time.Time       // zero: no run has completed
}

// RunStatistics counts the runs of a check that ended with one status.
type RunStatistics struct {
	Status   model.AuditCheckRunStatus
	Count    int
	Duration time.Duration // of all of them together; without what they waited for data or a slot
}

// ScheduleStatistics says how a scheduled audit stands.
type ScheduleStatistics struct {
	Name string
	ScheduleStatus
	Overdue time.Duration // since when its next slot is due; zero: it is not
}

// Statistics returns what the Engine has done so far, and how its schedules stand at now. It waits for nothing that
// takes long, so that it may be asked every few seconds, also of an Engine that is closed.
func (e *Engine) Statistics(now time.Time) Statistics {
	s := e.tally.statistics()
	for i := range s.Checks {
		s.Checks[i].CheckName, s.Checks[i].Severity = e.specs[i].Name, e.specs[i].Severity
	}
	for r := range rows[scheduleRow](e.state.Txn(false), scheduleTable, "id", nil) {
		of := ScheduleStatistics{Name: r.name, ScheduleStatus: r.status()}
		if !of.Next.IsZero() {
			of.Overdue = max(0, now.Sub(of.Next))
		}
		s.Schedules = append(s.Schedules, of)
	}
	return s
}

// tally counts for Statistics. Its zero value counts no check.
type tally struct {
	mu     sync.Mutex
	audits map[auditKind]int
	checks []checkTally // by the Engine's ordinals
}

type auditKind struct {
	kind   model.AuditTaskType
	status model.AuditTaskStatus
}

type checkTally struct {
	runs                 map[model.AuditCheckRunStatus]runTally
	findings, suppressed int
	completed            time.Time
}

type runTally struct {
	count    int
	duration time.Duration
}

// audit counts an audit that has gone from one status to another.
func (t *tally) audit(kind model.AuditTaskType, from, to model.AuditTaskStatus) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.audits == nil {
		t.audits = make(map[auditKind]int)
	}
	if from != "" {
		t.audits[auditKind{kind, from}]--
	}
	t.audits[auditKind{kind, to}]++
}

// run counts a check run that has ended.
func (t *tally) run(ordinal int, status model.AuditCheckRunStatus, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := &t.checks[ordinal]
	if c.runs == nil {
		c.runs = make(map[model.AuditCheckRunStatus]runTally)
	}
	r := c.runs[status]
	c.runs[status] = runTally{r.count + 1, r.duration + took}
}

// found takes down what a check run found that completed at a time.
func (t *tally) found(ordinal int, found []findings.Finding, at time.Time) {
	n := 0
	for _, f := range found {
		n += one(f.Suppressed)
	}
	t.counted(ordinal, len(found)-n, n, at)
}

// counted is found for numbers.
func (t *tally) counted(ordinal, active, suppressed int, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	// The findings of a run that ended before may have taken longer to be stored.
	if c := &t.checks[ordinal]; !at.Before(c.completed) {
		c.findings, c.suppressed, c.completed = active, suppressed, at
	}
}

func (t *tally) statistics() Statistics {
	t.mu.Lock()
	defer t.mu.Unlock()
	var s Statistics
	for _, kind := range model.AuditTaskType("").Values() {
		for _, status := range model.AuditTaskStatus("").Values() {
			if n, ok := t.audits[auditKind{kind, status}]; ok {
				s.Audits = append(s.Audits, AuditStatistics{kind, status, n})
			}
		}
	}
	s.Checks = slices.Grow(s.Checks, len(t.checks))
	for _, c := range t.checks {
		of := CheckStatistics{Findings: c.findings, Suppressed: c.suppressed}
		if !c.completed.IsZero() {
			of.LastCompleted = model.At(c.completed).Time
		}
		for _, status := range model.AuditCheckRunStatus("").Values() {
			if r, ok := c.runs[status]; ok {
				of.Runs = append(of.Runs, RunStatistics{status, r.count, r.duration})
			}
		}
		s.Checks = append(s.Checks, of)
	}
	return s
}

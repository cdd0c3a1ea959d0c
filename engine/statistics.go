package engine

import (
	"slices"
	"sync"
	"time"

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
	runs                 []runTally // one of each status that has occurred
	findings, suppressed int
	completed            time.Time
}

type runTally struct {
	status   model.AuditCheckRunStatus
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

// tallied is a check run that has ended, as it is counted.
type tallied struct {
	check              int // the Engine's ordinal
	status             model.AuditCheckRunStatus
	took               time.Duration
	latest             bool // it says what the check finds now, unless a later one has ended before:
	active, suppressed int  // how many findings are of the kind
	end                time.Time
}

// count counts check runs that have ended.
func (t *tally) count(runs []tallied) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range runs {
		r := &runs[i]
		c := &t.checks[r.check]
		n := c.run(r.status)
		n.count++
		n.duration += r.took
		if r.latest {
			c.found(r.active, r.suppressed, r.end)
		}
	}
}

// counted takes down what a check run found that completed at a time.
func (t *tally) counted(ordinal, active, suppressed int, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.checks[ordinal].found(active, suppressed, at)
}

// run returns where runs that end with a status are counted.
func (c *checkTally) run(status model.AuditCheckRunStatus) *runTally {
	for i := range c.runs {
		if n := &c.runs[i]; n.status == status {
			return n
		}
	}
	c.runs = append(c.runs, runTally{status: status})
	return &c.runs[len(c.runs)-1]
}

func (c *checkTally) found(active, suppressed int, at time.Time) {
	// The findings of a run that ended before may have taken longer to be stored.
	if !at.Before(c.completed) {
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
			for _, r := range c.runs {
				if r.status == status {
					of.Runs = append(of.Runs, RunStatistics{status, r.count, r.duration})
				}
			}
		}
		s.Checks = append(s.Checks, of)
	}
	return s
}

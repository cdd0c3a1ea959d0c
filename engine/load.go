package engine

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/go-memdb"

	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// open makes the state that the Engine begins with: what the Store holds, and of the Config what goes before it.
func (e *Engine) open() error {
	store, txn := e.config.Store, e.state.Txn(true)
	defer txn.Abort()
	if store != nil {
		e.findings.Mirror()
		l := newLoader(&e.config, txn, e.findings)
		err := store.Load(context.Background(), l.add)
		if err == nil {
			err = l.done()
		}
		if err != nil {
			return fmt.Errorf("the Store cannot be read: %w", err)
		}
		e.created.Store(l.newest)
		e.left = l.left
		txn.TrackChanges() // what was read is there already
	}
	if first[metaRow](txn, metaTable, "id", text("")) == nil {
		put(txn, metaTable, &metaRow{e.config.AccountID, e.config.Region})
		if e.config.EnableAll {
			e.enableAll(txn)
		}
	}
	if err := e.suppressFromStart(txn); err != nil {
		return err
	}
	e.checkParameters(e.account(txn))
	if store != nil {
		if changes := mirrored(txn.Changes()); len(changes) > 0 {
			if err := keep(store, changes); err != nil {
				return fmt.Errorf("the Store cannot be written: %w", err)
			}
		}
	}
	e.recount(txn, e.created.Load())
	txn.Commit()
	return nil
}

// loader puts rows, which come in ascending order of tables and keys, into the state and the findings. It fails at
// the first one that is not what an Engine has written.
type loader struct {
	config   *Config // which they must suit
	txn      *memdb.Txn
	store    *findings.Store
	findings *findings.Loader
	records  map[string]record
	audits   map[uint64]*auditRow // by seq
	newest   uint64               // seq
	left     []string             // task ids of audits with which something is left to do
	ended    map[*auditRow][]bool // which check runs, by ordinal
	last     Row
	any      bool  // row has come
	err      error // of the first row that is wrong
}

func newLoader(config *Config, txn *memdb.Txn, store *findings.Store) *loader {
	return &loader{
		config:   config,
		txn:      txn,
		store:    store,
		findings: store.Loader(),
		records:  records(),
		audits:   make(map[uint64]*auditRow),
		ended:    make(map[*auditRow][]bool),
	}
}

func (l *loader) isState(table string) bool {
	_, ok := l.records[table]
	return ok
}

func (l *loader) add(r Row) error {
	if l.err != nil {
		return l.err
	}
	if err := l.row(r); err != nil {
		l.err = fmt.Errorf("table %s: key %x: %w", r.Table, r.Key, err)
	}
	return l.err
}

func (l *loader) row(r Row) error {
	if l.any && cmp.Or(cmp.Compare(l.last.Table, r.Table), bytes.Compare(l.last.Key, r.Key)) >= 0 {
		return errors.New("is out of order")
	}
	l.last, l.any = Row{Table: r.Table, Key: slices.Clone(r.Key)}, true
	of, ok := l.records[r.Table]
	if !ok {
		return l.findings.Add(findings.Row(r))
	}
	row, err := of.row(r.Key, r.Value)
	if err != nil {
		return err
	}
	switch row := row.(type) {
	case *metaRow:
		if c := l.config; row.accountID != c.AccountID || row.region != c.Region {
			return fmt.Errorf("is of the account %s in %s; Config.AccountID is %s, Config.Region %s", row.accountID, row.region, c.AccountID, c.Region)
		}
	case *scheduleRow:
		// As the calendar would have them.
		zone := l.config.Location
		if !row.next.IsZero() {
			row.next = row.next.In(zone)
		}
		if !row.lastSlot.IsZero() {
			row.lastSlot = row.lastSlot.In(zone)
		}
		if !slices.Contains(row.frequency.Values(), row.frequency) || row.name == "" {
			return fmt.Errorf("is no schedule: frequency %q", row.frequency)
		}
		var p model.Problems
		if model.CheckDays(&p, row.frequency, row.dayOfMonth, row.dayOfWeek); len(p) > 0 {
			return fmt.Errorf("is no schedule: %w", p.Err())
		}
	case *auditRow:
		if err := l.audit(row); err != nil {
			return err
		}
	case *progressRow:
		if err := l.progress(row); err != nil {
			return err
		}
	case *suppressionRow:
		if first[suppressionRow](l.txn, suppressionTable, "token", text(row.token)) != nil {
			return fmt.Errorf("has the token %q of another suppression", row.token)
		}
	}
	return l.txn.Insert(r.Table, row)
}

func (l *loader) audit(row *auditRow) error {
	if row.seq == 0 || !slices.Contains(row.status.Values(), row.status) || row.startTime.IsZero() || len(row.checks) == 0 {
		return fmt.Errorf("is no audit: seq %d, status %q, start time %v, %d checks", row.seq, row.status, row.startTime, len(row.checks))
	}
	if row.key != "" && first[auditRow](l.txn, auditTable, "key", text(row.key)) != nil {
		return fmt.Errorf("has the idempotency key %q of another audit", row.key)
	}
	if err := beginFindings(l.store, row); err != nil {
		return err
	}
	l.newest = max(l.newest, row.seq)
	if row.status == model.AuditTaskStatusInProgress || row.owed {
		l.left = append(l.left, row.taskID)
	}
	l.audits[row.seq], l.ended[row] = row, make([]bool, len(row.checks))
	return nil
}

// maxProgress leaves numbers for all rows of an audit to come.
const maxProgress = 1<<31 - 1

func (l *loader) progress(row *progressRow) error {
	audit := l.audits[row.seq]
	if audit == nil || audit.taskID != row.taskID {
		return fmt.Errorf("is of the audit %q, which is not there", row.taskID)
	}
	if row.number < 0 || row.number > maxProgress {
		return fmt.Errorf("has number %d, not 0 to %d", row.number, maxProgress)
	}
	for _, r := range row.runs {
		status := row.of(r).CheckRunStatus
		switch {
		case r.ordinal < 0 || r.ordinal >= len(audit.checks):
			return fmt.Errorf("is of check %d of an audit of %d", r.ordinal, len(audit.checks))
		case !slices.Contains(status.Values(), status):
			return fmt.Errorf("has status %q", status)
		case l.ended[audit][r.ordinal]:
			return fmt.Errorf("is of check %d, which has ended before", r.ordinal)
		}
		l.ended[audit][r.ordinal] = hasEnded(status)
	}
	return nil
}

func hasEnded(s model.AuditCheckRunStatus) bool {
	return s != model.AuditCheckRunStatusInProgress && s != model.AuditCheckRunStatusWaitingForDataCollection
}

// done looks at what only all rows together can tell.
func (l *loader) done() error {
	if l.err != nil { // the Store has passed over it
		return l.err
	}
	if err := l.findings.Done(); err != nil {
		return err
	}
	if l.any && first[metaRow](l.txn, metaTable, "id", text("")) == nil {
		return fmt.Errorf("table %s has no row", metaTable)
	}
	for _, seq := range slices.Sorted(maps.Keys(l.audits)) {
		row := l.audits[seq]
		for ordinal, ended := range l.ended[row] {
			_, _, kept := l.store.Counts(row.taskID, ordinal)
			switch {
			case !ended && row.status != model.AuditTaskStatusInProgress:
				return fmt.Errorf("audit %s is %s, but its check %s has not ended", row.taskID, row.status, row.checks[ordinal])
			case ended && !kept:
				return fmt.Errorf("audit %s: the findings of %s are missing", row.taskID, row.checks[ordinal])
			case !ended && kept:
				return fmt.Errorf("audit %s has findings of %s, which has not ended", row.taskID, row.checks[ordinal])
			}
		}
	}
	return nil
}

// recount makes what Statistics says of audits and findings that the Engine has not made itself: those up to newest.
func (e *Engine) recount(txn *memdb.Txn, newest uint64) {
	for row := range rows[auditRow](txn, auditTable, "start", nil) {
		if row.seq > newest { // begun in the same transaction, and counted
			continue
		}
		if row.status == model.AuditTaskStatusInProgress {
			e.tally.audit(row.kind, "", row.status)
		}
		if !row.asOf.IsZero() {
			continue
		}
		for p := range rows[progressRow](txn, progressTable, "id", text(row.taskID)) {
			for _, r := range p.runs {
				i, ok := e.ordinals[row.checks[r.ordinal]]
				if ok && completed(p.of(r).CheckRunStatus) {
					active, suppressed, _ := e.findings.Counts(row.taskID, r.ordinal)
					e.tally.counted(i, active, suppressed, r.end.time())
				}
			}
		}
	}
}

// checkParameters tells of parameters in a loaded account that its checks do not take any more: their defaults hold.
func (e *Engine) checkParameters(a *accountRow) {
	if a == nil {
		return
	}
	for _, s := range e.specs {
		var p model.Problems
		s.Configure(&p, s.Name, a.checks[s.Name].Configuration)
		if err := p.Err(); err != nil {
			e.config.Logger.Warn("a parameter of the account is not what its check takes any more, and its default holds", "check", s.Name, "error", err)
		}
	}
}

package findings

import (
	"errors"
	"fmt"
	"maps"

	"github.com/fleetaudit/fleetaudit/model"
)

// Txn is a transaction that writes to a [Store]: what it appends and drops is there for nobody before [Txn.Commit], and
// then all at once. Make one with [Store.Txn]. It is for one goroutine at a time.
type Txn struct {
	store   *Store
	over    bool // committed or aborted
	changed bool
	view    view
	own     bool // whether view.checks is no one else's
	dict    *dictionary
	ran     []place         // the runs that it has appended
	gone    map[*audit]bool // the audits that it has dropped
	mirror  *mirror         // nil: nobody asks for rows
}

// Txn returns a new transaction. It waits until no other is open: [Txn.Commit] or [Txn.Abort] must follow. Readers do
// not wait, nor does [Store.Begin].
func (s *Store) Txn() *Txn {
	s.mu.Lock()
	t := &Txn{store: s, view: *s.view.Load(), dict: s.dict}
	if s.mirrored.Load() {
		t.mirror = newMirror(s, &t.view)
	}
	return t
}

// Append is [Store.Append] as a part of the transaction, which can go on after an error.
func (t *Txn) Append(run Run, fs []Finding) error {
	switch {
	case t.over:
		return errors.New("findings: the transaction is over")
	case run.Ordinal < 0 || run.Ordinal > maxOrdinal:
		return fmt.Errorf("findings: Ordinal %d of audit %q must be from 0 to %d", run.Ordinal, run.TaskID, maxOrdinal)
	case run.CheckName == "":
		return fmt.Errorf("findings: CheckName %q of audit %q must not be empty", run.CheckName, run.TaskID)
	case run.Time.IsZero():
		return fmt.Errorf("findings: Time of %s of audit %q must not be zero", run.CheckName, run.TaskID)
	case uint64(len(fs)) > maxFindings:
		return fmt.Errorf("findings: a run of %d findings of %s %w", len(fs), run.CheckName, ErrFull)
	}
	a, ordinal := t.store.audit(run.TaskID), uint32(run.Ordinal)
	if a == nil || t.gone[a] {
		return fmt.Errorf("findings: TaskID %q %w", run.TaskID, ErrUnknownTask)
	}
	if _, taken := a.ran[ordinal]; taken {
		return fmt.Errorf("findings: Ordinal %d of audit %q %w", run.Ordinal, run.TaskID, ErrRunTaken)
	}
	if !t.dict.fits(len(fs)) {
		return fmt.Errorf("findings: a run of %d findings of %s %w", len(fs), run.CheckName, ErrFull)
	}
	var known []uint32
	before := t.view.before(run.CheckName)
	if before != nil {
		known = before.contents
	}
	contents, entries := t.dict.learn(fs, known)
	entries = sortEntries(entries)
	if marked := t.dict.repeats(contents, entries); marked != nil {
		var kept []Finding
		for i := range fs {
			if !marked[i] {
				kept = append(kept, fs[i])
			}
		}
		fs = kept
		contents, entries = t.dict.learn(fs, contents)
		entries = sortEntries(entries)
	}
	segment := &segment{
		audit: a, seq: t.view.seq, ordinal: ordinal, check: run.CheckName, severity: run.Severity,
		time: model.At(run.Time), contents: contents, flips: flipsOf(fs), incomplete: run.Incomplete,
	}
	if t.mirror != nil {
		t.mirror.append(&t.dict.words, segment, before)
	}
	t.add(segment, entries)
	return nil
}

// add makes a run visible to what follows in the transaction.
func (t *Txn) add(s *segment, entries []uint64) {
	s.audit.ran[s.ordinal] = struct{}{}
	t.ran = append(t.ran, place{s, 0})
	v := &t.view
	v.seq++
	v.runs = v.runs.with(s)
	check := v.checks[s.check]
	if !s.audit.hypothetical {
		check.runs = check.runs.with(s)
	}
	if len(s.contents) > 0 {
		v.words = t.dict.words
		v.count += len(s.contents)
		v.all, check.all = v.all.with(s), check.all.with(s)
		v.tiers = addTier(v.tiers, newTier(s, entries), tierMax)
	}
	if !t.own {
		v.checks, t.own = maps.Clone(v.checks), true
	}
	if v.checks == nil {
		v.checks = make(map[string]checkView)
	}
	v.checks[s.check] = check
	t.changed = true
}

// Commit makes everything visible at once and ends the transaction. It cannot fail. After Commit or Abort it does
// nothing.
func (t *Txn) Commit() {
	if t.over {
		return
	}
	s := t.store
	s.dict = t.dict
	if t.mirror != nil {
		s.chunk = t.mirror.chunks.newest
	}
	if t.changed {
		v := t.view
		s.view.Store(&v)
	}
	for a := range t.gone { // not before: who lists them finds them
		a.ran = nil // a history may still name it
		s.forget(a)
	}
	t.end()
}

// Abort ends the transaction as though nothing had happened: what it has dropped is still there, and the runs that it
// has appended can be appended again. The words of those take memory until a Drop of an audit that has runs. After Commit or Abort it
// does nothing, so that it can be deferred.
func (t *Txn) Abort() {
	if t.over {
		return
	}
	for _, p := range t.ran {
		delete(p.segment.audit.ran, p.segment.ordinal)
	}
	t.end()
}

func (t *Txn) end() {
	t.over = true
	t.store.mu.Unlock()
}

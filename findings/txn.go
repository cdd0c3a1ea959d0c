package findings

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"

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
	ran     []*segment      // the runs that it has appended
	listed  int             // how many of those view.runs has
	last    *audit          // of the run appended last
	room    []segment       // for the next runs
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

// maxRoom is how many segments are allocated at once: none of them goes before all do.
const maxRoom = 16

// Append is [Store.Append] as a part of the transaction, which can go on after an error.
func (t *Txn) Append(run Run, fs []Finding) error {
	return t.AppendSeq(run, len(fs), func(yield func(*Finding) bool) {
		for i := range fs {
			if !yield(&fs[i]) {
				return
			}
		}
	})
}

// AppendSeq is [Txn.Append] of n findings that need not be in memory all at once. It goes through them at most once, and
// not at all when there is an error that does not depend on them, and is done with each one when it asks for the next. It
// is an error if they are not n, but of n = 0 none is asked for. fs must not use the Txn.
func (t *Txn) AppendSeq(run Run, n int, fs iter.Seq[*Finding]) error {
	switch {
	case t.over:
		return errors.New("findings: the transaction is over")
	case run.Ordinal < 0 || run.Ordinal > maxOrdinal:
		return fmt.Errorf("findings: Ordinal %d of audit %q must be from 0 to %d", run.Ordinal, run.TaskID, maxOrdinal)
	case run.CheckName == "":
		return fmt.Errorf("findings: CheckName %q of audit %q must not be empty", run.CheckName, run.TaskID)
	case run.Time.IsZero():
		return fmt.Errorf("findings: Time of %s of audit %q must not be zero", run.CheckName, run.TaskID)
	case n < 0:
		return fmt.Errorf("findings: a run of %d findings of %s makes no sense", n, run.CheckName)
	case uint64(n) > maxFindings:
		return fmt.Errorf("findings: a run of %d findings of %s %w", n, run.CheckName, ErrFull)
	}
	a, ordinal := t.last, uint32(run.Ordinal)
	if a == nil || a.taskID != run.TaskID {
		a = t.store.audit(run.TaskID)
		t.last = a
	}
	if a == nil || t.gone[a] {
		return fmt.Errorf("findings: TaskID %q %w", run.TaskID, ErrUnknownTask)
	}
	if a.ran.has(ordinal) {
		return fmt.Errorf("findings: Ordinal %d of audit %q %w", run.Ordinal, run.TaskID, ErrRunTaken)
	}
	if !t.dict.fits(n) {
		return fmt.Errorf("findings: a run of %d findings of %s %w", n, run.CheckName, ErrFull)
	}
	if len(t.room) == 0 {
		t.room = make([]segment, min(len(t.ran)+1, maxRoom))
	}
	s := &t.room[0]
	t.room = t.room[1:]
	*s = segment{
		audit: a, seq: t.view.seq, ordinal: ordinal, check: run.CheckName, severity: run.Severity,
		time: model.At(run.Time), incomplete: run.Incomplete,
	}
	var before *segment
	var entries []uint64
	if n > 0 {
		before = t.view.before(run.CheckName)
		var ok bool
		if entries, ok = t.learn(s, before, n, fs); !ok {
			return fmt.Errorf("findings: a run of %d findings of %s has fewer or more of them", n, run.CheckName)
		}
	}
	if t.mirror != nil {
		t.mirror.append(&t.dict.words, s, before)
	}
	t.add(s, entries)
	return nil
}

// learn puts n findings into a run, and returns the entries that they get in the index of resources, or false if they are
// not n. before is the run of the check before, or nil.
func (t *Txn) learn(s, before *segment, n int, fs iter.Seq[*Finding]) (entries []uint64, ok bool) {
	var known []uint32
	if before != nil {
		known = before.contents
	}
	contents, flips := t.dict.learn(n, fs, known)
	if len(contents) != n {
		return nil, false
	}
	entries = t.dict.entries(contents)
	if marked := t.dict.repeats(contents, entries); marked != nil {
		contents, flips = without(marked, contents, flips)
		entries = t.dict.entries(contents)
	}
	s.contents, s.flips = contents, slices.Clone(flips) // without the room that append left
	return entries, true
}

// add makes a run visible to what follows in the transaction.
func (t *Txn) add(s *segment, entries []uint64) {
	s.audit.ran.add(s.ordinal)
	t.ran = append(t.ran, s)
	v := &t.view
	v.seq++
	check := v.check(s.check)
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
		v.checks = make(map[string]*checkView)
	}
	v.checks[s.check] = &check
	t.changed = true
}

// list puts the runs that were appended since the last call into the list of all: many at once cost little more than one.
func (t *Txn) list() {
	t.view.runs = t.view.runs.withAll(slices.Clone(t.ran[t.listed:]))
	t.listed = len(t.ran)
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
	t.list()
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
	for _, s := range t.ran {
		s.audit.ran.remove(s.ordinal)
	}
	t.end()
}

func (t *Txn) end() {
	t.over = true
	t.store.mu.Unlock()
}

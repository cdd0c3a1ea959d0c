package findings

import (
	"fmt"
	"hash/maphash"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fleetaudit/fleetaudit/model"
)

// Store holds the findings of audits in memory. Make one with [New]. It is safe for concurrent use:
// readers take no lock, so neither a long Append nor a Drop keeps them waiting, and they keep no writer
// waiting. Writers take turns. It starts no goroutine.
type Store struct {
	view   atomic.Pointer[view]
	audits sync.Map // from audit.prefix to *audit
	begun  atomic.Uint64
	tokens *Tokens

	relatedTokens *Tokens // of the lists of related resources

	seed maphash.Seed // of the dictionary's hashes, for readers

	mu   sync.Mutex // held by writers, but for Begin; it guards what follows
	dict *dictionary
}

// view is what readers see: a state of the store that does not change.
type view struct {
	words
	seq    uint64 // how many segments have ever been appended
	count  int    // of findings
	all    list   // the runs that have findings
	runs   list   // all runs
	checks map[string]checkView
	tiers  []*tier
}

// checkView is what readers see of one check.
type checkView struct {
	all    list   // the runs that have findings
	runs   list   // those with or without findings that make up the history
	firsts firsts // what the history knows of audits that were dropped
}

// New returns an empty Store.
func New() *Store {
	s := &Store{tokens: NewTokens(), relatedTokens: NewTokens(), seed: maphash.MakeSeed()}
	s.dict = &dictionary{seed: s.seed}
	s.view.Store(new(view))
	return s
}

// Audit is what the store has to know of an audit.
type Audit struct {
	TaskID    string    // not empty, unique within the store
	StartTime time.Time // decides the order of audits; not zero

	// Hypothetical says that the checks judge as of another time than now. The findings are listed like
	// any others, but the audit is no part of any [History].
	Hypothetical bool
}

// Begin registers an audit, to which [Store.Append] then adds. Audits are ordered by their start times,
// those of the same instant by their calls of Begin. The error wraps [ErrTaskTaken] when the store has
// an audit of the same task id, or of one that makes the same finding ids: 32 lower-case hexadecimal
// digits give them their first 16, any other id a hash of it. Begin waits for no other writer.
func (s *Store) Begin(a Audit) error {
	if a.TaskID == "" {
		return fmt.Errorf("findings: TaskID %q must not be empty", a.TaskID)
	}
	if a.StartTime.IsZero() {
		return fmt.Errorf("findings: StartTime of audit %q must not be zero", a.TaskID)
	}
	prefix := prefixOf(a.TaskID)
	other, taken := s.audits.LoadOrStore(prefix, &audit{
		taskID: a.TaskID,
		prefix: prefix,
		start:  a.StartTime.Round(0), // without a monotonic clock, which tokens cannot carry
		begun:  s.begun.Add(1),
		ran:    make(map[uint32]struct{}),

		hypothetical: a.Hypothetical,
	})
	if taken {
		return fmt.Errorf("findings: TaskID %q %w: %q", a.TaskID, ErrTaskTaken, other.(*audit).taskID)
	}
	return nil
}

// audit returns the audit of a task, or nil.
func (s *Store) audit(taskID string) *audit {
	if a, ok := s.audits.Load(prefixOf(taskID)); ok && a.(*audit).taskID == taskID {
		return a.(*audit)
	}
	return nil
}

// Run says what the findings of one check run have in common.
type Run struct {
	TaskID    string
	Ordinal   int                        // the check's place in its audit, from 0, which decides the order; below 2^24
	CheckName string                     // not empty
	Severity  model.AuditFindingSeverity // of the check
	Time      time.Time                  // the finding time, kept in milliseconds; not zero

	// Incomplete says that the check failed or was canceled: what it did not find may still be there.
	Incomplete bool
}

// Finding is one finding of a check run, as [Store.Append] takes it.
type Finding struct {
	Resource   model.NonCompliantResource
	Related    []model.RelatedResource
	Reason     string // in words
	ReasonCode string
	Suppressed bool
}

// Append adds one check run with its findings, none or many, which become visible all at once. Of findings
// with the same resource identifier and reason code only the first is kept; the words of the others take memory until
// the next Drop. Append keeps no part of fs:
// the caller may change it afterwards. An empty slice or map comes back as nil.
//
// The error wraps [ErrUnknownTask] when no audit of that task was begun or it was dropped, [ErrRunTaken]
// when the audit has a run of that ordinal, and [ErrFull] when there would be more than 2^32 distinct
// contents or texts. Then nothing is added.
func (s *Store) Append(run Run, fs []Finding) error {
	switch {
	case run.Ordinal < 0 || run.Ordinal > maxOrdinal:
		return fmt.Errorf("findings: Ordinal %d of audit %q must be from 0 to %d", run.Ordinal, run.TaskID, maxOrdinal)
	case run.CheckName == "":
		return fmt.Errorf("findings: CheckName %q of audit %q must not be empty", run.CheckName, run.TaskID)
	case run.Time.IsZero():
		return fmt.Errorf("findings: Time of %s of audit %q must not be zero", run.CheckName, run.TaskID)
	case uint64(len(fs)) > maxFindings:
		return fmt.Errorf("findings: a run of %d findings of %s %w", len(fs), run.CheckName, ErrFull)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ordinal := s.audit(run.TaskID), uint32(run.Ordinal)
	if a == nil {
		return fmt.Errorf("findings: TaskID %q %w", run.TaskID, ErrUnknownTask)
	}
	if _, taken := a.ran[ordinal]; taken {
		return fmt.Errorf("findings: Ordinal %d of audit %q %w", run.Ordinal, run.TaskID, ErrRunTaken)
	}
	if !s.dict.fits(len(fs)) {
		return fmt.Errorf("findings: a run of %d findings of %s %w", len(fs), run.CheckName, ErrFull)
	}
	a.ran[ordinal] = struct{}{}
	contents, entries := s.dict.learn(fs, s.view.Load().before(run.CheckName))
	entries = sortEntries(entries)
	if marked := s.dict.repeats(contents, entries); marked != nil {
		var kept []Finding
		for i := range fs {
			if !marked[i] {
				kept = append(kept, fs[i])
			}
		}
		fs = kept
		contents, entries = s.dict.learn(fs, contents)
		entries = sortEntries(entries)
	}
	v := *s.view.Load()
	segment := &segment{
		audit: a, seq: v.seq, ordinal: ordinal, check: run.CheckName, severity: run.Severity,
		time: model.At(run.Time), contents: contents, flips: flipsOf(fs), incomplete: run.Incomplete,
	}
	v.seq++
	v.runs = v.runs.with(segment)
	check := v.checks[run.CheckName]
	if !a.hypothetical {
		check.runs = check.runs.with(segment)
	}
	if len(fs) > 0 {
		v.words = s.dict.words
		v.count += len(fs)
		v.all, check.all = v.all.with(segment), check.all.with(segment)
		v.tiers = addTier(v.tiers, newTier(segment, entries), tierMax)
	}
	if v.checks = maps.Clone(v.checks); v.checks == nil {
		v.checks = make(map[string]checkView)
	}
	v.checks[run.CheckName] = check
	s.view.Store(&v)
	return nil
}

// before returns what the newest run of a check found, of those that found something.
func (v *view) before(check string) (contents []uint32) {
	for s := range v.checks[check].all.from(top(), every) {
		return s.contents
	}
	return nil
}

// Len returns how many findings the store holds.
func (s *Store) Len() int { return s.view.Load().count }

// Error is a fault that a program may want to tell apart from others, with errors.Is. Messages say it
// together with the field and the value that it is about.
type Error string

// The faults of Begin, Append, Diff, Related and [Tokens.Open].
const (
	ErrTaskTaken      Error = "is taken by another audit"
	ErrUnknownTask    Error = "names no audit of this store"
	ErrUnknownFinding Error = "names no finding of this store"
	ErrRunTaken       Error = "has its findings already"
	ErrFull           Error = "does not fit into the store"
	ErrForeignToken   Error = "is not a token that was given out here"
	ErrOtherQuery     Error = "is a token of another query"
)

// Error returns the fault in words that go on from "field value".
func (e Error) Error() string { return string(e) }

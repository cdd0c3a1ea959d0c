package findings

import (
	"fmt"
	"hash/maphash"
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
	orders sync.Map // from audit.begun to *audit
	begun  atomic.Uint64
	tokens *Tokens

	relatedTokens *Tokens // of the lists of related resources

	seed maphash.Seed // of the dictionary's hashes, for readers

	mirrored  atomic.Bool
	chunkSize chunkSize

	mu    sync.Mutex // held by writers, but for Begin; it guards what follows
	dict  *dictionary
	chunk uint64 // the number of the newest chunk
}

// view is what readers see: a state of the store that does not change.
type view struct {
	words
	seq    uint64                // how many segments have ever been appended
	count  int                   // of findings
	all    list                  // the runs that have findings
	runs   list                  // all runs
	checks map[string]*checkView // that do not change either
	tiers  []*tier
}

// checkView is what readers see of one check.
type checkView struct {
	all    list   // the runs that have findings
	runs   list   // those with or without findings that make up the history
	firsts firsts // what the history knows of audits that were dropped
}

func (v *view) check(name string) checkView {
	if c := v.checks[name]; c != nil {
		return *c
	}
	return checkView{}
}

// New returns an empty Store.
func New() *Store {
	s := &Store{tokens: NewTokens(), relatedTokens: NewTokens(), seed: maphash.MakeSeed(), chunkSize: defaultChunkSize()}
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

	// Order is the place among the audits of one instant: the greater is the newer. An Order names an audit in what
	// [Store.Mirror] tells, so it must never be used twice. Zero, which a mirrored Store does not take: greater than
	// those of all audits before.
	Order uint64
}

// Begin registers an audit, to which [Store.Append] then adds. Audits are ordered by their start times,
// those of the same instant by Order. The error wraps [ErrTaskTaken] when the store has
// an audit of the same task id, or of one that makes the same finding ids: 32 lower-case hexadecimal
// digits give them their first 16, any other id a hash of it; or of the same Order. Begin waits for no other writer.
func (s *Store) Begin(a Audit) error {
	if a.TaskID == "" {
		return fmt.Errorf("findings: TaskID %q must not be empty", a.TaskID)
	}
	if a.StartTime.IsZero() {
		return fmt.Errorf("findings: StartTime of audit %q must not be zero", a.TaskID)
	}
	if a.Order == 0 && s.mirrored.Load() {
		return fmt.Errorf("findings: Order %d of audit %q must not be zero", a.Order, a.TaskID)
	}
	begun := &audit{
		taskID: a.TaskID,
		prefix: prefixOf(a.TaskID),
		start:  a.StartTime.Round(0), // without a monotonic clock, which tokens cannot carry
		begun:  a.Order,
		ran:    make(ordinals),

		hypothetical: a.Hypothetical,
	}
	if other := s.order(begun); other != nil {
		return fmt.Errorf("findings: Order %d of audit %q %w: %q", a.Order, a.TaskID, ErrTaskTaken, other.taskID)
	}
	if other, taken := s.audits.LoadOrStore(begun.prefix, begun); taken {
		s.orders.Delete(begun.begun)
		return fmt.Errorf("findings: TaskID %q %w: %q", a.TaskID, ErrTaskTaken, other.(*audit).taskID)
	}
	return nil
}

// order takes the order of an audit, or one after all others if it has none. It returns the audit that has it already.
func (s *Store) order(a *audit) *audit {
	for next := a.begun == 0; ; {
		if next {
			a.begun = s.begun.Add(1)
		}
		other, taken := s.orders.LoadOrStore(a.begun, a)
		switch {
		case taken && next:
			continue
		case taken:
			return other.(*audit)
		}
		for begun := s.begun.Load(); begun < a.begun && !s.begun.CompareAndSwap(begun, a.begun); {
			begun = s.begun.Load()
		}
		return nil
	}
}

// forget takes out an audit, whose task id and order another one may have then.
func (s *Store) forget(a *audit) {
	s.audits.Delete(a.prefix)
	s.orders.Delete(a.begun)
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
	t := s.Txn()
	defer t.Abort()
	if err := t.Append(run, fs); err != nil {
		return err
	}
	t.Commit()
	return nil
}

// before returns the newest run of a check, of those that found something, or nil.
func (v *view) before(check string) *segment {
	for s := range v.check(check).all.from(top(), every) {
		return s
	}
	return nil
}

// Len returns how many findings the store holds.
func (s *Store) Len() int { return s.view.Load().count }

// Counts returns how many findings a check run has that are not suppressed, and how many that are. It is false when the
// store has no run of that ordinal. It costs a look-up, and a step for each place where findings of the one kind
// follow those of the other.
func (s *Store) Counts(taskID string, ordinal int) (active, suppressed int, ok bool) {
	a := s.audit(taskID)
	if a == nil || ordinal < 0 || ordinal > maxOrdinal {
		return 0, 0, false
	}
	p := a.top()
	p.ordinal = uint32(ordinal)
	run := s.view.Load().runs.get(p)
	if run == nil {
		return 0, 0, false
	}
	suppressed = run.suppressedCount()
	return len(run.contents) - suppressed, suppressed, true
}

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
	ErrForeignToken   Error = "is not a token that was given out here since the last start"
	ErrOtherQuery     Error = "is a token of another query"
)

// Error returns the fault in words that go on from "field value".
func (e Error) Error() string { return string(e) }

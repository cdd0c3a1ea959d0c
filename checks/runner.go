package checks

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// Limiter bounds how much works at once; *semaphore.Weighted of golang.org/x/sync is one.
type Limiter interface {
	Acquire(ctx context.Context, n int64) error
	Release(n int64)
}

// Runner runs checks, each behind a fence: whatever one does, the others go on and its own outcome is
// told. Its fields must not change once it is in use; it is safe for concurrent use.
type Runner struct {
	// Slots bounds how many checks, and shards of sources, work at once. Nil: no bound.
	Slots Limiter
	// TimeLimit is how long one check may work. Waiting for a slot, for data, for the resources of a scan
	// and for the other checks that share it does not count; but a source has a TimeLimit of its own to
	// bring the resources of one scan. Zero or less: no limit, and a check that hangs holds up those that
	// share its scan.
	TimeLimit time.Duration
	// Grace is how long a check may go on after its context has ended before it is left behind. Its
	// outcome is told then; its goroutine ends when it returns. Zero: one second.
	Grace time.Duration
	// MaxFindings is how many findings one run may report; one more and it fails. Zero or less: no limit.
	MaxFindings int

	mu   sync.Mutex
	live int           // goroutines that the Runner has started
	idle chan struct{} // closed when there are none; nil before the first
}

// Job is one check to run, and who is to be told about it. It serves for one Run.
type Job struct {
	Check Check
	Spec  *Spec // the Check's, read once, and not changed
	Pass  Pass  // TaskID, Time, Since, Config and Logger; the Runner sets the rest, and the Check gets this one

	// Now, if not nil, is asked for the Pass's Time after a wait for the data of the Spec's Source. It must not
	// block.
	Now func() time.Time
	// NoWait says that the run does not wait for data collection: where it would, it gets [ErrNoData] instead.
	NoWait bool
	// Packed says that the Outcome's Findings are left out, and only All has them: of many, a slice takes several times
	// the memory.
	Packed bool
	// Start, if not nil, is told that the check begins to look, once there is data, and the Pass's Time. It must
	// not block.
	Start func(at time.Time)
	// Waiting, if not nil, is told when the run begins and ends to wait for data collection. It is not
	// told anything after End.
	Waiting func(waiting bool)
	// End, if not nil, is told the outcome, once, on any goroutine. It must not block.
	End func(Outcome)

	scanned      atomic.Int64
	nonCompliant atomic.Int64
}

// Progress tells how many resources have been checked so far, and how many of them are non-compliant.
// It may be called at any time.
func (j *Job) Progress() (scanned, nonCompliant int64) {
	n := j.nonCompliant.Load()
	return max(j.scanned.Load(), n), n
}

// Outcome is how a check run ended.
type Outcome struct {
	Err error // nil: it completed
	// Message, InsufficientPermissions and Stack say what Err says. They were asked of it while the check's
	// fence still stood: the methods of Err may be the check's own code, which may panic or hang.
	Message                 string
	InsufficientPermissions bool   // Err is ErrInsufficientPermissions
	Stack                   []byte // of a panic
	Stopped                 bool   // the run was told to stop, and Err is why
	NoData                  bool   // a run with NoWait met a source without data, and failed

	Scanned      int64 // resources that were checked
	NonCompliant int64 // resources with at least one finding
	// Findings are in the order of shards and reports, one for each resource and reason code. They are
	// what was found before the end, also where Err is not nil.
	Findings []Finding

	found *found // those of a Job that is Packed; nil: none
}

// Errors of an Outcome that are not the check's own.
var (
	ErrTimeLimit       = errors.New("went beyond the time limit") // a check, or the source that it scanned
	ErrTooManyFindings = errors.New("the check reported more findings than it may")
	ErrNoData          = errors.New("there is no data yet") // of a Job that has NoWait
	errGoexit          = errors.New("runtime.Goexit was called")
)

// PanicError is the error of a check that panicked.
type PanicError struct {
	Value any    // what it panicked with
	Stack []byte // where, as debug.Stack has it

	text string
}

// Error returns the panic's value in words.
func (e *PanicError) Error() string { return e.text }

// Unwrap returns the value of the panic if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// Run runs the jobs, and returns when each of them has its outcome. They start in order, as slots allow.
// If ctx ends, those that run are cancelled and keep what they found; the cause of ctx is their error.
func (r *Runner) Run(ctx context.Context, jobs []*Job) {
	newCrew(ctx, r, jobs).work()
}

// Wait returns when every goroutine that the Runner started has ended, those that outlived their check
// included, or with an error that counts them when ctx ends. No Run may be in progress.
func (r *Runner) Wait(ctx context.Context) error {
	r.mu.Lock()
	live, idle := r.live, r.idle
	r.mu.Unlock()
	if live == 0 {
		return nil
	}
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		r.mu.Lock()
		defer r.mu.Unlock()
		return fmt.Errorf("%d goroutines of checks have not ended: %w", r.live, context.Cause(ctx))
	}
}

// spawn starts a goroutine that Wait waits for.
func (r *Runner) spawn(f func()) {
	r.mu.Lock()
	if r.live == 0 {
		r.idle = make(chan struct{})
	}
	r.live++
	r.mu.Unlock()
	go func() {
		defer func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.live--
			if r.live == 0 {
				close(r.idle)
			}
		}()
		f()
	}()
}

func (r *Runner) grace() time.Duration {
	if r.Grace == 0 {
		return time.Second
	}
	return r.Grace
}

func (r *Runner) timeLimitError() error { return fmt.Errorf("%w of %v", ErrTimeLimit, r.TimeLimit) }

// protect calls f and tells ended how it went: with f's error, or that it panicked or exited its
// goroutine. In the last case the goroutine goes on to end after ended has returned. An error that ended
// gets is safe to ask for its text.
func protect(f func() error, ended func(error)) {
	err := errGoexit
	defer func() { ended(err) }()
	err = recovered(f)
}

func recovered(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{p, debug.Stack(), fmt.Sprintf("panic: %v", p)}
		}
	}()
	return settle(f())
}

// failure is an error with what it says, asked of it where that could do no harm.
type failure struct {
	err          error
	text         string
	insufficient bool
	stack        []byte
}

func (f *failure) Error() string { return f.text }
func (f *failure) Unwrap() error { return f.err }

func settle(err error) error {
	switch err.(type) {
	case nil, *failure, *PanicError:
		return err
	}
	f := &failure{err: err, text: err.Error(), insufficient: errors.Is(err, ErrInsufficientPermissions)}
	if p, ok := errors.AsType[*PanicError](err); ok {
		f.stack = p.Stack
	}
	return f
}

// raw returns the error that was settled.
func raw(err error) error {
	if f, ok := err.(*failure); ok {
		return f.err
	}
	return err
}

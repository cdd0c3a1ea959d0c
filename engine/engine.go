package engine

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-memdb"
	"golang.org/x/sync/semaphore"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// ErrClosed is the error of an Engine that has been closed. What it holds can still be read.
var ErrClosed = errors.New("engine: closed")

// Engine is the audit service of one account. It is safe for concurrent use.
type Engine struct {
	config   Config // with defaults
	specs    []checks.Spec
	ordinals map[string]int // of checks, by name
	state    *memdb.MemDB
	findings *findings.Store
	tokens   *findings.Tokens
	runner   checks.Runner
	created  atomic.Uint64 // counts audits, to order them
	writers  writers
	failure  atomic.Pointer[error] // why there are no more writes
	failed   chan struct{}         // closed when there are none
	halted   chan struct{}         // closed when Close ends

	resuming sync.Mutex
	left     []string      // task ids of audits with which Resume has something to do; of resuming
	maxSleep time.Duration // of the schedule loop

	collection collection
	tally      tally
	inForce    []atomic.Pointer[inForce] // by the ordinals of checks

	ctx    context.Context // ends when the Engine is closed
	cancel context.CancelCauseFunc

	notifyCtx  context.Context // ends when Close has no more patience with notifiers
	stopNotify context.CancelCauseFunc

	mu          sync.Mutex
	closed      bool
	running     map[string]*execution // by task id
	notifying   int                   // calls of the Notifier
	forecasting int                   // calls of Forecast
	changing    int                   // operations that change something
	work        sync.WaitGroup        // audits, notifications, forecasts, and operations that change something
}

// New makes an Engine. It reads the Spec of each check, and what the Store holds, and starts no goroutine: audits that
// were in progress when the Engine before ended go on with [Engine.Resume]. The error names everything that is wrong
// with the Config, or the row of the Store that cannot be read.
func New(config Config) (*Engine, error) {
	config, specs, err := config.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	state, err := newState()
	if err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	e := &Engine{
		config:   config,
		specs:    specs,
		ordinals: make(map[string]int, len(config.Checks)),
		state:    state,
		findings: findings.New(),
		tokens:   findings.NewTokens(),
		failed:   make(chan struct{}),
		halted:   make(chan struct{}),
		maxSleep: maxSleep,
		running:  make(map[string]*execution),
		runner: checks.Runner{
			Slots:       semaphore.NewWeighted(int64(config.Concurrency)),
			TimeLimit:   config.CheckTimeLimit,
			Grace:       config.StopGrace,
			MaxFindings: config.MaxFindings,
		},
	}
	for i, s := range specs {
		e.ordinals[s.Name] = i
	}
	e.tally.checks = make([]checkTally, len(specs))
	e.inForce = make([]atomic.Pointer[inForce], len(specs))
	e.ctx, e.cancel = context.WithCancelCause(context.Background())
	e.notifyCtx, e.stopNotify = context.WithCancelCause(context.Background())
	if err := e.open(); err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	e.config.Suppressions = nil // the caller's
	e.collect()
	return e, nil
}

// Checks returns the Specs of the checks that the Engine has, in order.
func (e *Engine) Checks() []checks.Spec {
	specs := slices.Clone(e.specs)
	for i := range specs {
		s := &specs[i]
		s.Params, s.ReasonCodes = slices.Clone(s.Params), slices.Clone(s.ReasonCodes)
		s.References, s.Needs = slices.Clone(s.References), slices.Clone(s.Needs)
	}
	return specs
}

const (
	closeTimeout = 10 * time.Second // for Close
	lastCall     = time.Second      // of it are left to notifiers after their contexts have ended
)

// Close cancels the audits in progress, which keep what they found, and waits until every goroutine of
// the Engine has ended, and every operation that changes something. With a Store, it only interrupts audits: they stay
// IN_PROGRESS, and the next Engine resumes them. Notifiers have nine seconds to finish, then their contexts end. If checks or
// notifiers do not return, it gives up after ten seconds, with an error that says how many. Afterwards
// operations that change something fail with [ErrClosed]. Closing twice is fine.
func (e *Engine) Close() error {
	e.mu.Lock()
	again := e.closed
	e.closed = true
	e.mu.Unlock()
	if !again {
		defer close(e.halted)
	}
	e.cancel(ErrClosed)
	hurry := time.AfterFunc(closeTimeout-lastCall, func() { e.stopNotify(ErrClosed) })
	defer hurry.Stop()

	ctx, cancel := context.WithTimeoutCause(context.Background(), closeTimeout, errors.New("gave up waiting"))
	defer cancel()
	done := make(chan struct{})
	go func() {
		e.work.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		e.mu.Lock()
		defer e.mu.Unlock()
		return fmt.Errorf("engine: close: %d audits, %d forecasts, %d notifiers and %d changes have not ended: %w",
			len(e.running), e.forecasting, e.notifying, e.changing, context.Cause(ctx))
	}
	if err := e.runner.Wait(ctx); err != nil {
		return fmt.Errorf("engine: close: %w", err)
	}
	return nil
}

// reserve makes Close wait for a goroutine that is about to start, until release is called. It fails once
// the Engine is closed.
func (e *Engine) reserve() (release func(), err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, ErrClosed
	}
	e.work.Add(1)
	return e.work.Done, nil
}

// begin is what every operation does first: it looks at the context, at the Engine and at the input.
func begin[I any](ctx context.Context, e *Engine, in **I) (model.Problems, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if *in == nil {
		*in = new(I)
	}
	return model.Check(*in), nil
}

// beginWrite is begin for operations that change something.
func beginWrite[I any](ctx context.Context, e *Engine, in **I) (model.Problems, error) {
	e.mu.Lock()
	closed := e.closed
	e.mu.Unlock()
	if closed {
		return nil, ErrClosed
	}
	if e.Err() != nil {
		return nil, errStoreFailed()
	}
	return begin(ctx, e, in)
}

// valid is for operations that have nothing to add to the problems of their input.
func valid(p model.Problems, err error) error {
	if err != nil {
		return err
	}
	return p.Err()
}

// newTaskID returns 32 random lower-case hexadecimal digits, the form of AWS's task ids.
func newTaskID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

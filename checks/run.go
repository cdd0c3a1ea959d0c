package checks

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"
)

// run is one job while it runs. It ends once: by its check's return, or by being left behind.
type run struct {
	runner *Runner
	crew   *crew
	place  int // among the crew's running; negative: it is over there
	job    *Job
	pass   *Pass // the job's
	scans  *scans
	ctx    runContext
	clock  clock
	joined bool   // the scan that others may be waiting for has been asked for; scans guards it
	ready  Handle // the Spec's Source once it has data; nil: it is not known

	mu        sync.Mutex
	over      bool
	holdsSlot bool
	pauses    int   // waits and scans that are going on
	waits     int   // those for data
	waited    bool  // there was one
	noData    bool  // there would have been one
	fault     error // the first lie
	found     found
	resources hashes // of those with findings
	late      bool
}

func (x *run) init(c *crew, job *Job) {
	x.runner, x.crew, x.job, x.pass, x.scans = c.runner, c, job, &job.Pass, c.scans
	x.ctx.parent = c.ctx
	x.clock.limit = c.runner.TimeLimit
	x.clock.run = x
	if x.pass.Logger == nil {
		x.pass.Logger = c.logger
	}
	x.pass.run = x
	x.pass.Report = x.report
	x.pass.Scanned = x.scanned
}

func (x *run) expire() { x.cancel(x.runner.timeLimitError()) }

// cancel tells the check to stop.
func (x *run) cancel(why error) {
	if x.ctx.end(why) == nil {
		x.hurry()
	}
}

// hurry gives a check that was told to stop its time of grace.
func (x *run) hurry() { time.AfterFunc(x.runner.grace(), x.abandon) }

// work lets the check work once there is data. It judges as of then, since the data may be younger than the audit.
func (x *run) work() error {
	if src := x.job.Spec.Source; src != nil && src.problem() == nil {
		if err := src.wait(&x.ctx, x.pass); err != nil {
			return err
		}
		x.ready = src
		if x.waited && x.job.Now != nil {
			x.pass.Time = x.job.Now()
		}
	}
	if x.job.Start != nil {
		x.job.Start(x.pass.Time)
	}
	return x.job.Check.Run(&x.ctx, x.pass)
}

// abandon ends a run whose check did not return in time. Its goroutine ends when the check returns.
func (x *run) abandon() {
	if x.finish(nil, nil) {
		x.crew.abandoned(x)
		x.warn("check did not stop when told to, and is left behind")
	}
}

// warn logs. The handler is the host's, and must not end a goroutine that is not its own.
func (x *run) warn(what string) {
	defer func() { _ = recover() }()
	x.pass.Logger.Warn(what, "check", x.job.Spec.Name, "task", x.pass.TaskID)
}

// finish ends the run, and tells whether it was this call that did. The slot of the run becomes keep's, or is given back
// if that is nil.
func (x *run) finish(err error, keep *bool) bool {
	// A check whose context ended has not looked at everything, whatever it says.
	why := x.ctx.end(nil)
	x.mu.Lock()
	if x.over {
		x.mu.Unlock()
		return false
	}
	x.over = true
	if why != nil {
		err = why
	}
	if err == nil {
		err = x.fault
	}
	if keep != nil {
		*keep, x.holdsSlot = x.holdsSlot, false
	}
	x.giveSlot()
	x.mu.Unlock()

	x.clock.end()
	if x.job.Spec.Source != nil {
		x.scans.leave(x)
	}
	if x.job.End != nil {
		out := Outcome{Err: raw(err), Stopped: why != nil, NoData: x.noData && err != nil}
		x.hand(&out)
		out.Scanned, out.NonCompliant = x.job.Progress()
		if err != nil { // settled, or the Runner's own
			out.Message = err.Error()
		}
		switch e := err.(type) {
		case *failure:
			out.InsufficientPermissions, out.Stack = e.insufficient, e.stack
		case *PanicError:
			out.Stack = e.Stack
		}
		x.job.End(out)
	}
	return true
}

// takeSlot waits for a slot of the Runner. A run that is over takes none.
func (x *run) takeSlot(ctx context.Context) error {
	slots := x.runner.Slots
	if slots == nil || ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := slots.Acquire(ctx, 1); err != nil {
		return fmt.Errorf("no slot for the check: %w", err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.holdsSlot = true
	if x.over {
		x.giveSlot()
	}
	return nil
}

// giveSlot gives the slot back, if the run holds one. It is called with mu locked.
func (x *run) giveSlot() {
	if x.holdsSlot {
		x.runner.Slots.Release(1)
		x.holdsSlot = false
	}
}

// pause gives the slot back and stops the clock: the run waits, or others work for it. It tells whether
// there was a slot.
func (x *run) pause() (hadSlot bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.pauses++
	if x.pauses == 1 {
		x.clock.stop()
	}
	hadSlot = x.holdsSlot
	x.giveSlot()
	return hadSlot
}

// resume lets the clock go on.
func (x *run) resume() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.pauses--
	if x.pauses == 0 {
		x.clock.start()
	}
}

// wait returns once a source is ready, or ctx has ended.
func (x *run) wait(ctx context.Context, ready <-chan struct{}) error {
	if x.job.NoWait {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.noData = true
		return ErrNoData
	}
	hadSlot := x.pause()
	defer x.resume()
	x.waiting(1)
	var err error
	select {
	case <-ready:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	x.waiting(-1)
	if err == nil && hadSlot {
		err = x.takeSlot(ctx)
	}
	return err
}

// waiting tells when the first wait begins and the last one ends, and nothing once the run is over.
func (x *run) waiting(n int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	before := x.waits > 0
	x.waits += n
	x.waited = true
	if now := x.waits > 0; now != before && !x.over && x.job.Waiting != nil {
		x.job.Waiting(now)
	}
}

func (x *run) scanned(n int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case x.over:
	case n >= 0 && x.job.scanned.Load() <= math.MaxInt64-int64(n):
		x.job.scanned.Add(int64(n))
	case x.fault == nil:
		x.fault = fmt.Errorf("the check counted %d resources", n)
	}
}

package checks

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"
)

const (
	// keepSlot is how long a hand goes on with one slot from job to job. Others that want it wait no longer for
	// many quick checks than that, and a quick check costs neither a slot of its own nor a switch of goroutines.
	keepSlot = 100 * time.Microsecond
	// batchOfRuns is how many runs are allocated at once.
	batchOfRuns = 16
)

// crew is the goroutines that work for one call of [Runner.Run]. There is always one hand that takes the next job
// as soon as there is a slot, however long the others are at theirs.
type crew struct {
	runner *Runner
	ctx    context.Context
	scans  *scans
	logger *slog.Logger // of jobs that have none
	done   chan struct{}
	// jobless ends with ctx, or when no job is left that a slot is waited for.
	jobless context.Context
	noJobs  context.CancelFunc

	mu      sync.Mutex
	jobs    []*Job // that have not begun
	open    int    // jobs without an outcome
	free    int    // hands that are not at a job
	queuing bool   // one of them waits for a slot
	running []*run // that hands are at
	ended   bool   // done is closed
	room    []run
}

func newCrew(ctx context.Context, r *Runner, jobs []*Job) *crew {
	c := &crew{
		runner: r, ctx: ctx, scans: newScans(r, jobs), logger: slog.New(slog.DiscardHandler), done: make(chan struct{}),
		jobs: jobs, open: len(jobs),
	}
	c.jobless, c.noJobs = context.WithCancel(ctx)
	return c
}

// work does the jobs, and returns when each has its outcome and no hand is left but those at a check that was left
// behind.
func (c *crew) work() {
	if len(c.jobs) == 0 {
		return
	}
	defer c.noJobs()
	defer context.AfterFunc(c.ctx, c.stop)()
	c.mu.Lock()
	c.hire()
	c.mu.Unlock()
	<-c.done
}

// hire starts one more hand. It is called with mu locked.
func (c *crew) hire() {
	c.free++
	c.runner.spawn((&hand{crew: c}).work)
}

// stop gives the runs that work the time of grace, once ctx has ended. Others do not begin any more.
func (c *crew) stop() {
	c.mu.Lock()
	running := slices.Clone(c.running)
	c.mu.Unlock()
	for _, x := range running {
		x.hurry()
	}
}

// over takes down that a run has its outcome. It is called with mu locked.
func (c *crew) over(x *run) {
	if x.place < 0 {
		return
	}
	last := c.running[len(c.running)-1]
	c.running[x.place], last.place = last, x.place
	c.running[len(c.running)-1] = nil
	c.running = c.running[:len(c.running)-1]
	x.place = -1
	c.open--
}

// abandoned takes down that a run has its outcome, and its hand has not come back.
func (c *crew) abandoned(x *run) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over(x)
	c.close()
}

// close lets work return when all is done. It is called with mu locked.
func (c *crew) close() {
	if c.open == 0 && c.free == 0 && !c.ended {
		c.ended = true
		close(c.done)
	}
}

// hand is one goroutine of a crew. A check may take it along: then another one is there.
type hand struct {
	crew  *crew
	at    *run      // nil: it is free
	gone  bool      // it is no longer counted as free, and is about to leave
	slot  bool      // it has one, though it is free
	since time.Time // when it got its slot
	alarm alarm     // of the runs that it is at
}

func (h *hand) work() {
	defer h.leave()
	for h.next() {
		protect(h.at.work, h.finish)
	}
}

// finish ends the run that the hand is at, whose slot becomes the hand's.
func (h *hand) finish(err error) {
	h.at.finish(err, &h.slot)
}

// next goes on to the next job. It is false when there is none, or another hand waits for the slot to do it with.
func (h *hand) next() bool {
	c, now := h.crew, time.Now()
	if h.slot && now.Sub(h.since) >= keepSlot {
		h.release()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	h.back()
	for len(c.jobs) > 0 {
		var err error
		if !h.slot && c.runner.Slots != nil && c.ctx.Err() == nil {
			if c.queuing { // the other one must not count on it from now on
				c.free--
				h.gone = true
				return false
			}
			err = h.queue()
			now = h.since
			if len(c.jobs) == 0 { // others had slots sooner
				return false
			}
		}
		x := c.start()
		if err != nil || c.ctx.Err() != nil {
			c.mu.Unlock()
			x.finish(err, nil)
			c.mu.Lock()
			c.over(x)
			continue
		}
		c.free--
		if c.free == 0 && len(c.jobs) > 0 {
			c.hire()
		}
		h.at, x.holdsSlot, h.slot = x, h.slot, false
		h.alarm.serve(&x.clock, now)
		return true
	}
	return false
}

// queue waits for a slot. It is called with mu locked, which others have meanwhile.
func (h *hand) queue() error {
	c := h.crew
	c.queuing = true
	c.mu.Unlock()
	err := c.runner.Slots.Acquire(c.jobless, 1)
	h.since, h.slot = time.Now(), err == nil
	c.mu.Lock()
	c.queuing = false
	if err != nil {
		return fmt.Errorf("no slot for the check: %w", err)
	}
	return nil
}

func (h *hand) release() {
	h.crew.runner.Slots.Release(1)
	h.slot = false
}

// start makes the run of the next job. It is called with mu locked.
func (c *crew) start() *run {
	if len(c.room) == 0 {
		c.room = make([]run, min(batchOfRuns, len(c.jobs)))
	}
	x := &c.room[0]
	c.room = c.room[1:]
	x.init(c, c.jobs[0])
	if c.jobs = c.jobs[1:]; len(c.jobs) == 0 {
		c.noJobs()
	}
	x.place = len(c.running)
	c.running = append(c.running, x)
	return x
}

// back frees the hand of its job. It is called with mu locked.
func (h *hand) back() {
	if h.at != nil {
		h.crew.over(h.at)
		h.crew.free++
		h.at = nil
	}
}

// leave ends the hand, also where a check has exited its goroutine.
func (h *hand) leave() {
	h.alarm.end()
	if h.slot {
		h.release()
	}
	c := h.crew
	c.mu.Lock()
	defer c.mu.Unlock()
	h.back()
	if !h.gone {
		c.free--
	}
	c.close()
}

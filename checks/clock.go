package checks

import (
	"sync"
	"time"
)

// clock measures how long something works, and says so when that is longer than it may be. Time in which
// several goroutines work for it counts once.
type clock struct {
	limit   time.Duration // zero or less: none
	expired func()        // may be called more than once
	run     *run          // whose expire is called in place of expired
	alarm   *alarm        // of the hand that is at run; nil: the clock makes one of its own

	mu      sync.Mutex
	working int // goroutines
	since   time.Time
	used    time.Duration // before since
}

// start begins some work.
func (c *clock) start() {
	if c.limit <= 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.working++
	if c.working == 1 {
		c.since = time.Now()
		if c.alarm == nil {
			c.alarm = &alarm{clock: c}
		}
		c.alarm.set(c.limit - c.used)
	}
}

// stop ends what start began.
func (c *clock) stop() {
	if c.limit <= 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.working--
	if c.working == 0 {
		c.used += time.Since(c.since)
	}
}

func (c *clock) ring() {
	c.mu.Lock()
	used := c.used
	if c.working > 0 {
		used += time.Since(c.since)
	}
	if used < c.limit && c.working > 0 {
		c.alarm.set(c.limit - used)
	}
	c.mu.Unlock()
	switch {
	case used < c.limit:
	case c.run != nil:
		c.run.expire()
	default:
		c.expired()
	}
}

// end lets go of what the alarm would keep in memory. It no longer matters when it rings.
func (c *clock) end() {
	if c.run != nil {
		return // the alarm serves the next one
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.alarm != nil {
		c.alarm.end()
	}
}

// alarm is a timer that serves one clock after the other. One that is set already rings early, and is then set again:
// that is cheaper than to stop it whenever work ends. All clocks that it serves have the same limit.
type alarm struct {
	mu    sync.Mutex
	timer *time.Timer
	armed bool
	clock *clock // nil: none
}

// serve starts a clock that nobody else knows yet.
func (a *alarm) serve(c *clock, now time.Time) {
	c.alarm = a
	if c.limit <= 0 {
		return
	}
	c.working, c.since = 1, now
	a.mu.Lock()
	defer a.mu.Unlock()
	a.clock = c
	a.arm(c.limit)
}

// set makes the alarm ring after d or before.
func (a *alarm) set(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.arm(d)
}

func (a *alarm) arm(d time.Duration) {
	switch {
	case a.armed:
		return
	case a.timer == nil:
		a.timer = time.AfterFunc(d, a.ring)
	default:
		a.timer.Reset(d)
	}
	a.armed = true
}

func (a *alarm) ring() {
	a.mu.Lock()
	c := a.clock
	a.armed = false
	a.mu.Unlock()
	if c != nil {
		c.ring()
	}
}

// end lets go of the clock and the timer.
func (a *alarm) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.clock = nil
	if a.timer != nil {
		a.timer.Stop()
	}
}

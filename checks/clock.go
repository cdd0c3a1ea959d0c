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

	mu      sync.Mutex
	working int // goroutines
	since   time.Time
	used    time.Duration // before since
	alarm   *time.Timer   // nil: none is set
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
		// An alarm that is set already rings early, and is then set again: that is cheaper than to stop it
		// at every pause.
		if c.alarm == nil {
			c.alarm = time.AfterFunc(c.limit-c.used, c.ring)
		}
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
	c.alarm = nil
	if used < c.limit && c.working > 0 {
		c.alarm = time.AfterFunc(c.limit-used, c.ring)
	}
	c.mu.Unlock()
	if used >= c.limit {
		c.expired()
	}
}

// end lets go of what the alarm would keep in memory. It no longer matters when it rings.
func (c *clock) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.alarm != nil {
		c.alarm.Stop()
	}
}

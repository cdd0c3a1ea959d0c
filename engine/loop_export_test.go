package engine

import "time"

// SetMaxSleep sets how long Run sleeps at most, so that a century of it is not mostly naps.
func (e *Engine) SetMaxSleep(d time.Duration) { e.maxSleep = d }

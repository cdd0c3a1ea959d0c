package awsapi

import (
	"sync"
	"time"
	"weak"

	"golang.org/x/time/rate"

	"github.com/fleetaudit/fleetaudit/engine"
)

// throttle holds each account to the rate of each operation. It is safe for concurrent use.
type throttle struct {
	mu       sync.Mutex
	limiters map[throttled]*rate.Limiter
	sweepAt  int // how many limiters there may be before those that are no longer needed go
}

// throttled is what has a rate of its own. It does not keep the Engine from being collected.
type throttled struct {
	engine    weak.Pointer[engine.Engine]
	operation string
}

// minSweep is how many limiters are kept without looking whether they are needed: those of some forty accounts.
const minSweep = 1000

func newThrottle() *throttle {
	return &throttle{limiters: make(map[throttled]*rate.Limiter), sweepAt: minSweep}
}

// allow tells whether e may be asked for op now, and counts that it was: Rate times at once, and Rate times a second
// from then on.
func (t *throttle) allow(e *engine.Engine, op *engine.Operation) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := throttled{weak.Make(e), op.Name}
	limiter := t.limiters[key]
	if limiter == nil {
		t.sweep()
		limiter = rate.NewLimiter(rate.Limit(op.Rate), op.Rate)
		t.limiters[key] = limiter
	}
	return limiter.Allow()
}

// sweep drops the limiters that are as good as new ones, as they are after a second without calls, once there are
// twice as many as the last sweep left.
func (t *throttle) sweep() {
	if len(t.limiters) < t.sweepAt {
		return
	}
	now := time.Now()
	for key, limiter := range t.limiters {
		if limiter.TokensAt(now) >= float64(limiter.Burst()) {
			delete(t.limiters, key)
		}
	}
	t.sweepAt = max(minSweep, 2*len(t.limiters))
}

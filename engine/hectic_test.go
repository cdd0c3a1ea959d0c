package engine_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// hectic is an Engine whose checks are good, bad and broken, and what was seen of it.
type hectic struct {
	*engine.Engine
	config  engine.Config
	names   []string      // of checks
	release chan struct{} // lets the check that hangs go

	mu      sync.Mutex
	started []string
	told    map[string][]model.AuditNotification // by task id
}

func newHectic(t *testing.T, store engine.Store) *hectic {
	noLeaks(t)
	h := &hectic{told: make(map[string][]model.AuditNotification), release: make(chan struct{})}
	shared := numbers(600, func(context.Context, int) { runtime.Gosched() })
	run := func(name string, f func(ctx context.Context, p *checks.Pass) error) checks.Check {
		return checks.New(specOf(name), f)
	}
	h.config = engine.Config{
		Store:             store,
		Suppressions:      []model.AuditSuppression{{CheckName: "BAD", ResourceIdentifier: device("7").ResourceIdentifier, SuppressIndefinitely: new(true)}},
		MaxOnDemandAudits: 30, CheckTimeLimit: 20 * time.Millisecond, StopGrace: time.Millisecond, MaxFindings: 50,
		Notifier: notify(func(_ context.Context, n engine.Notification) error {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.told[n.Audit.TaskID] = append(h.told[n.Audit.TaskID], n.Audit)
			return nil
		}),
		Checks: []checks.Check{
			good("GOOD"),
			untilDone("UNTIL_DONE"),
			run("BAD", func(_ context.Context, p *checks.Pass) error {
				for i := range 10 {
					report(p, fmt.Sprint(i))
					p.Report(checks.Finding{Resource: device(fmt.Sprint(i)), ReasonCode: "WORSE"})
				}
				return nil
			}),
			run("PANICS", func(context.Context, *checks.Pass) error { panic("boom") }),
			run("EXITS", func(context.Context, *checks.Pass) error { runtime.Goexit(); return nil }),
			run("FLOODS", func(ctx context.Context, p *checks.Pass) error {
				for i := 0; ctx.Err() == nil; i++ {
					report(p, fmt.Sprint(i))
				}
				return nil
			}),
			run("LATE", func(_ context.Context, p *checks.Pass) error {
				go report(p, "late, perhaps")
				return nil
			}),
			hanging("HANGING", h.release),
			checks.Each(specOf("SHARED_A"), shared, func(_ context.Context, p *checks.Pass, i *int) error {
				if *i%100 == 0 {
					p.Report(checks.Finding{Resource: device(fmt.Sprint(*i)), ReasonCode: "BAD"})
				}
				return nil
			}),
			checks.Each(specOf("SHARED_B"), shared, func(_ context.Context, _ *checks.Pass, i *int) error {
				if *i == 500 {
					return errors.New("broken")
				}
				return nil
			}),
		},
	}
	h.Engine = openEngine(t, h.config)
	for _, s := range h.Checks() {
		h.names = append(h.names, s.Name)
	}
	return h
}

func (h *hectic) start(taskIDs ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.started = append(h.started, taskIDs...)
}

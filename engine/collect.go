package engine

import (
	"fmt"
	"sync"

	"github.com/fleetaudit/fleetaudit/checks"
)

// collection knows which sources have been told to collect. AWS drops what was collected for a check when the
// check is disabled, and begins anew when it is enabled.
type collection struct {
	mu   sync.Mutex // held while sources are told, so that each hears things in the order in which they are so
	told map[checks.Handle]bool
}

// collect tells each source whether an enabled check uses it, if that is news. It must follow the commit of
// every change of the account.
func (e *Engine) collect() {
	c := &e.collection
	c.mu.Lock()
	defer c.mu.Unlock()
	account := e.account(e.state.Txn(false))
	used := make(map[checks.Handle]bool)
	var order []checks.Handle
	for _, s := range e.specs {
		for _, h := range append([]checks.Handle{s.Source}, s.Needs...) {
			if h == nil {
				continue
			}
			if _, ok := used[h]; !ok {
				order = append(order, h)
			}
			used[h] = used[h] || account.enabled(s.Name)
		}
	}
	if c.told == nil {
		c.told = make(map[checks.Handle]bool, len(order))
	}
	for _, h := range order {
		if on, told := c.told[h]; told && on == used[h] {
			continue
		}
		c.told[h] = used[h]
		e.tell(h, used[h])
	}
}

// tell calls a function of the host's, which must not take the operation with it.
func (e *Engine) tell(h checks.Handle, on bool) {
	defer func() {
		if p := recover(); p != nil {
			defer func() { _ = recover() }() // the logger is the host's too
			e.config.Logger.Error("a source's Collect panicked", "source", h.SourceName(), "on", on, "error", fmt.Sprint(p))
		}
	}()
	h.SourceCollect(on)
}

package checks

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// runContext is the context of a run. Many checks never look at theirs, so that what it takes to tell them is made when
// one first does.
type runContext struct {
	parent context.Context
	made   atomic.Pointer[madeContext]

	mu  sync.Mutex // held to make it, and to end it
	why error      // it was ended by itself; nil: it was not
}

type madeContext struct {
	context.Context
	cancel context.CancelCauseFunc
}

func (c *runContext) make() *madeContext {
	if m := c.made.Load(); m != nil {
		return m
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if m := c.made.Load(); m != nil {
		return m
	}
	m := new(madeContext)
	m.Context, m.cancel = context.WithCancelCause(c.parent)
	if c.why != nil {
		m.cancel(c.why)
	}
	c.made.Store(m)
	return m
}

// Deadline implements [context.Context].
func (c *runContext) Deadline() (time.Time, bool) { return c.parent.Deadline() }

// Done implements [context.Context].
func (c *runContext) Done() <-chan struct{} { return c.make().Done() }

// Err implements [context.Context].
func (c *runContext) Err() error { return c.make().Err() }

// Value implements [context.Context]. It is how [context.Cause] and derived contexts find the one that was made.
func (c *runContext) Value(key any) any { return c.make().Value(key) }

// String is what fmt prints, which would else look into it while others change it.
func (c *runContext) String() string { return fmt.Sprint(c.parent) + ".WithCancel" }

// end ends the context, and returns why it had ended before; nil: it had not. With why nil, there is no cause but that.
func (c *runContext) end(why error) (before error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.why != nil {
		return c.why
	}
	if c.parent.Err() != nil {
		return context.Cause(c.parent)
	}
	if why == nil {
		why = context.Canceled
	}
	c.why = why
	if m := c.made.Load(); m != nil {
		m.cancel(why)
	}
	return nil
}

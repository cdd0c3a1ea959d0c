package checks

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"time"
)

// group is one scan of a Source and the checks that share it. It begins when all that are expected have
// come or ended. The user's code runs on two kinds of goroutine: a shard's reads the Source, and hands
// batches to an evaluator's, which judges them for all checks. So a check that never returns, or exits its
// goroutine, costs an evaluator and not the scan.
type group[T any] struct {
	runner *Runner
	src    *Source[T]
	clock  clock // of the Source's work

	mu       sync.Mutex
	expected int
	members  []*member[T] // does not change once the scan has begun
	staying  int
	cancel   context.CancelFunc
	idle     []*evaluator[T] // that the next shard can have
}

func newGroup[T any](r *Runner, src *Source[T], expected int) *group[T] {
	g := &group[T]{runner: r, src: src, expected: expected}
	g.clock.limit = r.TimeLimit
	g.clock.expired = func() { g.end(src.fault(r.timeLimitError())) }
	return g
}

func (g *group[T]) add(m *member[T]) {
	g.mu.Lock()
	g.members = append(g.members, m)
	g.staying++
	g.mu.Unlock()
	g.expectOneLess()
}

// expectOneLess begins the scan when nobody is waited for any more.
func (g *group[T]) expectOneLess() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.expected--
	if g.expected > 0 || g.staying == 0 {
		return
	}
	// The scan ends with the last of its checks, not with the first.
	ctx, cancel := context.WithCancel(context.WithoutCancel(g.members[0].ctx))
	g.cancel = cancel
	g.runner.spawn(func() {
		protect(func() error { return g.scan(ctx) }, func(err error) {
			g.dismiss()
			g.clock.end()
			g.end(err)
		})
	})
}

// left ends the scan when nobody is there any more.
func (g *group[T]) left() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.staying--
	if g.staying == 0 && g.cancel != nil {
		g.cancel()
	}
}

// end lets every check leave that is still there: with nil, the scan has reached its end.
func (g *group[T]) end(err error) {
	if _, panicked := err.(*PanicError); panicked || err == errGoexit {
		err = g.src.fault(err) // a check's own panic ends its evaluator's task, not the scan
	}
	for _, m := range g.members {
		m.leave(err)
	}
}

func (g *group[T]) scan(ctx context.Context) error {
	parts, err := g.plan(ctx)
	if err != nil {
		return err
	}
	var shards sync.WaitGroup
	defer shards.Wait()
	for i, p := range parts {
		release, err := g.slot(ctx)
		if err != nil {
			return err
		}
		shards.Add(1)
		g.runner.spawn(func() {
			protect(func() error { return g.shard(ctx, i, p) }, func(err error) {
				if err != nil {
					g.end(err)
				}
				release()
				shards.Done()
			})
		})
	}
	return nil
}

func (g *group[T]) plan(ctx context.Context) ([]part[T], error) {
	release, err := g.slot(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	g.clock.start()
	defer g.clock.stop()
	return g.src.plan(ctx)
}

// slot waits for a slot and returns what gives it back. A source that hangs keeps its goroutine, but not
// the slot.
func (g *group[T]) slot(ctx context.Context) (release func(), err error) {
	slots := g.runner.Slots
	if slots == nil {
		return func() {}, nil
	}
	if err := slots.Acquire(ctx, 1); err != nil {
		return nil, fmt.Errorf("no slot for source %q: %w", g.src.Name, err)
	}
	free := sync.OnceFunc(func() { slots.Release(1) })
	unwatch := context.AfterFunc(ctx, func() { time.AfterFunc(g.runner.grace(), free) })
	return func() { unwatch(); free() }, nil
}

// shard reads one part of the Source and has each batch judged for every check that is still there.
func (g *group[T]) shard(ctx context.Context, ordinal int, p part[T]) error {
	j := newJudging(g, ordinal)
	defer j.end()
	for batch, err := range g.read(ctx, p) {
		if err != nil {
			g.end(err) // now: a source that goes on all the same panics, which would hide err
			return nil
		}
		j.judge(batch)
		if ctx.Err() != nil {
			break
		}
	}
	return nil
}

// read streams p in batches, on the Source's clock.
func (g *group[T]) read(ctx context.Context, p part[T]) iter.Seq2[[]T, error] {
	return func(yield func([]T, error) bool) {
		g.clock.start()
		defer g.clock.stop()
		for batch, err := range g.src.batches(ctx, p, max(batchSize, len(p.items))) {
			g.clock.stop()
			more := yield(batch, err)
			g.clock.start()
			if !more {
				return
			}
		}
	}
}

package checks

import (
	"context"
	"sync"
	"time"
)

// group is one scan of a Source and the checks that share it. It begins when all that are expected have
// come or ended. The user's code runs on two kinds of goroutine: a shard's reads the Source, and hands
// batches to an evaluator's, which judges them for one check after the other. So a check that never
// returns, or exits its goroutine, costs an evaluator and not the scan.
type group[T any] struct {
	runner *Runner
	src    *Source[T]

	mu       sync.Mutex
	expected int
	members  []*member[T] // does not change once the scan has begun
	staying  int
	cancel   context.CancelFunc
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
		protect(func() error { return g.scan(ctx) }, g.end)
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
	parts, err := g.src.plan(ctx)
	if err != nil {
		return err
	}
	var shards sync.WaitGroup
	defer shards.Wait()
	for i, p := range parts {
		if g.runner.Slots != nil && g.runner.Slots.Acquire(ctx, 1) != nil {
			break
		}
		if i == 0 {
			for _, m := range g.members {
				m.pass.run.resume()
			}
		}
		release := sync.OnceFunc(func() {
			if g.runner.Slots != nil {
				g.runner.Slots.Release(1)
			}
		})
		// A source that hangs keeps its goroutine, but not the slot.
		unwatch := context.AfterFunc(ctx, func() { time.AfterFunc(g.runner.grace(), release) })
		shards.Add(1)
		g.runner.spawn(func() {
			protect(func() error { return g.shard(ctx, i, p) }, func(err error) {
				if err != nil {
					g.end(err)
				}
				unwatch()
				release()
				shards.Done()
			})
		})
	}
	return nil
}

// shard reads one part of the Source and has each batch judged for every check that is still there.
func (g *group[T]) shard(ctx context.Context, ordinal int, p part[T]) error {
	passes := make([]Pass, len(g.members))
	for i, m := range g.members {
		passes[i] = *m.pass
		passes[i].Report = func(f Finding) {
			f.shard = ordinal
			m.pass.Report(f)
		}
	}
	e := newEvaluator[T](g.runner)
	defer func() { close(e.tasks) }()
	for batch, err := range g.src.batches(ctx, p, batchSize) {
		if err != nil {
			return err
		}
		for i, m := range g.members {
			if !m.left.Load() {
				e = e.judge(task[T]{m, &passes[i], batch})
			}
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil
}

// task is one batch to be judged for one check.
type task[T any] struct {
	member *member[T]
	pass   *Pass
	batch  []T
}

func (t task[T]) do() error {
	n := 0
	defer func() { t.pass.Scanned(n) }()
	for i := range t.batch {
		if t.member.left.Load() {
			return nil
		}
		switch err := t.member.judge(t.member.ctx, t.pass, &t.batch[i]); err {
		case nil:
			n++
		case Skip:
		default:
			return err
		}
	}
	return nil
}

// evaluator is a goroutine that runs the judging functions of checks.
type evaluator[T any] struct {
	runner *Runner
	tasks  chan task[T]
	done   chan struct{} // one for each task
	dead   chan struct{} // closed when the goroutine has ended
}

func newEvaluator[T any](r *Runner) *evaluator[T] {
	e := &evaluator[T]{r, make(chan task[T], 1), make(chan struct{}, 1), make(chan struct{})}
	r.spawn(func() {
		defer close(e.dead)
		for t := range e.tasks {
			protect(t.do, func(err error) {
				if err != nil {
					t.member.leave(err)
				}
			})
			e.done <- struct{}{}
		}
	})
	return e
}

// judge returns when t has been judged, or its check has left and had its time to stop. It returns the
// evaluator to go on with.
func (e *evaluator[T]) judge(t task[T]) *evaluator[T] {
	e.tasks <- t
	select {
	case <-e.done:
		return e
	case <-e.dead:
		return newEvaluator[T](e.runner)
	case <-t.member.gone:
	}
	grace := time.NewTimer(e.runner.grace())
	defer grace.Stop()
	select {
	case <-e.done:
		return e
	case <-e.dead:
	case <-grace.C:
		close(e.tasks) // it ends when the check returns
	}
	return newEvaluator[T](e.runner)
}

package checks

import (
	"context"
	"sync"
	"sync/atomic"
)

// batchSize is how many resources the checks of a scan judge between two looks at who is still there.
const batchSize = 256

// Scan calls judge for each resource of src, and returns when it has for all of them, or has stopped and
// no call of judge goes on any more. Checks of one audit whose Spec names src share one scan of it.
//
// Shards are scanned at the same time, so judge must be safe for concurrent use. The Pass it is given is
// that of its shard. The resource is shared with other checks and must not be changed. An error of judge
// ends the scan for this check and is returned, but for [Skip], which says that the resource is not in
// scope. What is done after Scan holds no slot of the Runner.
//
// judge may look into a second source with [Source.Read] or Scan, given the Pass of its shard. It should
// do so only when that source has its data: a wait in judge keeps the slot and counts as work.
func Scan[T any](ctx context.Context, pass *Pass, src *Source[T], judge func(context.Context, *Pass, *T) error) error {
	if pass.run == nil || pass.judging {
		return scanAlone(ctx, pass, src, judge)
	}
	if err := src.problem(); err != nil {
		return err
	}
	pass.run.pause()
	defer pass.run.resume()
	if err := src.wait(ctx, pass); err != nil {
		return err
	}
	m := &member[T]{pass: pass, judge: judge, gone: make(chan struct{})}
	m.ctx, m.cancel = context.WithCancelCause(ctx)
	joinScan(pass.run, src, m)
	<-m.ctx.Done()
	m.leave(context.Cause(ctx))
	<-m.gone
	return raw(m.err)
}

// scanAlone scans where there is no company to share with: in a Pass made by hand, or within a scan,
// where a wait for another slot could be for ever.
func scanAlone[T any](ctx context.Context, pass *Pass, src *Source[T], judge func(context.Context, *Pass, *T) error) error {
	n := 0
	defer func() {
		if pass.Scanned != nil {
			pass.Scanned(n)
		}
	}()
	for v, err := range src.Read(ctx, pass) {
		if err == nil {
			err = judge(ctx, pass, v)
		}
		switch err {
		case nil:
			n++
		case Skip:
		default:
			return err
		}
	}
	return nil
}

// member is a check in a scan. It leaves once: done, failed, or because its context has ended.
type member[T any] struct {
	ctx    context.Context // ends when the member leaves
	cancel context.CancelCauseFunc
	pass   *Pass
	judge  func(context.Context, *Pass, *T) error
	group  *group[T]

	mu    sync.Mutex
	left  atomic.Bool // written under mu
	err   error       // why it left; to be read once gone is closed
	tasks int         // that are being done for it
	gone  chan struct{}
}

// enter begins a task, unless the member has left.
func (m *member[T]) enter() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.left.Load() {
		return false
	}
	m.tasks++
	m.pass.run.clock.start()
	return true
}

// exit ends what enter began.
func (m *member[T]) exit(err error) {
	if err != nil {
		m.leave(err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pass.run.clock.stop()
	m.tasks--
	if m.tasks == 0 && m.left.Load() {
		close(m.gone)
	}
}

// leave ends the scan for this member. It is gone once its last task has been done.
func (m *member[T]) leave(err error) {
	m.mu.Lock()
	if m.left.Load() {
		m.mu.Unlock()
		return
	}
	m.left.Store(true)
	m.err = err
	if m.tasks == 0 {
		close(m.gone)
	}
	m.mu.Unlock()
	m.cancel(err)
	m.group.left()
}

// scans knows the shared scans of one audit.
type scans struct {
	mu     sync.Mutex
	groups map[Handle]gathering
}

// gathering is a group[T], whatever its T.
type gathering interface{ expectOneLess() }

func newScans(r *Runner, jobs []*Job) *scans {
	expected := make(map[Handle]int)
	for _, j := range jobs {
		if h := j.Spec.Source; h != nil {
			expected[h]++
		}
	}
	s := &scans{groups: make(map[Handle]gathering, len(expected))}
	for h, n := range expected {
		s.groups[h] = h.gather(r, n)
	}
	return s
}

// joinScan brings m to the scan that the other checks over src wait for, or to one of its own if its
// check has not announced it, or comes for the second time.
func joinScan[T any](x *run, src *Source[T], m *member[T]) {
	g := x.scans.claim(x, src)
	if g == nil {
		g = src.gather(x.runner, 1)
	}
	m.group = g.(*group[T])
	m.group.add(m)
}

// claim returns the shared scan that x announced and has not yet come to, if it is over h.
func (s *scans) claim(x *run, h Handle) gathering {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x.joined || x.job.Spec.Source == nil || x.job.Spec.Source != h {
		return nil
	}
	x.joined = true
	return s.groups[h]
}

// leave tells the scan that x announced, and never came to, not to wait for it.
func (s *scans) leave(x *run) {
	if g := s.claim(x, x.job.Spec.Source); g != nil {
		g.expectOneLess()
	}
}

package checks

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

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
	left   atomic.Bool // written under mu

	_     [64]byte // what follows changes often, and left is read for each resource
	mu    sync.Mutex
	err   error           // why it left; to be read once gone is closed
	tasks []*evaluator[T] // that are judging for it
	alarm *time.Timer     // when those are left behind; nil: it has not left, or nobody judged when it did
	gone  chan struct{}
}

// enter begins a task of e, unless the member has left.
func (m *member[T]) enter(e *evaluator[T]) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.left.Load() {
		return false
	}
	m.tasks = append(m.tasks, e)
	m.pass.run.clock.start()
	return true
}

// exit ends what enter began. With an error the member leaves.
func (m *member[T]) exit(e *evaluator[T], err error) {
	m.mu.Lock()
	m.pass.run.clock.stop()
	i := slices.Index(m.tasks, e)
	m.tasks = slices.Delete(m.tasks, i, i+1)
	leaves := err != nil && m.goes(err)
	if m.left.Load() && len(m.tasks) == 0 {
		if m.alarm != nil {
			m.alarm.Stop()
		}
		close(m.gone)
	}
	m.mu.Unlock()
	if leaves {
		m.tell()
	}
}

// leave ends the scan for this member. It is gone once its last task has been done.
func (m *member[T]) leave(err error) {
	m.mu.Lock()
	leaves := m.goes(err)
	if leaves && len(m.tasks) == 0 {
		close(m.gone)
	}
	m.mu.Unlock()
	if leaves {
		m.tell()
	}
}

// goes notes that the member leaves, if it has not left before. Those that are judging for it then have the
// time of grace to come back. It is called with mu locked, and followed by tell without.
func (m *member[T]) goes(err error) bool {
	if m.left.Load() {
		return false
	}
	m.left.Store(true)
	m.err = err
	if len(m.tasks) > 0 {
		m.alarm = time.AfterFunc(m.group.runner.grace(), m.abandon)
	}
	return true
}

func (m *member[T]) tell() {
	m.cancel(m.err)
	m.group.left()
}

// abandon lets the scan go on without those that are still judging for a member that has left.
func (m *member[T]) abandon() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.tasks {
		e.lost = true
		e.told <- false
	}
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

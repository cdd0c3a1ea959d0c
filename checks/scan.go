package checks

import (
	"context"
	"sync"
	"sync/atomic"
)

// batchSize is how many resources the checks of a scan judge between two looks at who is still there.
const batchSize = 256

// Scan calls judge for each resource of src, and returns when it has for all of them. Checks of one audit
// whose Spec names src share one scan of it.
//
// Shards are scanned at the same time, so judge must be safe for concurrent use. The Pass it is given is
// that of its shard. The resource is shared with other checks and must not be changed. An error of judge
// ends the scan for this check and is returned, but for [Skip], which says that the resource is not in
// scope. What is done after Scan holds no slot of the Runner.
func Scan[T any](ctx context.Context, pass *Pass, src *Source[T], judge func(context.Context, *Pass, *T) error) error {
	if pass.run == nil { // a Pass made by hand: no fence, no company
		n := 0
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
		if pass.Scanned != nil {
			pass.Scanned(n)
		}
		return nil
	}
	if err := src.wait(ctx, pass); err != nil {
		return err
	}
	pass.run.park()
	m := &member[T]{ctx: ctx, pass: pass, judge: judge, gone: make(chan struct{})}
	joinScan(pass.run, src, m)
	select {
	case <-m.gone:
	case <-ctx.Done():
		m.leave(context.Cause(ctx))
		<-m.gone
	}
	return m.err
}

// member is a check in a scan. It leaves once: done, failed, or because its context has ended.
type member[T any] struct {
	ctx   context.Context
	pass  *Pass
	judge func(context.Context, *Pass, *T) error
	group *group[T]
	left  atomic.Bool
	gone  chan struct{} // closed when it has left
	err   error         // why; to be read once gone is closed
}

func (m *member[T]) leave(err error) {
	if m.left.CompareAndSwap(false, true) {
		m.err = err
		close(m.gone)
		m.group.left()
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
	if g := x.scans.claim(x, src); g != nil {
		m.group = g.(*group[T])
	} else {
		m.group = &group[T]{runner: x.runner, src: src, expected: 1}
	}
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

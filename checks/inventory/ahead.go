package inventory

import (
	"runtime"
	"sync"
)

// maxBegun is how many bytes of segments are worked on at once. One that is larger is worked on alone.
const maxBegun = 16 << 20

// ahead works on segments on several goroutines, and hands them over in the order in which they were given to it. Its
// zero value has none. It is not safe for concurrent use.
type ahead struct {
	begun []begun // oldest first
	size  int     // bytes of them
}

// begun is a segment and what waits until the work on it is done. Whoever calls done first does the work.
type begun struct {
	segment *segment
	done    func()
}

// do has work done on a segment, and hands over older ones if there are too many.
func (a *ahead) do(g *segment, work func(), take func(*segment)) {
	for len(a.begun) > 0 && (len(a.begun) >= 2*runtime.GOMAXPROCS(0) || a.size+len(g.text) > maxBegun) {
		a.next(take)
	}
	b := begun{g, sync.OnceFunc(work)}
	a.begun = append(a.begun, b)
	a.size += len(g.text)
	go func() {
		defer func() { _ = recover() }() // whoever takes the segment has the panic too
		b.done()
	}()
}

// next hands over the oldest segment.
func (a *ahead) next(take func(*segment)) {
	b := a.begun[0]
	a.begun = a.begun[1:]
	a.size -= len(b.segment.text)
	b.done()
	take(b.segment)
}

// wait hands over all segments.
func (a *ahead) wait(take func(*segment)) {
	for len(a.begun) > 0 {
		a.next(take)
	}
}

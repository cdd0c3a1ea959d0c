package scans

import (
	"context"
	"iter"
	"runtime"
	"runtime/metrics"
	"slices"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/compare"
)

// heap looks for the most that is alive at once.
type heap struct{ start, top uint64 }

// live returns the bytes of objects that are reachable.
func live() uint64 {
	runtime.GC()
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

func (h *heap) begin() {
	h.start = live()
	h.top = h.start
}

func (h *heap) look() { h.top = max(h.top, live()) }

func (h *heap) peak() float64 { return float64(h.top - h.start) }

// looks is how often the heap is looked at while a source streams.
const looks = 16

// stream yields those of the first n devices that keep says yes to, and looks at the heap now and then, at the end too.
func (h *heap) stream(n int, keep func(*device) bool) func(context.Context) iter.Seq2[device, error] {
	return func(context.Context) iter.Seq2[device, error] {
		return func(yield func(device, error) bool) {
			defer h.look()
			for i := range n {
				if i%max(n/looks, 1) == 0 {
					h.look()
				}
				if d := newDevice(i); keep(&d) && !yield(d, nil) {
					return
				}
			}
		}
	}
}

// memory compares the most that is alive while a stream of resources is audited, of which one of a hundred is found, with
// a program that first reads them all. What the findings themselves are kept in is left out: it is measured in an audit of
// only those resources that are found. The second size is four times the first: the point is that it makes no difference.
func memory() compare.Work {
	return compare.Work{
		Name: "memory/stream", Unit: "audit", Figure: "peak-heap-bytes", Size: 1_000_000, Growth: 4_000_000,
		Contenders: []compare.Contender{
			{Name: "fleetaudit", New: newStreamed},
			{Name: "all in a slice", Target: 10, New: newHeld},
		},
	}
}

// noise is what two audits may differ by for no reason, in bytes: less is not told apart.
const noise = 4096

// newStreamed streams on one goroutine, which looks at the heap: what others allocate while it does would count.
func newStreamed(size int) (compare.Task, error) {
	var h heap
	newAudit := func(keep func(*device) bool) (*auditor, error) {
		return newAuditor(1, ruled("RULE_CHECK", &checks.Source[device]{Name: "devices", All: h.stream(size, keep)}))
	}
	all, err := newAudit(func(*device) bool { return true })
	if err != nil {
		return compare.Task{}, err
	}
	found, err := newAudit((*device).violates)
	if err != nil {
		all.close()
		return compare.Task{}, err
	}
	peak := func(a *auditor) (float64, error) {
		h.begin()
		err := a.audit()
		return h.peak(), err
	}
	return compare.Task{
		Units: 1,
		Measure: func() (float64, error) {
			whole, err := peak(all)
			if err != nil {
				return 0, err
			}
			kept, err := peak(found)
			return max(whole-kept, noise), err
		},
		Answer: all.clients,
		Close:  func() { all.close(); found.close() },
	}, nil
}

func newHeld(size int) (compare.Task, error) {
	var ids []string
	return compare.Task{
		Units: 1,
		Measure: func() (float64, error) {
			var h heap
			ids = nil
			h.begin()
			var fleet []device
			for d, err := range stream(size)(context.Background()) {
				if err != nil {
					return 0, err
				}
				fleet = append(fleet, d)
			}
			h.look()
			for i := range fleet {
				if fleet[i].violates() {
					ids = append(ids, fleet[i].ID)
				}
			}
			runtime.KeepAlive(fleet)
			return h.peak(), nil
		},
		Answer: func() any { return slices.Sorted(slices.Values(ids)) },
	}, nil
}

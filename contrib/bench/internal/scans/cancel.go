package scans

import (
	"context"
	"fmt"
	"runtime"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/compare"
	"github.com/fleetaudit/fleetaudit/model"
)

// cancelling is an audit with a check that reports each of its resources, and is cancelled when it has reported half of
// them. The figures are the time from CancelAuditTask until the audit has ended, with all that was found, and the most
// that the heap holds, garbage included. Nobody is there to compare with: it shows how both grow.
func cancelling() []compare.Work {
	var works []compare.Work
	for _, of := range []struct {
		name, figure string
		size         int // of memory less is enough
		of           func(*cancelled) float64
	}{
		{"time", "ns-until-ended", 1_000_000, func(c *cancelled) float64 { return float64(c.took.Nanoseconds()) }},
		{"memory", "peak-heap-bytes", 100_000, func(c *cancelled) float64 { return c.peak }},
	} {
		works = append(works, compare.Work{
			Name: "cancel half way/" + of.name, Unit: "finding", Figure: of.figure, Size: of.size, Growth: 10 * of.size,
			Contenders: []compare.Contender{{Name: "fleetaudit", New: func(size int) (compare.Task, error) {
				c := newCancelled(size)
				return compare.Task{
					Units: size / 2,
					Measure: func() (float64, error) {
						err := c.run()
						return of.of(c), err
					},
					Answer: c.answer,
					Close:  c.close,
				}, nil
			}}},
		})
	}
	return works
}

// cancelled is an audit that is cancelled half way.
type cancelled struct {
	ids      []string
	reported atomic.Int64
	half     chan struct{} // is sent one when half is reported
	auditor  *auditor

	took time.Duration
	peak float64
}

func newCancelled(size int) *cancelled {
	c := &cancelled{ids: make([]string, size), half: make(chan struct{})}
	for i := range c.ids {
		c.ids[i] = fmt.Sprintf("device-%08d", i)
	}
	return c
}

// check reports every id. Once half is reported it waits to be told to stop, so that it is exactly half.
func (c *cancelled) check() checks.Check {
	half := int64(len(c.ids) / 2)
	return checks.Each(spec("EVERY_CHECK"), checks.Slice("ids", c.ids), func(ctx context.Context, pass *checks.Pass, id *string) error {
		n := c.reported.Add(1)
		if n > half {
			<-ctx.Done()
			return context.Cause(ctx)
		}
		report(pass, &device{ID: *id})
		if n == half {
			c.half <- struct{}{}
		}
		return nil
	})
}

// run makes an Engine for each audit: findings that it knows already would be the cheaper ones.
func (c *cancelled) run() error {
	c.close()
	c.reported.Store(0)
	a, err := newAuditor(runtime.GOMAXPROCS(0), c.check())
	if err != nil {
		return err
	}
	c.auditor = a
	stop := c.watch()
	defer func() { c.peak = stop() }()
	if err := a.start(a.names...); err != nil {
		return err
	}
	<-c.half
	begun := time.Now()
	if _, err = a.engine.CancelAuditTask(context.Background(), &model.CancelAuditTaskInput{TaskID: a.taskID}); err != nil {
		return err
	}
	err = a.wait()
	c.took = time.Since(begun)
	return err
}

// watch looks at the heap, often, until it is stopped, and returns by how much it has grown at most.
func (c *cancelled) watch() (stop func() float64) {
	held := func() float64 {
		s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		metrics.Read(s)
		return float64(s[0].Value.Uint64())
	}
	runtime.GC()
	start := held()
	top := start
	done := make(chan struct{})
	var looking sync.WaitGroup
	looking.Go(func() {
		every := time.NewTicker(5 * time.Millisecond)
		defer every.Stop()
		for {
			top = max(top, held())
			select {
			case <-every.C:
			case <-done:
				return
			}
		}
	})
	return func() float64 {
		close(done)
		looking.Wait()
		return top - start
	}
}

// outcome is what an audit says right after it was cancelled.
type outcome struct {
	Status     model.AuditTaskStatus
	Statistics model.TaskStatistics
	Check      model.AuditCheckDetails
	Findings   int
	Repeated   int // findings of a resource that has one already
}

func (c *cancelled) answer() any {
	a := c.auditor
	o := outcome{Status: a.task.TaskStatus, Statistics: a.task.TaskStatistics, Check: a.task.AuditDetails[a.names[0]]}
	last := ""
	for f, err := range a.engine.AuditFindings(context.Background(), &model.ListAuditFindingsInput{TaskID: a.taskID}) {
		if err != nil {
			return err.Error()
		}
		id := f.NonCompliantResource.ResourceIdentifier.ClientID
		if id <= last { // they are in the order of the slice
			o.Repeated++
		}
		last = id
		o.Findings++
	}
	return o
}

func (c *cancelled) close() {
	if c.auditor != nil {
		c.auditor.close()
		c.auditor = nil
	}
}

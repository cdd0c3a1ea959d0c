package engine_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/engine"
)

// BenchmarkNoOpChecks is what a check costs that does nothing, in an audit of a thousand of them. contrib/bench has its
// peer.
func BenchmarkNoOpChecks(b *testing.B) {
	const n = 1000
	all := make([]checks.Check, n)
	var names []string
	for i := range all {
		names = append(names, fmt.Sprintf("CHECK_%04d", i))
		all[i] = checks.New(specOf(names[i]), func(context.Context, *checks.Pass) error { return nil })
	}
	e := openEngine(b, engine.Config{Checks: all})
	b.ReportAllocs()
	for b.Loop() {
		runAudit(b, e, names...)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/check")
}

// BenchmarkScan is an audit with one check that looks at a million resources in memory.
func BenchmarkScan(b *testing.B) {
	ints := make([]int, 1_000_000)
	for i := range ints {
		ints[i] = i
	}
	check := checks.Each(specOf("SCAN_CHECK"), checks.Slice("ints", ints), func(_ context.Context, _ *checks.Pass, v *int) error {
		x := uint64(*v) // some work, so that there is something to share out
		for range 100 {
			x ^= x << 13
			x ^= x >> 7
			x ^= x << 17
		}
		if x == 1 {
			return checks.Skip
		}
		return nil
	})
	for _, concurrency := range []int{1, 2} {
		b.Run(fmt.Sprintf("concurrency %d", concurrency), func(b *testing.B) {
			e := openEngine(b, engine.Config{Checks: []checks.Check{check}, Concurrency: concurrency})
			for b.Loop() {
				runAudit(b, e, "SCAN_CHECK")
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(ints)), "ns/resource")
		})
	}
}

// BenchmarkStartAndWait is the time from StartOnDemandAuditTask until WaitAuditTask returns, for one check
// that does nothing.
func BenchmarkStartAndWait(b *testing.B) {
	e := openEngine(b, engine.Config{Checks: []checks.Check{good("GOOD_CHECK")}})
	b.ReportAllocs()
	for b.Loop() {
		runAudit(b, e, "GOOD_CHECK")
	}
}

// BenchmarkWatch is what a check costs in an audit that somebody watches: quick checks, and ones that end
// one after the other so that each could bring a snapshot.
func BenchmarkWatch(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		for _, pause := range []time.Duration{0, time.Millisecond} {
			for _, watched := range []bool{false, true} {
				b.Run(fmt.Sprintf("%d checks of %v, watched %v", n, pause, watched), func(b *testing.B) {
					all := make([]checks.Check, n)
					names := make([]string, n)
					for i := range all {
						names[i] = fmt.Sprintf("CHECK_%05d", i)
						all[i] = checks.New(specOf(names[i]), func(context.Context, *checks.Pass) error {
							if pause > 0 {
								<-time.After(pause)
							}
							return nil
						})
					}
					e := openEngine(b, engine.Config{Checks: all, Concurrency: 8})
					snapshots := 0
					for b.Loop() {
						taskID := startAudit(b, e, names...)
						if !watched {
							waitAudit(b, e, taskID)
							continue
						}
						for _, err := range e.WatchAuditTask(b.Context(), taskID) {
							if err != nil {
								b.Fatal(err)
							}
							snapshots++
						}
					}
					b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/check")
					b.ReportMetric(float64(snapshots)/float64(b.N), "snapshots")
				})
			}
		}
	}
}

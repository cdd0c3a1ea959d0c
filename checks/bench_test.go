package checks_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"golang.org/x/sync/semaphore"
)

// odd finds nothing in a million ints, but has to look at each.
func odd(src *checks.Source[int]) checks.Check {
	return checks.Each(spec("ODD"), src, func(_ context.Context, pass *checks.Pass, n *int) error {
		if *n < 0 {
			pass.Report(finding("negative"))
		}
		return nil
	})
}

// BenchmarkScan reports the time that one check takes for one resource, on two slots, with the time
// limit that makes the clocks run.
func BenchmarkScan(b *testing.B) {
	ints := make([]int, 1_000_000)
	for i := range ints {
		ints[i] = i
	}
	slice := checks.Slice("ints", ints)
	stream := &checks.Source[int]{Name: "ints", All: sequence(ints...)}
	run := func(b *testing.B, audits ...[]checks.Check) {
		b.ReportAllocs()
		n := 0
		for b.Loop() {
			n = 0
			r := checks.Runner{Slots: semaphore.NewWeighted(2), TimeLimit: time.Hour}
			for _, audit := range audits {
				for _, out := range outcomes(&r, b.Context(), audit...) {
					n += int(out.Scanned)
				}
			}
		}
		if n == 0 || n%len(ints) != 0 {
			b.Fatalf("scanned %d", n)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/resource/check")
	}
	for _, src := range []struct {
		name string
		*checks.Source[int]
	}{{"slice", slice}, {"stream", stream}} {
		var six []checks.Check
		var apart [][]checks.Check
		for range 6 {
			c := odd(src.Source)
			six, apart = append(six, c), append(apart, []checks.Check{c})
		}
		b.Run(src.name+"/1 check", func(b *testing.B) { run(b, six[:1]) })
		b.Run(src.name+"/6 checks, one scan", func(b *testing.B) { run(b, six) })
		b.Run(src.name+"/6 checks, six scans", func(b *testing.B) { run(b, apart...) })
	}
}

// BenchmarkRun reports what a check costs that does nothing.
func BenchmarkRun(b *testing.B) {
	var nothing []checks.Check
	for i := range 1000 {
		nothing = append(nothing, checks.New(spec(fmt.Sprint("NOTHING_", i)), func(context.Context, *checks.Pass) error { return nil }))
	}
	b.ReportAllocs()
	for b.Loop() {
		r := checks.Runner{Slots: semaphore.NewWeighted(2), TimeLimit: time.Hour}
		outcomes(&r, b.Context(), nothing...)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(nothing)), "ns/check")
}

// BenchmarkReport reports what a finding costs, from its report to the Outcome.
func BenchmarkReport(b *testing.B) {
	for _, n := range []int{100_000, 1_000_000} {
		names := make([]string, n)
		for i := range names {
			names[i] = fmt.Sprintf("device-%08d", i)
		}
		check := checks.Each(spec("EVERY"), checks.Slice("names", names), func(_ context.Context, pass *checks.Pass, name *string) error {
			pass.Report(finding(*name))
			return nil
		})
		b.Run(fmt.Sprint(n, " findings"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := checks.Runner{Slots: semaphore.NewWeighted(2), TimeLimit: time.Hour}
				if out := outcomes(&r, b.Context(), check)[0]; len(out.Findings) != n {
					b.Fatalf("%d findings", len(out.Findings))
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/finding")
		})
	}
}

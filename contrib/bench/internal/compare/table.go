package compare

import (
	"fmt"
	"io"
	"strings"

	"golang.org/x/perf/benchmath"

	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/measure"
)

// confidence is that of the intervals of medians; benchstat's.
const confidence = 0.95

// summary is the median of a sample and its interval. With fewer than six rounds the interval is not known, and is
// shown as ∞.
func summary(s measure.Sample) benchmath.Summary {
	return benchmath.AssumeNothing.Summary(benchmath.NewSample(s, &benchmath.DefaultThresholds), confidence)
}

func figure(s measure.Sample) string {
	sum := summary(s)
	return measure.Figure(sum.Center) + " ± " + sum.PctRangeString()
}

// target is what is asked of a peer, and met says whether its median is there.
func (c *Contender) target() measure.Target { return measure.Target{Limit: c.Target, Least: true} }

// Brief returns a row for each group of Works, those whose names are the same before the first slash: how many times
// ours each peer's figure is, at least.
func Brief(results []Result) measure.Grid {
	type peer struct{ group, name string }
	var groups []string
	peers, least := make(map[string][]string), make(map[peer]float64)
	for _, r := range results {
		group, _, _ := strings.Cut(r.Work.Name, "/")
		if _, known := peers[group]; !known {
			groups = append(groups, group)
			peers[group] = nil
		}
		for i, k := range r.Kinds[1:] {
			v, at := summary(r.Times(i+1)).Center, peer{group, k.Name}
			if old, known := least[at]; !known {
				peers[group] = append(peers[group], k.Name)
				least[at] = v
			} else {
				least[at] = min(old, v)
			}
		}
	}
	grid := measure.Grid{{"what", "times ours, at least"}}
	for _, group := range groups {
		var list []string
		for _, name := range peers[group] {
			list = append(list, name+" "+measure.Figure(least[peer{group, name}]))
		}
		if len(list) > 0 {
			grid = append(grid, []string{group, strings.Join(list, ", ")})
		}
	}
	return grid
}

// Ratios returns a row for each peer of each Work at each size.
func Ratios(results []Result) measure.Grid {
	grid := measure.Grid{{"what", "size", "figure", "ours", "peer", "its", "times ours", "interval", "at least", "met"}}
	for _, r := range results {
		for i, k := range r.Kinds[1:] {
			times := summary(r.Times(i + 1))
			interval := fmt.Sprintf("%s to %s", measure.Figure(times.Lo), measure.Figure(times.Hi))
			if len(times.Warnings) > 0 {
				interval = "∞"
			}
			least, met := "-", k.target().Met(times.Center)
			if k.Target > 0 {
				least = measure.Figure(k.Target)
			}
			grid = append(grid, []string{
				r.Work.Name, fmt.Sprint(r.Size), r.Work.unit(), figure(r.Figures[0]), k.Name, figure(r.Figures[i+1]),
				measure.Figure(times.Center), interval, least, met,
			})
		}
	}
	return grid
}

// Growth returns a row for each Work: its own figure at both sizes, the ratio of the two, and those of peers that were
// measured at both. 1 is what does not grow with the size.
func Growth(results []Result) measure.Grid {
	grid := measure.Grid{{"what", "figure", "sizes", "ours", "growth", "allocations", "growth of peers"}}
	for i := range results {
		small := &results[i]
		cells := []string{small.Work.Name, small.Work.unit(), fmt.Sprint(small.Size), figure(small.Figures[0]), "-", measure.Figure(small.Allocs[0]), "-"}
		if i > 0 && results[i-1].Work == small.Work {
			continue
		}
		if i+1 < len(results) && results[i+1].Work == small.Work {
			large := &results[i+1]
			growth := func(name string) (float64, bool) {
				a, b := small.of(name), large.of(name)
				if a == nil || b == nil {
					return 0, false
				}
				return b.Median() / a.Median(), true
			}
			var peers []string
			for _, k := range small.Kinds[1:] {
				if g, ok := growth(k.Name); ok {
					peers = append(peers, k.Name+" "+measure.Figure(g))
				}
			}
			own, _ := growth(small.Kinds[0].Name)
			cells[2] += fmt.Sprintf(", %d", large.Size)
			cells[3] += ", " + figure(large.Figures[0])
			cells[4] = measure.Figure(own)
			cells[5] += ", " + measure.Figure(large.Allocs[0])
			if len(peers) > 0 {
				cells[6] = strings.Join(peers, ", ")
			}
		}
		grid = append(grid, cells)
	}
	return grid
}

// of returns the figures of a contender, nil if it was not measured.
func (r *Result) of(name string) measure.Sample {
	for i, k := range r.Kinds {
		if k.Name == name {
			return r.Figures[i]
		}
	}
	return nil
}

// WriteBenchmarks writes every measurement in the format of Go's benchmarks, for benchstat: the contender is the last part of
// the name, under the key by.
func WriteBenchmarks(w io.Writer, results []Result) error {
	var b strings.Builder
	for _, r := range results {
		for i, k := range r.Kinds {
			for _, v := range r.Figures[i] {
				fmt.Fprintf(&b, "Benchmark%s/size=%d/by=%s 1 %g %s\n", strings.ReplaceAll(r.Work.Name, " ", "_"), r.Size,
					strings.ReplaceAll(k.Name, " ", "_"), v, r.Work.unit())
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

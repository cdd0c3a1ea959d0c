package compare

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/measure"
)

// Result is what was measured of a Work at one size: for each contender, in the order of Contenders, the figure of a
// unit in each round.
type Result struct {
	Work    *Work
	Size    int
	Kinds   []Contender
	Figures []measure.Sample
	Allocs  []float64 // allocations a unit, in the last round
}

// Times returns how many times ours the figure of a contender is, round by round.
func (r *Result) Times(i int) measure.Sample { return r.Figures[i].Over(r.Figures[0]) }

// Rounds says how to measure.
type Rounds struct {
	Number int
	// Least is how long one measurement takes at least.
	Least time.Duration
	// Progress is told what is measured.
	Progress io.Writer
}

// Measure measures Works, each at its sizes. In a round the contenders take turns, so that what slows the machine down
// slows all of them down. An error says which answers differ, or which contender failed.
func (r Rounds) Measure(works []Work) ([]Result, error) {
	testing.Init()
	if err := flag.Set("test.benchtime", r.Least.String()); err != nil {
		return nil, err
	}
	var results []Result
	for i := range works {
		for _, size := range works[i].sizes() {
			result, err := r.measure(&works[i], size)
			if err != nil {
				return nil, err
			}
			results = append(results, result)
		}
	}
	return results, nil
}

func (r Rounds) measure(w *Work, size int) (Result, error) {
	fmt.Fprintf(r.Progress, "measuring %s, %d ", w.Name, size)
	start := time.Now()
	defer func() { fmt.Fprintf(r.Progress, " %.0f s\n", time.Since(start).Seconds()) }()
	f, err := w.open(size)
	if err != nil {
		return Result{}, err
	}
	defer f.close()
	n := len(f.kinds)
	result := Result{Work: w, Size: size, Kinds: f.kinds, Figures: make([]measure.Sample, n), Allocs: make([]float64, n)}
	for range r.Number {
		for i, k := range f.kinds {
			failed := errors.New("it did not run")
			b := testing.Benchmark(func(b *testing.B) { failed = f.benchmark(b, i) })
			if failed != nil {
				return Result{}, fmt.Errorf("%s, %d: %s: %w", w.Name, size, k.Name, failed)
			}
			result.Figures[i] = append(result.Figures[i], b.Extra[w.unit()])
			result.Allocs[i] = float64(b.AllocsPerOp()) / float64(f.tasks[i].Units)
		}
		fmt.Fprint(r.Progress, ".")
	}
	return result, f.agree()
}

package compare

import (
	"fmt"
	"testing"
)

// Benchmark runs each contender of a Work at both sizes as a Go benchmark: Name/size/contender.
func (w *Work) Benchmark(b *testing.B) {
	for _, size := range w.sizes() {
		b.Run(fmt.Sprintf("%s/%d", w.Name, size), func(b *testing.B) {
			f, err := w.open(size)
			if err != nil {
				b.Fatal(err)
			}
			defer f.close()
			for i, c := range f.kinds {
				b.Run(c.Name, func(b *testing.B) {
					if err := f.benchmark(b, i); err != nil {
						b.Fatal(err)
					}
				})
			}
		})
	}
}

func (w *Work) sizes() []int {
	if w.Growth == 0 {
		return []int{w.Size}
	}
	return []int{w.Size, w.Growth}
}

// unit is how benchmarks report the figure.
func (w *Work) unit() string {
	if w.Figure == "" {
		return "ns/" + w.Unit
	}
	return w.Figure + "/" + w.Unit
}

// benchmark measures one contender, and reports its figure of a unit.
func (f *field) benchmark(b *testing.B, i int) error {
	t := &f.tasks[i]
	b.ReportAllocs()
	sum := 0.0
	for b.Loop() {
		var err error
		if f.work.Figure == "" {
			err = t.Do()
		} else {
			var v float64
			v, err = t.Measure()
			sum += v
		}
		if err != nil {
			return err
		}
	}
	if f.work.Figure == "" {
		sum = float64(b.Elapsed().Nanoseconds())
	}
	b.ReportMetric(sum/float64(b.N)/float64(t.Units), f.work.unit())
	return nil
}

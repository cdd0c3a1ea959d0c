package main

import (
	"runtime"
	"sync"
	"time"

	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/measure"
	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/stores"
	"github.com/fleetaudit/fleetaudit/findings"
)

// Figures of the experiments with whole audits.
const (
	nsPerFinding    = "ns/finding"
	bytesPerFinding = "B/finding"
	heapMiB         = "MiB"
	msPerDay        = "ms/day"
	slowestDay      = "slowest-ms"
	dayGrowth       = "late/early"
)

// oneInTen suppresses findings in groups, as suppressions of one check do.
func oneInTen(i int) bool { return i%100 < 10 }

// ownIDs is how many bytes of a finding's heap are its resource's id. Peers share it with what they are given.
func ownIDs(k stores.Kind) float64 {
	if k.Name == stores.Ours().Name {
		return stores.IDSize
	}
	return 0
}

// timed returns how long f takes, from a clean heap on.
func timed(f func() error) (time.Duration, error) {
	runtime.GC()
	start := time.Now()
	err := f()
	return time.Since(start), err
}

// keptAll returns an error unless a store has the same findings of each day. Outside of what is measured, it also
// keeps the store and the findings alive until the heap is known.
func keptAll(s stores.Store, days int, fs []findings.Finding) error {
	for day := range days {
		if err := stores.Kept(s, day, fs); err != nil {
			return err
		}
	}
	return nil
}

// first is the first audit of a fleet: the time it takes, and the heap without the ids of its resources.
func first(n int, kinds []stores.Kind) *experiment {
	fleet := sync.OnceValue(func() []findings.Finding { return stores.Fleet(n, oneInTen) })
	return &experiment{
		name: "first", figures: []string{nsPerFinding, bytesPerFinding}, kinds: kinds,
		setup: func(k stores.Kind) (func() ([]float64, error), error) {
			fs := fleet()
			return func() ([]float64, error) {
				before := measure.Heap()
				s := k.New(n)
				d, err := timed(func() error { return stores.Fill(s, 0, fs, false) })
				heap := measure.Heap() - before
				if err == nil {
					err = keptAll(s, 1, fs)
				}
				return []float64{float64(d.Nanoseconds()) / float64(n), heap/float64(n) - ownIDs(k)}, err
			}, nil
		},
	}
}

// again is more audits that find what the first one found: the time, and the heap of each.
func again(n, days int, kinds []stores.Kind) *experiment {
	fleet := sync.OnceValue(func() []findings.Finding { return stores.Fleet(n, oneInTen) })
	return &experiment{
		name: "again", figures: []string{nsPerFinding, bytesPerFinding}, kinds: kinds,
		setup: func(k stores.Kind) (func() ([]float64, error), error) {
			fs := fleet()
			return func() ([]float64, error) {
				s := k.New(n)
				if err := stores.Fill(s, 0, fs, false); err != nil {
					return nil, err
				}
				before := measure.Heap()
				var total time.Duration
				for day := range days {
					d, err := timed(func() error { return stores.Fill(s, 1+day, fs, false) })
					if err != nil {
						return nil, err
					}
					total += d
				}
				heap := measure.Heap() - before
				if err := keptAll(s, 1+days, fs); err != nil {
					return nil, err
				}
				all := float64(n * days)
				return []float64{float64(total.Nanoseconds()) / all, heap / all}, nil
			}, nil
		},
	}
}

// daily is a long row of audits that find the same. Early are the days after the first, late the last ones,
// a tenth of all each; the growth is that of their medians.
func daily(n, days int, kinds []stores.Kind) *experiment {
	fleet := sync.OnceValue(func() []findings.Finding { return stores.Fleet(n, oneInTen) })
	return &experiment{
		name: "daily", figures: []string{heapMiB, msPerDay, slowestDay, dayGrowth}, kinds: kinds,
		setup: func(k stores.Kind) (func() ([]float64, error), error) {
			fs := fleet()
			return func() ([]float64, error) {
				before := measure.Heap()
				s := k.New(n)
				var ms measure.Sample
				for day := range days {
					start := time.Now()
					if err := stores.Fill(s, day, fs, false); err != nil {
						return nil, err
					}
					ms = append(ms, float64(time.Since(start).Nanoseconds())/1e6)
				}
				heap := measure.Heap() - before
				if err := keptAll(s, days, fs); err != nil {
					return nil, err
				}
				part := max(1, days/10)
				growth := ms[days-part:].Median() / ms[1:1+part].Median()
				return []float64{heap / (1 << 20), ms[1:].Median(), ms[1:].Max(), growth}, nil
			}, nil
		},
	}
}

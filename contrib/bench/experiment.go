package main

import (
	"fmt"
	"io"
	"time"

	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/measure"
	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/stores"
)

// experiment measures the same figures of several stores.
type experiment struct {
	name    string
	figures []string // what each round returns, with units, as benchmarks print them
	kinds   []stores.Kind
	// setup returns a round. A costly setup is done once for all rounds of a kind; otherwise the kinds take turns.
	costly bool
	setup  func(stores.Kind) (round func() ([]float64, error), err error)
}

// results are the figures of an experiment, by the kind's name and the figure's.
type results map[string]map[string]measure.Sample

func (r results) add(e *experiment, kind string, values []float64) {
	if r[kind] == nil {
		r[kind] = make(map[string]measure.Sample)
	}
	for i, figure := range e.figures {
		r[kind][figure] = append(r[kind][figure], values[i])
	}
}

// run measures all kinds in a number of rounds, and tells progress: a dot for each round of a kind.
func (e *experiment) run(rounds int, progress io.Writer) (results, error) {
	fmt.Fprintf(progress, "measuring %s ", e.name)
	start := time.Now()
	defer func() { fmt.Fprintf(progress, " %.0f s\n", time.Since(start).Seconds()) }()
	r := make(results)
	outer, inner := rounds, 1
	if e.costly {
		outer, inner = 1, rounds
	}
	for range outer {
		for _, k := range e.kinds {
			round, err := e.setup(k)
			if err != nil {
				return nil, fmt.Errorf("%s of %s: %w", e.name, k.Name, err)
			}
			for range inner {
				values, err := round()
				if err != nil {
					return nil, fmt.Errorf("%s of %s: %w", e.name, k.Name, err)
				}
				r.add(e, k.Name, values)
				fmt.Fprint(progress, ".")
			}
		}
	}
	return r, nil
}

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/durable"
	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/measure"
)

// durability says how large everything is that is made durable.
type durability struct {
	findings int           // of an audit
	audits   int           // how many ours starts with
	raw      int           // how many of them the peers start with, which keep every finding again
	callers  int           // at once
	duration time.Duration // of operations
}

func fullDurability() durability {
	return durability{findings: 100_000, audits: 90, raw: 9, callers: 64, duration: 2 * time.Second}
}

// What is measured, in the order of the table.
var durableFigures = []string{
	"operations a second, one caller", "operations a second, %d callers", "first audit, findings a second",
	"repeated audits, findings a second", "start, ns a finding", startTime, "file, bytes a finding",
}

const startTime = "start, ms"

// durableTable measures every contender in a number of rounds, and tells progress.
func durableTable(d durability, rounds int, progress io.Writer) (measure.Table, error) {
	dir, err := os.MkdirTemp("", "bench-durable-")
	if err != nil {
		return measure.Table{}, err
	}
	defer os.RemoveAll(dir)
	w, kinds := durable.NewWorkload(d.findings), durable.Kinds()
	samples := make(map[string][]measure.Sample) // by kind, then by figure
	for round := range rounds {
		fmt.Fprintf(progress, "measuring round %d ", round+1)
		for _, k := range kinds {
			own, err := os.MkdirTemp(dir, "")
			if err != nil {
				return measure.Table{}, err
			}
			audits := d.raw
			if k.Name == kinds[0].Name {
				audits = d.audits
			}
			values, err := d.measure(k.New(own, w), audits)
			if err != nil {
				return measure.Table{}, fmt.Errorf("%s: %w", k.Name, err)
			}
			if samples[k.Name] == nil {
				samples[k.Name] = make([]measure.Sample, len(values))
			}
			for i, v := range values {
				samples[k.Name][i] = append(samples[k.Name][i], v)
			}
			if err := os.RemoveAll(own); err != nil {
				return measure.Table{}, err
			}
			fmt.Fprint(progress, ".")
		}
		fmt.Fprintln(progress)
	}
	return d.table(samples), nil
}

// measure returns the figures of one contender.
func (d durability) measure(c durable.Contender, audits int) (values []float64, err error) {
	if err := c.Open(); err != nil {
		return nil, err
	}
	open := true
	defer func() {
		if open {
			_, failed := c.Close()
			err = errors.Join(err, failed)
		}
	}()
	first, err := timed(c.Audit)
	if err != nil {
		return nil, err
	}
	repeats, err := timed(func() error {
		for range audits - 1 {
			if err := c.Audit(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	open = false
	size, err := c.Close()
	if err != nil {
		return nil, err
	}
	start, err := timed(c.Open)
	open = true
	if err != nil {
		return nil, err
	}
	kept := audits * d.findings
	held, err := c.Held()
	if err != nil {
		return nil, err
	}
	if held != kept {
		return nil, fmt.Errorf("%d findings were there after a restart, not %d", held, kept)
	}
	alone, err := d.operations(c, 1, 0)
	if err != nil {
		return nil, err
	}
	together, err := d.operations(c, d.callers, 1<<32)
	if err != nil {
		return nil, err
	}
	a := float64(d.findings)
	return []float64{
		alone, together, a / first.Seconds(), a * float64(audits-1) / repeats.Seconds(),
		float64(start.Nanoseconds()) / float64(kept), float64(start) / float64(time.Millisecond), float64(size) / float64(kept),
	}, nil
}

// operations returns how many operations a second a number of callers get done.
func (d durability) operations(c durable.Contender, callers, from int) (float64, error) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	done, failed := 0, error(nil)
	c.Share(callers)
	start := time.Now()
	for caller := range callers {
		wg.Go(func() {
			n, err := 0, error(nil)
			for ; err == nil && time.Since(start) < d.duration; n++ {
				err = c.Operation(from + n*callers + caller)
			}
			mu.Lock()
			defer mu.Unlock()
			done, failed = done+n, errors.Join(failed, err)
		})
	}
	wg.Wait()
	return float64(done) / time.Since(start).Seconds(), failed
}

// table has a column for each kind, and the ratio of ours to the first peer.
func (d durability) table(samples map[string][]measure.Sample) measure.Table {
	var t measure.Table
	kinds := durable.Kinds()
	for _, k := range kinds {
		t.Contenders = append(t.Contenders, k.Name)
	}
	for i, what := range durableFigures {
		if what == durableFigures[1] {
			what = fmt.Sprintf(what, d.callers)
		}
		row := measure.Row{What: what}
		for _, k := range kinds {
			row.Cells = append(row.Cells, measure.Figure(samples[k.Name][i].Median()))
		}
		if what != startTime { // they start with different numbers of findings
			row.Ratio = samples[kinds[0].Name][i].Over(samples[kinds[1].Name][i])
			row.Judged = row.Ratio
		}
		t.Rows = append(t.Rows, row)
	}
	t.Notes = []string{
		fmt.Sprintf("An audit finds %d findings, the same each time. fleetaudit starts with %d audits; bbolt and SQLite, which have a row for each finding of each, with %d.",
			d.findings, d.audits, d.raw),
		"fleetaudit is the whole engine: the check runs, findings are indexed, a start makes everything ready for every query. bbolt and SQLite only store and read bytes. The ratio is to bbolt. Of several callers bbolt commits a change of each together, SQLite one after the other.",
	}
	return t
}

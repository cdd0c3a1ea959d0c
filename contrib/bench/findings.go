package main

import (
	"cmp"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/compare"
	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/load"
	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/measure"
	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/stores"
)

// sizes says how large everything is.
type sizes struct {
	works       func(policies string) ([]compare.Work, error)
	load        load.Config
	durability  durability
	first       int // findings of a first audit
	day, repeat int // findings of a day's audit, and for how many days it is repeated
	days        int // of the long row
	depths      depths
	audits      int // of the library that has many
	readers     time.Duration
}

// full is the size that targets are for.
func full() sizes {
	return sizes{
		works: works, load: fullLoad(), durability: fullDurability(),
		first: 1e6, day: 1e5, repeat: 3, days: 90, audits: 100, readers: 250 * time.Millisecond,
		depths: depths{findings: 1_200_000, depth: 900_000, page: 250, pairs: 40},
	}
}

// named gives an experiment another name.
func (e *experiment) named(name string) *experiment {
	e.name = name
	return e
}

// experiments yields them one after the other, so that their findings are not in memory together.
func (z sizes) experiments() iter.Seq[*experiment] {
	return func(yield func(*experiment) bool) {
		kinds, ours, tuned := stores.Kinds(), []stores.Kind{stores.Ours()}, stores.Tuned()
		if !yield(first(z.first, kinds)) || !yield(again(z.day, z.repeat, kinds)) ||
			!yield(first(z.first, tuned).named("first/tuned")) || !yield(again(z.day, z.repeat, tuned).named("again/tuned")) ||
			!yield(first(z.day, stores.Transactions()).named("transactions")) ||
			!yield(daily(z.day, z.days, ours)) || !yield(readers(z.day/4, z.readers, z.depths.page, kinds)) {
			return
		}
		for _, l := range libraries(z.audits) {
			if !yield(pages(l, z.depths, ours)) || l.peers && !yield(pages(l, z.depths.half(), kinds).named("half/pages/"+l.name)) {
				return
			}
		}
	}
}

// findingsTable measures everything in a number of rounds, and tells progress.
func findingsTable(z sizes, rounds int, progress io.Writer) (measure.Table, error) {
	all := make(map[string]results)
	for e := range z.experiments() {
		r, err := e.run(rounds, progress)
		if err != nil {
			return measure.Table{}, err
		}
		all[e.name] = r
	}
	return z.table(all), nil
}

// table makes rows and notes of what the experiments measured, by their names.
func (z sizes) table(all map[string]results) measure.Table {
	t := comparison{results: all}
	for _, k := range stores.Kinds() {
		t.Contenders = append(t.Contenders, k.Name)
	}
	ours, peers := t.Contenders[0], t.Contenders[1:]

	targets := map[string]measure.Target{"go-memdb": {Limit: 15, Least: true}, "slice+maps": {Limit: 2, Least: true}}
	tuned := func(what, experiment, figure string) {
		t.add(what+", tuned peers", experiment, figure, nil, nil, measure.Target{})
		row := &t.Rows[len(t.Rows)-1]
		for i, peer := range peers {
			row.Cells[1+i] = measure.Figure(t.results[experiment+"/tuned"][peer][figure].Median())
		}
	}
	for _, insert := range []struct{ what, experiment string }{
		{fmt.Sprintf("insert a first audit of %d, ns a finding", z.first), "first"},
		{fmt.Sprintf("insert a repeat of %d, ns a finding", z.day), "again"},
	} {
		for _, peer := range peers {
			r := t.results[insert.experiment]
			ratio := r[peer][nsPerFinding].Over(r[ours][nsPerFinding])
			t.add(insert.what+", "+peer, insert.experiment, nsPerFinding, ratio, ratio, targets[peer])
		}
		tuned(insert.what, insert.experiment, nsPerFinding)
	}
	heap := func(what, experiment string, limit float64) {
		r := t.results[experiment]
		least := slices.MinFunc(peers, func(a, b string) int {
			return cmp.Compare(r[a][bytesPerFinding].Median(), r[b][bytesPerFinding].Median())
		})
		ratio := r[least][bytesPerFinding].Over(r[ours][bytesPerFinding])
		t.add(what, experiment, bytesPerFinding, ratio, r[ours][bytesPerFinding], measure.Target{Limit: limit})
		tuned(what, experiment, bytesPerFinding)
	}
	heap("heap of a first audit without ids, bytes a finding", "first", 80)
	heap("heap of a repeat, bytes a finding", "again", 16)

	plain := func(what, experiment, figure string, target measure.Target) {
		t.add(what, experiment, figure, nil, t.results[experiment][ours][figure], target)
	}
	plain(fmt.Sprintf("heap of %d daily audits of %d, MiB", z.days, z.day), "daily", heapMiB, measure.Target{Limit: 1024})
	for i, peer := range peers {
		mib := t.results["again"][peer][bytesPerFinding].Median() * float64(z.day) * float64(z.days) / (1 << 20)
		t.Rows[len(t.Rows)-1].Cells[1+i] = "~" + measure.Figure(mib)
	}
	plain("insert of a day of these, ms", "daily", msPerDay, measure.Target{})
	plain("insert of the slowest day, ms", "daily", slowestDay, measure.Target{})
	plain("insert of late days against early ones", "daily", dayGrowth, measure.Target{})
	for _, l := range libraries(z.audits) {
		whole, half := t.results["pages/"+l.name], t.results["half/pages/"+l.name]
		for _, listing := range l.listings {
			plain("page deep down against the first (µs): "+listing.name, "pages/"+l.name, listing.ratio(), measure.Target{Limit: 1.5})
			row := &t.Rows[len(t.Rows)-1]
			for i, kind := range t.Contenders {
				r := half[kind]
				if kind == ours {
					r = whole[kind]
				}
				if r != nil {
					row.Cells[i] = fmt.Sprintf("%s (%s)", measure.Figure(r[listing.ratio()].Median()), measure.Figure(r[listing.deep()].Median()))
				}
			}
		}
	}
	plain("pages a second beside a writer against alone", "readers", pagesRatio, measure.Target{})
	plain("findings a second beside a reader against alone", "readers", writesRatio, measure.Target{})
	plain("pages a second alone", "readers", pagesAlone, measure.Target{})
	plain("findings a second alone", "readers", writesAlone, measure.Target{})
	plain("slowest page beside a writer, ms", "readers", slowestPage, measure.Target{})

	t.note("Peers find each finding by an index of its own by place, task, check, resource, time and suppressed; go-memdb in transactions of 1,000.")
	t.note("Tuned peers have numbers for resources, and indexes by run, as ours.")
	t.note("Each resource's id takes %d bytes more in ours; peers share them with what they are given.", stores.IDSize)
	t.note("Of peers, the heap of %[1]d daily audits is not measured: it is the heap of a repeat, times %[1]d.", z.days)
	t.note("Pages have %d findings. Deep is after %d findings, or on the last full page of a shorter listing; of peers, for their heaps, half as deep in half as many.", z.depths.page, z.depths.depth)
	transactions := t.results["transactions"]
	for _, name := range slices.Sorted(maps.Keys(transactions)) {
		ns := transactions[name][nsPerFinding]
		t.note("%s: a first audit of %d at %s ns a finding (%s)", name, z.day, measure.Figure(ns.Median()), ns.Spread())
	}
	return t.Table
}

// comparison is a table in the making.
type comparison struct {
	measure.Table
	results map[string]results
}

func (c *comparison) add(what, experiment, figure string, ratio, judged measure.Sample, target measure.Target) {
	row := measure.Row{What: what, Ratio: ratio, Judged: judged, Target: target}
	for _, kind := range c.Contenders {
		cell := "-"
		if sample := c.results[experiment][kind][figure]; len(sample) > 0 {
			cell = measure.Figure(sample.Median())
		}
		row.Cells = append(row.Cells, cell)
	}
	c.Rows = append(c.Rows, row)
}

func (c *comparison) note(format string, args ...any) {
	c.Notes = append(c.Notes, fmt.Sprintf(format, args...))
}

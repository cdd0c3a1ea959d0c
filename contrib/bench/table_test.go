package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/measure"
	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/stores"
)

// inserted returns figures of an insert, in the order of stores.Kinds. Ratios are of the same rounds: the median of
// a peer's to ours is two thirds of what the medians would make it.
func inserted(ns, bytes [4]float64) results {
	r := make(results)
	for i, k := range stores.Kinds() {
		rounds := measure.Sample{ns[i] * 3 / 2, ns[i] / 2, ns[i]}
		if i == 0 {
			rounds = measure.Sample{ns[i] / 2, ns[i], ns[i] * 3 / 2}
		}
		r[k.Name] = map[string]measure.Sample{nsPerFinding: rounds, bytesPerFinding: {bytes[i]}}
	}
	return r
}

// read returns figures of a library's pages.
func read(l library, first, deep, ratio float64) map[string]measure.Sample {
	r := make(map[string]measure.Sample)
	for _, listing := range l.listings {
		r[listing.first()], r[listing.deep()], r[listing.ratio()] = measure.Sample{first}, measure.Sample{deep}, measure.Sample{ratio}
	}
	return r
}

// TestTableOfKnownFigures makes the table of figures that are given.
func TestTableOfKnownFigures(t *testing.T) {
	z := full()
	all := map[string]results{
		"first":        inserted([4]float64{10, 300, 60, 30}, [4]float64{70, 900, 700, 800}),
		"again":        inserted([4]float64{1, 15, 20, 4}, [4]float64{20, 600, 500, 400}),
		"first/tuned":  inserted([4]float64{2, 33, 44, 55}, [4]float64{3, 66, 77, 88}),
		"again/tuned":  inserted([4]float64{4, 35, 46, 57}, [4]float64{5, 68, 79, 81}),
		"transactions": {"go-memdb/batch=7": {nsPerFinding: {40, 60, 41}}},
		"daily":        {"findings": {heapMiB: {1100}, msPerDay: {21}, slowestDay: {34}, dayGrowth: {1.25}}},
		"readers": {
			"findings": {pagesRatio: {0.5}, writesRatio: {0.25}, pagesAlone: {111}, writesAlone: {222}, slowestPage: {333}},
			"b-tree":   {pagesRatio: {0.6}, writesRatio: {0.35}, pagesAlone: {112}, writesAlone: {223}, slowestPage: {334}},
		},
	}
	for _, l := range libraries(z.audits) {
		all["pages/"+l.name] = results{"findings": read(l, 100, 160, 1.6)}
		if l.peers {
			all["half/pages/"+l.name] = results{"findings": read(l, 7, 8, 9), "b-tree": read(l, 200, 500, 2.5)}
		}
	}
	table := z.table(all)
	if diff := cmp.Diff([]string{"findings", "go-memdb", "b-tree", "slice+maps"}, table.Contenders); diff != "" {
		t.Errorf("contenders (-want +got):\n%s", diff)
	}
	// Of each row the cells, the ratio, the spread, the target, and whether it is met.
	got := make(map[string]string)
	for _, r := range table.Rows {
		ratio := "-"
		if len(r.Ratio) > 0 {
			ratio = measure.Figure(r.Ratio.Median())
		}
		got[r.What] = strings.Join(slices.Concat(r.Cells, []string{ratio, r.Judged.Spread(), r.Target.String(), r.Target.Met(r.Judged.Median())}), "|")
	}
	want := map[string]string{
		"insert a first audit of 1000000, ns a finding, go-memdb":         "10.0|300|60.0|30.0|20.0|15.0 to 90.0|at least 15.0|yes",
		"insert a first audit of 1000000, ns a finding, b-tree":           "10.0|300|60.0|30.0|4.00|3.00 to 18.0|-|-",
		"insert a first audit of 1000000, ns a finding, slice+maps":       "10.0|300|60.0|30.0|2.00|1.50 to 9.00|at least 2.00|yes",
		"insert a first audit of 1000000, ns a finding, tuned peers":      "10.0|33.0|44.0|55.0|-||-|-",
		"insert a repeat of 100000, ns a finding, go-memdb":               "1.00|15.0|20.0|4.00|10.0|7.50 to 45.0|at least 15.0|NO",
		"insert a repeat of 100000, ns a finding, b-tree":                 "1.00|15.0|20.0|4.00|13.3|10.0 to 60.0|-|-",
		"insert a repeat of 100000, ns a finding, slice+maps":             "1.00|15.0|20.0|4.00|2.67|2.00 to 12.0|at least 2.00|yes",
		"insert a repeat of 100000, ns a finding, tuned peers":            "1.00|35.0|46.0|57.0|-||-|-",
		"heap of a first audit without ids, bytes a finding":              "70.0|900|700|800|10.0|70.0 to 70.0|at most 80.0|yes",
		"heap of a first audit without ids, bytes a finding, tuned peers": "70.0|66.0|77.0|88.0|-||-|-",
		"heap of a repeat, bytes a finding":                               "20.0|600|500|400|20.0|20.0 to 20.0|at most 16.0|NO",
		"heap of a repeat, bytes a finding, tuned peers":                  "20.0|68.0|79.0|81.0|-||-|-",
		"heap of 90 daily audits of 100000, MiB":                          "1100|~5150|~4292|~3433|-|1100 to 1100|at most 1024|NO",
		"insert of a day of these, ms":                                    "21.0|-|-|-|-|21.0 to 21.0|-|-",
		"insert of the slowest day, ms":                                   "34.0|-|-|-|-|34.0 to 34.0|-|-",
		"insert of late days against early ones":                          "1.25|-|-|-|-|1.25 to 1.25|-|-",
		"pages a second beside a writer against alone":                    "0.50|-|0.60|-|-|0.50 to 0.50|-|-",
		"findings a second beside a reader against alone":                 "0.25|-|0.35|-|-|0.25 to 0.25|-|-",
		"pages a second alone":                                            "111|-|112|-|-|111 to 111|-|-",
		"findings a second alone":                                         "222|-|223|-|-|222 to 222|-|-",
		"slowest page beside a writer, ms":                                "333|-|334|-|-|333 to 333|-|-",
	}
	for _, l := range libraries(z.audits) {
		for _, listing := range l.listings {
			peer := "-"
			if l.peers {
				peer = "2.50 (500)"
			}
			want["page deep down against the first (µs): "+listing.name] = "1.60 (160)|-|" + peer + "|-|-|1.60 to 1.60|at most 1.50|NO"
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	for _, note := range []string{
		"Of peers, the heap of 90 daily audits is not measured: it is the heap of a repeat, times 90.",
		"go-memdb/batch=7: a first audit of 100000 at 41.0 ns a finding (40.0 to 60.0)",
	} {
		require.Contains(t, table.Notes, note)
	}
}

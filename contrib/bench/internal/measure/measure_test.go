package measure_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/measure"
)

func TestSamples(t *testing.T) {
	for _, row := range []struct {
		sample      measure.Sample
		median, max float64
		spread      string
	}{
		{nil, 0, 0, ""},
		{measure.Sample{7}, 7, 7, "7.00 to 7.00"},
		{measure.Sample{9, 1, 5}, 5, 9, "1.00 to 9.00"},
		{measure.Sample{30, 100, 20, 10}, 25, 100, "10.0 to 100"},
	} {
		got := []any{row.sample.Median(), row.sample.Max(), row.sample.Spread()}
		if diff := cmp.Diff([]any{row.median, row.max, row.spread}, got); diff != "" {
			t.Errorf("%v (-want +got):\n%s", row.sample, diff)
		}
	}
	s := measure.Sample{9, 1, 5}
	s.Median()
	if diff := cmp.Diff(measure.Sample{3, 0.5, 5}, s.Over(measure.Sample{3, 2, 1})); diff != "" {
		t.Errorf("ratios, round by round (-want +got):\n%s", diff)
	}
}

func TestTargets(t *testing.T) {
	for _, row := range []struct {
		target measure.Target
		value  float64
		says   string
		met    string
	}{
		{measure.Target{}, 3, "-", "-"},
		{measure.Target{Limit: 2}, 1.9, "at most 2.00", "yes"},
		{measure.Target{Limit: 2}, 2, "at most 2.00", "yes"},
		{measure.Target{Limit: 2}, 2.1, "at most 2.00", "NO"},
		{measure.Target{Limit: 15, Least: true}, 14.9, "at least 15.0", "NO"},
		{measure.Target{Limit: 15, Least: true}, 15, "at least 15.0", "yes"},
		{measure.Target{Limit: 15, Least: true}, 16, "at least 15.0", "yes"},
	} {
		if diff := cmp.Diff([]string{row.says, row.met}, []string{row.target.String(), row.target.Met(row.value)}); diff != "" {
			t.Errorf("%+v, %v (-want +got):\n%s", row.target, row.value, diff)
		}
	}
}

func TestTable(t *testing.T) {
	table := measure.Table{
		Contenders: []string{"ours", "theirs"},
		Rows: []measure.Row{
			{"time", []string{"1", "3"}, measure.Sample{3, 2}, measure.Sample{3, 2}, measure.Target{Limit: 2, Least: true}},
			{"plain", []string{"10", "20"}, nil, measure.Sample{10}, measure.Target{}},
		},
		Notes: []string{"A note."},
	}
	var b strings.Builder
	_, err := table.WriteTo(&b)
	require.NoError(t, err)
	want := `what   ours  theirs  ratio  spread        target         met
time   1     3       2.50   2.00 to 3.00  at least 2.00  yes
plain  10    20      -      10.0 to 10.0  -              -

A note.
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

func TestHeap(t *testing.T) {
	before := measure.Heap()
	kept := make([]byte, 8<<20)
	grown := measure.Heap() - before
	runtime.KeepAlive(kept)
	require.InDelta(t, len(kept), grown, 1<<20)
}

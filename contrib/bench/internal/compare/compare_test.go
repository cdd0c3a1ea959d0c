package compare_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/compare"
	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/measure"
)

// summing is a contender that adds numbers up, each as often as told, and is wrong by so much.
func summing(name string, target float64, off int, closed *int) compare.Contender {
	return compare.Contender{Name: name, Target: target, New: func(size int) (compare.Task, error) {
		sum := 0
		return compare.Task{
			Do: func() error {
				sum = off
				for i := range size {
					sum += i
				}
				return nil
			},
			Answer: func() any { return sum },
			Close:  func() { *closed++ },
		}, nil
	}}
}

// constant is a contender of a known figure: a number for each unit.
func constant(name string, target, each float64) compare.Contender {
	return compare.Contender{Name: name, Target: target, New: func(size int) (compare.Task, error) {
		return compare.Task{
			Measure: func() (float64, error) { return each * float64(size), nil },
			Answer:  func() any { return "the same" },
		}, nil
	}}
}

func rounds(n int) compare.Rounds {
	return compare.Rounds{Number: n, Least: time.Nanosecond, Progress: io.Discard}
}

func TestMeasure(t *testing.T) {
	closed := 0
	late := summing("late", 0, 0, &closed)
	late.Largest = 100
	w := compare.Work{Name: "sum", Unit: "number", Size: 100, Growth: 1000,
		Contenders: []compare.Contender{summing("ours", 0, 0, &closed), summing("peer", 2, 0, &closed), late}}
	results, err := rounds(3).Measure([]compare.Work{w})
	require.NoError(t, err)
	require.Len(t, results, 2)
	require.Equal(t, 5, closed)
	for i, r := range results {
		require.Equal(t, []int{100, 1000}[i], r.Size)
		require.Len(t, r.Kinds, 3-i)
		for _, s := range r.Figures {
			require.Len(t, s, 3)
			for _, v := range s {
				require.Positive(t, v)
			}
		}
	}
}

// TestOtherAnswers has contenders that must not be measured.
func TestOtherAnswers(t *testing.T) {
	closed := 0
	ours := summing("ours", 0, 0, &closed)
	failing := func(fail int) compare.Contender {
		return compare.Contender{Name: "failing", New: func(int) (compare.Task, error) {
			calls := 0
			return compare.Task{Answer: func() any { return 0 }, Do: func() error {
				if calls++; calls == fail {
					return errors.New("out of order")
				}
				return nil
			}}, nil
		}}
	}
	forgetting := compare.Contender{Name: "forgetting", New: func(int) (compare.Task, error) {
		sum := 90
		return compare.Task{Do: func() error { sum /= 2; return nil }, Answer: func() any { return sum }}, nil
	}}
	for _, row := range []struct {
		list []compare.Contender
		says []string
	}{
		{[]compare.Contender{ours, summing("peer", 2, 1, &closed)}, []string{"sum, 10: peer does not answer as ours does (-ours +peer)", "45", "46"}},
		{[]compare.Contender{ours, failing(1)}, []string{"sum, 10: failing: out of order"}},
		{[]compare.Contender{failing(2)}, []string{"sum, 10: failing: out of order"}},
		{[]compare.Contender{{Name: "unready", New: func(int) (compare.Task, error) { return compare.Task{}, errors.New("no input") }}}, []string{"unready: no input"}},
		{[]compare.Contender{{Name: "mute", New: func(int) (compare.Task, error) {
			return compare.Task{Do: func() error { return nil }, Answer: func() any { return nil }}, nil
		}}}, []string{"mute: there is no answer"}},
		{[]compare.Contender{ours, forgetting}, []string{"forgetting answers otherwise once it is measured", "45"}},
	} {
		_, err := rounds(1).Measure([]compare.Work{{Name: "sum", Unit: "number", Size: 10, Contenders: row.list}})
		require.Error(t, err)
		for _, part := range row.says {
			require.ErrorContains(t, err, part)
		}
	}
	require.Equal(t, 4, closed, "what was prepared is given back")
}

// TestFiguresOfKnownCosts measures contenders whose figures are known.
func TestFiguresOfKnownCosts(t *testing.T) {
	few := constant("few", 0, 1)
	few.Largest = 10
	works := []compare.Work{
		{Name: "heap/a", Unit: "thing", Figure: "bytes", Size: 10, Growth: 100,
			Contenders: []compare.Contender{constant("ours", 0, 2), constant("peer", 5, 10), few}},
		{Name: "heap/b", Unit: "thing", Figure: "bytes", Size: 7, Contenders: []compare.Contender{constant("ours", 0, 2), constant("peer", 5, 9)}},
		{Name: "alone", Unit: "thing", Figure: "bytes", Size: 7, Contenders: []compare.Contender{constant("ours", 0, 2)}},
	}
	results, err := rounds(6).Measure(works)
	require.NoError(t, err)
	for i := range results {
		for k := range results[i].Allocs {
			results[i].Allocs[k] = 3
		}
	}
	for _, row := range []struct {
		name string
		got  measure.Grid
		want string
	}{
		{"brief", compare.Brief(results), `
| what | times ours, at least |
| ---- | -------------------- |
| heap | peer 4.50, few 0.50  |
`},
		{"ratios", compare.Ratios(results), `
| what   | size | figure      | ours      | peer | its       | times ours | interval     | at least | met |
| ------ | ---- | ----------- | --------- | ---- | --------- | ---------- | ------------ | -------- | --- |
| heap/a | 10   | bytes/thing | 2.00 ± 0% | peer | 10.0 ± 0% | 5.00       | 5.00 to 5.00 | 5.00     | yes |
| heap/a | 10   | bytes/thing | 2.00 ± 0% | few  | 1.00 ± 0% | 0.50       | 0.50 to 0.50 | -        | -   |
| heap/a | 100  | bytes/thing | 2.00 ± 0% | peer | 10.0 ± 0% | 5.00       | 5.00 to 5.00 | 5.00     | yes |
| heap/b | 7    | bytes/thing | 2.00 ± 0% | peer | 9.00 ± 0% | 4.50       | 4.50 to 4.50 | 5.00     | NO  |
`},
		{"growth", compare.Growth(results), `
| what   | figure      | sizes   | ours                 | growth | allocations | growth of peers |
| ------ | ----------- | ------- | -------------------- | ------ | ----------- | --------------- |
| heap/a | bytes/thing | 10, 100 | 2.00 ± 0%, 2.00 ± 0% | 1.00   | 3.00, 3.00  | peer 1.00       |
| heap/b | bytes/thing | 7       | 2.00 ± 0%            | -      | 3.00        | -               |
| alone  | bytes/thing | 7       | 2.00 ± 0%            | -      | 3.00        | -               |
`},
	} {
		var b strings.Builder
		_, err := row.got.WriteTo(&b)
		require.NoError(t, err)
		if diff := cmp.Diff(strings.TrimPrefix(row.want, "\n"), b.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
	var raw bytes.Buffer
	require.NoError(t, compare.WriteBenchmarks(&raw, results[3:]))
	if diff := cmp.Diff(strings.Repeat("Benchmarkalone/size=7/by=ours 1 2 bytes/thing\n", 6), raw.String()); diff != "" {
		t.Errorf("for benchstat (-want +got):\n%s", diff)
	}
}

// Few rounds have no interval.
func TestFewRounds(t *testing.T) {
	w := compare.Work{Name: "heap", Unit: "thing", Figure: "bytes", Size: 7, Contenders: []compare.Contender{constant("ours", 0, 2), constant("peer", 5, 9)}}
	results, err := rounds(5).Measure([]compare.Work{w})
	require.NoError(t, err)
	if diff := cmp.Diff([]string{"heap", "7", "bytes/thing", "2.00 ± ∞", "peer", "9.00 ± ∞", "4.50", "∞", "5.00", "NO"}, compare.Ratios(results)[1]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

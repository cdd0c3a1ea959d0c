package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"golang.org/x/perf/benchfmt"

	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/compare"
	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/policies"
)

// BenchmarkPeers measures what the table of the same name shows.
func BenchmarkPeers(b *testing.B) {
	all, err := works("")
	require.NoError(b, err)
	for _, w := range all {
		w.Benchmark(b)
	}
}

// counting is a work of which the figures are known: a peer's is times ours.
func counting(name string, times float64) compare.Work {
	kind := func(name string, each float64) compare.Contender {
		return compare.Contender{Name: name, Target: 3, New: func(size int) (compare.Task, error) {
			return compare.Task{
				Measure: func() (float64, error) { return each * float64(size), nil },
				Answer:  func() any { return size },
			}, nil
		}}
	}
	return compare.Work{Name: name, Unit: "thing", Figure: "bytes", Size: 10, Contenders: []compare.Contender{kind("ours", 1), kind("peer", times)}}
}

func TestPeers(t *testing.T) {
	dir := t.TempDir()
	report, raw := filepath.Join(dir, "report.md"), filepath.Join(dir, "raw.txt")
	z := tiny()
	asked := ""
	z.works = func(policies string) ([]compare.Work, error) {
		asked = policies
		return []compare.Work{counting("one/a", 4), counting("two/b", 2)}, nil
	}
	var out, told bytes.Buffer
	args := []string{"-rounds", "6", "-least", "1ns", "-only", "one", "-policies", "some file", "-raw", raw, "-o", report, "peers"}
	require.Equal(t, 0, run(z, args, &out, &told), told.String())
	require.Equal(t, "some file", asked)
	kept, err := os.ReadFile(report)
	require.NoError(t, err)
	require.Equal(t, out.String(), string(kept))
	require.Contains(t, out.String(), "6 rounds")
	require.Contains(t, out.String(), "| one  | peer 4.00            |")
	require.NotContains(t, out.String(), "two")

	// What benchstat would read.
	f, err := os.Open(raw)
	require.NoError(t, err)
	defer f.Close()
	values := make(map[string][]float64)
	for r := benchfmt.NewReader(f, raw); r.Scan(); {
		result, ok := r.Result().(*benchfmt.Result)
		require.True(t, ok, "%v", r.Result())
		v, _ := result.Value("bytes/thing")
		values[string(result.Name)] = append(values[string(result.Name)], v)
	}
	require.Equal(t, map[string][]float64{
		"one/a/size=10/by=ours": {1, 1, 1, 1, 1, 1}, "one/a/size=10/by=peer": {4, 4, 4, 4, 4, 4},
	}, values)
}

// A report that cannot be made leaves the old one as it was.
func TestFailuresKeepTheOldReport(t *testing.T) {
	report := filepath.Join(t.TempDir(), "report.md")
	require.NoError(t, os.WriteFile(report, []byte("old"), 0o666))
	z := tiny()
	z.works = func(string) ([]compare.Work, error) { return nil, nil }
	var out, told bytes.Buffer
	require.Equal(t, 1, run(z, []string{"-o", report, "peers"}, &out, &told))
	require.Contains(t, told.String(), "no work has a name")
	kept, err := os.ReadFile(report)
	require.NoError(t, err)
	require.Equal(t, "old", string(kept))
}

// TestPeersAgree measures every work at a small size, and the one ten times larger: all contenders answer the same.
func TestPeersAgree(t *testing.T) {
	all, err := works("")
	require.NoError(t, err)
	for _, w := range all {
		t.Run(w.Name, func(t *testing.T) {
			w.Size = min(w.Size, 300)
			if w.Growth > 0 {
				w.Growth = 10 * w.Size
			}
			for i := range w.Contenders {
				w.Contenders[i].Largest = 0
			}
			results, err := compare.Rounds{Number: 1, Least: 1, Progress: io.Discard}.Measure([]compare.Work{w})
			require.NoError(t, err)
			for _, r := range results {
				require.NotEmpty(t, r.Kinds)
			}
		})
	}
}

func TestReadPolicies(t *testing.T) {
	for _, row := range []struct {
		text string
		want []policies.Document
		says string
	}{
		{`{"name":"a","document":{"Statement":[]}} {"name":"b","document":"{\"Id\":\"x\"}"}`, []policies.Document{
			{Name: "a", Text: []byte(`{"Statement":[]}`)}, {Name: "b", Text: []byte(`{"Id":"x"}`)},
		}, ""},
		{"", nil, "there is no policy"},
		{`{"name":"a","document":{}}{"name":"b"}`, nil, `policy 2, "b": there is no document`},
		{`{"name":"a","document":{}}]`, nil, "policy 2: invalid character"},
	} {
		got, err := readPolicies(strings.NewReader(row.text))
		if row.says != "" {
			require.ErrorContains(t, err, row.says)
			continue
		}
		require.NoError(t, err)
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.text, diff)
		}
	}
	_, err := works("no such file")
	require.ErrorContains(t, err, "no such file")
}

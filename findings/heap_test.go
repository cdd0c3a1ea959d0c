package findings_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/findings"
)

// TestHeap holds on to what a finding takes in a store of this size; for other sizes see BenchmarkHeap.
func TestHeap(t *testing.T) {
	const n, repeats = 30_000, 5
	fs := fleet(n)
	s := findings.New()
	at := []int{heap()}
	for i := range 1 + repeats {
		fill(t, s, i, fs)
		if i == 0 || i == repeats {
			at = append(at, heap())
		}
	}
	s.Drop(taskID(0))
	at = append(at, heap())
	runtime.KeepAlive(fs)
	require.Equal(t, n, s.Count().Firsts)
	require.Less(t, float64(at[1]-at[0])/n-idLength, 70.0, "bytes a finding of the first audit, without its id")
	require.Less(t, float64(at[2]-at[1])/n/repeats, 13.5, "bytes a finding of the next audits")
	// The first sightings of all, instead of the findings of one audit in segments and index.
	require.Less(t, float64(at[3]-at[2])/n, 1.0, "bytes a finding more, after the first audit is dropped")
}

// TestHeapOfRunsWithoutFindings has so many of them that little else counts.
func TestHeapOfRunsWithoutFindings(t *testing.T) {
	const audits, checks = 400, 20
	s := findings.New()
	names := make([]string, checks) // each once, as the caller has them
	for i := range names {
		names[i] = fmt.Sprint("CHECK_", i)
	}
	begin := func(i int) {
		require.NoError(t, s.Begin(findings.Audit{TaskID: taskID(i), StartTime: benchStart.AddDate(0, 0, i)}))
		for c := range checks {
			r := run(i, c)
			r.CheckName = names[c]
			require.NoError(t, s.Append(r, nil))
		}
	}
	begin(0)
	before := heap()
	for i := range audits {
		begin(1 + i)
	}
	after := heap()
	require.Equal(t, (1+audits)*checks, s.Count().Runs)
	require.Zero(t, s.Count().Segments, "runs that listings pass over")
	require.Less(t, float64(after-before)/(audits*checks), 260.0, "bytes a run")
}

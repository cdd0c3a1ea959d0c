package findings_test

import (
	"fmt"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/findings"
)

// BenchmarkMirror appends the first run and one that finds the same, without a mirror, and with one whose rows are read.
func BenchmarkMirror(b *testing.B) {
	const n = 100_000
	fs := fleet(n)
	for _, with := range []bool{false, true} {
		name := map[bool]string{false: "plain", true: "mirrored"}[with]
		open := func() *findings.Store {
			s := findings.New()
			if with {
				s.Mirror()
			}
			return s
		}
		size := 0
		write := func(s *findings.Store, day int) {
			a := findings.Audit{TaskID: taskID(day), StartTime: benchStart.AddDate(0, 0, day), Order: uint64(day + 1)}
			require.NoError(b, s.Begin(a))
			tx := s.Txn()
			r := run(day, 0)
			r.CheckName = "CHECK"
			require.NoError(b, tx.Append(r, fs))
			size = 0
			for _, r := range tx.Rows() {
				size += len(r.Key) + len(r.Value)
			}
			tx.Commit()
		}
		perFinding := func(b *testing.B) {
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/finding")
			b.ReportMetric(float64(size)/n, "told-B/finding")
		}
		b.Run("first/"+name, func(b *testing.B) {
			for b.Loop() {
				write(open(), 0)
			}
			perFinding(b)
		})
		b.Run("repeat/"+name, func(b *testing.B) {
			s, day := open(), 0
			write(s, 0)
			for b.Loop() {
				day++
				write(s, day)
			}
			perFinding(b)
		})
	}
}

// BenchmarkLoad loads ninety runs that find the same, and then nothing else; and takes the rows of a snapshot of them.
func BenchmarkLoad(b *testing.B) {
	const n, repeats = 100_000, 90
	fs := fleet(n)
	s := findings.New()
	s.Mirror()
	var audits []findings.Audit
	for day := range repeats {
		a := findings.Audit{TaskID: taskID(day), StartTime: benchStart.AddDate(0, 0, day), Order: uint64(day + 1)}
		require.NoError(b, s.Begin(a))
		audits = append(audits, a)
		r := run(day, 0)
		require.NoError(b, s.Append(r, fs))
	}
	rows := slices.Collect(s.Snapshot().Rows())
	perFinding := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n*repeats), "ns/finding")
	}
	b.Run(fmt.Sprintf("load/n=%d/runs=%d", n, repeats), func(b *testing.B) {
		for b.Loop() {
			s := findings.New()
			s.Mirror()
			require.NoError(b, load(s, audits, slices.Values(rows)))
			require.Equal(b, n*repeats, s.Len())
		}
		perFinding(b)
	})
	b.Run(fmt.Sprintf("snapshot/n=%d/runs=%d", n, repeats), func(b *testing.B) {
		for b.Loop() {
			for range s.Snapshot().Rows() {
			}
		}
		perFinding(b)
	})
	runtime.KeepAlive(s)
}

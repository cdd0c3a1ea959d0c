package findings_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

func TestDiffOfUnknownAudits(t *testing.T) {
	s := threeAudits(t)
	for _, row := range []struct{ older, newer, says string }{
		{"x", taskID(1), `findings: older "x" names no audit of this store`},
		{taskID(1), "", `findings: newer "" names no audit of this store`},
	} {
		seq, err := s.Diff(row.older, row.newer)
		require.ErrorIs(t, err, findings.ErrUnknownTask)
		require.EqualError(t, err, row.says)
		require.Nil(t, seq)
	}
}

// TestDiffIsOfItsMoment takes a sequence, changes the store, and ranges over the sequence in parts.
func TestDiffIsOfItsMoment(t *testing.T) {
	s := findings.New()
	for audit, fs := range [][]findings.Finding{
		{client("a", "X"), client("b", "X"), client("c", "X")}, {client("b", "X"), client("d", "X"), client("e", "X")},
	} {
		require.NoError(t, s.Begin(findings.Audit{TaskID: taskID(audit), StartTime: benchStart.AddDate(0, 0, audit)}))
		require.NoError(t, s.Append(run(audit, 0), fs))
	}
	seq, err := s.Diff(taskID(0), taskID(1))
	require.NoError(t, err)
	want := slices.Collect(seq)
	require.Len(t, want, 5)
	require.NoError(t, s.Append(run(1, 1), []findings.Finding{client("f", "X")}))
	s.Drop(taskID(0))
	for n := range 1 + len(want) {
		var got []findings.Change
		for c := range seq {
			if len(got) == n {
				break
			}
			got = append(got, c)
		}
		if diff := cmp.Diff(append([]findings.Change(nil), want[:n]...), got); diff != "" {
			t.Errorf("the first %d (-want +got):\n%s", n, diff)
		}
	}
	*want[0].Finding.IsSuppressed = true
	for c := range seq {
		require.False(t, *c.Finding.IsSuppressed, "changed by the caller")
	}
}

// shuffled returns fs in another order.
func shuffled(fs []findings.Finding) []findings.Finding {
	fs = slices.Clone(fs)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(fs), func(i, j int) { fs[i], fs[j] = fs[j], fs[i] })
	return fs
}

// TestDiffIsLean looks at the heap while a diff is under way that has to search for every finding.
func TestDiffIsLean(t *testing.T) {
	const n = 28_700 // just too many for a smaller index
	s := findings.New()
	for audit, fs := range [][]findings.Finding{fleet(n), shuffled(fleet(n))} {
		require.NoError(t, s.Begin(findings.Audit{TaskID: taskID(audit), StartTime: benchStart.AddDate(0, 0, audit)}))
		require.NoError(t, s.Append(run(audit, 0), fs))
	}
	seq, err := s.Diff(taskID(0), taskID(1))
	require.NoError(t, err)
	before, during, changes := heap(), 0, 0
	for c := range seq {
		if c.State != findings.StateUnchanged {
			t.Fatal(c.State)
		}
		if changes++; changes == n-1 {
			during = heap()
		}
	}
	require.Equal(t, n, changes)
	require.LessOrEqual(t, float64(during-before)/n, 12.0, "bytes a finding")
	runtime.KeepAlive(s)
}

// diffOfSlices is the diff that one would write first.
func diffOfSlices(older, newer []model.AuditFinding, yield func(findings.Change)) {
	was := make(map[findings.Fingerprint]*model.AuditFinding, len(older))
	for i := range older {
		was[findings.FingerprintOf(older[i])] = &older[i]
	}
	for i := range newer {
		fp, state := findings.FingerprintOf(newer[i]), findings.StateNew
		if was[fp] != nil {
			state = findings.StateUnchanged
			delete(was, fp)
		}
		yield(findings.Change{State: state, Finding: newer[i]})
	}
	for i := range older {
		if f := was[findings.FingerprintOf(older[i])]; f != nil {
			yield(findings.Change{State: findings.StateResolved, Finding: *f, WasSuppressed: *f.IsSuppressed})
		}
	}
}

// BenchmarkDiff compares two audits that find the same in the same order, the same in another order, and
// nothing in common. The baseline has both audits decoded already, of which listing the newer one shows
// the share.
func BenchmarkDiff(b *testing.B) {
	for _, n := range sizes {
		for _, row := range []struct {
			name  string
			newer func() []findings.Finding
		}{
			{"same", func() []findings.Finding { return fleet(n) }},
			{"shuffled", func() []findings.Finding {
				var fs []findings.Finding
				runs(2, fleet(n), func(_ findings.Run, part []findings.Finding) { fs = append(fs, shuffled(part)...) })
				return fs
			}},
			{"disjoint", func() []findings.Finding { return fleet(2 * n)[n:] }},
		} {
			b.Run(fmt.Sprintf("%s/n=%d", row.name, n), func(b *testing.B) {
				s := findings.New()
				for i := range 2 { // the first is there to be looked through for what is new
					fill(b, s, i, fleet(n))
				}
				fill(b, s, 2, row.newer())
				measure := func(name string, diff func(yield func(findings.Change))) {
					b.Run(name, func(b *testing.B) {
						b.ReportAllocs()
						changes := 0
						for b.Loop() {
							diff(func(findings.Change) { changes++ })
						}
						b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(changes), "ns/change")
					})
				}
				measure("store", func(yield func(findings.Change)) {
					seq, err := s.Diff(taskID(1), taskID(2))
					if err != nil {
						b.Fatal(err)
					}
					for c := range seq {
						yield(c)
					}
				})
				older := slices.Collect(s.All(findings.Query{TaskID: taskID(1)}))
				newer := slices.Collect(s.All(findings.Query{TaskID: taskID(2)}))
				measure("newer listed", func(yield func(findings.Change)) {
					for f := range s.All(findings.Query{TaskID: taskID(2)}) {
						yield(findings.Change{Finding: f})
					}
				})
				measure("baseline", func(yield func(findings.Change)) { diffOfSlices(older, newer, yield) })
			})
		}
	}
}

package stores_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/stores"
	"github.com/fleetaudit/fleetaudit/findings"
)

// TestPagesWhileAuditsAreWritten wants each run in a page as a whole or not at all, in every store.
func TestPagesWhileAuditsAreWritten(t *testing.T) {
	const audits, perRun = 6, 150 // more than a transaction of the smallest size
	fs := stores.Fleet(perRun*stores.Checks, func(i int) bool { return i%2 == 0 })
	one := fs[0].Resource.ResourceIdentifier
	for _, k := range kinds() {
		t.Run(k.Name, func(t *testing.T) {
			t.Parallel()
			s := k.New(0)
			var done atomic.Bool
			var all sync.WaitGroup
			all.Go(func() {
				defer done.Store(true)
				for day := range audits {
					if err := stores.Fill(s, day, fs, false); err != nil {
						t.Error(err)
					}
				}
			})
			read := func(q findings.Query, multiple int) (n int) {
				q.Limit = audits * len(fs)
				page, err := s.Page(q)
				if err != nil || page.Next != "" || len(page.Findings)%multiple != 0 {
					t.Errorf("%d findings, not a multiple of %d; next %q, %v", len(page.Findings), multiple, page.Next, err)
				}
				return len(page.Findings)
			}
			last := 0
			for end := false; !end && !t.Failed(); {
				end = done.Load()
				last = read(findings.Query{}, perRun)
				read(findings.Query{Suppressed: new(true)}, perRun/2)
				read(findings.Query{CheckName: stores.CheckName(3)}, perRun)
				read(findings.Query{Resource: one}, 1)
			}
			all.Wait()
			require.Equal(t, audits*len(fs), last)
		})
	}
}

// TestNumberBeforeItsFindings asks for a resource that has a number, and no finding yet.
func TestNumberBeforeItsFindings(t *testing.T) {
	fs := stores.Fleet(1, func(int) bool { return false })
	one := fs[0].Resource.ResourceIdentifier
	s := stores.Tuned()[2].New(0)
	stores.Number(s, one)
	for _, want := range []int{0, 1} {
		page, err := s.Page(findings.Query{Resource: one, Limit: 10})
		require.NoError(t, err)
		require.Len(t, page.Findings, want)
		require.NoError(t, stores.Fill(s, want, fs, false))
	}
}

func TestWorkload(t *testing.T) {
	const n = 1001
	for _, row := range []struct {
		skewed bool
		first  int // findings of the first check
	}{{false, n / stores.Checks}, {true, n * 5 / 6}} {
		var sizes []int
		var together []findings.Finding
		require.NoError(t, stores.Runs(2, stores.Fleet(n, func(i int) bool { return i == 7 }), row.skewed, func(r findings.Run, fs []findings.Finding) error {
			if diff := cmp.Diff(len(sizes), r.Ordinal); diff != "" {
				t.Errorf("ordinal (-want +got):\n%s", diff)
			}
			sizes, together = append(sizes, len(fs)), append(together, fs...)
			return nil
		}))
		require.Len(t, sizes, stores.Checks)
		require.Equal(t, row.first, sizes[0])
		require.Len(t, together, n)
		ids := make(map[string]bool)
		for i, f := range together {
			id := f.Resource.ResourceIdentifier.DeviceCertificateID
			require.Len(t, id, stores.IDSize)
			require.False(t, ids[id], "resource %d comes twice", i)
			require.Equal(t, i == 7, f.Suppressed)
			ids[id] = true
		}
	}
	days := make(map[string]bool)
	for day := range 1000 {
		days[stores.TaskID(day)[:16]] = true
	}
	require.Len(t, days, 1000, "beginnings of task ids")
}

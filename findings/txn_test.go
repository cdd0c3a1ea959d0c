package findings_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/findings"
)

// TestOrderOfAudits begins audits of one instant.
func TestOrderOfAudits(t *testing.T) {
	s := findings.New()
	begin := func(i int, order uint64) error {
		return s.Begin(findings.Audit{TaskID: taskID(i), StartTime: benchStart, Order: order})
	}
	for i, order := range []uint64{7, 3, 0, 10, 0, 9} {
		require.NoError(t, begin(i, order))
		require.NoError(t, s.Append(run(i, 0), []findings.Finding{client(fmt.Sprint(i), "X")}))
	}
	// Without an order: after all those before.
	if diff := cmp.Diff([]string{"4 X", "3 X", "5 X", "2 X", "0 X", "1 X"}, words(s, findings.Query{})); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	require.ErrorIs(t, begin(6, 9), findings.ErrTaskTaken)
	require.NoError(t, begin(6, 5), "what was refused has taken nothing")
	s.Drop(taskID(6))
	require.NoError(t, begin(7, 5))
	s.Drop(taskID(7))
	require.NoError(t, begin(8, 5))

	s = findings.New()
	s.Mirror()
	require.EqualError(t, begin(0, 0), fmt.Sprintf("findings: Order 0 of audit %q must not be zero", taskID(0)))
	require.NoError(t, begin(0, 1))
	require.Error(t, begin(0, 2), "the task id is taken")
	require.NoError(t, begin(1, 2))
}

func TestTxn(t *testing.T) {
	s := findings.New()
	for i := range 2 {
		require.NoError(t, s.Begin(findings.Audit{TaskID: taskID(i), StartTime: benchStart.AddDate(0, 0, i)}))
	}
	require.NoError(t, s.Append(run(0, 0), []findings.Finding{client("a", "X")}))
	for _, commits := range []bool{false, true} {
		tx := s.Txn()
		require.NoError(t, tx.Append(run(1, 0), []findings.Finding{client("b", "X")}))
		require.ErrorIs(t, tx.Append(run(1, 0), nil), findings.ErrRunTaken)
		require.NoError(t, tx.Append(run(1, 1), []findings.Finding{client("c", "X")}))
		require.NoError(t, tx.Append(run(0, 1), nil))
		tx.Drop(taskID(0))
		require.ErrorIs(t, tx.Append(run(0, 2), nil), findings.ErrUnknownTask)
		require.ErrorIs(t, s.Begin(findings.Audit{TaskID: taskID(0), StartTime: benchStart}), findings.ErrTaskTaken, "until it is committed")
		require.Nil(t, tx.Rows(), "nobody asked for them")
		require.Equal(t, []string{"a X"}, words(s, findings.Query{}))
		if !commits {
			tx.Abort()
			require.Equal(t, []string{"a X"}, words(s, findings.Query{}))
			continue
		}
		tx.Commit()
		tx.Abort()
		require.EqualError(t, tx.Append(run(1, 2), nil), "findings: the transaction is over")
		require.Equal(t, []string{"b X", "c X"}, words(s, findings.Query{}))
	}
	require.NoError(t, s.Begin(findings.Audit{TaskID: taskID(0), StartTime: benchStart}))
	require.NoError(t, s.Append(run(0, 0), nil))
	_, _, ok := s.Counts(taskID(0), 0)
	require.True(t, ok)
}

// TestReadersWhileTransactionsAreOpen reads the store, and takes snapshots of it, while audits come and go in
// transactions, of which every third is aborted. What can be seen is whole: all runs of an audit or none.
func TestReadersWhileTransactionsAreOpen(t *testing.T) {
	const audits, checks, each = 60, 3, 20
	m := newMirrored(t)
	m.SmallChunks()
	fs := fleet(each)
	var told [][]findings.Row
	var done atomic.Bool
	var all sync.WaitGroup
	all.Go(func() {
		defer done.Store(true)
		for i := range audits {
			if err := m.Begin(findings.Audit{TaskID: taskID(i), StartTime: benchStart.AddDate(0, 0, i), Order: uint64(i + 1)}); err != nil {
				t.Error(err)
			}
			tx := m.Txn()
			for n := range checks {
				changed := slices.Clone(fs)
				changed[i%each].Reason = fmt.Sprint(i)
				if err := tx.Append(run(i, n), changed); err != nil {
					t.Error(err)
				}
			}
			tx.Drop(taskID(i - 5))
			rows := tx.Rows()
			if i%3 == 1 {
				tx.Abort()
				continue
			}
			told = append(told, rows)
			tx.Commit()
		}
	})
	for range 2 {
		all.Go(func() {
			for last := false; !last; {
				last = done.Load()
				seen := make(map[string]int)
				for f := range m.All(findings.Query{}) {
					seen[f.TaskID]++
				}
				for id, n := range seen {
					if n != checks*each {
						t.Errorf("%d findings of audit %s", n, id)
					}
				}
			}
		})
	}
	all.Go(func() {
		for last := false; !last; {
			last = done.Load()
			s := findings.New()
			for i := range audits {
				if err := s.Begin(findings.Audit{TaskID: taskID(i), StartTime: benchStart.AddDate(0, 0, i), Order: uint64(i + 1)}); err != nil {
					t.Error(err)
				}
			}
			if err := load(s, nil, m.Snapshot().Rows()); err != nil {
				t.Error(err)
			}
			if s.Len()%(checks*each) != 0 {
				t.Errorf("%d findings in a snapshot", s.Len())
			}
		}
	})
	all.Wait()
	for _, rows := range told {
		m.mirror.apply(t, rows)
	}
	requireNoWaste(t, m.Store, m.mirror)
	require.NotZero(t, m.Count().Firsts)
}

// TestAppendSeq appends findings that are not in a slice: as many as are said, fewer, and more.
func TestAppendSeq(t *testing.T) {
	s := findings.New()
	require.NoError(t, s.Begin(findings.Audit{TaskID: taskID(0), StartTime: benchStart}))
	calls := 0
	seq := func(yield func(*findings.Finding) bool) {
		calls++
		var f findings.Finding // the same place for all
		for _, id := range []string{"a", "b", "a", "c", "d"} {
			f = client(id, "X")
			f.Suppressed = id == "c"
			if !yield(&f) {
				return
			}
		}
	}
	tx := s.Txn()
	defer tx.Abort()
	for _, n := range []int{-1, 1, 4, 6} {
		err := tx.AppendSeq(run(0, 0), n, seq)
		require.ErrorContains(t, err, fmt.Sprintf("a run of %d findings", n))
	}
	require.Equal(t, 3, calls)
	require.NoError(t, tx.AppendSeq(run(0, 0), 5, seq), "what was refused has added nothing")
	require.ErrorIs(t, tx.AppendSeq(run(0, 0), 5, seq), findings.ErrRunTaken)
	require.Equal(t, 4, calls)
	tx.Commit()
	if diff := cmp.Diff([]string{"a X", "b X", "c X", "d X"}, words(s, findings.Query{})); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	active, suppressed, ok := s.Counts(taskID(0), 0)
	require.Equal(t, []any{3, 1, true}, []any{active, suppressed, ok})
	for f := range s.All(findings.Query{}) {
		require.Equal(t, f.NonCompliantResource.ResourceIdentifier.ClientID == "c", *f.IsSuppressed)
	}
}

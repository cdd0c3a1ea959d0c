package findings_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// TestListsOfRuns has transactions that append to old and new audits, in any order of ordinals, of which some are
// aborted. After each the store has the runs of those that were committed, in order, and what was there before is as it
// was for those who still read it.
func TestListsOfRuns(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	s := findings.New()
	type run struct{ audit, ordinal int }
	taken := make(map[run]bool)
	audits := 0
	type reading struct {
		runs func() ([]uint64, bool)
		seqs []uint64
	}
	var readings []reading
	for range 150 {
		if audits == 0 || random.IntN(3) == 0 {
			start := time.Unix(int64(1_000_000+random.IntN(50)+audits), 0)
			require.NoError(t, s.Begin(findings.Audit{TaskID: fmt.Sprint("audit-", audits), StartTime: start}))
			audits++
		}
		txn := s.Txn()
		var appended []run
		for range 1 + random.IntN(2)*random.IntN(60) {
			r := run{audits - 1 - random.IntN(min(audits, 1+random.IntN(8))), random.IntN(300)}
			if taken[r] {
				continue
			}
			taken[r] = true
			appended = append(appended, r)
			var found []findings.Finding
			if random.IntN(4) == 0 {
				id := model.ResourceIdentifier{ClientID: fmt.Sprint("client-", random.IntN(9))}
				found = []findings.Finding{{
					Resource:   model.NonCompliantResource{ResourceIdentifier: id, ResourceType: model.ResourceTypeClientID},
					ReasonCode: "BAD", Suppressed: random.IntN(2) == 0,
				}}
			}
			require.NoError(t, txn.Append(findings.Run{
				TaskID: fmt.Sprint("audit-", r.audit), Ordinal: r.ordinal, CheckName: fmt.Sprint("CHECK_", r.ordinal%5),
				Time: time.Unix(int64(2_000_000+random.IntN(1000)), 0),
			}, found))
		}
		if random.IntN(4) == 0 {
			txn.Abort()
			for _, r := range appended {
				delete(taken, r)
			}
		} else {
			txn.Commit()
		}
		runs := s.Runs()
		seqs, ok := runs()
		require.True(t, ok, "a list is not in order, or not what it says")
		require.Len(t, seqs, len(taken))
		readings = append(readings, reading{runs, slices.Clone(seqs)})
	}
	for _, r := range readings {
		seqs, ok := r.runs()
		require.True(t, ok)
		require.Empty(t, cmp.Diff(r.seqs, seqs))
	}
}

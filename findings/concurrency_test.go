package findings_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// The audits of the concurrency test: three run at a time, check by check in turns, and old ones are
// dropped meanwhile.
const (
	audits    = 60
	atOnce    = 3
	remaining = 6  // audits that are not dropped
	perRun    = 40 // findings
)

// sequence says which run of all is the one of an audit and a check, in the order of Append.
func sequence(audit, check int) int {
	return (audit/atOnce*checkCount+check)*atOnce + audit%atOnce
}

// span is what is known of a listing from outside.
type span struct {
	low, high  int  // runs before low are in its snapshot, runs from high on are not
	away, lost int  // audits before away are not in it, those from lost on are
	whole      bool // audits between away and lost are in it with all or nothing
}

// verify checks that a listing holds each finding of one snapshot once, in order. Runs are appended one
// after the other, so a snapshot has all of them up to one. expected is how many findings a run of a
// check has in the listing.
func (sp span) verify(list []model.AuditFinding, expected func(check int) int) error {
	var seen [audits][checkCount]int
	var present [audits]bool
	ids, last, before := make(map[string]bool), -1, audits
	for i, f := range list {
		var audit, check int
		fmt.Sscanf(f.ReasonForNonCompliance, "%d %d", &audit, &check)
		if ids[f.FindingID] {
			return fmt.Errorf("finding %s comes twice", f.FindingID)
		}
		if audit > before || audit == before && f.FindingID < list[i-1].FindingID {
			return fmt.Errorf("finding %s comes after %s", f.FindingID, list[i-1].FindingID)
		}
		ids[f.FindingID], present[audit], before = true, true, audit
		seen[audit][check]++
		last = max(last, sequence(audit, check))
	}
	if last >= sp.high {
		return fmt.Errorf("run %d was appended after the snapshot, which was older than %d", last, sp.high)
	}
	for audit := range audits {
		for check := range checkCount {
			got, want, n := seen[audit][check], expected(check), sequence(audit, check)
			switch {
			case audit < sp.away || n >= sp.high:
				want = 0
			case n > last && n >= sp.low:
				want = 0 // appended while the listing began, but not in its snapshot
			case audit < sp.lost && (!sp.whole && got < want || sp.whole && !present[audit]):
				continue // dropped while the listing went on
			}
			if got != want {
				return fmt.Errorf("audit %d has %d findings of check %d, not %d", audit, got, check, want)
			}
		}
	}
	return nil
}

func TestListingsWhileAuditsAreWritten(t *testing.T) {
	s := findings.New()
	fs := fleet(perRun * checkCount)
	var started, finished, dropping, dropped atomic.Int64 // runs, runs, audits, audits
	var all sync.WaitGroup
	drops := make(chan int, audits)
	all.Go(func() {
		defer close(drops)
		for group := 0; group < audits; group += atOnce {
			for i := range atOnce {
				a := findings.Audit{TaskID: taskID(group + i), StartTime: benchStart.AddDate(0, 0, group+i)}
				if err := s.Begin(a); err != nil {
					t.Error(err)
				}
			}
			for n := range atOnce * checkCount {
				r := run(group+n%atOnce, n/atOnce)
				found := append([]findings.Finding(nil), fs[r.Ordinal*perRun:(r.Ordinal+1)*perRun]...)
				for i := range found {
					found[i].Reason = fmt.Sprintf("%d %d", group+n%atOnce, r.Ordinal)
				}
				started.Add(1)
				if err := s.Append(r, found); err != nil {
					t.Error(err)
				}
				finished.Add(1)
			}
			drops <- group + atOnce - remaining
		}
	})
	all.Go(func() {
		gone := 0
		for end := range drops {
			for ; gone < end; gone++ {
				dropping.Store(int64(gone + 1))
				s.Drop(taskID(gone))
				dropped.Store(int64(gone + 1))
			}
		}
	})

	only := func(check, n int) func(int) int {
		return func(c int) int {
			if c == check {
				return n
			}
			return 0
		}
	}
	for reader, row := range []struct {
		query    findings.Query
		expected func(check int) int
	}{
		{findings.Query{}, func(int) int { return perRun }},
		{findings.Query{CheckName: "CHECK_2"}, only(2, perRun)},
		{findings.Query{Resource: fs[perRun+3].Resource.ResourceIdentifier}, only(1, 1)},
		{findings.Query{Suppressed: new(true)}, func(check int) int {
			n := 0
			for _, f := range fs[check*perRun : (check+1)*perRun] {
				if f.Suppressed {
					n++
				}
			}
			return n
		}},
	} {
		all.Go(func() {
			random := rand.New(rand.NewPCG(uint64(reader), 0))
			for done := false; !done; {
				done = finished.Load() == audits*checkCount || t.Failed()
				var list []model.AuditFinding
				sp, q := span{low: int(finished.Load()), away: int(dropped.Load())}, row.query
				cut := false // the next page would have begun in an audit that was dropped
				for sp.high == 0 || q.Token != "" {
					q.Limit = 1 + random.IntN(perRun)
					page, err := s.Page(q)
					if cut = err != nil && strings.Contains(err.Error(), "an audit that was dropped"); cut {
						break
					}
					if err != nil {
						t.Error(err)
						return
					}
					if q.Token == "" {
						sp.high = int(started.Load())
					}
					list = append(list, page.Findings...)
					q.Token = page.Next
				}
				sp.lost = int(dropping.Load())
				if err := sp.verify(list, row.expected); err != nil && !cut {
					t.Errorf("pages of %+v: %v", row.query, err)
				}

				list = nil
				sp = span{low: int(finished.Load()), away: int(dropped.Load()), whole: true}
				for f := range s.All(row.query) {
					list = append(list, f)
				}
				sp.high, sp.lost = int(started.Load()), int(dropping.Load())
				if err := sp.verify(list, row.expected); err != nil {
					t.Errorf("all of %+v: %v", row.query, err)
				}
			}
		})
	}
	all.Wait()
	require.Equal(t, remaining*checkCount*perRun, s.Len())
}

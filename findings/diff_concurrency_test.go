package findings_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/findings"
)

// What the audits of this test find in each check: client i in every audit whose number has bit i set,
// client 0 in every one.
const clients = 6

func foundIn(audit, client int) bool { return client == 0 || audit>>client&1 == 1 }

// TestDiffAndHistoryWhileAuditsAreWritten appends and drops audits, while others compare those that are
// complete, and follow what becomes of findings.
func TestDiffAndHistoryWhileAuditsAreWritten(t *testing.T) {
	const audits, remaining = 200, 8
	s := findings.New()
	// Audits before complete have all their runs, those before dropping may be gone.
	var complete, dropping atomic.Int64
	var all sync.WaitGroup
	written := make(chan int, audits)
	all.Go(func() {
		defer close(written)
		for i := range audits {
			if err := s.Begin(findings.Audit{TaskID: taskID(i), StartTime: benchStart.AddDate(0, 0, i)}); err != nil {
				t.Error(err)
			}
			for check := range checkCount {
				var fs []findings.Finding
				for id := range clients {
					if foundIn(i, id) {
						f := client(fmt.Sprint(id), "X")
						f.Reason = fmt.Sprint(i, id) // so that a Drop renumbers
						fs = append(fs, f)
					}
				}
				if err := s.Append(run(i, check), fs); err != nil {
					t.Error(err)
				}
			}
			complete.Store(int64(i + 1))
			written <- i
		}
	})
	all.Go(func() {
		for i := range written {
			if gone := i - remaining; gone >= 0 {
				dropping.Store(int64(gone + 1))
				s.Drop(taskID(gone))
			}
		}
	})

	var compared atomic.Int64
	for reader := range 2 {
		all.Go(func() {
			random := rand.New(rand.NewPCG(uint64(reader), 3))
			for done := false; !done && !t.Failed(); {
				done = complete.Load() == audits
				low, high := int(dropping.Load()), int(complete.Load())
				if high-low < 2 {
					continue
				}
				older := low + random.IntN(high-low-1)
				newer := older + 1 + random.IntN(high-older-1)
				seq, err := s.Diff(taskID(older), taskID(newer))
				if errors.Is(err, findings.ErrUnknownTask) && int(dropping.Load()) > older {
					continue
				}
				if err != nil {
					t.Errorf("diff of %d and %d: %v", older, newer, err)
					return
				}
				changes := slices.Collect(seq)
				for i, c := range changes {
					// Whether something was found before depends on what is dropped.
					if c.State == findings.StateReopened {
						changes[i].State = findings.StateNew
					}
				}
				if err := compare(changes, older, newer); err != nil {
					t.Errorf("diff of %d and %d: %v", older, newer, err)
				}
				compared.Add(1)
			}
		})
		all.Go(func() {
			random := rand.New(rand.NewPCG(uint64(reader), 4))
			for done := false; !done && !t.Failed(); {
				done = complete.Load() == audits
				if complete.Load() == 0 {
					continue
				}
				id := random.IntN(clients)
				check := fmt.Sprintf("CHECK_%d", random.IntN(checkCount))
				h, ok := s.History(fingerprint(check, client(fmt.Sprint(id), "X")))
				if !ok && id > 0 {
					continue // no audit that is left has it
				}
				if err := plausible(h, id); err != nil {
					t.Errorf("%v: %+v", err, h)
				}
			}
		})
	}
	all.Wait()
	require.NotZero(t, compared.Load())
}

// compare checks a diff against what the audits find.
func compare(changes []findings.Change, older, newer int) error {
	var want []findings.Change
	for check := range checkCount {
		for _, now := range []bool{true, false} {
			for id := range clients {
				c := findings.Change{State: findings.StateNew}
				switch was, is := foundIn(older, id), foundIn(newer, id); {
				case is != now || !is && !was:
					continue
				case was && is:
					c.State = findings.StateUnchanged
				case was:
					c.State = findings.StateResolved
				}
				c.Finding.CheckName = fmt.Sprintf("CHECK_%d", check)
				c.Finding.ReasonForNonCompliance = fmt.Sprint(newer, id)
				if !now {
					c.Finding.ReasonForNonCompliance = fmt.Sprint(older, id)
				}
				want = append(want, c)
			}
		}
	}
	if len(want) != len(changes) {
		return fmt.Errorf("%d changes, not %d", len(changes), len(want))
	}
	for i, c := range changes {
		if w := want[i]; c.State != w.State || c.Finding.CheckName != w.Finding.CheckName ||
			c.Finding.ReasonForNonCompliance != w.Finding.ReasonForNonCompliance {
			return fmt.Errorf("change %d is %s %+v, not %s %+v", i, c.State, c.Finding, w.State, w.Finding)
		}
	}
	return nil
}

// plausible checks what must hold for a history of a client at any moment.
func plausible(h findings.History, id int) error {
	number := func(s findings.Sighting) int { return int(s.Time.Sub(benchStart).Hours() / 24) }
	first, last, resolved := number(h.FirstSeen), number(h.LastSeen), number(h.Resolved)
	switch {
	case id == 0 && (first != 0 || h.State != findings.StateOpen || len(h.Reopened) > 0):
		return errors.New("found in every audit, but not open since the first")
	case h.FirstSeen.TaskID != taskID(first) || h.LastSeen.TaskID != taskID(last):
		return errors.New("audit and time do not go together")
	case last < first || !foundIn(first, id) || !foundIn(last, id):
		return errors.New("seen where it was not")
	case h.State == findings.StateResolved && (resolved != last+1 || foundIn(resolved, id)):
		return errors.New("resolved where it was not")
	case h.State != findings.StateResolved && h.State != findings.StateOpen:
		return errors.New("every run completed")
	case h.State == findings.StateOpen && h.Resolved != (findings.Sighting{}):
		return errors.New("resolved and open")
	}
	for _, s := range h.Reopened {
		if at := number(s); at <= first || at > last || !foundIn(at, id) || foundIn(at-1, id) {
			return fmt.Errorf("reopened by %d", at)
		}
		first = number(s)
	}
	return nil
}

package findings_test

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// chronicle is a store that is too simple to be wrong: it keeps every finding, goes through all of them
// for every answer, and forgets nothing but what it is told to.
type chronicle struct {
	audits []*chronicleAudit // oldest first
	begun  int
	first  map[findings.Fingerprint]*chronicleAudit // where it was first seen, of what a kept audit has found
}

type chronicleAudit struct {
	findings.Audit
	begun int
	runs  map[int]chronicleRun
}

type chronicleRun struct {
	findings.Run
	found []model.AuditFinding
}

func (c *chronicle) begin(a findings.Audit) {
	c.audits = append(c.audits, &chronicleAudit{a, c.begun, make(map[int]chronicleRun)})
	c.begun++
	slices.SortStableFunc(c.audits, func(a, b *chronicleAudit) int { return a.StartTime.Compare(b.StartTime) })
}

func (c *chronicle) audit(taskID string) *chronicleAudit {
	i := slices.IndexFunc(c.audits, func(a *chronicleAudit) bool { return a.TaskID == taskID })
	if i < 0 {
		return nil
	}
	return c.audits[i]
}

func (a *chronicleAudit) before(b *chronicleAudit) bool {
	return a.StartTime.Before(b.StartTime) || a.StartTime.Equal(b.StartTime) && a.begun < b.begun
}

func (c *chronicle) append(run findings.Run, fs []findings.Finding) {
	o := &oracle{audits: []*oracleAudit{{c.audit(run.TaskID).Audit, make(map[int][]model.AuditFinding)}}}
	o.append(run, fs)
	c.audit(run.TaskID).runs[run.Ordinal] = chronicleRun{run, o.audits[0].runs[run.Ordinal]}
	c.remember()
}

// remember brings first up to date.
func (c *chronicle) remember() {
	first := make(map[findings.Fingerprint]*chronicleAudit)
	for _, a := range slices.Backward(c.audits) {
		if a.Hypothetical {
			continue
		}
		for _, run := range a.runs {
			for _, f := range run.found {
				first[findings.FingerprintOf(f)] = a
			}
		}
	}
	for fp, a := range first {
		if was := c.first[fp]; was != nil && was.before(a) {
			first[fp] = was
		}
	}
	c.first = first
}

func (c *chronicle) drop(taskID string) {
	c.audits = slices.DeleteFunc(c.audits, func(a *chronicleAudit) bool { return a.TaskID == taskID })
	c.remember()
}

// ran returns what an audit found of a check, each fingerprint once, when it ran it, whether it ran it,
// and whether completely.
func (a *chronicleAudit) ran(check string) (found []model.AuditFinding, at findings.Sighting, ran, complete bool) {
	seen := make(map[findings.Fingerprint]bool)
	complete = true
	for _, ordinal := range slices.Sorted(maps.Keys(a.runs)) {
		run := a.runs[ordinal]
		if run.CheckName != check {
			continue
		}
		if !ran {
			at = findings.Sighting{TaskID: a.TaskID, Time: model.At(a.StartTime).Time}
		}
		ran, complete = true, complete && !run.Incomplete
		for _, f := range run.found {
			if fp := findings.FingerprintOf(f); !seen[fp] {
				seen[fp] = true
				found = append(found, f)
			}
		}
	}
	return found, at, ran, ran && complete
}

func has(found []model.AuditFinding, fp findings.Fingerprint) bool {
	return slices.ContainsFunc(found, func(f model.AuditFinding) bool { return findings.FingerprintOf(f) == fp })
}

func (c *chronicle) history(fp findings.Fingerprint) (findings.History, bool) {
	h := findings.History{Fingerprint: fp}
	first := c.first[fp]
	if first == nil {
		return findings.History{}, false
	}
	audits := c.audits
	if c.audit(first.TaskID) != first {
		_, h.FirstSeen, _, _ = first.ran(fp.CheckName)
		h.LastSeen, h.State = h.FirstSeen, findings.StateOpen
		audits = slices.DeleteFunc(slices.Clone(audits), func(a *chronicleAudit) bool { return a.before(first) })
	}
	for _, a := range audits {
		found, at, ran, complete := a.ran(fp.CheckName)
		switch {
		case a.Hypothetical || !ran:
		case has(found, fp):
			if h.State == "" {
				h.FirstSeen = at
			}
			if h.State == findings.StateResolved {
				h.Reopened = append(h.Reopened, at)
			}
			h.State, h.LastSeen, h.Resolved = findings.StateOpen, at, findings.Sighting{}
		case h.State == "" || h.State == findings.StateResolved:
		case complete:
			h.State, h.Resolved = findings.StateResolved, at
		default:
			h.State = findings.StateNotReevaluated
		}
	}
	return h, true
}

func (c *chronicle) diff(older, newer *chronicleAudit) (changes []findings.Change) {
	var checks []string
	for _, a := range []*chronicleAudit{newer, older} {
		for _, ordinal := range slices.Sorted(maps.Keys(a.runs)) {
			if check := a.runs[ordinal].CheckName; !slices.Contains(checks, check) {
				checks = append(checks, check)
			}
		}
	}
	for _, check := range checks {
		var open []model.AuditFinding
		past := make(map[findings.Fingerprint]bool)
		resolved := false // by a run that is newer than the audit looked at
		var closing *chronicleAudit
		for _, a := range slices.Backward(c.audits) {
			if older.before(a) || a.Hypothetical && a != older {
				continue
			}
			found, _, _, complete := a.ran(check)
			for _, f := range found {
				fp := findings.FingerprintOf(f)
				if !resolved && !has(open, fp) {
					open = append(open, f)
				}
				past[fp] = true
			}
			if complete && !resolved {
				resolved, closing = true, a
			}
		}
		found, _, _, complete := newer.ran(check)
		for _, f := range found {
			fp := findings.FingerprintOf(f)
			change := findings.Change{State: findings.StateNew, Finding: f}
			first := c.first[fp]
			dropped := first != nil && c.audit(first.TaskID) != first && first.before(older)
			switch {
			case past[fp], dropped && closing != nil && first.before(closing):
				change.State = findings.StateReopened
			case dropped:
				change.State = findings.StateUnchanged
			}
			for _, old := range open {
				if findings.FingerprintOf(old) == fp {
					change.State, change.WasSuppressed = findings.StateUnchanged, *old.IsSuppressed
				}
			}
			changes = append(changes, change)
		}
		for _, old := range open {
			if has(found, findings.FingerprintOf(old)) {
				continue
			}
			change := findings.Change{State: findings.StateNotReevaluated, Finding: old, WasSuppressed: *old.IsSuppressed}
			if complete {
				change.State = findings.StateResolved
			}
			changes = append(changes, change)
		}
	}
	return changes
}

func fingerprint(check string, f findings.Finding) findings.Fingerprint {
	return findings.Fingerprint{CheckName: check, Resource: f.Resource.ResourceIdentifier, ReasonCode: f.ReasonCode}
}

// tape yields what is on it, then the numbers of a generator.
type tape struct {
	data []byte
	rand.PCG
}

func (t *tape) Uint64() uint64 {
	if len(t.data) < 2 {
		t.data = nil
		return t.PCG.Uint64()
	}
	n := uint64(binary.BigEndian.Uint16(t.data))
	t.data = t.data[2:]
	return n << 48
}

// compareWithChronicle does the same things, drawn at random, to a store and to the chronicle. Every few
// steps it compares what they say of all fingerprints and all pairs of audits, and it counts the states.
func compareWithChronicle(t *testing.T, random rand.Source, steps int) (states map[findings.State]int) {
	w := &world{Rand: rand.New(random)}
	s, c := findings.New(), new(chronicle)
	states = make(map[findings.State]int)
	fps := make(map[findings.Fingerprint]bool)
	for step := range steps {
		switch n := w.IntN(16); {
		case n < 5 || len(c.audits) == 0:
			w.tasks++
			a := findings.Audit{TaskID: taskID(w.tasks), StartTime: w.time(), Hypothetical: w.IntN(6) == 0}
			if w.IntN(4) > 0 { // mostly later than the others
				a.StartTime = benchStart.Add(time.Duration(w.tasks) * time.Hour)
			}
			require.NoError(t, s.Begin(a))
			c.begin(a)
		case n < 14:
			a := c.audits[w.IntN(len(c.audits))]
			run := findings.Run{
				TaskID: a.TaskID, Ordinal: w.IntN(4), CheckName: fmt.Sprintf("CHECK_%d", w.IntN(2)),
				Time: w.time(), Incomplete: w.IntN(3) == 0,
			}
			if _, taken := a.runs[run.Ordinal]; taken {
				break
			}
			draw := func() findings.Finding {
				f := client(fmt.Sprint(w.IntN(6)), fmt.Sprint(w.IntN(2)))
				f.Suppressed = w.IntN(2) == 0
				f.Reason = fmt.Sprint(w.IntN(2), step*w.IntN(2), w.IntN(2)) // so that a Drop renumbers
				return f
			}
			var fs []findings.Finding
			if w.IntN(2) == 0 {
				fs = w.varied(w.before[run.CheckName], draw)
			} else {
				for range w.IntN(8) {
					fs = append(fs, draw())
				}
			}
			w.remember(run.CheckName, fs)
			for _, f := range fs {
				fps[fingerprint(run.CheckName, f)] = true
			}
			require.NoError(t, s.Append(run, fs))
			c.append(run, fs)
		default:
			a := c.audits[w.IntN(len(c.audits))]
			if w.IntN(3) > 0 {
				a = c.audits[0]
			}
			s.Drop(a.TaskID)
			c.drop(a.TaskID)
		}
		if step%5 != 0 && step != steps-1 {
			continue
		}
		for fp := range fps {
			want, found := c.history(fp)
			got, ok := s.History(fp)
			require.Equal(t, found, ok, "%+v is known", fp)
			if !reflect.DeepEqual(want, got) {
				t.Fatalf("history of %v in step %d (-want +got):\n%s", fp, step, cmp.Diff(want, got))
			}
			states[got.State]++
		}
		for i, older := range c.audits {
			for _, newer := range c.audits[i+1:] {
				seq, err := s.Diff(older.TaskID, newer.TaskID)
				require.NoError(t, err)
				want := c.diff(older, newer)
				for range 2 {
					got := slices.Collect(seq)
					for i := range got {
						got[i].Finding.FindingID = ""
						states[got[i].State]++
					}
					if !reflect.DeepEqual(want, got) { // much faster than cmp.Diff
						t.Fatalf("diff of %s and %s in step %d (-want +got):\n%s",
							older.TaskID, newer.TaskID, step, cmp.Diff(want, got))
					}
				}
			}
		}
	}
	for _, a := range c.audits {
		s.Drop(a.TaskID)
	}
	if diff := cmp.Diff(findings.Counts{}, s.Count()); diff != "" {
		t.Errorf("what is left of nothing (-want +got):\n%s", diff)
	}
	return states
}

func TestStoreIsLikeTheChronicle(t *testing.T) {
	total := make(map[findings.State]int)
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			for state, n := range compareWithChronicle(t, rand.NewPCG(seed, 1), 60) {
				total[state] += n
			}
		})
	}
	for _, state := range findings.StateNew.Values() {
		require.Greater(t, total[state], 1000, "findings that were %s", state)
	}
}

func FuzzStoreIsLikeTheChronicle(f *testing.F) {
	for seed := range uint64(4) {
		data := make([]byte, 400)
		for i := range data {
			data[i] = byte(rand.New(rand.NewPCG(seed, uint64(i))).Uint32())
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		compareWithChronicle(t, &tape{data: data}, min(30, len(data)/8))
	})
}

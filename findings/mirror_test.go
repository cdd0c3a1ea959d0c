package findings_test

import (
	"bytes"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// image is what a mirror holds: values by table and key.
type image map[[2]string]string

// apply does to the image what a transaction tells.
func (m image) apply(t testing.TB, told []findings.Row) {
	t.Helper()
	var last [2]string
	for i, r := range told {
		at := [2]string{r.Table, string(r.Key)}
		if i > 0 && (last[0] > at[0] || last[0] == at[0] && last[1] >= at[1]) {
			t.Fatalf("row %q comes after %q", at, last)
		}
		if last = at; len(r.Value) > 0 {
			m[at] = string(r.Value)
			continue
		}
		if _, ok := m[at]; !ok {
			t.Fatalf("row %q goes, but was not there", at)
		}
		delete(m, at)
	}
}

func (m image) rows() iter.Seq[findings.Row] {
	return func(yield func(findings.Row) bool) {
		for _, at := range slices.SortedFunc(maps.Keys(m), func(a, b [2]string) int {
			return strings.Compare(a[0]+"\x00"+a[1], b[0]+"\x00"+b[1])
		}) {
			if !yield(findings.Row{Table: at[0], Key: []byte(at[1]), Value: []byte(m[at])}) {
				return
			}
		}
	}
}

// load returns a store of the rows, which it overwrites as soon as the Loader has them.
func load(s *findings.Store, audits []findings.Audit, rows iter.Seq[findings.Row]) error {
	for _, a := range audits {
		if err := s.Begin(a); err != nil {
			return err
		}
	}
	l := s.Loader()
	var key, value []byte
	for r := range rows {
		key, value = append(key[:0], r.Key...), append(value[:0], r.Value...)
		if err := l.Add(findings.Row{Table: r.Table, Key: key, Value: value}); err != nil {
			return err
		}
		for _, b := range [][]byte{key, value} {
			for i := range b {
				b[i] ^= 0x55
			}
		}
	}
	return l.Done()
}

// requireSame requires two stores to answer every question alike.
func requireSame(t testing.TB, want, got *findings.Store, audits []findings.Audit, fps map[findings.Fingerprint]bool) {
	t.Helper()
	same := func(what string, want, got any) {
		t.Helper()
		if !reflect.DeepEqual(want, got) { // much faster than cmp.Diff
			t.Fatalf("%s (-want +got):\n%s", what, cmp.Diff(want, got))
		}
	}
	same("number of findings", want.Len(), got.Len())
	queries := []findings.Query{{}, {Suppressed: new(true)}, {Suppressed: new(false)}, {From: benchStart.AddDate(0, 0, 1)}, {To: benchStart}}
	for fp := range fps {
		h, ok := want.History(fp)
		i, also := got.History(fp)
		same("whether there is a history", ok, also)
		same("history", h, i)
	}
	for f := range want.All(findings.Query{}) {
		if len(queries) < 20 {
			queries = append(queries, findings.Query{Resource: f.NonCompliantResource.ResourceIdentifier, CheckName: "CHECK_1"})
		}
	}
	for i := range 3 {
		queries = append(queries, findings.Query{CheckName: fmt.Sprint("CHECK_", i)})
	}
	for _, a := range audits {
		queries = append(queries, findings.Query{TaskID: a.TaskID})
		for ordinal := range 6 {
			active, suppressed, ok := want.Counts(a.TaskID, ordinal)
			gotActive, gotSuppressed, gotOK := got.Counts(a.TaskID, ordinal)
			same("counts", []any{active, suppressed, ok}, []any{gotActive, gotSuppressed, gotOK})
		}
		for _, b := range audits {
			changes, err := want.Diff(a.TaskID, b.TaskID)
			gotChanges, gotErr := got.Diff(a.TaskID, b.TaskID)
			same("error of a diff", fmt.Sprint(err), fmt.Sprint(gotErr))
			if err == nil {
				same("diff", slices.Collect(changes), slices.Collect(gotChanges))
			}
		}
	}
	for i, q := range queries {
		all := slices.Collect(want.All(q))
		same(fmt.Sprintf("findings of %+v", q), all, slices.Collect(got.All(q)))
		if q.Limit = 1 + len(all)/3; i%8 != 0 || len(all) == 0 {
			continue
		}
		var pages []model.AuditFinding
		for {
			page, err := got.Page(q)
			require.NoError(t, err)
			pages = append(pages, page.Findings...)
			if q.Token = page.Next; q.Token == "" {
				break
			}
		}
		same("pages", all, pages)
	}
	for f := range want.All(findings.Query{}) {
		g, ok := got.Get(f.FindingID)
		require.True(t, ok, "finding %s", f.FindingID)
		same("finding", f, g)
		page, err := got.Related(f.FindingID, "", len(f.RelatedResources)+1)
		require.NoError(t, err)
		same("related resources", f.RelatedResources, page.Resources)
	}
}

// compareWithImage does the same things, drawn at random, to a mirrored store in transactions, of which some are
// aborted, and to one without a mirror. Every few steps it loads what the mirror and what snapshots hold into new stores,
// and compares what they all say. It counts what has happened.
func compareWithImage(t *testing.T, random rand.Source, steps int) map[string]int {
	w := &world{Rand: rand.New(random)}
	open := func(mirrored bool) *findings.Store {
		s := findings.New()
		s.SmallChunks()
		if mirrored {
			s.Mirror()
		}
		return s
	}
	s, plain, mirror := open(true), open(false), make(image)
	var audits []findings.Audit
	fps, events := make(map[findings.Fingerprint]bool), make(map[string]int)
	for step := range steps {
		if w.IntN(4) == 0 || len(audits) == 0 {
			w.tasks++
			a := findings.Audit{
				TaskID: taskID(w.tasks), StartTime: w.time(), Hypothetical: w.IntN(5) == 0,
				Order: []uint64{uint64(w.tasks), 1e6 - uint64(w.tasks)}[w.IntN(2)],
			}
			if w.IntN(3) > 0 { // mostly later than the others
				a.StartTime = benchStart.AddDate(0, 0, w.tasks)
			}
			if w.tasks%3 == 0 {
				a.TaskID = fmt.Sprintf("audit-%d", w.tasks)
			}
			require.NoError(t, s.Begin(a))
			require.NoError(t, plain.Begin(a))
			audits = append(audits, a)
		} else {
			audits = writeBoth(t, w, s, plain, mirror, audits, fps, events)
		}
		if step%10 != 0 && step != steps-1 {
			continue
		}
		if step == steps-1 {
			requireSame(t, plain, s, audits, fps)
		}
		for _, r := range slices.Collect(s.Snapshot().Rows()) {
			// The first sightings may be said of other chunks by now.
			if want := mirror[[2]string{r.Table, string(r.Key)}]; r.Table != "first" && want != string(r.Value) {
				t.Fatalf("row %x of table %s is %x in the mirror, %x in a snapshot", r.Key, r.Table, want, r.Value)
			}
		}
		loaded := open(true)
		require.NoError(t, load(loaded, audits, mirror.rows()))
		requireSame(t, plain, loaded, audits, fps)
		restored := open(w.IntN(2) == 0)
		require.NoError(t, load(restored, audits, []*findings.Store{s, plain, loaded}[w.IntN(3)].Snapshot().Rows()))
		requireSame(t, plain, restored, audits, fps)
		require.Equal(t, plain.Count().Firsts, restored.Count().Firsts)
		requireNoWaste(t, s, mirror)
		requireNoWaste(t, loaded, mirror)
		events["firsts"] += loaded.Count().Firsts
		events["runs of several chunks"] += loaded.Count().Pieces - loaded.Count().Runs
		if w.IntN(2) == 0 {
			s = loaded // and go on with it
		}
	}
	return events
}

// requireNoWaste requires that the mirror has no chunk that a store made of it does not need.
func requireNoWaste(t testing.TB, s *findings.Store, mirror image) {
	t.Helper()
	chunks := 0
	for at := range mirror {
		if at[0] == "chunk" {
			chunks++
		}
	}
	require.Equal(t, s.Count().Chunks, chunks, "chunks of the mirror, and those that runs are made of")
}

// writeBoth does one transaction, and returns the audits that are left.
func writeBoth(t testing.TB, w *world, s, plain *findings.Store, mirror image, audits []findings.Audit,
	fps map[findings.Fingerprint]bool, events map[string]int) []findings.Audit {
	before, left := s.Len(), slices.Clone(audits)
	var do []func() // to the other store
	tx := s.Txn()
	defer tx.Abort()
	taken := make(map[string]bool)
	for range 1 + w.IntN(4) {
		if len(left) == 0 {
			break
		}
		i := w.IntN(len(left))
		if w.IntN(9) == 0 {
			if w.IntN(3) > 0 {
				i = 0
			}
			gone := left[i].TaskID
			left = slices.Delete(left, i, i+1)
			tx.Drop(gone, "unknown")
			tx.Drop(gone)
			require.ErrorIs(t, tx.Append(findings.Run{TaskID: gone, CheckName: "C", Time: benchStart}, nil), findings.ErrUnknownTask)
			do = append(do, func() { plain.Drop(gone) })
			events["dropped"]++
			continue
		}
		run := findings.Run{
			TaskID: left[i].TaskID, Ordinal: w.IntN(6), CheckName: w.check(),
			Severity: model.AuditFindingSeverityLow, Time: w.time(), Incomplete: w.IntN(3) == 0,
		}
		var fs []findings.Finding
		if w.IntN(3) == 0 {
			fs = w.findings(run.CheckName)
		} else { // much of what all runs find
			for i := range 30 {
				if f := detailed(fmt.Sprint(i), "X"); w.IntN(12) > 0 {
					f.Suppressed = w.IntN(4) == 0
					fs = append(fs, f)
				}
			}
			w.remember(run.CheckName, fs)
		}
		for _, f := range fs {
			fps[fingerprint(run.CheckName, f)] = true
		}
		key := fmt.Sprint(run.TaskID, run.Ordinal)
		if _, _, ok := plain.Counts(run.TaskID, run.Ordinal); ok || taken[key] {
			require.ErrorIs(t, tx.Append(run, fs), findings.ErrRunTaken)
			continue
		}
		taken[key] = true
		require.NoError(t, tx.Append(run, fs))
		_, _, ok := s.Counts(run.TaskID, run.Ordinal)
		require.False(t, ok, "a run is visible before it is committed")
		do = append(do, func() { require.NoError(t, plain.Append(run, fs)) })
	}
	require.Equal(t, before, s.Len())
	if w.IntN(4) == 0 {
		tx.Rows()
		tx.Abort()
		tx.Commit()
		require.Error(t, tx.Append(findings.Run{}, nil))
		events["aborted"]++
		return audits
	}
	tx.Rows()
	mirror.apply(t, tx.Rows())
	tx.Commit()
	tx.Drop(audits[0].TaskID)
	require.Nil(t, tx.Rows())
	for _, do := range do {
		do()
	}
	events["committed"]++
	return left
}

func TestMirrorIsLikeTheStore(t *testing.T) {
	total := make(map[string]int)
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			for event, n := range compareWithImage(t, rand.NewPCG(seed, 6), 32) {
				total[event] += n
			}
		})
	}
	for _, event := range []string{"dropped", "aborted", "committed", "firsts", "runs of several chunks"} {
		require.Greater(t, total[event], 10, "%s in %v", event, total)
	}
}

func FuzzMirrorIsLikeTheStore(f *testing.F) {
	for seed := range uint64(4) {
		data := make([]byte, 600)
		random := rand.New(rand.NewPCG(seed, 7))
		for i := range data {
			data[i] = byte(random.Uint32())
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		compareWithImage(t, &tape{data: data}, min(10, len(data)/8))
	})
}

// TestMirrorOfFirstSightings has findings that stand side by side but were first seen in turns in two audits that are
// dropped, and that stand in several chunks each.
func TestMirrorOfFirstSightings(t *testing.T) {
	m := newMirrored(t)
	m.SmallChunks()
	all := active(fleet(60))
	var some []findings.Finding
	for i := 0; i < len(all); i += 3 {
		some = append(some, all[i])
	}
	changed := slices.Clone(all)
	for i := 0; i < len(all); i += 20 {
		changed[i].Reason = "other"
	}
	for i, fs := range [][]findings.Finding{some, all, changed, all} {
		m.write(map[int][]findings.Finding{i: fs})
	}
	m.write(nil, 0, 1)
	s := findings.New()
	var audits []findings.Audit
	for i := 2; i < 4; i++ {
		audits = append(audits, findings.Audit{TaskID: taskID(i), StartTime: benchStart.AddDate(0, 0, i), Order: uint64(i + 1)})
	}
	require.NoError(t, load(s, audits, m.mirror.rows()))
	require.Equal(t, len(all), s.Count().Firsts)
	fps := make(map[findings.Fingerprint]bool)
	for i, f := range all {
		fp := fingerprint("CHECK_0", f)
		fps[fp] = true
		h, ok := s.History(fp)
		require.True(t, ok)
		require.Equal(t, taskID(min(1, i%3)), h.FirstSeen.TaskID, "of finding %d", i)
	}
	requireSame(t, m.Store, s, audits, fps)
}

// TestSnapshotIsOfItsMoment ranges over a snapshot after the store has changed, twice and not to the end.
func TestSnapshotIsOfItsMoment(t *testing.T) {
	for _, mirrored := range []bool{false, true} {
		s := findings.New()
		s.SmallChunks()
		if mirrored {
			s.Mirror()
		}
		for i := range 3 {
			require.NoError(t, s.Begin(findings.Audit{TaskID: taskID(i), StartTime: benchStart.AddDate(0, 0, i), Order: uint64(i + 1)}))
			require.NoError(t, s.Append(run(i, 0), fleet(40)))
		}
		s.Drop(taskID(0)) // so that there are rows of each table
		sn := s.Snapshot()
		want := slices.Collect(sn.Rows())
		require.NoError(t, s.Append(run(1, 1), fleet(50)))
		s.Drop(taskID(2))
		if diff := cmp.Diff(want, slices.Collect(sn.Rows())); diff != "" {
			t.Errorf("after a change (-want +got):\n%s", diff)
		}
		tables := make(map[string]bool)
		for i := range want {
			tables[want[i].Table] = true
			if i > 0 && want[i-1].Table == want[i].Table && bytes.Compare(want[i-1].Key, want[i].Key) >= 0 {
				t.Errorf("row %x comes after %x", want[i].Key, want[i-1].Key)
			}
			n := 0
			for range sn.Rows() {
				if n++; n > i {
					break
				}
			}
		}
		require.Len(t, tables, 3)
	}
}

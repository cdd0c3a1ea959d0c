package findings_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// detailed is a finding about a client in which every member is set that a content consists of.
func detailed(id, code string) findings.Finding {
	f := client(id, code)
	f.Reason = "It is so."
	f.Resource.AdditionalInfo = map[string]string{"A": "1", "B": "2"}
	f.Related = []model.RelatedResource{{
		ResourceType:       model.ResourceTypeIAMRole,
		ResourceIdentifier: model.ResourceIdentifier{IAMRoleARN: "arn:role"},
		AdditionalInfo:     map[string]string{"C": "3"},
	}}
	return f
}

// others are changes to a finding, each of which makes it say something else.
var others = map[string]func(f *findings.Finding){
	"resource":        func(f *findings.Finding) { f.Resource.ResourceIdentifier.ClientID += "2" },
	"member":          func(f *findings.Finding) { f.Resource.ResourceIdentifier.Account = "1" },
	"type":            func(f *findings.Finding) { f.Resource.ResourceType = "OTHER" },
	"code":            func(f *findings.Finding) { f.ReasonCode += "2" },
	"no code":         func(f *findings.Finding) { f.ReasonCode = "" },
	"reason":          func(f *findings.Finding) { f.Reason = "It is sO." },
	"longer reason":   func(f *findings.Finding) { f.Reason += " And so on." },
	"no info":         func(f *findings.Finding) { f.Resource.AdditionalInfo = nil },
	"less info":       func(f *findings.Finding) { f.Resource.AdditionalInfo = map[string]string{"A": "1"} },
	"more info":       func(f *findings.Finding) { f.Resource.AdditionalInfo = map[string]string{"A": "1", "B": "2", "": ""} },
	"other key":       func(f *findings.Finding) { f.Resource.AdditionalInfo = map[string]string{"A": "1", "C": "2"} },
	"other value":     func(f *findings.Finding) { f.Resource.AdditionalInfo = map[string]string{"A": "1", "B": "3"} },
	"no related":      func(f *findings.Finding) { f.Related = nil },
	"no detail":       func(f *findings.Finding) { f.Resource.AdditionalInfo, f.Related = nil, nil },
	"more related":    func(f *findings.Finding) { f.Related = append(slices.Clone(f.Related), f.Related...) },
	"empty related":   func(f *findings.Finding) { f.Related = append(slices.Clone(f.Related), model.RelatedResource{}) },
	"related type":    func(f *findings.Finding) { f.Related = relatedTo(f, "OTHER", "arn:role", "3") },
	"related id":      func(f *findings.Finding) { f.Related = relatedTo(f, model.ResourceTypeIAMRole, "arn:rolf", "3") },
	"longer id":       func(f *findings.Finding) { f.Related = relatedTo(f, model.ResourceTypeIAMRole, "arn:role2", "3") },
	"no id":           func(f *findings.Finding) { f.Related = relatedTo(f, model.ResourceTypeIAMRole, "", "3") },
	"related info":    func(f *findings.Finding) { f.Related = relatedTo(f, model.ResourceTypeIAMRole, "arn:role", "4") },
	"no related info": func(f *findings.Finding) { f.Related = relatedTo(f, model.ResourceTypeIAMRole, "arn:role", "") },
}

func relatedTo(f *findings.Finding, kind model.ResourceType, arn, info string) []model.RelatedResource {
	related := slices.Clone(f.Related)
	related[0].ResourceType, related[0].ResourceIdentifier.IAMRoleARN = kind, arn
	related[0].AdditionalInfo = map[string]string{"C": info}
	if info == "" {
		related[0].AdditionalInfo = nil
	}
	return related
}

func TestIsDetail(t *testing.T) {
	all := []findings.Finding{detailed("a", "X")}
	for _, name := range slices.Sorted(maps.Keys(others)) {
		f := detailed("a", "X")
		others[name](&f)
		all = append(all, f)
		f.Related = nil
		all = append(all, f)
	}
	// The length of the value and the value are what a related resource looks like after its type.
	looksRelated, isRelated := client("a", "X"), client("a", "X")
	looksRelated.Resource.AdditionalInfo = map[string]string{"A": "1", "TYPE": "\x00\x05abcde\x00"}
	isRelated.Resource.AdditionalInfo = map[string]string{"A": "1"}
	isRelated.Related = []model.RelatedResource{{
		ResourceType: "TYPE", ResourceIdentifier: model.ResourceIdentifier{ClientID: "abcde"},
	}}
	all = append(all, looksRelated, isRelated)
	for _, key := range []string{"A", "B"} {
		f := client("a", "X")
		f.Resource.AdditionalInfo = map[string]string{key: ""}
		all = append(all, f)
	}
	for i, f := range all {
		for j, g := range all {
			b := findings.EncodeDetail(f)
			require.Equal(t, string(b) == string(findings.EncodeDetail(g)), findings.IsDetail(b, g), "%d and %d: %+v %+v", i, j, f, g)
		}
	}
}

// TestRunsAfterRuns appends a second run that has much in common with the first, and wants to find both as
// they were, with everything stored once.
func TestRunsAfterRuns(t *testing.T) {
	const n = 60
	var first []findings.Finding
	for i := range n {
		first = append(first, detailed(fmt.Sprint(i/2), fmt.Sprint(i%2)))
	}
	rows := map[string][]findings.Finding{
		"the same":        first,
		"none":            nil,
		"the first half":  first[:n/2],
		"the second half": first[n/2:],
		"with a gap":      slices.Concat(first[:10], first[n/2:]),
		"turned round":    slices.Concat(first[n/3:], first[:n/3]),
		"in three parts":  slices.Concat(first[40:], first[20:40], first[:20]),
		"shuffled":        shuffled(first),
		"twice":           slices.Concat(first, first),
		"each twice":      slices.Concat(first[:1], first[:2], first[1:3], first[2:]),
		"more":            slices.Concat([]findings.Finding{detailed("x", "0")}, first[:9], []findings.Finding{detailed("y", "0")}, first[9:]),
	}
	for name, change := range others {
		fs := slices.Clone(first)
		for _, i := range []int{0, 1, 7, 8, 9, 10, 11, n / 2, n - 1} {
			change(&fs[i])
		}
		rows["other "+name] = fs
	}
	for name, second := range rows {
		t.Run(name, func(t *testing.T) {
			s, o := findings.New(), new(oracle)
			appendTo := func(audit int, fs []findings.Finding) {
				a := findings.Audit{TaskID: taskID(audit), StartTime: benchStart.AddDate(0, 0, audit)}
				require.NoError(t, s.Begin(a))
				o.audits = append(o.audits, &oracleAudit{a, make(map[int][]model.AuditFinding)})
				r := run(audit, 0)
				require.NoError(t, s.Append(r, fs))
				o.append(r, fs)
			}
			same := func() {
				t.Helper()
				all, resources := o.list(findings.Query{}), make(map[model.ResourceIdentifier][]model.AuditFinding)
				if diff := diff(all, slices.Collect(s.All(findings.Query{}))); diff != "" {
					t.Fatalf("findings (-want +got):\n%s", diff)
				}
				contents := make(map[string]bool)
				for _, f := range all {
					r := f.NonCompliantResource
					resources[r.ResourceIdentifier] = append(resources[r.ResourceIdentifier], f)
					detail := findings.EncodeDetail(findings.Finding{Resource: r, Related: f.RelatedResources})
					contents[fmt.Sprintf("%q %q %q %q %q", r.ResourceIdentifier, r.ResourceType,
						f.ReasonForNonCompliance, f.ReasonForNonComplianceCode, detail)] = true
				}
				for r, want := range resources {
					if diff := diff(want, slices.Collect(s.All(findings.Query{Resource: r}))); diff != "" {
						t.Fatalf("findings of %v (-want +got):\n%s", r, diff)
					}
				}
				require.Equal(t, len(contents), s.Count().Contents, "contents, each stored once")
			}
			// The audit before all others has words of its own, whose Drop renumbers all others.
			appendTo(0, []findings.Finding{detailed("only here", "0")})
			appendTo(1, first)
			appendTo(2, second)
			same()
			s.Drop(taskID(0))
			o.drop(taskID(0))
			appendTo(3, first)
			same()
			// The newest run is gone, and with it what only it has said.
			s.Drop(taskID(2), taskID(3))
			o.drop(taskID(2), taskID(3))
			appendTo(4, second)
			same()
			s.Drop(taskID(1), taskID(4))
			o.drop(taskID(1), taskID(4))
			appendTo(5, second)
			same()
		})
	}
}

// FuzzRunsAfterRuns appends runs that vary those before, drops audits, and wants to find what the oracle has.
func FuzzRunsAfterRuns(f *testing.F) {
	for seed := range uint64(4) {
		data := make([]byte, 600)
		random := rand.New(rand.NewPCG(seed, 8))
		for i := range data {
			data[i] = byte(random.Uint32())
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		w := &world{Rand: rand.New(&tape{data: data})}
		s, o := findings.New(), new(oracle)
		for i := range 8 {
			a := findings.Audit{TaskID: taskID(i), StartTime: w.time(), Hypothetical: w.IntN(4) == 0}
			require.NoError(t, s.Begin(a))
			o.audits = append(o.audits, &oracleAudit{a, make(map[int][]model.AuditFinding)})
			for ordinal := range 2 {
				r := run(i, ordinal)
				r.CheckName = w.check()
				fs := w.findings(r.CheckName)
				require.NoError(t, s.Append(r, fs))
				o.append(r, fs)
			}
			if w.IntN(3) == 0 {
				gone := o.audits[w.IntN(len(o.audits))].TaskID
				s.Drop(gone)
				o.drop(gone)
			}
			q := findings.Query{}
			for range 2 {
				if diff := diff(o.list(q), slices.Collect(s.All(q))); diff != "" {
					t.Fatalf("%+v (-want +got):\n%s", q, diff)
				}
				q.Resource = w.resource()
			}
		}
	})
}

// TestRepeatsAreNotLookedUp counts allocations: encoding a detail with two keys takes some, comparing it none.
func TestRepeatsAreNotLookedUp(t *testing.T) {
	var first []findings.Finding
	for i := range 1000 {
		f := detailed(fmt.Sprint(i/250), fmt.Sprint(i%250))
		f.Resource.AdditionalInfo["A"] = fmt.Sprint(i)
		first = append(first, f)
	}
	for name, second := range map[string][]findings.Finding{
		"the same":       first,
		"with a gap":     slices.Concat(first[:10], first[501:]),
		"in three parts": slices.Concat(first[700:], first[301:700], first[:301]),
		"each twice":     slices.Concat(first, first),
	} {
		s := findings.New()
		for i, fs := range [][]findings.Finding{first, second} {
			require.NoError(t, s.Begin(findings.Audit{TaskID: taskID(i), StartTime: benchStart.AddDate(0, 0, i)}))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			require.NoError(t, s.Append(run(i, 0), fs))
			runtime.ReadMemStats(&after)
			if n := after.Mallocs - before.Mallocs; i == 0 {
				require.Greater(t, n, uint64(len(fs)), "allocations for what is new")
			} else {
				require.Less(t, n, uint64(200), "allocations for %s", name)
			}
		}
	}
}

// TestManyContentsOfOneResource appends them in two orders: they have to be found again, and quickly.
func TestManyContentsOfOneResource(t *testing.T) {
	const n = 20_000
	var fs []findings.Finding
	for i := range n {
		fs = append(fs, client("a", fmt.Sprint(i)))
	}
	s := findings.New()
	for i, fs := range [][]findings.Finding{fs, shuffled(fs)} {
		require.NoError(t, s.Begin(findings.Audit{TaskID: taskID(i), StartTime: benchStart.AddDate(0, 0, i)}))
		require.NoError(t, s.Append(run(i, 0), fs))
	}
	require.Equal(t, n, s.Count().Contents)
	s.Drop(taskID(0))
	require.Equal(t, n, s.Count().Contents)
	require.Len(t, slices.Collect(s.All(findings.Query{Resource: fs[0].Resource.ResourceIdentifier})), n)
}

func TestTrails(t *testing.T) {
	numbers := func(from, to int) (list []uint32) {
		for i := from; i < to; i++ {
			list = append(list, uint32(i))
		}
		return list
	}
	all, reversed := numbers(0, 1000), numbers(0, 1000)
	slices.Reverse(reversed)
	for _, row := range []struct {
		name         string
		before, runs []uint32
		told         int
	}{
		{"nothing before", nil, all, 0},
		{"the same", all, all, 1000},
		{"twice", all, slices.Concat(all, all), 2000},
		{"from the middle on", all, all[500:], 499},
		{"a small gap", all, slices.Concat(all[:500], all[507:]), 992},
		{"a large gap", all, slices.Concat(all[:100], all[800:]), 299},
		{"every second one", all, slices.DeleteFunc(slices.Clone(all), func(c uint32) bool { return c%2 == 1 }), 1},
		{"turned round", all, slices.Concat(all[300:], all[:300]), 999},
		{"in three parts", all, slices.Concat(all[600:], all[300:600], all[:300]), 997},
		{"others between", all, slices.Concat(all[:10], numbers(2000, 2100), all[10:]), 1000},
		// After what is not there, the credit takes another finding to suffice.
		{"far, not there, and far again", all, slices.Concat(all[500:], numbers(2000, 9000), all[700:]), 499 + 298},
		{"reversed", all, reversed, 0},
		{"nothing in common", all, numbers(2000, 3000), 0},
	} {
		told, credit := findings.Follow(row.before, row.runs)
		if diff := cmp.Diff(row.told, told); diff != "" {
			t.Errorf("%s: told in advance (-want +got):\n%s", row.name, diff)
		}
		require.GreaterOrEqual(t, credit, 0, "%s: more is looked at than there is credit for", row.name)
	}
}

func TestSortEntries(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 5))
	for _, n := range []int{0, 1, 2, 255, 256, 257, 5000} {
		for _, bits := range []int{32, 12, 4, 0} { // of the hashes
			for _, shift := range []int{0, 32 - bits} {
				entries := make([]uint64, n)
				for i := range entries {
					entries[i] = (random.Uint64N(1<<bits)<<shift)<<32 | uint64(i)
				}
				want := slices.Sorted(slices.Values(entries))
				if got := findings.SortEntries(entries); !slices.Equal(want, got) {
					t.Errorf("%d entries, hashes of %d bits: out of order", n, bits)
				}
			}
		}
	}
}

// TestReadersWhileRunsRepeat appends runs that repeat those before in part, with drops between that renumber
// everything, while readers look at each finding. It says its client and its version in every member, so that
// one that is put together of two shows.
func TestReadersWhileRunsRepeat(t *testing.T) {
	const audits, perRun, remaining = 60, 50, 4
	s := findings.New()
	var complete atomic.Int64
	var all sync.WaitGroup
	all.Go(func() {
		defer complete.Store(audits)
		random := rand.New(rand.NewPCG(6, 6))
		versions := make([]int, perRun)
		for i := range audits {
			var fs []findings.Finding
			for id := range versions {
				if random.IntN(5) == 0 {
					versions[id]++ // another content of the same resource
				}
				says := fmt.Sprintf("%d/%d", id, versions[id])
				f := client(fmt.Sprint(id), says)
				f.Reason = says
				f.Resource.AdditionalInfo = map[string]string{"SAYS": says}
				f.Related = []model.RelatedResource{{ResourceIdentifier: model.ResourceIdentifier{ClientID: says}}}
				fs = append(fs, f)
			}
			if i%4 == 3 {
				fs = shuffled(fs)
			}
			err := s.Begin(findings.Audit{TaskID: taskID(i), StartTime: benchStart.AddDate(0, 0, i)})
			if err == nil {
				err = s.Append(run(i, 0), fs)
			}
			if err != nil {
				t.Error(err)
				return
			}
			if gone := i - remaining; gone >= 0 {
				s.Drop(taskID(gone))
			}
		}
	})
	for reader := range 2 {
		all.Go(func() {
			random := rand.New(rand.NewPCG(uint64(reader), 7))
			for done := false; !done; {
				done = complete.Load() == audits
				q := findings.Query{}
				if reader == 1 {
					q.Resource.ClientID = fmt.Sprint(random.IntN(perRun))
				}
				for f := range s.All(q) {
					says := f.ReasonForNonCompliance
					id := f.NonCompliantResource.ResourceIdentifier.ClientID
					if !strings.HasPrefix(says, id+"/") || f.ReasonForNonComplianceCode != says ||
						f.NonCompliantResource.AdditionalInfo["SAYS"] != says ||
						f.RelatedResources[0].ResourceIdentifier.ClientID != says {
						t.Errorf("a finding of several: %+v", f)
						return
					}
				}
			}
		})
	}
	all.Wait()
	require.Equal(t, remaining*perRun, s.Len())
}

package findings_test

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// oracle is a store that is too simple to be wrong: a list of audits, looked through from end to end.
type oracle struct {
	audits []*oracleAudit // in the order of Begin
}

type oracleAudit struct {
	findings.Audit
	runs map[int][]model.AuditFinding
}

func (o *oracle) audit(taskID string) *oracleAudit {
	for _, a := range o.audits {
		if a.TaskID == taskID {
			return a
		}
	}
	return nil
}

func (o *oracle) append(run findings.Run, fs []findings.Finding) {
	type fingerprint struct {
		resource model.ResourceIdentifier
		code     string
	}
	a, seen := o.audit(run.TaskID), make(map[fingerprint]bool)
	a.runs[run.Ordinal] = nil
	for _, f := range fs {
		if p := (fingerprint{f.Resource.ResourceIdentifier, f.ReasonCode}); !seen[p] {
			seen[p] = true
			a.runs[run.Ordinal] = append(a.runs[run.Ordinal], model.AuditFinding{
				TaskID: run.TaskID, CheckName: run.CheckName, Severity: run.Severity,
				TaskStartTime: model.At(a.StartTime), FindingTime: model.At(run.Time),
				NonCompliantResource: f.Resource, RelatedResources: f.Related,
				ReasonForNonCompliance: f.Reason, ReasonForNonComplianceCode: f.ReasonCode,
				IsSuppressed: new(f.Suppressed),
			})
		}
	}
}

func (o *oracle) drop(taskIDs ...string) {
	o.audits = slices.DeleteFunc(o.audits, func(a *oracleAudit) bool { return slices.Contains(taskIDs, a.TaskID) })
}

func (o *oracle) list(q findings.Query) []model.AuditFinding {
	ordered := slices.Clone(o.audits)
	slices.Reverse(ordered)
	slices.SortStableFunc(ordered, func(a, b *oracleAudit) int { return b.StartTime.Compare(a.StartTime) })
	var list []model.AuditFinding
	for _, a := range ordered {
		for _, ordinal := range slices.Sorted(maps.Keys(a.runs)) {
			for _, f := range a.runs[ordinal] {
				if (q.TaskID == "" || f.TaskID == q.TaskID) && (q.CheckName == "" || f.CheckName == q.CheckName) &&
					(q.Resource == (model.ResourceIdentifier{}) || f.NonCompliantResource.ResourceIdentifier == q.Resource) &&
					(q.From.IsZero() || !f.FindingTime.Before(model.At(q.From).Time)) && (q.To.IsZero() || !f.FindingTime.After(q.To)) &&
					(q.Suppressed == nil || *f.IsSuppressed == *q.Suppressed) {
					list = append(list, f)
				}
			}
		}
	}
	return list
}

// diff compares findings of the store with the oracle's, which have no ids.
func diff(want, got []model.AuditFinding) string {
	got = slices.Clone(got)
	for i := range got {
		got[i].FindingID = ""
	}
	if len(want) == 0 && len(got) == 0 || reflect.DeepEqual(want, got) { // much faster than cmp.Diff
		return ""
	}
	return gocmp.Diff(want, got)
}

// world draws what the property test does from few values, so that they meet.
type world struct {
	*rand.Rand
	tasks  int
	before map[string][]findings.Finding // by check: what the run drawn last has found
}

func (w *world) time() time.Time {
	return benchStart.Add(time.Duration(w.IntN(12)) * time.Hour).Add(time.Duration(w.IntN(3)) * 400 * time.Microsecond)
}

func (w *world) check() string { return fmt.Sprintf("CHECK_%d", w.IntN(3)) }

func (w *world) resource() model.ResourceIdentifier {
	id := fmt.Sprintf("r%d", w.IntN(6))
	switch w.IntN(4) {
	case 0:
		return model.ResourceIdentifier{ClientID: id}
	case 1:
		return model.ResourceIdentifier{PolicyVersionIdentifier: model.PolicyVersionIdentifier{PolicyName: id, PolicyVersionID: "1"}}
	case 2:
		return model.ResourceIdentifier{CACertificateID: id, DeviceCertificateARN: "arn:" + id}
	}
	return model.ResourceIdentifier{DeviceCertificateID: id}
}

func (w *world) info() map[string]string {
	n := w.IntN(3)
	if n == 0 {
		return nil // what an empty map comes back as
	}
	info := make(map[string]string)
	for i := range n {
		info[fmt.Sprintf("KEY_%d", i)] = fmt.Sprint(w.IntN(3))
	}
	return info
}

// findings draws what a run of a check finds: something else each time, or much of what the one before
// found.
func (w *world) findings(check string) []findings.Finding {
	var fs []findings.Finding
	if w.IntN(2) == 0 {
		fs = w.varied(w.before[check], w.finding)
	} else {
		fs = make([]findings.Finding, w.IntN(2)*w.IntN(60))
		often := w.IntN(10)
		for i := range fs {
			fs[i] = w.finding()
			fs[i].Suppressed = w.IntN(10) < often
		}
	}
	w.remember(check, fs)
	return fs
}

func (w *world) remember(check string, fs []findings.Finding) {
	if w.before == nil {
		w.before = make(map[string][]findings.Finding)
	}
	w.before[check] = fs
}

// varied returns fs with a few stretches taken out, moved, or drawn anew.
func (w *world) varied(fs []findings.Finding, draw func() findings.Finding) []findings.Finding {
	fs = slices.Clone(fs)
	for range w.IntN(4) {
		from := w.IntN(len(fs) + 1)
		to := from + w.IntN(len(fs)-from+1)
		stretch := slices.Clone(fs[from:to])
		switch w.IntN(5) {
		case 0:
			fs = slices.Delete(fs, from, to)
		case 1:
			fs = append(slices.Delete(fs, from, to), stretch...)
		case 2:
			slices.Reverse(fs[from:to])
		case 3:
			fs = slices.Insert(fs, w.IntN(len(fs)+1), draw())
		case 4:
			for i := range stretch {
				fs[from+i] = draw()
				if w.IntN(2) == 0 { // in one member only
					drawn := fs[from+i]
					fs[from+i] = stretch[i]
					switch w.IntN(6) {
					case 0:
						fs[from+i].Resource.ResourceType = drawn.Resource.ResourceType
					case 1:
						fs[from+i].ReasonCode = drawn.ReasonCode
					case 2:
						fs[from+i].Reason = drawn.Reason
					case 3:
						fs[from+i].Resource.AdditionalInfo = drawn.Resource.AdditionalInfo
					case 4:
						fs[from+i].Related = drawn.Related
					case 5:
						fs[from+i].Suppressed = drawn.Suppressed
					}
				}
			}
		}
	}
	return fs
}

func (w *world) finding() findings.Finding {
	f := findings.Finding{
		Resource: model.NonCompliantResource{
			ResourceType:       []model.ResourceType{"", model.ResourceTypeClientID, "OTHER"}[w.IntN(3)],
			ResourceIdentifier: w.resource(),
			AdditionalInfo:     w.info(),
		},
		Reason:     []string{"", "It is so.", "It is otherwise."}[w.IntN(3)],
		ReasonCode: fmt.Sprintf("CODE_%d", w.IntN(4)),
		Suppressed: w.IntN(2) == 0,
	}
	for range w.IntN(3) {
		f.Related = append(f.Related, model.RelatedResource{
			ResourceType: model.ResourceTypeIAMRole, ResourceIdentifier: w.resource(), AdditionalInfo: w.info(),
		})
	}
	return f
}

// some returns one of the members or, as often as not, the zero value.
func some[T any](w *world, draw func() T) (v T) {
	if w.IntN(2) == 0 {
		v = draw()
	}
	return v
}

// query asks for the members that the bits of form name.
func (w *world) query(o *oracle, form int) findings.Query {
	var q findings.Query
	if form&1 != 0 && len(o.audits) > 0 {
		q.TaskID = o.audits[w.IntN(len(o.audits))].TaskID
	}
	if form&2 != 0 {
		q.CheckName = w.check()
	}
	if form&4 != 0 {
		q.Resource = w.resource()
	}
	if form&8 != 0 {
		q.From, q.To = some(w, w.time), some(w, w.time)
	}
	if form&16 != 0 {
		q.Suppressed = new(w.IntN(2) == 0)
	}
	return q
}

const forms = 32

// listing is a listing that goes on while the store changes.
type listing struct {
	query findings.Query
	want  []model.AuditFinding // what is still to come
}

// step reads one page and reports whether there is another. Pages are full, except for the last.
func (l *listing) step(t *testing.T, w *world, s *findings.Store) bool {
	t.Helper()
	l.query.Limit = 1 + w.IntN(20)
	page, err := s.Page(l.query)
	require.NoError(t, err, "%+v", l.query)
	n := min(l.query.Limit, len(l.want))
	if diff := diff(l.want[:n], page.Findings); diff != "" {
		t.Fatalf("page of %+v (-want +got):\n%s", l.query, diff)
	}
	for _, f := range page.Findings {
		got, ok := s.Get(f.FindingID)
		if !ok || !reflect.DeepEqual(f, got) {
			t.Fatalf("Get(%q), %t (-want +got):\n%s", f.FindingID, ok, gocmp.Diff(f, got))
		}
	}
	l.want, l.query.Token = l.want[n:], page.Next
	return l.query.Token != ""
}

// TestStoreIsLikeTheOracle does the same things to a store and to the oracle, while listings go on.
func TestStoreIsLikeTheOracle(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := &world{Rand: rand.New(rand.NewPCG(seed, 0))}
			s, o := findings.New(), new(oracle)
			var open []*listing
			for range 200 {
				changed := false
				switch n := w.IntN(20); {
				case n < 4 || len(o.audits) == 0:
					w.tasks++
					a := findings.Audit{TaskID: taskID(w.tasks), StartTime: w.time()}
					if w.tasks%3 == 0 {
						a.TaskID = fmt.Sprintf("audit-%d", w.tasks)
					}
					require.NoError(t, s.Begin(a))
					o.audits = append(o.audits, &oracleAudit{a, make(map[int][]model.AuditFinding)})
				case n < 12:
					a := o.audits[w.IntN(len(o.audits))]
					run := findings.Run{
						TaskID: a.TaskID, Ordinal: w.IntN(8), CheckName: w.check(),
						Severity: model.AuditFindingSeverityLow, Time: w.time(),
					}
					fs := w.findings(run.CheckName)
					if _, taken := a.runs[run.Ordinal]; taken {
						require.ErrorIs(t, s.Append(run, fs), findings.ErrRunTaken)
						break
					}
					require.NoError(t, s.Append(run, fs))
					o.append(run, fs)
					changed = true
				case n < 14:
					q := w.query(o, w.IntN(forms))
					open = append(open, &listing{q, o.list(q)})
				case n < 19 && len(open) > 0:
					i := w.IntN(len(open))
					if !open[i].step(t, w, s) {
						require.Empty(t, open[i].want, "the listing of %+v ends too early", open[i].query)
						open = slices.Delete(open, i, i+1)
					}
				case n == 19:
					var gone []string
					for range 1 + w.IntN(2) {
						gone = append(gone, o.audits[w.IntN(len(o.audits))].TaskID)
					}
					s.Drop(gone...)
					o.drop(gone...)
					changed = true
					open = slices.DeleteFunc(open, func(l *listing) bool {
						if l.fails(t, s, gone) {
							return true
						}
						l.want = slices.DeleteFunc(l.want, func(f model.AuditFinding) bool { return slices.Contains(gone, f.TaskID) })
						return false
					})
				}
				// A listing that has not read its first page has no snapshot yet.
				for _, l := range open {
					if changed && l.query.Token == "" {
						l.want = o.list(l.query)
					}
				}
			}
			for _, l := range open {
				for l.step(t, w, s) {
				}
				require.Empty(t, l.want, "the listing of %+v ends too early", l.query)
			}
			require.Len(t, o.list(findings.Query{}), s.Len())
			for form := range forms {
				q := w.query(o, form)
				if diff := diff(o.list(q), slices.Collect(s.All(q))); diff != "" {
					t.Errorf("All(%+v) (-want +got):\n%s", q, diff)
				}
			}
			ids := make(map[string]bool)
			for f := range s.All(findings.Query{}) {
				ids[f.FindingID] = true
			}
			require.Len(t, ids, s.Len(), "two findings have one id")

			all := slices.SortedFunc(maps.Keys(ids), cmp.Compare[string])
			for _, a := range o.audits {
				s.Drop(a.TaskID)
			}
			for _, id := range all {
				_, ok := s.Get(id)
				require.False(t, ok, "Get(%q) after everything was dropped", id)
			}
			if diff := gocmp.Diff(findings.Counts{}, s.Count()); diff != "" {
				t.Errorf("what is left of nothing (-want +got):\n%s", diff)
			}
		})
	}
}

// fails is true for a listing in an audit that is gone, or whose next page begins in one, which has to say so.
// Any other goes on; it may be at its end already, which only its next page tells.
func (l *listing) fails(t *testing.T, s *findings.Store, gone []string) bool {
	t.Helper()
	over := slices.Contains(gone, l.query.TaskID)
	if l.query.Token == "" {
		return over
	}
	if !over && !slices.Contains(gone, l.want[0].TaskID) {
		return false
	}
	_, err := s.Page(l.query)
	requireInvalid(t, err, "nextToken")
	return true
}

package findings_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// requireInvalid requires an InvalidRequestException about one field.
func requireInvalid(t *testing.T, err error, field string) {
	t.Helper()
	invalid, ok := errors.AsType[*model.InvalidRequestException](err)
	require.True(t, ok, "%v is no InvalidRequestException", err)
	require.Len(t, invalid.Problems, 1)
	require.Equal(t, field, invalid.Problems[0].Field)
}

// run is a valid check run of the audit.
func run(audit, ordinal int) findings.Run {
	return findings.Run{
		TaskID: taskID(audit), Ordinal: ordinal, CheckName: fmt.Sprintf("CHECK_%d", ordinal),
		Severity: model.AuditFindingSeverityHigh, Time: benchStart.AddDate(0, 0, audit),
	}
}

// client is a finding about a client, with a reason code.
func client(id, code string) findings.Finding {
	return findings.Finding{
		Resource: model.NonCompliantResource{
			ResourceType:       model.ResourceTypeClientID,
			ResourceIdentifier: model.ResourceIdentifier{ClientID: id},
		},
		ReasonCode: code,
	}
}

// words lists client and reason code of the findings that meet the query.
func words(s *findings.Store, q findings.Query) []string {
	var words []string
	for f := range s.All(q) {
		words = append(words, f.NonCompliantResource.ResourceIdentifier.ClientID+" "+f.ReasonForNonComplianceCode)
	}
	return words
}

func TestBeginErrors(t *testing.T) {
	hex := taskID(1)
	for _, row := range []struct {
		name  string
		audit findings.Audit
		is    error
		says  string
	}{
		{"no task id", findings.Audit{StartTime: benchStart}, nil, `TaskID "" must not be empty`},
		{"no start", findings.Audit{TaskID: "a"}, nil, `StartTime of audit "a" must not be zero`},
		{"same task", findings.Audit{TaskID: hex, StartTime: benchStart}, findings.ErrTaskTaken, hex},
		{"same prefix", findings.Audit{TaskID: hex[:16] + strings.Repeat("0", 16), StartTime: benchStart}, findings.ErrTaskTaken, hex},
		{"another prefix", findings.Audit{TaskID: "0" + hex[:31], StartTime: benchStart}, nil, ""},
		{"upper case is another id", findings.Audit{TaskID: strings.ToUpper(hex), StartTime: benchStart}, nil, ""},
		{"no engine's id, same beginning", findings.Audit{TaskID: hex[:16] + "-a", StartTime: benchStart}, nil, ""},
		{"same order", findings.Audit{TaskID: "a", StartTime: benchStart, Order: 1}, findings.ErrTaskTaken, `Order 1 of audit "a" is taken by another audit: "` + hex},
		{"same order and task", findings.Audit{TaskID: hex, StartTime: benchStart, Order: 1}, findings.ErrTaskTaken, "Order 1"},
		{"another order", findings.Audit{TaskID: "a", StartTime: benchStart, Order: 2}, nil, ""},
		{"no engine's id, same beginning again", findings.Audit{TaskID: hex[:16] + "-b", StartTime: benchStart}, nil, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := findings.New()
			require.NoError(t, s.Begin(findings.Audit{TaskID: hex, StartTime: benchStart}))
			if strings.HasSuffix(row.audit.TaskID, "-b") {
				require.NoError(t, s.Begin(findings.Audit{TaskID: hex[:16] + "-a", StartTime: benchStart}))
			}
			err := s.Begin(row.audit)
			if row.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, row.says)
			if row.is != nil {
				require.ErrorIs(t, err, row.is)
			}
		})
	}
}

func TestAppendErrors(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*findings.Run)
		is     error
		says   string
	}{
		{"negative ordinal", func(r *findings.Run) { r.Ordinal = -1 }, nil, "Ordinal -1"},
		{"ordinal of 25 bits", func(r *findings.Run) { r.Ordinal = 1 << 24 }, nil, "Ordinal 16777216"},
		{"ordinal of 24 bits", func(r *findings.Run) { r.Ordinal = 1<<24 - 1 }, nil, ""},
		{"no check", func(r *findings.Run) { r.CheckName = "" }, nil, `CheckName ""`},
		{"no time", func(r *findings.Run) { r.Time = time.Time{} }, nil, "Time of CHECK_2"},
		{"unknown task", func(r *findings.Run) { r.TaskID = "t" }, findings.ErrUnknownTask, `TaskID "t" names no audit`},
		{"dropped task", func(r *findings.Run) { r.TaskID = taskID(2) }, findings.ErrUnknownTask, taskID(2)},
		{"repeated ordinal", func(r *findings.Run) { r.Ordinal = 0 }, findings.ErrRunTaken, "Ordinal 0"},
		{"repeated ordinal without findings", func(r *findings.Run) { r.Ordinal = 1 }, findings.ErrRunTaken, "Ordinal 1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := findings.New()
			for i := range 2 {
				require.NoError(t, s.Begin(findings.Audit{TaskID: taskID(1 + i), StartTime: benchStart}))
			}
			require.NoError(t, s.Append(run(1, 0), []findings.Finding{client("a", "X")}))
			require.NoError(t, s.Append(run(1, 1), nil))
			s.Drop(taskID(2), "never there")
			before := s.Count()

			r := run(1, 2)
			row.change(&r)
			err := s.Append(r, []findings.Finding{client("b", "Y")})
			if row.says == "" {
				require.NoError(t, err)
				page, err := s.Page(findings.Query{CheckName: r.CheckName})
				require.NoError(t, err)
				f, ok := s.Get(page.Findings[0].FindingID)
				require.True(t, ok)
				require.Equal(t, "Y", f.ReasonForNonComplianceCode)
				return
			}
			require.ErrorContains(t, err, row.says)
			if row.is != nil {
				require.ErrorIs(t, err, row.is)
			}
			if diff := cmp.Diff(before, s.Count()); diff != "" {
				t.Errorf("the store after an error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOrder(t *testing.T) {
	s := findings.New()
	for _, a := range []struct{ audit, day int }{{1, 1}, {2, 3}, {3, 2}, {4, 2}} {
		require.NoError(t, s.Begin(findings.Audit{TaskID: taskID(a.audit), StartTime: benchStart.AddDate(0, 0, a.day)}))
	}
	for _, r := range []struct{ audit, ordinal int }{{3, 5}, {2, 1}, {1, 0}, {4, 2}, {2, 0}, {4, 7}, {3, 1}} {
		at := fmt.Sprintf("%d/%d", r.audit, r.ordinal)
		require.NoError(t, s.Append(run(r.audit, r.ordinal), []findings.Finding{client("z", at), client("a", at)}))
	}
	want := []string{"2/0", "2/1", "4/2", "4/7", "3/1", "3/5", "1/0"}
	var both, z []string
	for _, at := range want {
		both, z = append(both, "z "+at, "a "+at), append(z, "z "+at)
	}
	if diff := cmp.Diff(both, words(s, findings.Query{})); diff != "" {
		t.Errorf("all (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(z, words(s, findings.Query{Resource: model.ResourceIdentifier{ClientID: "z"}})); diff != "" {
		t.Errorf("by resource (-want +got):\n%s", diff)
	}
}

func TestRepeatsWithinARun(t *testing.T) {
	s := findings.New()
	require.NoError(t, s.Begin(findings.Audit{TaskID: taskID(1), StartTime: benchStart}))
	first := client("a", "X")
	first.Suppressed, first.Reason = true, "the first"
	require.NoError(t, s.Append(run(1, 0), []findings.Finding{
		first, client("b", "X"), client("a", "X"), client("a", "Y"), client("b", "X"), client("c", "X"), client("a", "X"),
	}))
	if diff := cmp.Diff([]string{"a X", "b X", "a Y", "c X"}, words(s, findings.Query{})); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a X", "a Y"}, words(s, findings.Query{Resource: first.Resource.ResourceIdentifier})); diff != "" {
		t.Errorf("by resource (-want +got):\n%s", diff)
	}
	page, err := s.Page(findings.Query{Suppressed: new(true)})
	require.NoError(t, err)
	require.Len(t, page.Findings, 1)
	require.Equal(t, "the first", page.Findings[0].ReasonForNonCompliance)
	require.Equal(t, 4, s.Len())
}

// TestEveryMemberComesBack sets every string of a finding by reflection, so that a member that is added to
// the model and forgotten here shows.
func TestEveryMemberComesBack(t *testing.T) {
	n := 0
	var set func(v reflect.Value)
	set = func(v reflect.Value) {
		switch n++; v.Kind() {
		case reflect.String:
			v.SetString(fmt.Sprintf("value %d", n))
		case reflect.Bool:
			v.SetBool(true)
		case reflect.Map:
			v.Set(reflect.ValueOf(map[string]string{fmt.Sprintf("key %d", n): "", "": fmt.Sprintf("value %d", n)}))
		case reflect.Slice:
			v.Set(reflect.MakeSlice(v.Type(), 2, 2))
			set(v.Index(0)) // the other one stays zero
		case reflect.Struct:
			for i := range v.NumField() {
				set(v.Field(i))
			}
		default:
			t.Fatalf("%s is a member that this test does not know", v.Type())
		}
	}
	var whole findings.Finding
	set(reflect.ValueOf(&whole).Elem())
	each := []findings.Finding{whole, {}}
	members := reflect.TypeFor[model.ResourceIdentifier]()
	for i := range members.NumField() {
		var f findings.Finding
		set(reflect.ValueOf(&f.Resource.ResourceIdentifier).Elem().Field(i))
		each = append(each, f)
	}

	s := findings.New()
	require.NoError(t, s.Begin(findings.Audit{TaskID: taskID(1), StartTime: benchStart}))
	require.NoError(t, s.Append(run(1, 0), each))
	var got []findings.Finding
	for f := range s.All(findings.Query{}) {
		got = append(got, findings.Finding{
			Resource: f.NonCompliantResource, Related: f.RelatedResources,
			Reason: f.ReasonForNonCompliance, ReasonCode: f.ReasonForNonComplianceCode, Suppressed: *f.IsSuppressed,
		})
	}
	if diff := cmp.Diff(each, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	for _, f := range each[2:] {
		if diff := cmp.Diff(1, len(words(s, findings.Query{Resource: f.Resource.ResourceIdentifier}))); diff != "" {
			t.Errorf("findings of %+v (-want +got):\n%s", f.Resource.ResourceIdentifier, diff)
		}
	}
}

func TestNothingIsShared(t *testing.T) {
	s := findings.New()
	require.NoError(t, s.Begin(findings.Audit{TaskID: taskID(1), StartTime: benchStart}))
	fs := fleet(1)
	require.NoError(t, s.Append(run(1, 0), fs))
	read := func() model.AuditFinding {
		page, err := s.Page(findings.Query{})
		require.NoError(t, err)
		f, ok := s.Get(page.Findings[0].FindingID)
		require.True(t, ok)
		if diff := cmp.Diff(f, page.Findings[0]); diff != "" {
			t.Fatalf("page and Get differ (-Get +page):\n%s", diff)
		}
		return page.Findings[0]
	}
	want := read()
	fs[0].Resource.AdditionalInfo["CERTIFICATE_STATUS"] = "changed"
	fs[0].Related[0].ResourceType = "changed"
	fs[0].Reason = "changed"
	changed := read()
	changed.NonCompliantResource.AdditionalInfo["CERTIFICATE_STATUS"] = "changed"
	changed.RelatedResources[0].ResourceType = "changed"
	*changed.IsSuppressed = !*changed.IsSuppressed
	if diff := cmp.Diff(want, read()); diff != "" {
		t.Errorf("after changes (-want +got):\n%s", diff)
	}
}

// TestFindingsOfAPageAreApart changes one of two findings that say the same of a resource, but for the code.
func TestFindingsOfAPageAreApart(t *testing.T) {
	s := findings.New()
	require.NoError(t, s.Begin(findings.Audit{TaskID: taskID(1), StartTime: benchStart}))
	require.NoError(t, s.Append(run(1, 0), []findings.Finding{detailed("a", "X"), detailed("a", "Y")}))
	page, err := s.Page(findings.Query{})
	require.NoError(t, err)
	changed, other := page.Findings[0], page.Findings[1]
	changed.NonCompliantResource.AdditionalInfo["A"] = "changed"
	changed.RelatedResources[0].ResourceType = "changed"
	changed.RelatedResources[0].AdditionalInfo["C"] = "changed"
	*changed.IsSuppressed = !*changed.IsSuppressed
	want, ok := s.Get(other.FindingID)
	require.True(t, ok)
	if diff := cmp.Diff(want, other); diff != "" {
		t.Errorf("the other finding (-want +got):\n%s", diff)
	}
}

// TestEqualFindingsAreStoredOnce appends what is equal, but built anew, a hundred times.
func TestEqualFindingsAreStoredOnce(t *testing.T) {
	s := findings.New()
	require.NoError(t, s.Begin(findings.Audit{TaskID: taskID(1), StartTime: benchStart}))
	for i := range 100 {
		info := make(map[string]string)
		for j := range 10 {
			info[fmt.Sprint((i+j)%10)] = "value"
		}
		f := client("a", "X")
		f.Resource.AdditionalInfo = info
		f.Related = []model.RelatedResource{{ResourceType: model.ResourceTypeIAMRole, AdditionalInfo: info}}
		require.NoError(t, s.Append(run(1, i), []findings.Finding{f}))
	}
	count := s.Count()
	if diff := cmp.Diff([]int{100, 1}, []int{count.Findings, count.Contents}); diff != "" {
		t.Errorf("findings and contents (-want +got):\n%s", diff)
	}
}

// TestResourcesOfOneHash looks for two resources that the index cannot tell apart.
func TestResourcesOfOneHash(t *testing.T) {
	s := findings.New()
	ids := make(map[uint32]string)
	for i := 0; ; i++ {
		id := fmt.Sprint(i)
		hash := s.Hash(model.ResourceIdentifier{ClientID: id})
		other, found := ids[hash]
		if ids[hash] = id; !found {
			continue
		}
		require.NoError(t, s.Begin(findings.Audit{TaskID: taskID(1), StartTime: benchStart}))
		require.NoError(t, s.Append(run(1, 0), []findings.Finding{
			client(id, "X"), client(other, "X"), client(id, "Y"), client(other, "X"),
		}))
		for id, want := range map[string][]string{id: {id + " X", id + " Y"}, other: {other + " X"}} {
			if diff := cmp.Diff(want, words(s, findings.Query{Resource: model.ResourceIdentifier{ClientID: id}})); diff != "" {
				t.Errorf("findings of %s (-want +got):\n%s", id, diff)
			}
		}
		for n, fs := range map[int][]findings.Finding{2: nil, 3: {client(other, "Y")}} { // of which only the first audit had that of id
			require.NoError(t, s.Begin(findings.Audit{TaskID: taskID(n), StartTime: benchStart.AddDate(0, 0, n)}))
			require.NoError(t, s.Append(run(n, 0), fs))
		}
		changes, err := s.Diff(taskID(2), taskID(3))
		require.NoError(t, err)
		for c := range changes {
			if c.State != findings.StateNew {
				t.Errorf("%s is %s", other, c.State)
			}
			h, _ := s.History(findings.FingerprintOf(c.Finding))
			if h.FirstSeen.TaskID != taskID(3) {
				t.Errorf("%s was first seen in %s", other, h.FirstSeen.TaskID)
			}
		}
		return
	}
}

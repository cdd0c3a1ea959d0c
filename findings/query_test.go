package findings_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// threeAudits has audits 0, 1 and 2 with 100 findings each.
func threeAudits(tb testing.TB) *findings.Store {
	s := findings.New()
	for i := range 3 {
		fill(tb, s, i, fleet(100))
	}
	return s
}

func TestPageErrors(t *testing.T) {
	s := threeAudits(t)
	token := func(s *findings.Store, q findings.Query) string {
		page, err := s.Page(q)
		require.NoError(t, err)
		require.NotEmpty(t, page.Next)
		return page.Next
	}
	plain := token(s, findings.Query{})
	gone := token(s, findings.Query{TaskID: taskID(1)})
	s.Drop(taskID(1))
	again := threeAudits(t)
	begunAgain := token(again, findings.Query{TaskID: taskID(1)})
	again.Drop(taskID(1))
	fill(t, again, 1, fleet(100))
	for _, row := range []struct {
		name  string
		store *findings.Store
		query findings.Query
		field string
		says  string
	}{
		{"negative limit", s, findings.Query{Limit: -1}, "maxResults", "-1"},
		{"no token", s, findings.Query{Token: "x"}, "nextToken", `nextToken "x" is not a token`},
		{"cut short", s, findings.Query{Token: plain[:len(plain)-1]}, "nextToken", "is not a token"},
		{"line break", s, findings.Query{Token: plain + "\n"}, "nextToken", "is not a token"},
		{"another store", threeAudits(t), findings.Query{Token: plain}, "nextToken", "is not a token"},
		{"another task", s, findings.Query{TaskID: taskID(0), Token: plain}, "nextToken", "another query"},
		{"another check", s, findings.Query{CheckName: "CHECK_0", Token: plain}, "nextToken", "another query"},
		{"another resource", s, findings.Query{Resource: model.ResourceIdentifier{ClientID: "c"}, Token: plain}, "nextToken", "another query"},
		{"another start", s, findings.Query{From: benchStart, Token: plain}, "nextToken", "another query"},
		{"another end", s, findings.Query{To: benchStart, Token: plain}, "nextToken", "another query"},
		{"suppressed", s, findings.Query{Suppressed: new(true), Token: plain}, "nextToken", "another query"},
		{"active", s, findings.Query{Suppressed: new(false), Token: plain}, "nextToken", "another query"},
		{"active for suppressed", s, findings.Query{Suppressed: new(false), Token: token(s, findings.Query{Suppressed: new(true), Limit: 1})}, "nextToken", "another query"},
		{"dropped task", s, findings.Query{TaskID: taskID(1), Token: gone}, "nextToken", "audit that was dropped"},
		{"task dropped and begun again", again, findings.Query{TaskID: taskID(1), Token: begunAgain}, "nextToken", "audit that was dropped"},
	} {
		t.Run(row.name, func(t *testing.T) {
			page, err := row.store.Page(row.query)
			requireInvalid(t, err, row.field)
			require.ErrorContains(t, err, row.says)
			if diff := cmp.Diff(findings.Page{}, page); diff != "" {
				t.Errorf("page (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPagesAllocateLittle has findings most of whose strings a page shares.
func TestPagesAllocateLittle(t *testing.T) {
	s := findings.New()
	fill(t, s, 0, fleet(1000))
	allocations := testing.AllocsPerRun(5, func() {
		page, err := s.Page(findings.Query{Limit: 250})
		require.NoError(t, err)
		require.Len(t, page.Findings, 250)
		require.Equal(t, 250, cap(page.Findings))
	})
	require.Less(t, allocations/250, 8.0, "allocations a finding")
}

func TestPageSizes(t *testing.T) {
	s := threeAudits(t)
	q := findings.Query{TaskID: taskID(1)}
	var sizes []int
	for _, limit := range []int{0, 1, 24, 49, 1, 250} {
		q.Limit = limit
		page, err := s.Page(q)
		require.NoError(t, err)
		sizes = append(sizes, len(page.Findings))
		q.Token = page.Next
		if q.Token == "" {
			break
		}
	}
	if diff := cmp.Diff([]int{25, 1, 24, 49, 1}, sizes); diff != "" {
		t.Errorf("sizes (-want +got):\n%s", diff)
	}
}

func TestQueriesThatNothingMeets(t *testing.T) {
	s := threeAudits(t)
	for _, q := range []findings.Query{
		{TaskID: "unknown"},
		{CheckName: "UNKNOWN"},
		{Resource: model.ResourceIdentifier{ClientID: "unknown"}},
		{Resource: model.ResourceIdentifier{CACertificateID: certificateID(1)}},
		{From: benchStart.AddDate(0, 0, 1), To: benchStart},
		{From: benchStart.AddDate(1, 0, 0)},
		{To: benchStart.Add(-1)},
	} {
		page, err := s.Page(q)
		require.NoError(t, err)
		if diff := cmp.Diff(findings.Page{Findings: []model.AuditFinding{}}, page); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", q, diff)
		}
		require.Empty(t, slices.Collect(s.All(q)))
	}
}

func TestPeriodIncludesItsEnds(t *testing.T) {
	s := findings.New()
	require.NoError(t, s.Begin(findings.Audit{TaskID: taskID(0), StartTime: benchStart}))
	r := run(0, 0)
	r.Time = benchStart.Add(1500 * time.Microsecond).In(time.FixedZone("east", 3600)) // shown as 1 ms
	require.NoError(t, s.Append(r, []findings.Finding{client("a", "X")}))
	at := benchStart.Add(time.Millisecond)
	for _, row := range []struct {
		from, to time.Time
		want     int
	}{
		{at, at, 1},
		{at, time.Time{}, 1},
		{time.Time{}, at, 1},
		{r.Time, r.Time, 1}, // cut as the finding time is
		{at.Add(time.Millisecond), time.Time{}, 0},
		{time.Time{}, at.Add(-1), 0},
	} {
		if diff := cmp.Diff(row.want, len(words(s, findings.Query{From: row.from, To: row.to}))); diff != "" {
			t.Errorf("from %v to %v (-want +got):\n%s", row.from, row.to, diff)
		}
	}
}

func TestAllStopsWhenAsked(t *testing.T) {
	s := threeAudits(t)
	for _, q := range []findings.Query{{}, {Resource: fleet(1)[0].Resource.ResourceIdentifier}} {
		n := 0
		for range s.All(q) {
			if n++; n == 2 {
				break
			}
		}
		if diff := cmp.Diff(2, n); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", q, diff)
		}
	}
}

func TestFindingIDs(t *testing.T) {
	s := threeAudits(t)
	require.NoError(t, s.Begin(findings.Audit{TaskID: "by hand", StartTime: benchStart}))
	r := run(0, 3)
	r.TaskID = "by hand"
	require.NoError(t, s.Append(r, []findings.Finding{client("a", "X"), client("b", "X")}))
	for _, row := range []struct {
		query findings.Query
		want  string // the id of the first finding
	}{
		{findings.Query{TaskID: taskID(1)}, taskID(1)[:16] + "0000000000000000"},
		{findings.Query{TaskID: taskID(1), CheckName: "CHECK_2"}, taskID(1)[:16] + "0000020000000000"},
		{findings.Query{TaskID: taskID(1), Suppressed: new(false)}, taskID(1)[:16] + "000000000000000a"},
		{findings.Query{TaskID: "by hand", Resource: model.ResourceIdentifier{ClientID: "b"}}, "c9616cb59d02c9ee0000030000000001"},
	} {
		page, err := s.Page(row.query)
		require.NoError(t, err)
		if diff := cmp.Diff(row.want, page.Findings[0].FindingID); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", row.query, diff)
		}
	}

	id := taskID(1)[:16] + "000000000000000a"
	_, ok := s.Get(id)
	require.True(t, ok)
	for _, id := range []string{
		"", id[:31], id + "0", strings.ToUpper(id), "g" + id[1:],
		taskID(1)[:16] + "0000000000000019", // one beyond the run's last
		taskID(1)[:16] + "0000040000000000", // no such run
		taskID(1)[:16] + "000000010000000a", // an index of 33 bits
		taskID(9)[:16] + "0000000000000000", // no such audit
	} {
		f, ok := s.Get(id)
		require.False(t, ok, "Get(%q)", id)
		if diff := cmp.Diff(model.AuditFinding{}, f); diff != "" {
			t.Errorf("Get(%q) (-want +got):\n%s", id, diff)
		}
	}
}

// TestListingWhoseAuditIsDropped drops audits that a listing has still to come to: one in which its next page begins, and
// another.
func TestListingWhoseAuditIsDropped(t *testing.T) {
	for _, resource := range []model.ResourceIdentifier{{}, fleet(100)[7].Resource.ResourceIdentifier} {
		s := threeAudits(t) // from 2, the newest, to 0
		want := slices.Collect(s.All(findings.Query{TaskID: taskID(1), Resource: resource}))
		page, err := s.Page(findings.Query{Resource: resource, Limit: len(want)})
		require.NoError(t, err)
		q := findings.Query{Resource: resource, Limit: 1000, Token: page.Next} // in audit 1
		s.Drop(taskID(0))
		page, err = s.Page(q)
		require.NoError(t, err)
		if diff := cmp.Diff(findings.Page{Findings: want}, page); diff != "" {
			t.Errorf("page after the drop (-want +got):\n%s", diff)
		}
		s.Drop(taskID(1))
		_, err = s.Page(q)
		requireInvalid(t, err, "nextToken")
		require.ErrorContains(t, err, "is a token of an audit that was dropped")
	}
}

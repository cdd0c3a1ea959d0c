package findings_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// relations makes a store with a finding for each number, that has so many related resources.
func relations(tb testing.TB, numbers ...int) (s *findings.Store, ids []string) {
	s = findings.New()
	require.NoError(tb, s.Begin(findings.Audit{TaskID: taskID(1), StartTime: benchStart}))
	var fs []findings.Finding
	for i, n := range numbers {
		f := client(fmt.Sprint("hub-", i), "X")
		if i%2 == 0 {
			f.Resource.AdditionalInfo = map[string]string{"A": "1", "B": ""}
		}
		for j := range n {
			r := model.RelatedResource{ResourceType: model.ResourceTypeClientID, ResourceIdentifier: model.ResourceIdentifier{ClientID: fmt.Sprint("n-", j)}}
			if j%3 == 0 {
				r.AdditionalInfo = map[string]string{"OF": fmt.Sprint(j)}
			}
			if j%5 == 0 {
				r = model.RelatedResource{}
			}
			f.Related = append(f.Related, r)
		}
		fs = append(fs, f)
	}
	require.NoError(tb, s.Append(run(1, 0), fs))
	for f := range s.All(findings.Query{}) {
		ids = append(ids, f.FindingID)
	}
	return s, ids
}

// TestRelated reads the related resources of findings in pages of several sizes, and their beginnings.
func TestRelated(t *testing.T) {
	s, ids := relations(t, 0, 1, 9, 10, 11, 25, 26, 251)
	for _, id := range ids {
		whole, ok := s.Get(id)
		require.True(t, ok)
		for _, limit := range []int{0, 1, 2, 10, 25, 250, 300} {
			var got []model.RelatedResource
			pages, token := 0, ""
			for pages == 0 || token != "" {
				page, err := s.Related(id, token, limit)
				require.NoError(t, err)
				got, token = append(got, page.Resources...), page.Next
				pages++
			}
			if diff := cmp.Diff(whole.RelatedResources, got); diff != "" {
				t.Errorf("in pages of %d (-want +got):\n%s", limit, diff)
			}
			size := limit
			if limit == 0 {
				size = 25
			}
			if want := max(1, (len(whole.RelatedResources)+size-1)/size); pages != want {
				t.Errorf("%d in pages of %d come in %d pages", len(whole.RelatedResources), limit, pages)
			}
			brief, ok := s.Brief(id, limit)
			require.True(t, ok)
			want := whole
			if want.RelatedResources = whole.RelatedResources[:min(limit, len(whole.RelatedResources))]; len(want.RelatedResources) == 0 {
				want.RelatedResources = nil
			}
			if diff := cmp.Diff(want, brief); diff != "" {
				t.Errorf("brief, with %d (-want +got):\n%s", limit, diff)
			}
		}
	}
}

func TestRelatedErrors(t *testing.T) {
	s, ids := relations(t, 30, 30)
	other, _ := relations(t, 30, 30)
	page, err := s.Related(ids[0], "", 10)
	require.NoError(t, err)
	listing, err := s.Page(findings.Query{Limit: 1})
	require.NoError(t, err)
	_, ok := s.Brief("none", 1)
	require.False(t, ok)
	_, err = s.Related("none", "", 1)
	require.EqualError(t, err, `findings: FindingID "none" names no finding of this store`)
	refused := func(store *findings.Store, id, token string, limit int, field, says string) {
		t.Helper()
		got, err := store.Related(id, token, limit)
		requireInvalid(t, err, field)
		require.ErrorContains(t, err, says)
		require.Empty(t, got)
	}
	refused(s, ids[0], "", -1, "maxResults", "-1")
	refused(s, ids[0], listing.Next, 1, "nextToken", "is not a token")
	refused(s, ids[1], page.Next, 1, "nextToken", "is a token of another query")
	refused(other, ids[0], page.Next, 1, "nextToken", "is not a token")
	refused(s, "none", page.Next, 1, "nextToken", "is a token of another query")
	_, err = s.Page(findings.Query{Token: page.Next})
	requireInvalid(t, err, "nextToken")
	s.Drop(taskID(1))
	refused(s, ids[0], page.Next, 1, "nextToken", "is a token of an audit that was dropped")
	require.NoError(t, s.Begin(findings.Audit{TaskID: taskID(1), StartTime: benchStart})) // again: its findings get the same ids
	refused(s, ids[0], page.Next, 1, "nextToken", "is a token of an audit that was dropped")
	require.NoError(t, s.Append(run(1, 0), []findings.Finding{client("hub-0", "X")}))
	_, err = s.Related(ids[0], "", 10)
	require.NoError(t, err)
	refused(s, ids[0], page.Next, 1, "nextToken", "is a token of an audit that was dropped")
}

// TestDropWhileReadersRead pages through one audit, and gets its findings, while it is dropped: whoever gets no error
// gets them all.
func TestDropWhileReadersRead(t *testing.T) {
	for range 20 {
		s := findings.New()
		for i := range 4 {
			fill(t, s, i, fleet(3000))
		}
		want := len(slices.Collect(s.All(findings.Query{TaskID: taskID(1)})))
		q := findings.Query{TaskID: taskID(1), Limit: 10}
		page, err := s.Page(q)
		require.NoError(t, err)
		dropped := make(chan struct{})
		go func() {
			defer close(dropped)
			s.Drop(taskID(1))
		}()
		n := len(page.Findings)
		for q.Token = page.Next; q.Token != ""; q.Token = page.Next {
			if page, err = s.Page(q); err != nil {
				requireInvalid(t, err, "nextToken")
				require.ErrorContains(t, err, "an audit that was dropped")
				break
			}
			n += len(page.Findings)
		}
		if err == nil && n != want {
			t.Errorf("%d findings without an error, want %d", n, want)
		}
		<-dropped
	}
}

func FuzzRelated(f *testing.F) {
	s, ids := relations(f, 30, 30)
	page, err := s.Related(ids[0], "", 10)
	require.NoError(f, err)
	f.Add(page.Next, 0)
	f.Add(page.Next, 1)
	f.Add("", 0)
	f.Fuzz(func(t *testing.T, token string, of int) {
		got, err := s.Related(ids[of&1], token, 10)
		if own := of&1 == 0 && token == page.Next; token != "" && !own {
			requireInvalid(t, err, "nextToken")
			require.Empty(t, got)
			return
		}
		require.NoError(t, err)
		require.Len(t, got.Resources, 10)
	})
}

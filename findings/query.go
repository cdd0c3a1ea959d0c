package findings

import (
	"errors"
	"iter"
	"time"

	"github.com/fleetaudit/fleetaudit/model"
)

// Query says which findings to list. Its members hold all at once; a zero member asks for nothing.
type Query struct {
	TaskID     string
	CheckName  string
	Resource   model.ResourceIdentifier // exactly this one
	From, To   time.Time                // the finding time in milliseconds, both ends included
	Suppressed *bool                    // nil: both; true, false: only those
	Limit      int                      // of findings on the page; 0: 25. It may change from page to page
	Token      string                   // the Next of the page before; empty: the first page
}

// defaultLimit is AWS's.
const defaultLimit = 25

// Page is a part of a listing.
type Page struct {
	Findings []model.AuditFinding
	Next     string // the token of the next page; empty on the last
}

// Page returns the findings that meet the query, from where its token points on. They belong to the
// caller. What it costs depends neither on how far down the listing it is, nor on how many findings
// there are. Only a resource together with a check, a period, or Suppressed passes over other findings:
// those of the same resource. A query that nothing meets, such as one for a task that is not there,
// gives an empty page.
//
// The error is a *model.InvalidRequestException: maxResults is negative, or nextToken is no token of
// this store, is one of another query, or the audit in which the page begins was dropped.
func (s *Store) Page(q Query) (Page, error) {
	var problems model.Problems
	if q.Limit < 0 {
		problems.Add("maxResults", q.Limit, "must not be negative")
		return Page{}, problems.Err()
	}
	limit := q.Limit
	if limit == 0 {
		limit = defaultLimit
	}
	v, key := s.view.Load(), q.encode()
	f := s.filter(q, v.seq)
	from := f.top()
	if q.Token != "" {
		payload, err := s.tokens.Open(key, q.Token)
		if err == nil {
			f.snapshot, from = decodeBookmark(payload)
		}
		// The view may be older than a Drop that has taken the audit out, and a Begin that has used its id again.
		if err == nil && (v.all.get(from) == nil || f.task && (f.audit == nil || f.audit.begun != from.begun)) {
			err = errors.New("is a token of an audit that was dropped")
		}
		if err != nil {
			problems.Add("nextToken", q.Token, err.Error())
			return Page{}, problems.Err()
		}
	}
	var page Page
	var places []place
	for segment, i := range v.rows(f, from) {
		if len(places) == limit {
			page.Next = s.tokens.Seal(key, appendBookmark(nil, f.snapshot, segment.at(i)))
			break
		}
		places = append(places, place{segment, i})
	}
	page.Findings = make([]model.AuditFinding, len(places)) // as many as there are: they are large
	r := reader{words: &v.words}
	for i, p := range places {
		page.Findings[i] = r.finding(p.segment, p.index)
	}
	return page, nil
}

// place is where a finding is stored.
type place struct {
	segment *segment
	index   uint32
}

// All returns the findings that meet the query, whatever its Limit and Token: each range over it goes
// through the store as it was when that range began. The findings belong to the caller.
func (s *Store) All(q Query) iter.Seq[model.AuditFinding] {
	return func(yield func(model.AuditFinding) bool) {
		v := s.view.Load()
		f, r := s.filter(q, v.seq), reader{words: &v.words}
		for segment, i := range v.rows(f, f.top()) {
			if !yield(r.finding(segment, i)) {
				return
			}
		}
	}
}

// Get returns the finding with that id, with all of its related resources. It is false for anything that is not
// the id of a finding in the store.
func (s *Store) Get(findingID string) (model.AuditFinding, bool) {
	v, segment, i := s.locate(findingID)
	if segment == nil {
		return model.AuditFinding{}, false
	}
	r := reader{words: &v.words}
	return r.finding(segment, i), true
}

// locate returns where the finding with that id is in the view of the moment; a nil segment: nowhere.
func (s *Store) locate(findingID string) (*view, *segment, uint32) {
	prefix, ordinal, index, ok := parseFindingID(findingID)
	if !ok {
		return nil, nil, 0
	}
	a, ok := s.audits.Load(prefix)
	if !ok {
		return nil, nil, 0
	}
	v, p := s.view.Load(), a.(*audit).top()
	p.ordinal = ordinal
	segment := v.all.get(p)
	if segment == nil || index >= uint32(len(segment.contents)) {
		return nil, nil, 0
	}
	return v, segment, index
}

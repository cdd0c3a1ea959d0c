package findings

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/fleetaudit/fleetaudit/model"
)

// Brief is [Store.Get] with no more than the first n related resources. What it costs does not depend on how many
// there are.
func (s *Store) Brief(findingID string, n int) (model.AuditFinding, bool) {
	v, segment, i := s.locate(findingID)
	if segment == nil {
		return model.AuditFinding{}, false
	}
	r := reader{words: &v.words}
	f, detail := r.without(segment, i), v.detail(segment, i)
	f.NonCompliantResource.AdditionalInfo = detail.info(&r.recent)
	for len(detail) > 0 && len(f.RelatedResources) < n {
		f.RelatedResources = append(f.RelatedResources, detail.related(&r.recent))
	}
	return f, true
}

// RelatedPage is a part of the related resources of one finding.
type RelatedPage struct {
	Resources []model.RelatedResource // in the order given to Append; they belong to the caller
	Next      string                  // the token of the next page; empty on the last
}

// Related returns up to limit related resources of the finding with that id, from where token points on; an empty
// token is the first page, a limit of zero 25. What it costs depends on limit alone.
//
// The error wraps [ErrUnknownFinding] when the store has no such finding. It is a *model.InvalidRequestException when
// maxResults is negative, or nextToken is no token of this store, is one of another finding, or is one of a finding
// that was dropped.
func (s *Store) Related(findingID, token string, limit int) (RelatedPage, error) {
	var problems model.Problems
	if limit < 0 {
		problems.Add("maxResults", limit, "must not be negative")
		return RelatedPage{}, problems.Err()
	}
	if limit == 0 {
		limit = defaultLimit
	}
	v, segment, i := s.locate(findingID)
	var at uint64 // in what is encoded
	if token != "" {
		place, err := s.relatedTokens.Open([]byte(findingID), token)
		// Its id may be that of another finding by now, if an audit of the same task id was begun again.
		if err == nil && (segment == nil || segment.audit.begun != binary.BigEndian.Uint64(place)) {
			err = errors.New("is a token of an audit that was dropped")
		}
		if err != nil {
			problems.Add("nextToken", token, err.Error())
			return RelatedPage{}, problems.Err()
		}
		at = binary.BigEndian.Uint64(place[8:])
	}
	if segment == nil {
		return RelatedPage{}, fmt.Errorf("findings: FindingID %q %w", findingID, ErrUnknownFinding)
	}
	detail := v.detail(segment, i)
	size := uint64(len(detail))
	var last recent
	if detail = detail[at:]; at == 0 {
		detail.info(&last)
	}
	var page RelatedPage
	for len(detail) > 0 && len(page.Resources) < limit {
		page.Resources = append(page.Resources, detail.related(&last))
	}
	if len(detail) > 0 {
		place := binary.BigEndian.AppendUint64(nil, segment.audit.begun)
		page.Next = s.relatedTokens.Seal([]byte(findingID), binary.BigEndian.AppendUint64(place, size-uint64(len(detail))))
	}
	return page, nil
}

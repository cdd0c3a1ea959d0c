package engine

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// ListAuditFindings returns a page of the findings of one audit, or of those found in a period: newest
// audit first, and within an audit in the order of checks, shards and reports. The findings of a check run
// appear when it has ended; those that appear while a client reads pages are not in them.
//
// Errors: InvalidRequestException, also if the audit or the check does not exist.
func (e *Engine) ListAuditFindings(ctx context.Context, in *model.ListAuditFindingsInput) (*model.ListAuditFindingsOutput, error) {
	q, err := e.findingsQuery(ctx, &in)
	if err != nil {
		return nil, err
	}
	q.Limit, q.Token = pageSize(in.MaxResults), in.NextToken
	page, err := e.findings.Page(q)
	if err != nil {
		return nil, err
	}
	return &model.ListAuditFindingsOutput{Findings: page.Findings, NextToken: page.Next}, nil
}

// AuditFindings iterates over what [Engine.ListAuditFindings] returns in pages, as it was when the
// iteration began. MaxResults and NextToken of the input do not count. An error is yielded once, alone.
// The input may be changed after the call.
func (e *Engine) AuditFindings(ctx context.Context, in *model.ListAuditFindingsInput) iter.Seq2[model.AuditFinding, error] {
	own := new(model.ListAuditFindingsInput)
	if in != nil {
		*own = *in
		own.MaxResults, own.NextToken = nil, ""
		if s := in.ListSuppressedFindings; s != nil {
			own.ListSuppressedFindings = new(*s)
		}
	}
	return func(yield func(model.AuditFinding, error) bool) {
		q, err := e.findingsQuery(ctx, &own)
		if err != nil {
			yield(model.AuditFinding{}, err)
			return
		}
		for f := range e.findings.All(q) {
			if ctx.Err() != nil {
				yield(model.AuditFinding{}, context.Cause(ctx))
				return
			}
			if !yield(f, nil) {
				return
			}
		}
	}
}

func (e *Engine) findingsQuery(ctx context.Context, in **model.ListAuditFindingsInput) (findings.Query, error) {
	p, err := begin(ctx, e, in)
	if err != nil {
		return findings.Query{}, err
	}
	i := *in
	if i.TaskID != "" && len(p) == 0 && e.audit(e.state.Txn(false), i.TaskID) == nil {
		p.Add("taskId", i.TaskID, "does not exist, or is no longer kept")
	}
	e.wantCheck(&p, i.CheckName)
	return findings.Query{
		TaskID:     i.TaskID,
		CheckName:  i.CheckName,
		Resource:   i.ResourceIdentifier,
		From:       i.StartTime.Time,
		To:         i.EndTime.Time,
		Suppressed: i.ListSuppressedFindings,
	}, p.Err()
}

// shownRelated is how many related resources AWS shows with one finding.
const shownRelated = 10

// DescribeAuditFinding returns one finding, with its first ten related resources;
// [Engine.ListRelatedResourcesForAuditFinding] has them all.
//
// Errors: InvalidRequestException, ResourceNotFoundException.
func (e *Engine) DescribeAuditFinding(ctx context.Context, in *model.DescribeAuditFindingInput) (*model.DescribeAuditFindingOutput, error) {
	if err := valid(begin(ctx, e, &in)); err != nil {
		return nil, err
	}
	f, ok := e.findings.Brief(in.FindingID, shownRelated)
	if !ok {
		return nil, noFinding(in.FindingID)
	}
	return &model.DescribeAuditFindingOutput{Finding: f}, nil
}

func noFinding(id string) error {
	return &model.ResourceNotFoundException{Message: fmt.Sprintf("findingId %q does not exist, or is no longer kept", id)}
}

// ListRelatedResourcesForAuditFinding returns a page of the related resources of one finding, in the order in which
// the check reported them.
//
// Errors: InvalidRequestException, also for a token whose finding is no longer kept; ResourceNotFoundException.
func (e *Engine) ListRelatedResourcesForAuditFinding(ctx context.Context, in *model.ListRelatedResourcesForAuditFindingInput) (*model.ListRelatedResourcesForAuditFindingOutput, error) {
	if err := valid(begin(ctx, e, &in)); err != nil {
		return nil, err
	}
	page, err := e.findings.Related(in.FindingID, in.NextToken, pageSize(in.MaxResults))
	if errors.Is(err, findings.ErrUnknownFinding) {
		return nil, noFinding(in.FindingID)
	}
	if err != nil {
		return nil, err
	}
	return &model.ListRelatedResourcesForAuditFindingOutput{RelatedResources: page.Resources, NextToken: page.Next}, nil
}

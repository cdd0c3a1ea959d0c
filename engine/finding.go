package engine

import (
	"context"
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
	if i.CheckName != "" && e.place(i.CheckName) == len(e.specs) {
		p.Add("checkName", i.CheckName, e.noSuchCheck())
	}
	return findings.Query{
		TaskID:     i.TaskID,
		CheckName:  i.CheckName,
		Resource:   i.ResourceIdentifier,
		From:       i.StartTime.Time,
		To:         i.EndTime.Time,
		Suppressed: i.ListSuppressedFindings,
	}, p.Err()
}

package engine

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// DiffAudits iterates over what changed from one audit to a later one, given by their task ids, as
// [findings.Store.Diff] says: what is new, unchanged, back again, resolved, or still open because the later audit did
// not look. Findings of an audit in progress are those of its checks that have ended. An error is yielded once, alone.
//
// Errors: InvalidRequestException; ResourceNotFoundException if an audit does not exist.
func (e *Engine) DiffAudits(ctx context.Context, older, newer string) iter.Seq2[findings.Change, error] {
	return func(yield func(findings.Change, error) bool) {
		changes, err := e.diff(ctx, older, newer)
		if err != nil {
			yield(findings.Change{}, err)
			return
		}
		for c := range changes {
			if ctx.Err() != nil {
				yield(findings.Change{}, context.Cause(ctx))
				return
			}
			if !yield(c, nil) {
				return
			}
		}
	}
}

func (e *Engine) diff(ctx context.Context, older, newer string) (iter.Seq[findings.Change], error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	txn := e.state.Txn(false)
	var p model.Problems
	for _, id := range []struct{ field, value string }{{"older", older}, {"newer", newer}} {
		switch {
		case id.value == "":
			p.Add(id.field, nil, "is required")
		case e.audit(txn, id.value) == nil:
			return nil, &model.ResourceNotFoundException{Message: id.field + " " + model.Quote(id.value) + " does not exist, or is no longer kept"}
		}
	}
	if err := p.Err(); err != nil {
		return nil, err
	}
	changes, err := e.findings.Diff(older, newer)
	switch {
	case errors.Is(err, findings.ErrUnknownTask): // it was dropped since
		return nil, &model.ResourceNotFoundException{Message: strings.TrimPrefix(err.Error(), "findings: ")}
	case err != nil:
		return nil, &model.InvalidRequestException{Message: strings.TrimPrefix(err.Error(), "findings: ")}
	}
	return changes, nil
}

// FindingHistory returns when a finding was first and last seen, whether it is resolved, and when it came back, as
// [findings.Store.History] says. [findings.FingerprintOf] gives the fingerprint of a finding.
//
// Errors: InvalidRequestException; ResourceNotFoundException if no audit that is kept found it.
func (e *Engine) FindingHistory(ctx context.Context, fp findings.Fingerprint) (findings.History, error) {
	if ctx.Err() != nil {
		return findings.History{}, context.Cause(ctx)
	}
	var p model.Problems
	if fp.CheckName == "" {
		p.Add("CheckName", nil, "is required")
	}
	if fp.Resource == (model.ResourceIdentifier{}) {
		p.Add("Resource", nil, "is required")
	}
	if err := p.Err(); err != nil {
		return findings.History{}, err
	}
	h, ok := e.findings.History(fp)
	if !ok {
		return findings.History{}, &model.ResourceNotFoundException{
			Message: fmt.Sprintf("no audit that is kept has a finding of CheckName %s, Resource %s and ReasonCode %s",
				model.Quote(fp.CheckName), model.Quote(fp.Resource.String()), model.Quote(fp.ReasonCode)),
		}
	}
	return h, nil
}

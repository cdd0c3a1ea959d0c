package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/go-memdb"

	"github.com/fleetaudit/fleetaudit/model"
)

// maxTags is how many tags AWS lets a resource have.
const maxTags = 50

// taggedSchedule returns the scheduled audit of an ARN. Nothing else has tags.
func (e *Engine) taggedSchedule(txn *memdb.Txn, p model.Problems, arn string) (*scheduleRow, error) {
	name, ours := strings.CutPrefix(arn, e.scheduleARN(""))
	if arn != "" && (!ours || name == "") {
		p.Add("resourceArn", arn, "must be the ARN of a scheduled audit of this account, "+e.scheduleARN("NAME"))
	}
	if err := p.Err(); err != nil {
		return nil, err
	}
	row := e.schedule(txn, name)
	if row == nil {
		return nil, &model.ResourceNotFoundException{Message: "resourceArn " + model.Quote(arn) + " does not exist"}
	}
	return row, nil
}

// changeTags replaces the tags of a scheduled audit. change gets a copy of those that it has.
func (e *Engine) changeTags(p model.Problems, arn string, change func(tags []model.Tag) []model.Tag) error {
	return e.write(func(u *update) error {
		old, err := e.taggedSchedule(u.txn, p, arn)
		if err != nil {
			return err
		}
		row := *old
		row.tags = change(slices.Clone(old.tags))
		if len(row.tags) > maxTags {
			return &model.LimitExceededException{
				Message: fmt.Sprintf("resourceArn %q would have %d tags; it may have %d", arn, len(row.tags), maxTags),
			}
		}
		put(u.txn, scheduleTable, &row)
		return nil
	})
}

// TagResource gives tags to a scheduled audit. A key that it has already gets the new value.
//
// Errors: InvalidRequestException; ResourceNotFoundException; LimitExceededException if it would have more than 50.
func (e *Engine) TagResource(ctx context.Context, in *model.TagResourceInput) (*model.TagResourceOutput, error) {
	p, err := beginWrite(ctx, e, &in)
	if err != nil {
		return nil, err
	}
	err = e.changeTags(p, in.ResourceARN, func(tags []model.Tag) []model.Tag {
		for _, t := range in.Tags {
			if i := slices.IndexFunc(tags, func(has model.Tag) bool { return has.Key == t.Key }); i >= 0 {
				tags[i] = t
			} else {
				tags = append(tags, t)
			}
		}
		return tags
	})
	if err != nil {
		return nil, err
	}
	return &model.TagResourceOutput{}, nil
}

// UntagResource takes tags from a scheduled audit. Keys that it does not have are passed over.
//
// Errors: InvalidRequestException, ResourceNotFoundException.
func (e *Engine) UntagResource(ctx context.Context, in *model.UntagResourceInput) (*model.UntagResourceOutput, error) {
	p, err := beginWrite(ctx, e, &in)
	if err != nil {
		return nil, err
	}
	err = e.changeTags(p, in.ResourceARN, func(tags []model.Tag) []model.Tag {
		return slices.DeleteFunc(tags, func(t model.Tag) bool { return slices.Contains(in.TagKeys, t.Key) })
	})
	if err != nil {
		return nil, err
	}
	return &model.UntagResourceOutput{}, nil
}

// ListTagsForResource returns the tags of a scheduled audit, in the order in which it got them. They are at most 50,
// so there is one page, and no token that could ask for another.
//
// Errors: InvalidRequestException, ResourceNotFoundException.
func (e *Engine) ListTagsForResource(ctx context.Context, in *model.ListTagsForResourceInput) (*model.ListTagsForResourceOutput, error) {
	p, err := begin(ctx, e, &in)
	if err != nil {
		return nil, err
	}
	e.openToken(&p, "ListTagsForResource", in.NextToken)
	row, err := e.taggedSchedule(e.state.Txn(false), p, in.ResourceARN)
	if err != nil {
		return nil, err
	}
	return &model.ListTagsForResourceOutput{Tags: slices.Clone(row.tags)}, nil
}

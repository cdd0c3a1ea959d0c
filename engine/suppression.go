package engine

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-memdb"

	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// SuppressionPolicy is what the host asks of suppressions beyond what AWS does. It is applied to what a create or
// an update would leave, and not to suppressions that nobody touches.
type SuppressionPolicy struct {
	// DescriptionRequired wants a description that is not blank: the reason why the finding is accepted.
	DescriptionRequired bool
	// MaxLifetime is how far in the future a suppression may expire, at the time of the create or update. Such a
	// suppression must have an expirationDate. Zero: any time, and indefinitely.
	MaxLifetime time.Duration
}

// expiry is the instant from which on a suppression no longer holds, in epoch milliseconds.
type expiry int64

const never expiry = math.MaxInt64

func expiryOf(date model.Timestamp, indefinitely *bool) expiry {
	if indefinitely != nil && *indefinitely {
		return never
	}
	return expiry(date.UnixMilli())
}

// key sorts as expiries do: never is the last.
func (x expiry) key() []byte { return binary.BigEndian.AppendUint64(nil, uint64(x)^1<<63) }

func (x expiry) date() (at model.Timestamp, indefinitely *bool) {
	if x == never {
		return model.Timestamp{}, new(true)
	}
	return model.At(time.UnixMilli(int64(x))), new(false)
}

// suppressionTerms are what a suppression says about its check and resource.
type suppressionTerms struct {
	expiry      expiry
	description string
}

func suppressionKey(check string, r model.ResourceIdentifier) []byte {
	return append(text(check), findings.Fingerprint{CheckName: check, Resource: r}.String()...)
}

// suppression returns what a row looks like to clients.
func (r *suppressionRow) suppression() model.AuditSuppression {
	date, indefinitely := r.expiry.date()
	return model.AuditSuppression{
		CheckName: r.check, ResourceIdentifier: r.resource,
		ExpirationDate: date, SuppressIndefinitely: indefinitely, Description: r.description,
	}
}

func (e *Engine) suppression(txn *memdb.Txn, check string, r model.ResourceIdentifier) *suppressionRow {
	return first[suppressionRow](txn, suppressionTable, "id", suppressionKey(check, r))
}

// suppressions yields those of a check; of every check if it is empty.
func (e *Engine) suppressions(txn *memdb.Txn, check string) iter.Seq[model.AuditSuppression] {
	var prefix []byte
	if check != "" {
		prefix = text(check)
	}
	return func(yield func(model.AuditSuppression) bool) {
		for r := range rows[suppressionRow](txn, suppressionTable, "id", prefix) {
			if !yield(r.suppression()) {
				return
			}
		}
	}
}

// inForce is the suppressions of one check.
type inForce struct {
	findings.Suppressions
	changed <-chan struct{} // is closed when they may not be so any more
}

// suppressionsOf returns those of a check, which are read once and kept until they change.
func (e *Engine) suppressionsOf(ordinal int) findings.Suppressions {
	kept := &e.inForce[ordinal]
	if s := kept.Load(); s != nil {
		select {
		case <-s.changed:
		default:
			return s.Suppressions
		}
	}
	name := e.specs[ordinal].Name
	txn := e.state.Txn(false)
	s := &inForce{changed: must(txn.Get(suppressionTable, "id", text(name))).WatchCh()}
	s.Suppressions = findings.NewSuppressions(e.suppressions(txn, name))
	kept.Store(s)
	return s.Suppressions
}

// suppressFromStart puts in the suppressions of the Config, in place of those that are there.
func (e *Engine) suppressFromStart(txn *memdb.Txn) error {
	if e.config.Suppressions == nil {
		return nil
	}
	before := make(map[string]*suppressionRow)
	for r := range rows[suppressionRow](txn, suppressionTable, "id", nil) {
		before[string(r.key)] = r
		remove(txn, suppressionTable, r)
	}
	var all []error
	for i, s := range e.config.Suppressions {
		in := model.CreateAuditSuppressionInput{
			CheckName: s.CheckName, ResourceIdentifier: s.ResourceIdentifier, ExpirationDate: s.ExpirationDate,
			SuppressIndefinitely: s.SuppressIndefinitely, Description: s.Description, ClientRequestToken: newTaskID(),
		}
		p := model.Check(&in)
		e.wantCheck(&p, in.CheckName)
		if err := p.Err(); err != nil {
			all = append(all, fmt.Errorf("Config.Suppressions[%d]: %w", i, err))
			continue
		}
		row := newSuppression(&in)
		if old := before[string(row.key)]; old != nil && old.expiry == row.expiry && old.description == row.description {
			row = old // with the token that a client knows
		}
		put(txn, suppressionTable, row)
	}
	return errors.Join(all...)
}

func newSuppression(in *model.CreateAuditSuppressionInput) *suppressionRow {
	row := &suppressionRow{
		key:         suppressionKey(in.CheckName, in.ResourceIdentifier),
		check:       in.CheckName,
		resource:    in.ResourceIdentifier,
		expiry:      expiryOf(in.ExpirationDate, in.SuppressIndefinitely),
		description: in.Description,
		token:       in.ClientRequestToken,
	}
	row.created = suppressionTerms{row.expiry, row.description}
	return row
}

// CreateAuditSuppression has findings of a check about a resource marked as suppressed, from the next run of the
// check on. It holds until its expirationDate, in whole milliseconds, and no longer at that very instant. A call that is
// repeated with the same clientRequestToken changes nothing; the token must not come again with anything else while
// the suppression exists. AWS publishes no limit to how many an account may have, and here there is none.
//
// Errors: InvalidRequestException, also if the policy of the host forbids it; ResourceAlreadyExistsException if the
// check and the resource have a suppression of another token.
func (e *Engine) CreateAuditSuppression(ctx context.Context, in *model.CreateAuditSuppressionInput) (*model.CreateAuditSuppressionOutput, error) {
	p, err := beginWrite(ctx, e, &in)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	if err := e.write(func(u *update) error { return e.suppress(u.txn, p, newSuppression(in), now) }); err != nil {
		return nil, err
	}
	return &model.CreateAuditSuppressionOutput{}, nil
}

func (e *Engine) suppress(txn *memdb.Txn, p model.Problems, row *suppressionRow, now time.Time) error {
	if old := first[suppressionRow](txn, suppressionTable, "token", text(row.token)); old != nil {
		if len(p) == 0 && old.check == row.check && old.resource == row.resource && old.created == row.created {
			return nil
		}
		p.Add("clientRequestToken", row.token, "was given with another suppression: "+suppressed(old.check, old.resource))
	}
	e.wantCheck(&p, row.check)
	e.wantPolicy(&p, row, nil, now)
	if err := p.Err(); err != nil {
		return err
	}
	if first[suppressionRow](txn, suppressionTable, "id", row.key) != nil {
		id := strings.Replace(string(row.key), "\x00", "/", 1)
		return &model.ResourceAlreadyExistsException{
			Message:     suppressed(row.check, row.resource) + " have a suppression already",
			ResourceID:  id,
			ResourceARN: e.arn("auditsuppression/" + id),
		}
	}
	put(txn, suppressionTable, row)
	return nil
}

// wantPolicy notes what is wrong with a suppression that is new or replaces old. It says nothing of a date that
// is wrong by itself.
func (e *Engine) wantPolicy(p *model.Problems, row, old *suppressionRow, now time.Time) {
	policy := e.config.SuppressionPolicy
	date, _ := row.expiry.date()
	shown, latest := instantText(date.Time), now.Add(policy.MaxLifetime)
	switch {
	case slices.ContainsFunc(*p, func(q model.Problem) bool { return q.Field == "expirationDate" }):
	case row.expiry == never:
		if policy.MaxLifetime > 0 {
			p.Add("suppressIndefinitely", true, "is not allowed: a suppression must expire within "+policy.MaxLifetime.String())
		}
	case (old == nil || old.expiry != row.expiry) && !date.After(now):
		p.Add("expirationDate", shown, "must be later than now, "+instantText(now)+", in whole milliseconds")
	case policy.MaxLifetime > 0 && date.After(latest):
		p.Add("expirationDate", shown, "must not be later than "+instantText(latest)+
			": a suppression must expire within "+policy.MaxLifetime.String())
	}
	if policy.DescriptionRequired && strings.TrimSpace(row.description) == "" {
		p.Add("description", row.description, "is required: say why the finding is accepted")
	}
}

// instantText shows an instant in messages, exactly.
func instantText(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// DescribeAuditSuppression returns one suppression, also one that has expired.
//
// Errors: InvalidRequestException, ResourceNotFoundException.
func (e *Engine) DescribeAuditSuppression(ctx context.Context, in *model.DescribeAuditSuppressionInput) (*model.DescribeAuditSuppressionOutput, error) {
	if err := valid(begin(ctx, e, &in)); err != nil {
		return nil, err
	}
	row := e.suppression(e.state.Txn(false), in.CheckName, in.ResourceIdentifier)
	if row == nil {
		return nil, noSuppression(in.CheckName, in.ResourceIdentifier)
	}
	out := model.DescribeAuditSuppressionOutput(row.suppression())
	return &out, nil
}

// suppressed names what a suppression is about, for messages.
func suppressed(check string, r model.ResourceIdentifier) string {
	return "checkName " + model.Quote(check) + " and resourceIdentifier " + model.Quote(r.String())
}

func noSuppression(check string, r model.ResourceIdentifier) error {
	return &model.ResourceNotFoundException{
		Message: suppressed(check, r) + " have no suppression",
	}
}

// UpdateAuditSuppression changes a suppression; what the input leaves out stays. An expirationDate ends
// suppressIndefinitely, and the other way round. Findings that exist stay as they are.
//
// Errors: InvalidRequestException, also if the policy of the host forbids what would result;
// ResourceNotFoundException.
func (e *Engine) UpdateAuditSuppression(ctx context.Context, in *model.UpdateAuditSuppressionInput) (*model.UpdateAuditSuppressionOutput, error) {
	p, err := beginWrite(ctx, e, &in)
	if err := valid(p, err); err != nil {
		return nil, err
	}
	now := time.Now()
	if err := e.write(func(u *update) error { return e.updateSuppression(u.txn, p, in, now) }); err != nil {
		return nil, err
	}
	return &model.UpdateAuditSuppressionOutput{}, nil
}

func (e *Engine) updateSuppression(txn *memdb.Txn, p model.Problems, in *model.UpdateAuditSuppressionInput, now time.Time) error {
	old := e.suppression(txn, in.CheckName, in.ResourceIdentifier)
	if old == nil {
		return noSuppression(in.CheckName, in.ResourceIdentifier)
	}
	row := *old
	switch {
	case !in.ExpirationDate.IsZero() || in.SuppressIndefinitely != nil && *in.SuppressIndefinitely:
		row.expiry = expiryOf(in.ExpirationDate, in.SuppressIndefinitely)
	case in.SuppressIndefinitely != nil && old.expiry == never:
		model.CheckExpiry(&p, in.ExpirationDate, in.SuppressIndefinitely)
		return p.Err()
	}
	if in.Description != nil {
		row.description = *in.Description
	}
	e.wantPolicy(&p, &row, old, now)
	if err := p.Err(); err != nil {
		return err
	}
	put(txn, suppressionTable, &row)
	return nil
}

// DeleteAuditSuppression deletes a suppression. It is no error if there is none.
//
// Errors: InvalidRequestException.
func (e *Engine) DeleteAuditSuppression(ctx context.Context, in *model.DeleteAuditSuppressionInput) (*model.DeleteAuditSuppressionOutput, error) {
	if err := valid(beginWrite(ctx, e, &in)); err != nil {
		return nil, err
	}
	err := e.write(func(u *update) error {
		if row := e.suppression(u.txn, in.CheckName, in.ResourceIdentifier); row != nil {
			remove(u.txn, suppressionTable, row)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &model.DeleteAuditSuppressionOutput{}, nil
}

// ListAuditSuppressions returns a page of suppressions, those that have expired too, by expiry: soonest first and
// the indefinite ones last, or the other way round. One that is not changed while a client reads pages is in exactly
// one of them.
//
// Errors: InvalidRequestException.
func (e *Engine) ListAuditSuppressions(ctx context.Context, in *model.ListAuditSuppressionsInput) (*model.ListAuditSuppressionsOutput, error) {
	p, err := begin(ctx, e, &in)
	if err != nil {
		return nil, err
	}
	ascending := in.AscendingOrder == nil || *in.AscendingOrder
	query := fmt.Sprintf("ListAuditSuppressions %t %q", ascending, suppressionKey(in.CheckName, in.ResourceIdentifier))
	from := e.openToken(&p, query, in.NextToken)
	if err := p.Err(); err != nil {
		return nil, err
	}
	if from == nil && !ascending {
		from = beyond()
	}
	out := new(model.ListAuditSuppressionsOutput)
	for r := range rowsFrom[suppressionRow](e.state.Txn(false), suppressionTable, "expiry", from, !ascending) {
		if in.CheckName != "" && in.CheckName != r.check ||
			in.ResourceIdentifier != (model.ResourceIdentifier{}) && in.ResourceIdentifier != r.resource {
			continue
		}
		if len(out.Suppressions) == pageSize(in.MaxResults) {
			out.NextToken = e.tokens.Seal([]byte(query), append(r.expiry.key(), r.key...))
			break
		}
		out.Suppressions = append(out.Suppressions, r.suppression())
	}
	return out, nil
}

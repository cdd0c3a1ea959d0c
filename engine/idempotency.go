package engine

import (
	"context"
	"slices"
	"unicode/utf8"

	"github.com/hashicorp/go-memdb"

	"github.com/fleetaudit/fleetaudit/model"
)

type idempotencyKeyKey struct{}

// maxKey is how many bytes an idempotency key may have.
const maxKey = 256

// WithIdempotencyKey returns a context with which StartOnDemandAuditTask and StartAuditAsOf start no more than one audit
// for a key, also across restarts when there is a [Store]: called again, they return the task id of the audit that the
// first call started, as long as that audit is kept. So a client that lost the answer may ask again. AWS's operation has
// no member for it; a frontend takes the key from where its clients send one (AWS SDKs send the same amz-sdk-invocation-id
// with each attempt of a call). A key is 1 to 256 bytes of UTF-8; the empty key is none.
func WithIdempotencyKey(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, idempotencyKeyKey{}, key)
}

func idempotencyKey(ctx context.Context) string {
	key, _ := ctx.Value(idempotencyKeyKey{}).(string)
	return key
}

// startedBefore returns the audit that was started with the key of r, or nil.
func (e *Engine) startedBefore(txn *memdb.Txn, p model.Problems, r request) (*auditRow, error) {
	if r.key == "" {
		return nil, nil
	}
	if len(r.key) > maxKey || !utf8.ValidString(r.key) {
		p.Add("idempotency key", r.key, "must be at most 256 bytes of UTF-8")
		return nil, p.Err()
	}
	if len(p) > 0 {
		return nil, nil // what else is wrong is told with it
	}
	row := first[auditRow](txn, auditTable, "key", text(r.key))
	if row == nil {
		return nil, nil
	}
	if !row.asOf.Equal(r.asOf) || !slices.Equal(slices.Sorted(slices.Values(row.checks)), slices.Sorted(slices.Values(r.checks))) {
		p.Add("idempotency key", r.key, "was given with another audit, "+row.taskID)
		return nil, p.Err()
	}
	return row, nil
}

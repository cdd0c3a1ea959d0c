package awsapi

import (
	"context"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/fleetaudit/fleetaudit/engine"
)

// invocationHeader is where AWS's clients send an id of each call, a UUID, which is the same with each attempt of it.
const invocationHeader = "Amz-Sdk-Invocation-Id"

const (
	maxInvocation     = 128 // bytes; a UUID has 36
	maxIdempotencyKey = 256 // bytes, as the Engine takes them
)

// idempotent returns the context of r, with the key of its call if it has one: an attempt after an answer that was lost
// starts no second audit. With signatures the key is that of whoever signed: nobody learns by another's id what
// that one has started.
func idempotent(r *http.Request, who caller) context.Context {
	key := r.Header.Get(invocationHeader)
	if key == "" || len(key) > maxInvocation || !utf8.ValidString(key) {
		return r.Context()
	}
	if who.signature != nil {
		key = who.signature.accessKeyID + "/" + key // which has no slash
	}
	key = strings.ToLower(invocationHeader) + "/" + key // so that an error about it says where it comes from
	if len(key) > maxIdempotencyKey {
		return r.Context()
	}
	return engine.WithIdempotencyKey(r.Context(), key)
}

package awsapi

import (
	"net/http"

	"github.com/fleetaudit/fleetaudit/engine"
)

// HandlerOf makes a handler of other operations than the Engine's.
func HandlerOf(c Config, operations ...engine.Operation) (http.Handler, error) {
	return newHandler(c, operations)
}

// Bind is bind, for a request of op that came by itself.
func Bind(op *engine.Operation, r *http.Request, body []byte) (any, error) {
	if _, err := newRoutes([]engine.Operation{*op}).find(make(http.Header), r); err != nil {
		return nil, err
	}
	return bind(op, r, body)
}

package awsapi

import (
	"errors"
	"net/http"
	"time"

	"github.com/fleetaudit/fleetaudit/engine"
)

// Authenticate does what a handler does with a request whose body is there: it returns the access key ID.
func Authenticate(r *http.Request, now time.Time, body []byte, lookup func(string) (Credential, error)) (string, error) {
	s, err := parseSignature(r, now)
	if err != nil {
		return "", err
	}
	c, err := lookup(s.accessKeyID)
	if err != nil {
		return s.accessKeyID, errUnrecognized()
	}
	return s.accessKeyID, s.verify(r, c, body)
}

// Refusal is the code and the status of a frontend's own error.
func Refusal(err error) (code string, status int) {
	if e, ok := errors.AsType[*apiError](err); ok {
		return e.code, e.status
	}
	return "", 0
}

// ReprintAuthorization reads an Authorization header and prints what it read.
func ReprintAuthorization(header string) (string, error) {
	a, err := parseAuthorization(header)
	return a.String(), err
}

// Throttle is what holds accounts to their rates.
type Throttle struct{ t *throttle }

// NewThrottle returns one that has not been asked.
func NewThrottle() Throttle { return Throttle{newThrottle()} }

// Allow tells whether e may be asked for op now.
func (t Throttle) Allow(e *engine.Engine, op *engine.Operation) bool { return t.t.allow(e, op) }

// SweepAt returns how many limiters there will be when those that are not needed go.
func (t Throttle) SweepAt() int {
	t.t.mu.Lock()
	defer t.t.mu.Unlock()
	return t.t.sweepAt
}

// Limiters returns how many limiters are kept.
func (t Throttle) Limiters() int {
	t.t.mu.Lock()
	defer t.t.mu.Unlock()
	return len(t.t.limiters)
}

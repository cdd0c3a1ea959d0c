package awsapi_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/iot"
	"github.com/aws/aws-sdk-go-v2/service/iot/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/awsapi"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// good returns a row for each operation that succeeds on a plant.
func good(t *testing.T) []row {
	t.Helper()
	var rows []row
	all := stanzas(t)
	for _, o := range engine.Operations() {
		for _, s := range all {
			if s.row.Name == o.Name && s.before == nil {
				rows = append(rows, s.row) // the first row of an operation is one
				break
			}
		}
	}
	require.Len(t, rows, len(engine.Operations()))
	return rows
}

// refused wants an error with a code and a status that the SDK has no type for.
func refused(t *testing.T, err error, code string, status int) {
	t.Helper()
	api, isAPI := errors.AsType[smithy.APIError](err)
	answer, isAnswer := errors.AsType[*awshttp.ResponseError](err)
	if !isAPI || !isAnswer || api.ErrorCode() != code || answer.HTTPStatusCode() != status || api.ErrorMessage() == "" ||
		answer.ServiceRequestID() == "" {
		t.Errorf("got %v; want %s, %d", err, code, status)
	}
}

// What is no caller's fault is an InternalFailureException, which clients try again, and tells nothing.
func TestConformanceOfInternalFailures(t *testing.T) {
	served := newServed()
	url := listen(t, served.by(newHandler(t, awsapi.Config{Credentials: func(context.Context, string) (awsapi.Credential, error) {
		return awsapi.Credential{}, errors.New("the vault at vault.internal is sealed")
	}})))
	p := newPlant(t, 1)
	for _, r := range good(t) {
		c := newClient(url, hasty, withKey("AKID", "secret", ""))
		got := call(t, c, r.Operation, p.bind(r))
		e, ok := errors.AsType[*types.InternalFailureException](got.err)
		if !ok || strings.Contains(got.err.Error(), "vault") {
			t.Errorf("%s: %v", r.Name, got.err)
		} else if difference := diffError(got.err, &model.InternalFailureException{Message: e.ErrorMessage()}); difference != "" {
			t.Errorf("%s: %s", r.Name, difference)
		}
		if n := served.times(r.Name, http.StatusInternalServerError); n != 3 {
			t.Errorf("%s was tried %d times", r.Name, n)
		}
	}
}

// An engine that is closed can be read; the rest is unavailable, which clients try again.
func TestConformanceOfClosedEngines(t *testing.T) {
	served := newServed()
	for _, r := range good(t) {
		p := newPlant(t, 1)
		in := p.bind(r)
		require.NoError(t, p.Close())
		c := newClient(listen(t, served.by(newHandler(t, awsapi.Config{Engine: p.Engine}))), hasty)
		got := call(t, c, r.Operation, in)
		if !r.reads() {
			refused(t, got.err, "ServiceUnavailableException", http.StatusServiceUnavailable)
			if n := served.times(r.Name, http.StatusServiceUnavailable); n != 3 {
				t.Errorf("%s was tried %d times", r.Name, n)
			}
			continue
		}
		out, err := r.Call(t.Context(), p.Engine, in)
		require.NoError(t, err)
		if difference := diff(t, r.Operation, got, outcome{out, nil}); difference != "" {
			t.Errorf("%s: %s", r.Name, difference)
		}
	}
}

// Who is not let in is told so, for each operation, once: clients do not try it again.
func TestConformanceOfRefusals(t *testing.T) {
	ways := entries()
	region := func(o *iot.Options) { o.Region = "eu-central-1" }
	for _, test := range []struct {
		name  string
		entry entry
		key   func(*iot.Options)
		code  string
	}{
		{"no key", ways[0], func(*iot.Options) {}, "MissingAuthenticationTokenException"},
		{"unknown key", ways[0], withKey("AKIDOTHER", "a secret+/=", ""), "UnrecognizedClientException"},
		{"wrong secret", ways[0], withKey("AKIDPLANT", "a secret", ""), "InvalidSignatureException"},
		{"other region", ways[0], func(o *iot.Options) { ways[0].key(o); region(o) }, "InvalidSignatureException"},
		{"no session token", ways[1], withKey("AKIDPLANT", "a secret+/=", ""), "UnrecognizedClientException"},
		{"wrong session token", ways[1], withKey("AKIDPLANT", "a secret+/=", "token"), "UnrecognizedClientException"},
		{"session token where there is none", ways[0], withKey("AKIDPLANT", "a secret+/=", "token"), "UnrecognizedClientException"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, twin, served := newPlant(t, 1), newPlant(t, 1), newServed()
			c := newClient(listen(t, served.by(newHandler(t, test.entry.config(p.Engine)))), hasty, test.key)
			for _, r := range good(t) {
				refused(t, call(t, c, r.Operation, p.bind(r)).err, test.code, http.StatusForbidden)
				if n := served.times(r.Name, http.StatusForbidden); n != 1 {
					t.Errorf("%s was tried %d times", r.Name, n)
				}
			}
			require.Equal(t, twin.dump(), p.dump())
		})
	}
}

// connected returns an option that connects clients with h, in a bubble.
func connected(t *testing.T, h http.Handler) func(*iot.Options) {
	p := newPipes()
	s, transport := awsapi.Server(h), &http.Transport{DialContext: p.dial}
	go s.Serve(p)
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		require.NoError(t, s.Close())
	})
	return func(o *iot.Options) { o.HTTPClient = &http.Client{Transport: transport} }
}

// With Throttle each operation takes as many calls at once as AWS a second, whatever others took; then a
// ThrottlingException comes back, and after a second they can be made again. A client that tries again gets through.
func TestConformanceOfThrottling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, served, entry := newPlant(t, 1), newServed(), entries()[1]
		config := entry.config(p.Engine)
		config.Throttle = true
		c := newClient("http://plant.test", connected(t, served.by(newHandler(t, config))), entry.key)
		rows, inputs := good(t), make(map[string]any)
		for _, r := range rows {
			inputs[r.Name] = p.bind(r)
		}
		throttled := func(r row, options ...func(*iot.Options)) bool {
			got := call(t, c, r.Operation, inputs[r.Name], options...)
			e, ok := errors.AsType[*types.ThrottlingException](got.err)
			if ok {
				require.Empty(t, diffError(got.err, &model.ThrottlingException{Message: e.ErrorMessage()}))
			}
			return ok
		}
		for range 2 {
			for _, r := range rows {
				for i := range r.Rate {
					require.False(t, throttled(r, once), "%s: call %d at once", r.Name, i+1)
				}
				require.True(t, throttled(r, once), "%s: call %d at once", r.Name, r.Rate+1)
			}
			time.Sleep(time.Second)
		}
		for _, r := range rows {
			for range r.Rate {
				require.False(t, throttled(r, once), r.Name)
			}
			require.False(t, throttled(r, func(o *iot.Options) { o.RetryMaxAttempts = 50 }), r.Name)
			if n := served.times(r.Name, http.StatusTooManyRequests); n < 3 { // two and those that were tried again
				t.Errorf("%s was throttled %d times", r.Name, n)
			}
		}
	})
}

package awsapi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/awsapi"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

func TestConfig(t *testing.T) {
	e := newAccount(t)
	lookup := func(context.Context, string) (awsapi.Credential, error) { return awsapi.Credential{}, nil }
	for _, row := range []struct {
		config awsapi.Config
		want   string
	}{
		{awsapi.Config{Engine: e}, ""},
		{awsapi.Config{Credentials: lookup, MaxBody: 1, BodyTimeout: 1}, ""},
		{awsapi.Config{}, "awsapi: Config.Engine or Config.Credentials must be set"},
		{awsapi.Config{Engine: e, Credentials: lookup}, "awsapi: Config.Engine and Config.Credentials must not both be set"},
		{awsapi.Config{Engine: e, MaxBody: -1, BodyTimeout: -time.Second},
			"awsapi: Config.MaxBody -1 must not be negative\nConfig.BodyTimeout -1s must not be negative"},
	} {
		h, err := awsapi.Handler(row.config)
		require.Equal(t, row.want == "", err == nil)
		require.Equal(t, row.want == "", h != nil)
		if err != nil {
			require.Equal(t, row.want, err.Error())
		}
	}
}

// TestCredentialKeepsItsSecret: however it is printed, only that it has one is seen.
func TestCredentialKeepsItsSecret(t *testing.T) {
	c := awsapi.Credential{SecretAccessKey: "hunter2", SessionToken: "token-3", Region: "eu-west-1", Engine: newAccount(t)}
	const want = `awsapi.Credential{SecretAccessKey: set, SessionToken: set, Region: "eu-west-1", Engine: set}`
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%t", "%300v", "%.3s"} {
		require.Equal(t, want, fmt.Sprintf(verb, c), verb)
		require.Equal(t, want, fmt.Sprintf(verb, &c), verb)
	}
	require.Equal(t, "["+want+"]", fmt.Sprint([]awsapi.Credential{c}))
	require.Equal(t, "map[AKID:"+want+"]", fmt.Sprint(map[string]awsapi.Credential{"AKID": c}))
	require.Equal(t, "{"+want+"}", fmt.Sprint(struct{ Credential awsapi.Credential }{c}))
	require.Equal(t, `awsapi.Credential{SecretAccessKey: empty, SessionToken: empty, Region: "", Engine: empty}`,
		awsapi.Credential{}.String())

	var log bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(h).Info("entered", "who", c, "also", &c)
	}
	quoted := strconv.Quote(want)
	require.Contains(t, log.String(), " who="+quoted+" also="+quoted+"\n")
	require.Contains(t, log.String(), `"who":`+quoted+`,"also":`+quoted+"}\n")
}

// broken is an operation that ends as call does.
func broken(call func(ctx context.Context) (any, error), codes ...string) engine.Operation {
	return engine.Operation{
		Name: "Break", Method: "GET", Path: "/audit/scheduledaudits", Rate: 1, Errors: codes,
		NewInput: func() any { return &model.DescribeAccountAuditConfigurationInput{} },
		Call:     func(ctx context.Context, _ *engine.Engine, _ any) (any, error) { return call(ctx) },
	}
}

// ask asks a handler, and returns the answer and what was logged, without the request's id and the time it took.
func ask(t *testing.T, c awsapi.Config, r *http.Request, operations ...engine.Operation) (a *httptest.ResponseRecorder, logged string) {
	var log bytes.Buffer
	c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == "took" {
				return slog.Attr{}
			}
			return a
		},
	}))
	h, err := awsapi.HandlerOf(c, operations...)
	require.NoError(t, err)
	a = httptest.NewRecorder()
	h.ServeHTTP(a, r)
	id := a.Header().Get("x-amzn-RequestId")
	a.Body = bytes.NewBufferString(strings.ReplaceAll(a.Body.String(), id, "<id>"))
	return a, strings.ReplaceAll(log.String(), id, "<id>")
}

// here is a request from this machine.
func here(method, path string, body io.Reader) *http.Request {
	r := httptest.NewRequest(method, "http://localhost"+path, body)
	r.RemoteAddr = "127.0.0.1:1234"
	return r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, loopbackAddr{}))
}

type loopbackAddr struct{}

func (loopbackAddr) Network() string { return "tcp" }
func (loopbackAddr) String() string  { return "127.0.0.1:80" }

// TestErrors: a caller is told of the errors that an operation has, and of others only that there was one.
func TestErrors(t *testing.T) {
	e := newAccount(t)
	const failed = `500 InternalFailureException {"message":"something went wrong here; the request is <id>"}`
	for _, row := range []struct {
		err         error
		want, level string
	}{
		{&model.InvalidRequestException{Message: "m"}, `400 InvalidRequestException {"message":"m"}`, "DEBUG"},
		{fmt.Errorf("x: %w", &model.InvalidRequestException{Message: "m"}), `400 InvalidRequestException {"message":"m"}`, "DEBUG"},
		{&model.ResourceNotFoundException{Message: "m"}, failed, "ERROR"},
		{&model.ThrottlingException{Message: "m"}, `429 ThrottlingException {"message":"m"}`, "DEBUG"},
		{&model.InternalFailureException{Message: "m"}, failed, "ERROR"},
		{fmt.Errorf("x: %w", engine.ErrClosed), `503 ServiceUnavailableException {"message":"the service is shutting down"}`, "DEBUG"},
		{errors.New("the secret is 123"), failed, "ERROR"},
		{context.Canceled, failed, "ERROR"}, // of something else than the request
	} {
		op := broken(func(context.Context) (any, error) { return nil, row.err }, "InvalidRequestException")
		a, logged := ask(t, awsapi.Config{Engine: e}, here("GET", "/audit/scheduledaudits", nil), op)
		requireShape(t, a.Code, a.Header(), a.Body.String())
		got := fmt.Sprintf("%d %s %s", a.Code, a.Header().Get("x-amzn-ErrorType"), a.Body)
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%v (-want +got):\n%s", row.err, diff)
		}
		require.True(t, strings.HasPrefix(logged, "level="+row.level+" msg=request requestId=<id> status="), logged)
		require.Equal(t, row.level == "ERROR", strings.Contains(logged, row.err.Error()), logged)
	}
}

// TestModelledErrors: of every error that there is, each operation answers with those that it has, and with
// ThrottlingException.
func TestModelledErrors(t *testing.T) {
	e := newAccount(t)
	all := []model.APIError{
		&model.InvalidRequestException{Message: "m"}, &model.ResourceNotFoundException{Message: "m"}, &model.LimitExceededException{Message: "m"},
		&model.ResourceAlreadyExistsException{Message: "m", ResourceID: "i", ResourceARN: "a"},
		&model.ThrottlingException{Message: "m"}, &model.InternalFailureException{Message: "m"},
	}
	for _, op := range engine.Operations() {
		has := map[string]bool{"ThrottlingException": true}
		for _, code := range op.Errors {
			has[code] = true
		}
		for _, err := range all {
			op.Call = func(context.Context, *engine.Engine, any) (any, error) { return nil, err }
			a, _ := ask(t, awsapi.Config{Engine: e}, here(op.Method, pathMember.ReplaceAllString(op.Path, "x"), nil), op)
			if has[err.ErrorCode()] {
				require.Equal(t, err.HTTPStatusCode(), a.Code)
				require.Equal(t, err.ErrorCode(), a.Header().Get("x-amzn-ErrorType"))
				require.Contains(t, a.Body.String(), `{"message":"m"`)
			} else {
				require.Equal(t, 500, a.Code)
				require.NotContains(t, a.Body.String(), `"m"`)
			}
		}
	}
}

// TestPanic: what panics, and what cannot be written, is an answer too.
func TestPanic(t *testing.T) {
	e := newAccount(t)
	for _, row := range []struct {
		call   func(context.Context) (any, error)
		logged string
	}{
		{func(context.Context) (any, error) { panic("boom") }, "panic: boom"},
		{func(context.Context) (any, error) { panic(http.ErrAbortHandler) }, "panic: net/http: abort Handler"},
		{func(context.Context) (any, error) { return make(chan int), nil }, "json: unsupported type: chan int"},
	} {
		a, logged := ask(t, awsapi.Config{Engine: e}, here("GET", "/audit/scheduledaudits", nil), broken(row.call))
		requireShape(t, a.Code, a.Header(), a.Body.String())
		require.Equal(t, 500, a.Code)
		require.Contains(t, logged, row.logged)
		require.NotContains(t, a.Body.String(), "boom")
	}
	lookup := func(context.Context, string) (awsapi.Credential, error) { panic("boom") }
	a, logged := ask(t, awsapi.Config{Credentials: lookup}, signed(t, "AKID", "hunter2"), broken(nil))
	require.Equal(t, 500, a.Code)
	require.Contains(t, logged, "panic: boom")
}

// TestLookup: what keeps a host from knowing whose an access key is, is no fault of the caller.
func TestLookup(t *testing.T) {
	for _, row := range []struct {
		credential awsapi.Credential
		err        error
		want       string
		logged     string
	}{
		{awsapi.Credential{SecretAccessKey: "hunter2", Engine: newAccount(t)}, nil, "200 ", ""},
		{awsapi.Credential{SecretAccessKey: "other", Engine: newAccount(t)}, nil, "403 InvalidSignatureException", ""},
		{awsapi.Credential{}, fmt.Errorf("x: %w", awsapi.ErrUnknownAccessKey), "403 UnrecognizedClientException", ""},
		{awsapi.Credential{}, errors.New("no database"), "500 InternalFailureException", "no database"},
		{awsapi.Credential{SecretAccessKey: "hunter2"}, nil, "500 InternalFailureException", "has no Engine"},
	} {
		lookup := func(_ context.Context, id string) (awsapi.Credential, error) {
			require.Equal(t, "AKID", id)
			return row.credential, row.err
		}
		op := broken(func(context.Context) (any, error) { return struct{}{}, nil })
		a, logged := ask(t, awsapi.Config{Credentials: lookup}, signed(t, "AKID", "hunter2"), op)
		requireShape(t, a.Code, a.Header(), a.Body.String())
		require.Equal(t, row.want, fmt.Sprint(a.Code, " ", a.Header().Get("x-amzn-ErrorType")))
		require.Contains(t, logged, row.logged)
		require.Equal(t, row.logged != "", strings.Contains(logged, "level=ERROR"), logged)
		require.NotContains(t, a.Body.String()+logged, "hunter2")
	}
}

// TestClientLeft: a client that has left gets no answer, least of all that all is well. Only what did not fail because of
// that is an error of the host's.
func TestClientLeft(t *testing.T) {
	for _, row := range []struct {
		err    error
		logged string
	}{
		{fmt.Errorf("x: %w", context.Canceled), "level=DEBUG msg=request requestId="},
		{errors.New("no database"), "level=ERROR msg=request requestId="},
	} {
		ctx, cancel := context.WithCancel(here("GET", "/", nil).Context())
		cancel()
		r := here("GET", "/audit/scheduledaudits", nil).WithContext(ctx)
		var log bytes.Buffer
		c := awsapi.Config{Engine: newAccount(t), Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
		h, err := awsapi.HandlerOf(c, broken(func(context.Context) (any, error) { return nil, row.err }))
		require.NoError(t, err)
		a := httptest.NewRecorder()
		require.PanicsWithValue(t, http.ErrAbortHandler, func() { h.ServeHTTP(a, r) })
		require.Empty(t, a.Body.String())
		require.Contains(t, log.String(), row.logged)

		// What was done nevertheless is told.
		a, _ = ask(t, c, r, broken(func(context.Context) (any, error) { return struct{}{}, nil }))
		require.Equal(t, "{}", a.Body.String())
	}
}

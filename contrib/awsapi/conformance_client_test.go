package awsapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iot"
	"github.com/aws/aws-sdk-go-v2/service/iot/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/awsapi"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// served counts what handlers have answered, by operation and status, as the operation table has their paths: with a mux
// of its own, lest a fault of the handler's be one of the count as well.
type served struct {
	mux *http.ServeMux

	mu    sync.Mutex
	count map[string]map[int]int
}

type operationName string

func (operationName) ServeHTTP(http.ResponseWriter, *http.Request) {}

func newServed() *served {
	s := &served{mux: http.NewServeMux(), count: make(map[string]map[int]int)}
	for _, o := range engine.Operations() {
		s.count[o.Name] = make(map[int]int)
		s.mux.Handle(o.Method+" "+o.Path, operationName(o.Name))
	}
	return s
}

// statusWriter tells of the status of an answer, before anybody gets it.
type statusWriter struct {
	http.ResponseWriter
	tell func(status int)
}

func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *statusWriter) WriteHeader(status int) {
	w.tell(status)
	w.ResponseWriter.WriteHeader(status)
}

func (s *served) by(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		known, _ := s.mux.Handler(r)
		h.ServeHTTP(&statusWriter{w, func(status int) {
			s.mu.Lock()
			defer s.mu.Unlock()
			if name, ok := known.(operationName); ok {
				s.count[string(name)][status]++
			}
		}}, r)
	})
}

// times tells how often an operation was answered with a status.
func (s *served) times(operation string, status int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count[operation][status]
}

func newHandler(t *testing.T, c awsapi.Config) http.Handler {
	t.Helper()
	h, err := awsapi.Handler(c)
	require.NoError(t, err)
	return h
}

// listen serves h on this machine, and returns its URL.
func listen(t *testing.T, h http.Handler) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// newClient makes a client of the SDK that lacks nothing but credentials: it has those of nobody.
func newClient(url string, options ...func(*iot.Options)) *iot.Client {
	return iot.New(iot.Options{
		Region:       "us-east-1",
		BaseEndpoint: &url,
		Credentials:  aws.AnonymousCredentials{},
		HTTPClient:   awshttp.NewBuildableClient(),
	}, options...)
}

// hasty retries as any client does, but without the waits in between.
func hasty(o *iot.Options) {
	o.Retryer = retry.AddWithMaxBackoffDelay(retry.NewStandard(), time.Nanosecond)
}

// once does not retry.
func once(o *iot.Options) { o.Retryer = aws.NopRetryer{} }

// withKey signs with an access key.
func withKey(id, secret, sessionToken string) func(*iot.Options) {
	return func(o *iot.Options) {
		o.Credentials = credentials.NewStaticCredentialsProvider(id, secret, sessionToken)
	}
}

// entry is a way to be let in.
type entry struct {
	name   string
	config func(*engine.Engine) awsapi.Config
	key    func(*iot.Options)
}

func entries() []entry {
	signed := func(token, region string) func(e *engine.Engine) awsapi.Config {
		return func(e *engine.Engine) awsapi.Config {
			return awsapi.Config{Credentials: func(_ context.Context, id string) (awsapi.Credential, error) {
				if id != "AKIDPLANT" {
					return awsapi.Credential{}, awsapi.ErrUnknownAccessKey
				}
				return awsapi.Credential{SecretAccessKey: "a secret+/=", SessionToken: token, Region: region, Engine: e}, nil
			}}
		}
	}
	open := func(e *engine.Engine) awsapi.Config { return awsapi.Config{Engine: e} }
	return []entry{
		{"signed", signed("", "us-east-1"), withKey("AKIDPLANT", "a secret+/=", "")},
		{"session token", signed("token+/= ==", ""), withKey("AKIDPLANT", "a secret+/=", "token+/= ==")},
		{"anonymous", open, func(*iot.Options) {}},
		{"signed though nobody asks", open, withKey("nobody's", "secret", "token")},
	}
}

// outcome is what came of a call.
type outcome struct {
	out any
	err error
}

// call calls an operation of the SDK's client with an input of the model's.
func call(t *testing.T, c *iot.Client, o engine.Operation, in any, options ...func(*iot.Options)) outcome {
	t.Helper()
	return callContext(t, t.Context(), c, o, in, options...)
}

func callContext(t *testing.T, ctx context.Context, c *iot.Client, o engine.Operation, in any, options ...func(*iot.Options)) outcome {
	t.Helper()
	input := sdkValue(reflect.ValueOf(in), sdkMethod(t, o).In(1), toServer)
	results := reflect.ValueOf(c).MethodByName(o.Name).CallSlice([]reflect.Value{
		reflect.ValueOf(ctx), input, reflect.ValueOf(options),
	})
	err, _ := results[1].Interface().(error)
	return outcome{results[0].Interface(), err}
}

// plain ignores what is no data in structs of the SDK.
var plain = cmp.FilterPath(func(p cmp.Path) bool {
	field, ok := p.Last().(cmp.StructField)
	return ok && (field.Name() == "ResultMetadata" || field.Name() == "noSmithyDocumentSerde")
}, cmp.Ignore())

// diff compares what came of a call of the SDK with what came of a call of the engine.
func diff(t *testing.T, o engine.Operation, got, want outcome) string {
	t.Helper()
	if want.err != nil {
		api, ok := errors.AsType[model.APIError](want.err)
		require.True(t, ok, "%v", want.err)
		return diffError(got.err, api)
	}
	if got.err != nil {
		return got.err.Error()
	}
	expected := sdkValue(reflect.ValueOf(want.out), sdkMethod(t, o).Out(0), toClient)
	return cmp.Diff(expected.Interface(), got.out, plain)
}

// diffError compares an error of the SDK with one of the engine: status, code, message and members.
func diffError(err error, want model.APIError) string {
	as, ok := typed[want.ErrorCode()]
	if !ok {
		return "a new error, of which nothing says what the SDK makes of it: " + want.ErrorCode()
	}
	got := as(err)
	if got == nil {
		return "got " + errorText(err) + "; want a " + want.ErrorCode()
	}
	answer, ok := errors.AsType[*awshttp.ResponseError](err)
	if !ok || answer.HTTPStatusCode() != want.HTTPStatusCode() || answer.ServiceRequestID() == "" {
		return fmt.Sprintf("got %v; want status %d and a request id", err, want.HTTPStatusCode())
	}
	return cmp.Diff(sdkValue(reflect.ValueOf(want), reflect.TypeOf(got), toClient).Interface(), got, plain)
}

func errorText(err error) string {
	if err == nil {
		return "no error"
	}
	return err.Error()
}

// typed finds the SDK's own type of each error.
var typed = map[string]func(error) any{
	"InvalidRequestException":        as[*types.InvalidRequestException],
	"ResourceNotFoundException":      as[*types.ResourceNotFoundException],
	"ResourceAlreadyExistsException": as[*types.ResourceAlreadyExistsException],
	"LimitExceededException":         as[*types.LimitExceededException],
	"ThrottlingException":            as[*types.ThrottlingException],
	"InternalFailureException":       as[*types.InternalFailureException],
}

func as[E smithy.APIError](err error) any {
	if e, ok := errors.AsType[E](err); ok {
		return e
	}
	return nil
}

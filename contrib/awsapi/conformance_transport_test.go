package awsapi_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/iot"
	"github.com/aws/aws-sdk-go-v2/service/iot/types"
	smithyendpoints "github.com/aws/smithy-go/endpoints"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// What the SDK tries again is served as if it came for the first time; where only the answer was lost, as if it came
// twice.
func TestConformanceOfRetries(t *testing.T) {
	for _, fault := range []struct {
		name  string
		serve func(w http.ResponseWriter, r *http.Request, h http.Handler)
		calls int // that the engine gets
	}{
		{"unavailable", func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.WriteHeader(http.StatusServiceUnavailable)
		}, 1},
		{"dropped", func(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) }, 1},
		{"answer lost", func(_ http.ResponseWriter, r *http.Request, h http.Handler) {
			h.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}, 2},
	} {
		t.Run(fault.name, func(t *testing.T) {
			for _, r := range good(t) {
				p, twin, entry := newPlant(t, 1), newPlant(t, 1), entries()[1]
				settle := func(p *plant) error {
					if r.Name != "CancelAuditTask" {
						return nil
					}
					// Whether it has ended when the second call comes would be chance.
					_, err := p.WaitAuditTask(t.Context(), p.vars["<held>"])
					return err
				}
				h, tries := newHandler(t, entry.config(p.Engine)), atomic.Int32{}
				c := newClient(listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if tries.Add(1) > 1 {
						h.ServeHTTP(w, r)
						return
					}
					fault.serve(w, r, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						h.ServeHTTP(w, r)
						if err := settle(p); err != nil {
							t.Error(err)
						}
					}))
				})), hasty, entry.key)
				once := engine.WithIdempotencyKey(t.Context(), "one call")
				_, want := r.Call(once, twin.Engine, twin.bind(r))
				for range fault.calls - 1 {
					require.NoError(t, settle(twin))
					_, want = r.Call(once, twin.Engine, twin.bind(r))
				}
				got := call(t, c, r.Operation, p.bind(r))
				if code(got.err) != code(want) {
					t.Errorf("%s: got %v; want %v", r.Name, got.err, want)
				}
				if diff := cmp.Diff(twin.dump(), p.dump()); diff != "" {
					t.Errorf("%s (-engine +SDK):\n%s", r.Name, diff)
				}
				require.EqualValues(t, 2, tries.Load(), r.Name)
			}
		})
	}
}

// The token that the SDK makes for a call that has none comes again when the call is tried again, and so the call counts
// once.
func TestConformanceOfOwnTokens(t *testing.T) {
	p, tries := newPlant(t, 1), atomic.Int32{}
	entry := entries()[0]
	h := newHandler(t, entry.config(p.Engine))
	c := newClient(listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if tries.Add(1) == 1 {
			h.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		h.ServeHTTP(w, r)
	})), hasty, entry.key)
	r := newRow(t, `CreateAuditSuppression {"checkName": "IDLE_CHECK", "resourceIdentifier": {"clientId": "c"},
		"suppressIndefinitely": true}`)
	require.NoError(t, call(t, c, r.Operation, p.bind(r)).err)
	require.EqualValues(t, 2, tries.Load())
	var exists *types.ResourceAlreadyExistsException
	require.ErrorAs(t, call(t, c, r.Operation, p.bind(r)).err, &exists, "a second call has a token of its own")
}

// endpoint is a resolver that a host of the SDK brings.
type endpoint string

func (e endpoint) ResolveEndpoint(context.Context, iot.EndpointParameters) (smithyendpoints.Endpoint, error) {
	u, err := url.Parse(string(e))
	return smithyendpoints.Endpoint{URI: *u}, err
}

// The SDK finds the handler wherever the host puts it, and however it was told.
func TestConformanceOfEndpoints(t *testing.T) {
	p, entry := newPlant(t, 1), entries()[1]
	h := newHandler(t, entry.config(p.Engine))
	root, below := listen(t, h), listen(t, http.StripPrefix("/aws/iot", h))
	based := func(url string) *iot.Client { return newClient(url, entry.key) }
	resolved := func(url string) *iot.Client {
		return newClient("http://127.0.0.1:1", entry.key, func(o *iot.Options) {
			o.BaseEndpoint, o.EndpointResolverV2 = nil, endpoint(url)
		})
	}
	// A name of this machine, which not every machine has.
	named := newClient("http://plant.localhost:8080", entry.key, func(o *iot.Options) {
		o.HTTPClient = awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
			tr.Proxy = nil
			tr.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, strings.TrimPrefix(root, "http://"))
			}
		})
	})
	for name, c := range map[string]*iot.Client{
		"slash":                 based(root + "/"),
		"name":                  named,
		"path":                  based(below + "/aws/iot"),
		"path and slash":        based(below + "/aws/iot/"),
		"resolver":              resolved(root),
		"resolver with a path":  resolved(below + "/aws/iot"),
		"resolver with a slash": resolved(root + "/"),
	} {
		t.Run(name, func(t *testing.T) {
			for _, s := range stanzas(t) {
				if r := s.row; r.reads() && s.before == nil {
					in := p.bind(r)
					out, err := r.Call(t.Context(), p.Engine, in)
					if difference := diff(t, r.Operation, call(t, c, r.Operation, in), outcome{out, err}); difference != "" {
						t.Errorf("%s %s (-engine +SDK):\n%s", r.Name, r.input, difference)
					}
				}
			}
		})
	}
}

// A long answer comes compressed, since the SDK's client takes it so.
func TestConformanceOfCompression(t *testing.T) {
	e, inputs := manifold(t, 60)
	h, encodings := newHandler(t, entries()[2].config(e)), make(chan string, 1)
	c := newClient(listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(&statusWriter{w, func(int) { encodings <- w.Header().Get("Content-Encoding") }}, r)
	})))
	for _, o := range engine.Operations() {
		in, ok := inputs[o.Name]
		if !ok {
			continue
		}
		out, err := o.Call(t.Context(), e, in)
		if difference := diff(t, o, call(t, c, o, in), outcome{out, err}); difference != "" {
			t.Errorf("%s (-engine +SDK):\n%s", o.Name, difference)
		}
		require.Equal(t, "gzip", <-encodings, o.Name)
	}
}

// One client serves many goroutines, each of which sees what the engine holds and what it has changed itself.
func TestConformanceOfConcurrency(t *testing.T) {
	p, entry := newPlant(t, 1), entries()[1]
	c := newClient(listen(t, newHandler(t, entry.config(p.Engine))), entry.key)
	type bound struct {
		row row
		in  any
	}
	var reads []bound
	for _, s := range stanzas(t) {
		if s.row.reads() && s.before == nil && s.row.Name != "ListAuditSuppressions" { // which the goroutines change
			reads = append(reads, bound{s.row, p.bind(s.row)})
		}
	}
	var own []row
	for _, words := range []string{
		`CreateAuditSuppression {"checkName": "IDLE_CHECK", "resourceIdentifier": {"clientId": "<i>"}, "suppressIndefinitely": true,
			"clientRequestToken": "<i>-th"}`,
		`UpdateAuditSuppression {"checkName": "IDLE_CHECK", "resourceIdentifier": {"clientId": "<i>"}, "description": "of <i>"}`,
		`DescribeAuditSuppression {"checkName": "IDLE_CHECK", "resourceIdentifier": {"clientId": "<i>"}}`,
		`DeleteAuditSuppression {"checkName": "IDLE_CHECK", "resourceIdentifier": {"clientId": "<i>"}}`,
	} {
		own = append(own, newRow(t, words))
	}
	var all sync.WaitGroup
	for i := range 32 {
		var writes []bound
		for _, r := range own {
			p.vars["<i>"] = fmt.Sprint("client-", i)
			writes = append(writes, bound{r, p.bind(r)})
		}
		all.Go(func() {
			for j := i % 4; j < len(reads); j += 4 { // each is read by eight of them
				b := reads[j]
				out, err := b.row.Call(t.Context(), p.Engine, b.in)
				if difference := diff(t, b.row.Operation, call(t, c, b.row.Operation, b.in), outcome{out, err}); difference != "" {
					t.Errorf("%s %s (-engine +SDK):\n%s", b.row.Name, b.row.input, difference)
				}
			}
			for _, b := range writes {
				got := call(t, c, b.row.Operation, b.in)
				if out, ok := got.out.(*iot.DescribeAuditSuppressionOutput); got.err != nil ||
					ok && (out.Description == nil || *out.Description != fmt.Sprint("of client-", i)) {
					t.Errorf("%s: %v, %v", b.row.Name, got.out, got.err)
				}
			}
		})
	}
	all.Wait()
	twin := newPlant(t, 1)
	require.Equal(t, twin.dump(), p.dump())
}

// A call whose context is canceled ends at both ends, and changes nothing.
func TestConformanceOfCancellation(t *testing.T) {
	for _, r := range good(t) {
		p, entry := newPlant(t, 1), entries()[1]
		h := newHandler(t, entry.config(p.Engine))
		arrived, ended := make(chan struct{}), make(chan struct{})
		c := newClient(listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body) // a server looks whether the client leaves once it has the body
			if err != nil {
				panic(err)
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			close(arrived)
			<-r.Context().Done()
			defer close(ended)
			h.ServeHTTP(w, r)
		})), entry.key)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-arrived
			cancel()
		}()
		require.ErrorIs(t, callContext(t, ctx, c, r.Operation, p.bind(r)).err, context.Canceled, r.Name)
		<-ended
		require.Equal(t, newPlant(t, 1).dump(), p.dump(), r.Name)
	}
}

// code is that of an error of the SDK or of the engine.
func code(err error) string {
	if err == nil {
		return ""
	}
	for name, as := range typed {
		if as(err) != nil {
			return name
		}
	}
	if e, ok := err.(model.APIError); ok {
		return e.ErrorCode()
	}
	return err.Error()
}

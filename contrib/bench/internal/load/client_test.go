package load

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks/builtin"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/contrib/awsapi"
	"github.com/fleetaudit/fleetaudit/engine"
)

// api serves a small fleet as the server does.
func api(t *testing.T, f Fleet) http.Handler {
	folder := t.TempDir()
	require.NoError(t, f.Write(folder))
	loaded, err := inventory.Load(t.Context(), folder)
	require.NoError(t, err)
	require.Empty(t, loaded.Problems)
	e, err := engine.New(engine.Config{Checks: builtin.All(inventory.New(loaded.Contents))})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	h, err := awsapi.Handler(awsapi.Config{Credentials: func(_ context.Context, id string) (awsapi.Credential, error) {
		if id != accessKeyID {
			return awsapi.Credential{}, awsapi.ErrUnknownAccessKey
		}
		return awsapi.Credential{SecretAccessKey: secret, Engine: e}, nil
	}})
	require.NoError(t, err)
	return h
}

// lie answers as h does, but for the first match of a pattern in what it answers at a path, in the place of which is with.
func lie(h http.Handler, path, pattern, with string) http.Handler {
	lied := regexp.MustCompile(pattern)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Accept-Encoding") // a transport's own wish, which nobody signed
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, r)
		body := answer.Body.String()
		if at := lied.FindStringIndex(body); strings.HasPrefix(r.URL.Path, path) && at != nil {
			body = body[:at[0]] + with + body[at[1]:]
		}
		answer.Header().Del("Content-Length")
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.Code)
		io.WriteString(w, body)
	})
}

// TestClientNotices has a server that tells what is not so.
func TestClientNotices(t *testing.T) {
	f := Fleet{Certificates: 20, Policies: 30}
	for _, row := range []struct {
		name, path, pattern, with string
		want                      string // what is told of; empty: nothing
	}{
		{"the truth", "/", `\z`, "", ""},
		{"statistics that do not add up", "/audit/tasks/", `"nonCompliantChecks":2`, `"nonCompliantChecks":1`, "add up to 1 of 2"},
		{"a failed audit", "/audit/tasks/", `"taskStatus":"COMPLETED"`, `"taskStatus":"FAILED"`, "an audit is FAILED"},
		{"too few resources", "/audit/tasks/", `"totalResourcesCount":20`, `"totalResourcesCount":19`, expiringCheck + " counted"},
		{"too many findings", "/audit/tasks/", `"nonCompliantResourcesCount":3`, `"nonCompliantResourcesCount":4`, policyCheck + " counted"},
		{"findings withheld", "/audit/findings", `"findings":\[.*\]`, `"findings":[]`, "0 findings are listed, want 5"},
		{"another finding", "/audit/findings/", `"findingId":"[^"]*"`, `"findingId":"x"`, "is described as x"},
		{"another description", "/audit/suppressions/describe", `"description":"[^"]*"`, `"description":"x"`, `is described as "x"`},
		{"an error", "/tags", `\A.*\z`, "", "ListTagsForResource"},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := lie(api(t, f), row.path, row.pattern, row.with)
			if row.name == "an error" {
				served := h
				h = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.Method == http.MethodGet && r.URL.Path == row.path {
						w.WriteHeader(http.StatusInternalServerError)
						return
					}
					served.ServeHTTP(w, r)
				})
			}
			s := httptest.NewServer(h)
			defer s.Close()
			c := newClient(s.URL, 1, f)
			require.NoError(t, c.configure(t.Context()))
			c.audit(t.Context())
			c.findings(t.Context())
			c.suppression(t.Context(), 0)
			c.tags(t.Context(), 0)
			if err := c.tally.err(); row.want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, row.want)
			}
			require.EqualValues(t, 1, c.count.Load())
		})
	}
}

// TestAttackNotices has servers that take what is to be refused.
func TestAttackNotices(t *testing.T) {
	takes := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }))
	defer takes.Close()
	for want, a := range map[string]Attack{
		"a body of 100000000 bytes is answered with 200": {Large: 1},
		"levels is answered with 200":                    {Deep: 1},
		"a forged signature is answered with":            {Forged: 1},
	} {
		_, err := a.run(t.Context(), takes.URL)
		require.ErrorContains(t, err, want)
	}
}

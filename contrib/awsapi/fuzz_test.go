package awsapi_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/awsapi"
	"github.com/fleetaudit/fleetaudit/engine"
)

// FuzzBody: binding never panics, says why it refuses, and what it takes is the same when it is sent again.
func FuzzBody(f *testing.F) {
	text, err := os.ReadFile("testdata/bind.txt")
	require.NoError(f, err)
	operations := engine.Operations()
	at := 0
	for line := range strings.Lines(string(text)) {
		if name, begins := strings.CutPrefix(strings.TrimSpace(line), "== "); begins {
			for at = 0; operations[at].Name != name; at++ {
			}
		} else if strings.HasPrefix(line, "{") {
			f.Add(at, strings.TrimSpace(line))
		}
	}
	f.Fuzz(func(t *testing.T, at int, body string) {
		op := operations[uint(at)%uint(len(operations))]
		r := httptest.NewRequest(op.Method, pathMember.ReplaceAllString(op.Path, "x"), nil)
		in, err := awsapi.Bind(&op, r, []byte(body))
		if err != nil {
			require.Regexp(t, `\AInvalidRequestException: .+`, err.Error())
			require.Less(t, len(err.Error()), 100_000)
			return
		}
		r, again := sentRequest(t, op, in)
		got, err := awsapi.Bind(&op, r, again)
		require.NoError(t, err, "%s", again)
		if diff := cmp.Diff(in, got); diff != "" {
			t.Errorf("%s sent again as %s (-first +again):\n%s", body, again, diff)
		}
	})
}

// FuzzRequest: whatever net/http takes for a request has an answer in AWS's shape, with a body of JSON.
func FuzzRequest(f *testing.F) {
	text, err := os.ReadFile("testdata/wire.txt")
	require.NoError(f, err)
	for c := range strings.SplitSeq(string(text), "\n  ") {
		lines := strings.Split(c, "\n")
		for i, line := range lines {
			if method, _, ok := strings.Cut(line, " /"); ok && strings.ToUpper(method) == method {
				body := strings.Join(lines[i+1:], "\n")
				f.Add(fmt.Appendf(nil, "%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s", line, len(body), body))
			}
		}
	}
	for _, raw := range []string{
		"GET / HTTP/1.0\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", "CONNECT a:1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"POST /audit/tasks HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
		"POST /audit/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b",
		"GET http://localhost/audit/tasks?startTime=1&endTime=2 HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip;q=x, *\r\n\r\n",
	} {
		f.Add([]byte(raw))
	}
	h, err := awsapi.Handler(awsapi.Config{Engine: newAccount(f)})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
		if err != nil {
			return // net/http answers by itself
		}
		r.RemoteAddr = "127.0.0.1:1234"
		r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, loopbackAddr{}))
		r.Header.Del("Accept-Encoding")
		a := httptest.NewRecorder()
		h.ServeHTTP(a, r)
		requireShape(t, a.Code, a.Header(), a.Body.String())
		var body map[string]any
		require.NoError(t, json.Unmarshal(a.Body.Bytes(), &body), "%s", a.Body)
		require.NotNil(t, body)
	})
}

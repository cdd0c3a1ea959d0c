package awsapi_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/awsapi"
	"github.com/fleetaudit/fleetaudit/engine"
)

// FuzzBind: binding never panics, says why it refuses, and what it takes is the same when it is sent again.
func FuzzBind(f *testing.F) {
	text, err := os.ReadFile("testdata/bind.txt")
	require.NoError(f, err)
	operations := engine.Operations()
	at := 0
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if name, begins := strings.CutPrefix(line, "== "); begins {
			for at = 0; operations[at].Name != name; at++ {
			}
		} else if query, ok := strings.CutPrefix(line, "?"); ok {
			f.Add(at, "weekly audit/\xff", query, "")
		} else if strings.HasPrefix(line, "{") {
			f.Add(at, "", "", line)
		}
	}
	f.Fuzz(func(t *testing.T, at int, path, query, body string) {
		op := operations[uint(at)%uint(len(operations))]
		path = "x" + url.PathEscape(path) // a path has no empty segment, and none of dots
		r := httptest.NewRequest(op.Method, pathMember.ReplaceAllLiteralString(op.Path, path), nil)
		r.URL.RawQuery = query
		in, err := awsapi.Bind(&op, r, []byte(body))
		if err != nil {
			require.Regexp(t, `\AInvalidRequestException: .+`, err.Error())
			require.Less(t, len(err.Error()), 100_000)
			return
		}
		r, again := sentRequest(t, op, in)
		got, err := awsapi.Bind(&op, r, again)
		require.NoError(t, err, "%s %s", r.URL, again)
		if diff := cmp.Diff(in, got); diff != "" {
			t.Errorf("%s %s %s sent again as %s %s (-first +again):\n%s", path, query, body, r.URL, again, diff)
		}
	})
}

// FuzzRequest: whatever net/http takes for a request has an answer in AWS's shape, with a body of JSON, also where requests
// have to be signed. Those that have no signature are signed for that.
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
	raw := "GET /audit/scheduledaudits HTTP/1.1\r\nHost: localhost\r\nX-Amz-Date: 20260102T030405Z\r\nAuthorization: "
	f.Add([]byte(raw + get().sign(exampleScope) + "\r\n\r\n"))
	e := newAccount(f)
	suppress(f, e, 60)
	f.Add([]byte("POST /audit/suppressions/list HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\nContent-Length: 17\r\n\r\n" +
		`{"maxResults":60}`))
	open, err := awsapi.Handler(awsapi.Config{Engine: e})
	require.NoError(f, err)
	guarded, err := awsapi.Handler(awsapi.Config{Credentials: func(context.Context, string) (awsapi.Credential, error) {
		return awsapi.Credential{SecretAccessKey: exampleSecret, Engine: e}, nil
	}})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, h := range []http.Handler{open, guarded} {
			r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
			if err != nil {
				return // net/http answers by itself
			}
			if h == guarded && r.Header["Authorization"] == nil {
				body, _ := io.ReadAll(r.Body) // of which no more can be read by the handler, either
				r.Body = io.NopCloser(bytes.NewReader(body))
				hash := sha256.Sum256(body)
				key := aws.Credentials{AccessKeyID: exampleKey, SecretAccessKey: exampleSecret}
				err := v4.NewSigner().SignHTTP(t.Context(), key, r, hex.EncodeToString(hash[:]), "iot", "eu-west-1", time.Now())
				require.NoError(t, err)
			}
			r.RemoteAddr = "127.0.0.1:1234"
			r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, loopbackAddr{}))
			a := httptest.NewRecorder()
			h.ServeHTTP(a, r)
			answer := a.Body.Bytes()
			if encoding := a.Header().Get("Content-Encoding"); encoding != "" {
				require.Equal(t, "gzip", encoding)
				require.NotEmpty(t, r.Header["Accept-Encoding"])
				answer = unpacked(t, answer)
			}
			requireShape(t, a.Code, a.Header(), string(answer))
			var body map[string]any
			require.NoError(t, json.Unmarshal(answer, &body), "%s", answer)
			require.NotNil(t, body)
		}
	})
}

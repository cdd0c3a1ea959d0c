package awsapi_test

import (
	"context"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/awsapi"
)

// get is a request that is right; so is post.
func get() signable {
	return signable{"GET", "/audit/tasks?maxResults=5&nextToken=a%2Bb", [][2]string{
		{"Host", "127.0.0.1:8080"}, {"X-Amz-Date", "20260102T030405Z"}, {"User-Agent", "test"}}, ""}
}

func post() signable {
	return signable{"POST", "/audit/tasks", [][2]string{{"Host", "127.0.0.1:8080"}, {"Content-Type", "application/json"},
		{"Content-Length", "2"}, {"X-Amz-Date", "20260102T030405Z"}}, "{}"}
}

func (r signable) with(headers ...string) signable {
	r.headers = append([][2]string{}, r.headers...)
	for i := 0; i < len(headers); i += 2 {
		r.headers = append(r.headers, [2]string{headers[i], headers[i+1]})
	}
	return r
}

func (r signable) to(target string) signable {
	r.target = target
	return r
}

func (r signable) dated(date string) signable {
	for i, h := range r.headers {
		if h[0] == "X-Amz-Date" {
			r.headers[i][1] = date
		}
	}
	return r
}

func TestSignature(t *testing.T) {
	none := strings.Repeat("0", 64)
	empty := "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	of := func(change func(*scope)) scope {
		s := exampleScope
		change(&s)
		return s
	}
	day := func(date string) scope { return of(func(s *scope) { s.date = date }) }
	token := awsapi.Credential{SecretAccessKey: exampleSecret, SessionToken: "tok+/= en=="}
	const mismatch = "InvalidSignatureException: the signature is not what the request and the secret access key give"
	const unknown = "UnrecognizedClientException: the access key is not known here, or its session token is wrong or missing"
	type row struct {
		name   string
		signed signable           // which is sent, unless sent is something else
		names  []string           // that are signed; nil: all
		scope  scope              // zero: exampleScope
		key    *awsapi.Credential // nil: example
		sent   *signable
		want   string // what the error begins with; empty: none
	}
	sent := func(r signable) *signable { return &r }
	for _, row := range []row{
		{name: "no body", signed: get()},
		{name: "body", signed: post()},
		{name: "path with escapes", signed: get().to("/audit/scheduledaudits/weekly%20audit%2F1%C3%A9")},
		{name: "path with what clients escape, unescaped", signed: get().to("/audit/scheduledaudits/a(b)*!'+:@,;=$&")},
		{name: "path with escapes in lower case", signed: get().to("/audit/scheduledaudits/a%2fb")},
		{name: "path with // and dots as sent", signed: get().to("/audit//tasks/../x/.")},
		{name: "path not in ASCII", signed: get().to("/audit/é")},
		{name: "path with a URL", signed: get().to("/audit/http://127.0.0.1/x")},
		{name: "no query", signed: get().to("/audit/tasks")},
		{name: "a query of nothing", signed: get().to("/audit/tasks?")},
		{name: "a query with ?", signed: get().to("/audit/tasks?a=b?c&d?=e")},
		{name: "an empty value and none", signed: get().to("/audit/tasks?b=&a&=c")},
		{name: "+ is a space", signed: get().to("/audit/tasks?a=b+c%20d%2Be")},
		{name: "a name twice, out of order", signed: get().to("/audit/tasks?a=2&b=3&a=1&a=10")},
		{name: "names of which one begins the other", signed: get().to("/audit/tasks?a-b=1&a=2&a%2Fc=3")},
		{name: "order after encoding", signed: get().to("/audit/tasks?a=x-y&a=x/y&%E1%88%B4=1&z=%F0%9F%98%80")},
		{name: "spaces in values", signed: get().with("X-Amz-Meta", "a   b  ", "X-Amz-None", "")},
		{name: "a header twice", signed: get().with("X-Amz-Meta", "b", "X-Amz-Meta", "a,c")},
		{name: "execute-api", signed: get(), scope: of(func(s *scope) { s.service = "execute-api" })},
		{name: "any region", signed: get(), scope: of(func(s *scope) { s.region = "mars-1" })},
		{name: "its region", signed: get(), key: &awsapi.Credential{SecretAccessKey: exampleSecret, Region: "eu-west-1"}},
		{name: "session token", signed: get().with("X-Amz-Security-Token", "tok+/= en=="), key: &token},
		{name: "headers that the SDK does not sign",
			signed: post().with("User-Agent", "me", "Expect", "100-continue", "X-Amzn-Trace-Id", "Root=1"),
			names:  strings.Split("content-length;content-type;expect;host;user-agent;x-amz-date;x-amzn-trace-id", ";")},
		{name: "content-length not signed", signed: post(), names: []string{"content-type", "host", "x-amz-date"}},
		{name: "content-length 0 signed", signed: get().to("/audit/tasks/a%2Fb%20c+d/cancel").with("Content-Length", "0",
			"X-Amz-Meta", "b", "X-Amz-Meta", "a,  c", "User-Agent", "me")},
		{name: "content-length 0 signed, session token", key: &token,
			signed: get().to("/audit/tasks").with("Content-Length", "0", "X-Amz-Security-Token", "tok+/= en==")},
		{name: "content-length 0 signed, and what the SDK does not sign",
			signed: get().with("Content-Length", "0"), names: []string{"content-length", "host", "user-agent", "x-amz-date"}},
		{name: "content-length 0 signed, for another service and region", signed: get().with("Content-Length", "0"),
			scope: of(func(s *scope) { s.service, s.region = "execute-api", "mars-1" })},
		{name: "hash of the body", signed: get().with("X-Amz-Content-Sha256", empty)},
		{name: "hash of the body, not signed", signed: get().with("X-Amz-Content-Sha256", empty),
			names: []string{"host", "x-amz-date"}},
		{name: "x-amz-user-agent not signed", signed: get().with("X-Amz-User-Agent", "me"),
			names: []string{"host", "x-amz-date"}},
		{name: "other headers not signed", signed: get(),
			sent: sent(get().with("X-Amzn-Trace-Id", "Root=1", "X-Amz", "1"))},
		{name: "as a proxy is asked", signed: get(), sent: sent(get().to("http://127.0.0.1:8080" + get().target))},
		{name: "as a proxy is asked, no path", signed: get().to("/"), sent: sent(get().to("http://127.0.0.1:8080"))},
		{name: "as a proxy is asked, no host", signed: get(), sent: sent(get().to("http://" + get().target))},
		{name: "the server's 5 minutes before", signed: get().dated("20260102T025905Z")},
		{name: "the server's 5 minutes after", signed: get().dated("20260102T030905Z")},

		{name: "content-length 0 signed, of another path", signed: get().to("/audit/tasks").with("Content-Length", "0"),
			sent: sent(get().to("/audit/tasks/x").with("Content-Length", "0")), want: mismatch},
		{name: "chunked, its length signed", signed: get().with("Transfer-Encoding", "chunked"),
			names: []string{"content-length", "host", "x-amz-date"},
			want:  "IncompleteSignatureException: SignedHeaders must name content-length only if"},
		{name: "chunked signed", signed: get().with("Transfer-Encoding", "chunked"),
			want: "IncompleteSignatureException: SignedHeaders must not name transfer-encoding"},
		{name: "authorization signed", signed: get(), names: []string{"authorization", "host", "x-amz-date"},
			want: "IncompleteSignatureException: SignedHeaders must not name authorization"},
		{name: "host not signed", signed: get(), names: []string{"x-amz-date"},
			want: `IncompleteSignatureException: SignedHeaders "x-amz-date" must name host`},
		{name: "date not signed", signed: get(), names: []string{"host"},
			want: `IncompleteSignatureException: SignedHeaders "host" must name x-amz-date`},
		{name: "header missing", signed: get(), names: []string{"host", "x-amz-date", "x-one"},
			want: `InvalidSignatureException: SignedHeaders names "x-one", but the request has no such header`},
		{name: "date missing", signed: get(),
			sent: &signable{"GET", get().target, [][2]string{{"Host", "127.0.0.1:8080"}}, ""},
			want: `InvalidSignatureException: SignedHeaders names "x-amz-date", but`},
		{name: "x-amz- added", signed: get(), sent: sent(get().with("x-aMz-mETa", "1")),
			want: `InvalidSignatureException: "X-Amz-Meta" must be signed`},
		{name: "token added", signed: get(), sent: sent(get().with("X-Amz-Security-Token", "1")),
			want: `InvalidSignatureException: "X-Amz-Security-Token" must be signed`},
		{name: "header added to a signed one", signed: get().with("X-Amz-Meta", "1"),
			sent: sent(get().with("X-Amz-Meta", "1", "X-Amz-Meta", "2")),
			want: mismatch},
		{name: "two dates", signed: get().with("X-Amz-Date", "20260102T030405Z"),
			want: "IncompleteSignatureException: X-Amz-Date must be sent once, not 2"},
		{name: "two tokens", signed: get().with("X-Amz-Security-Token", "a", "X-Amz-Security-Token", "a"),
			want: "IncompleteSignatureException: X-Amz-Security-Token must be sent once, not 2"},
		{name: "two hashes", signed: get().with("X-Amz-Content-Sha256", empty, "X-Amz-Content-Sha256", none),
			want: "IncompleteSignatureException: X-Amz-Content-Sha256 must be sent once, not 2"},
		{name: "unsigned payload", signed: get().with("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"),
			want: `InvalidSignatureException: X-Amz-Content-Sha256 "UNSIGNED-PAYLOAD" must be the body's SHA-256`},
		{name: "short hash", signed: get().with("X-Amz-Content-Sha256", "e3b0"),
			want: `InvalidSignatureException: X-Amz-Content-Sha256 "e3b0" must be the body's SHA-256`},
		{name: "streaming", signed: get().with("X-Amz-Content-Sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
			want: `InvalidSignatureException: X-Amz-Content-Sha256 "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" must be`},
		{name: "another body's hash", signed: post().with("X-Amz-Content-Sha256", empty),
			want: "InvalidSignatureException: X-Amz-Content-Sha256 " + empty + " is not the body's"},
		{name: "hash in upper case", signed: get().with("X-Amz-Content-Sha256", strings.ToUpper(empty)),
			want: "InvalidSignatureException: X-Amz-Content-Sha256 E3B0C"},
		{name: "another hash, not signed", signed: get(), sent: sent(get().with("X-Amz-Content-Sha256", none)),
			want: "InvalidSignatureException: X-Amz-Content-Sha256 0000"},
		{name: "a second too old", signed: get().dated("20260102T025904Z"),
			want: "InvalidSignatureException: the signature has expired: X-Amz-Date 20260102T025904Z"},
		{name: "a second too new", signed: get().dated("20260102T030906Z"),
			want: "InvalidSignatureException: the signature is not valid yet: X-Amz-Date 20260102T030906Z"},
		{name: "long ago", signed: get().dated("00010102T030405Z"), scope: day("00010102"),
			want: "InvalidSignatureException: the signature has expired"},
		{name: "far ahead", signed: get().dated("99990102T030405Z"), scope: day("99990102"),
			want: "InvalidSignatureException: the signature is not valid yet"},
		{name: "date of another form", signed: get().dated("2026-01-02T03:04:05Z"),
			want: `IncompleteSignatureException: X-Amz-Date "2026-01-02T03:04:05Z" must have the form`},
		{name: "date with a fraction", signed: get().dated("20260102T030405.5Z"),
			want: "IncompleteSignatureException: X-Amz-Date"},
		{name: "no such date", signed: get().dated("20260231T030405Z"),
			want: "IncompleteSignatureException: X-Amz-Date"},
		{name: "empty date", signed: get().dated(""), want: `IncompleteSignatureException: X-Amz-Date "" must`},
		{name: "scope of another day", signed: get(), scope: day("20260101"),
			want: `InvalidSignatureException: the signature's scope is of "20260101", and must be of`},
		{name: "another service", signed: get(), scope: of(func(s *scope) { s.service = "iam" }),
			want: `InvalidSignatureException: the signature is for service "iam", and must be for iot`},
		{name: "another region", signed: get(),
			key:  &awsapi.Credential{SecretAccessKey: exampleSecret, Region: "us-east-1"},
			want: `InvalidSignatureException: the signature is for region "eu-west-1", and must be for us-east-1`},
		{name: "another key", signed: get(), scope: of(func(s *scope) { s.accessKeyID = "AKID" }), want: unknown},
		{name: "another secret", signed: get(), scope: of(func(s *scope) { s.secret += "x" }), want: mismatch},
		{name: "no secret anywhere", signed: get(), scope: of(func(s *scope) { s.secret = "" }), key: &awsapi.Credential{},
			want: unknown},
		{name: "no token", signed: get(), key: &token, want: unknown},
		{name: "another token", signed: get().with("X-Amz-Security-Token", "tok+/= en="), key: &token, want: unknown},
		{name: "a token that is not wanted", signed: get().with("X-Amz-Security-Token", "tok"), want: unknown},
		{name: "another token, another secret", signed: get().with("X-Amz-Security-Token", "tok"),
			scope: of(func(s *scope) { s.secret = "" }), key: &token, want: unknown},
		{name: "query that no client sends", signed: get().to("/audit/tasks?a=%zz"),
			want: "InvalidSignatureException: the query cannot be read"},
		{name: "query with what is passed over", signed: get(), sent: sent(get().to(get().target + "&startTime;=1")),
			want: "InvalidSignatureException: the query cannot be read"},
		{name: "pre-signed, its signature only", signed: get().to("/audit/tasks?X-Amz-Signature=" + none),
			want: "MissingAuthenticationTokenException: a signature in the query (a pre-signed URL) is not taken"},
		{name: "pre-signed, its algorithm only", signed: get().to("/audit/tasks?X-Amz-Algorithm=AWS4-HMAC-SHA256"),
			want: "MissingAuthenticationTokenException: a signature in the query (a pre-signed URL) is not taken"},
		{name: "pre-signed", signed: get().to("/audit/tasks?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=" + none),
			want: "MissingAuthenticationTokenException: a signature in the query (a pre-signed URL) is not taken"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.scope == (scope{}) {
				row.scope = exampleScope
			}
			if row.key == nil {
				row.key = &example
			}
			if row.sent == nil {
				row.sent = &row.signed
			}
			err := authenticate(*row.sent, *row.key, row.signed.sign(row.scope, row.names...))
			if row.want == "" {
				require.NoError(t, err)
				return
			}
			require.Error(t, err)
			require.True(t, strings.HasPrefix(err.Error(), row.want), "%v", err)
			_, status := awsapi.Refusal(err)
			require.Equal(t, http.StatusForbidden, status)
			require.NotContains(t, err.Error(), exampleSecret)
			require.NotContains(t, err.Error(), token.SessionToken)
			require.NotContains(t, err.Error(), row.sent.signature(exampleScope, row.sent.headerNames()...))
		})
	}
}

// The requests of clients that AWS's users have, as they travelled.
func TestSignatureOfClients(t *testing.T) {
	corpus, err := os.ReadFile("testdata/signed.txt")
	require.NoError(t, err)
	n := 0
	for _, record := range strings.Split("\n"+string(corpus), "\n-- ")[1:] {
		name, text, _ := strings.Cut(record, " --\n")
		head, body, ok := strings.Cut(text+"\n", "\n\n")
		require.True(t, ok, text)
		raw := strings.ReplaceAll(head, "\n", "\r\n") + "\r\n\r\n" + body
		r, err := arrived(raw)
		require.NoError(t, err, raw)
		content := strings.TrimSuffix(body, "\n")
		now, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
		require.NoError(t, err, raw)
		c := awsapi.Credential{SessionToken: r.Header.Get("X-Amz-Security-Token"), Region: "eu-west-1"}
		for _, as := range []struct {
			now  time.Time
			key  string
			body string
			want string
		}{
			{now, exampleSecret, content, ""},
			{now.Add(5 * time.Minute), exampleSecret, content, ""},
			{now.Add(5*time.Minute + time.Second - 1), exampleSecret, content, ""},
			{now.Add(5*time.Minute + time.Second), exampleSecret, content, "InvalidSignatureException"},
			{now.Add(-5 * time.Minute), exampleSecret, content, ""},
			{now.Add(-5*time.Minute - 1), exampleSecret, content, "InvalidSignatureException"},
			{now, exampleSecret + "x", content, "InvalidSignatureException"},
			{now, exampleSecret, content + " ", "InvalidSignatureException"},
		} {
			c.SecretAccessKey = as.key
			_, err := awsapi.Authenticate(r, as.now, []byte(as.body), lookup(c))
			code, _ := awsapi.Refusal(err)
			if diff := cmp.Diff(as.want, code); diff != "" {
				t.Errorf("%s: %s\n%s: %v", name, raw, diff, err)
			}
		}
		n++
	}
	require.Equal(t, 31, n)
}

// A handler that is mounted below a prefix sees another URL than the client signed.
func TestSignatureBelowPrefix(t *testing.T) {
	r, err := arrived(get().raw())
	require.NoError(t, err)
	r.RequestURI = "/aws/iot" + r.RequestURI
	signed := r.Clone(context.Background())
	signed.URL.Path = "/aws/iot" + signed.URL.Path
	sum := "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	key := aws.Credentials{AccessKeyID: exampleKey, SecretAccessKey: exampleSecret}
	require.NoError(t, v4.NewSigner().SignHTTP(t.Context(), key, signed, sum, "iot", "eu-west-1", signedAt))
	r.Header = signed.Header
	_, err = awsapi.Authenticate(r, signedAt, nil, lookup(example))
	require.NoError(t, err)
	r.RequestURI = r.URL.RequestURI()
	_, err = awsapi.Authenticate(r, signedAt, nil, lookup(example))
	require.Error(t, err)
}

// What is sent beside the Authorization header, or in its place.
func TestAuthorizationHeaders(t *testing.T) {
	right := get().sign(exampleScope)
	require.NoError(t, authenticate(get(), example, right))
	for want, headers := range map[string][]string{
		"MissingAuthenticationTokenException: the request is not signed: it has no Authorization header": nil,
		"IncompleteSignatureException: Authorization must be sent once, not 2 times":                     {right, right},
		"IncompleteSignatureException: Authorization must begin with AWS4-HMAC-SHA256":                   {"Bearer secret"},
	} {
		require.EqualError(t, authenticate(get(), example, headers...), want)
	}
}

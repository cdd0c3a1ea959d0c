package awsapi_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/awsapi"
)

// randomText has what clients escape, and what they do not.
func randomText(rng *rand.Rand) string {
	letters := []rune("abcXYZ019-_.~ /+%=&?#;:@!$'()*,[]é世😀\"<>\\^`{|}\x7f")
	var b strings.Builder
	for range 1 + rng.IntN(8) {
		b.WriteRune(letters[rng.IntN(len(letters))])
	}
	return b.String()
}

// randomSignable is a request that a client could send.
func randomSignable(rng *rand.Rand) signable {
	escape := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
	r := signable{method: []string{"GET", "POST", "PUT", "PATCH", "DELETE"}[rng.IntN(5)], target: "/audit"}
	for range 1 + rng.IntN(3) {
		r.target += "/" + escape(randomText(rng))
	}
	for i := range rng.IntN(4) {
		r.target += string("?&&&"[i]) + escape(randomText(rng)) + "=" + escape(randomText(rng))
	}
	r.headers = [][2]string{{"Host", fmt.Sprintf("127.0.0.1:%d", rng.IntN(10000))}, {"X-Amz-Date", "20260102T030405Z"}}
	for i := range rng.IntN(3) {
		r.headers = append(r.headers, [2]string{fmt.Sprintf("X-Amz-%d", i), fmt.Sprintf("v%d", rng.Int())})
	}
	if rng.IntN(2) == 0 {
		r.headers = append(r.headers, [2]string{"User-Agent", "test"}) // is not signed
	}
	if r.method != "GET" && rng.IntN(3) > 0 {
		r.body = `{"name":"` + randomText(rng) + `"}`
		r.headers = append(r.headers, [2]string{"Content-Length", fmt.Sprint(len(r.body))})
	}
	rng.Shuffle(len(r.headers), func(i, j int) { r.headers[i], r.headers[j] = r.headers[j], r.headers[i] })
	return r
}

// Whatever byte is changed of what is signed, or of the signature itself, the request is refused; as it was, it is not.
func TestSignatureOfAnotherRequest(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	// None is a space, of which some more or less make no difference.
	const bytes = "!#$%&'()*+,-./0123456789:;<=>?@ABCXYZ[]^_`abcxyz{|}~\xc3\xff"
	change := func(s string) string {
		i, b := rng.IntN(len(s)), bytes[rng.IntN(len(bytes))]
		return s[:i] + string([]byte{b}) + s[i+1:]
	}
	refused := make(map[string]int)
	for range 2000 {
		r := randomSignable(rng)
		authorization := r.sign(exampleScope)
		require.NoError(t, authenticate(r, example, authorization), r.raw(authorization))

		parts := []*string{&r.method, &r.target, &r.body, &authorization}
		kinds := []string{"method", "target", "body", "authorization"}
		for i, h := range r.headers {
			if h[0] != "User-Agent" && h[0] != "Content-Length" { // another of those is another body
				parts = append(parts, &r.headers[i][0], &r.headers[i][1])
				kinds = append(kinds, "header name", "header value")
			}
		}
		i := rng.IntN(len(parts))
		was := *parts[i]
		if was == "" {
			continue
		}
		*parts[i] = change(was)
		switch {
		case *parts[i] == was:
			continue
		case kinds[i] == "target" && same(was, *parts[i]):
			continue
		case kinds[i] == "header name" && strings.EqualFold(was, *parts[i]):
			continue
		}
		require.Error(t, authenticate(r, example, authorization), "%s was %q: %s", kinds[i], was, r.raw(authorization))
		refused[kinds[i]]++
	}
	for _, kind := range []string{"method", "target", "body", "authorization", "header name", "header value"} {
		require.Greater(t, refused[kind], 50, kind)
	}
}

// same tells whether two targets ask for the same, as a%2fb and a%2Fb in a query do.
func same(a, b string) bool {
	pathA, queryA, _ := strings.Cut(a, "?")
	pathB, queryB, _ := strings.Cut(b, "?")
	valuesA, errA := url.ParseQuery(queryA)
	valuesB, errB := url.ParseQuery(queryB)
	return pathA == pathB && errors.Join(errA, errB) == nil && reflect.DeepEqual(valuesA, valuesB)
}

// FuzzSignature has any request verified. What is let in is refused with another secret, and with another body.
func FuzzSignature(f *testing.F) {
	f.Add(get().raw(get().sign(exampleScope)))
	f.Add(post().raw(post().sign(exampleScope)))
	f.Add(post().raw("Basic QUtJRDpzZWNyZXQ="))
	f.Add(get().to("http://h?X-Amz-Signature=0;").raw(get().sign(exampleScope)))
	f.Fuzz(func(t *testing.T, raw string) {
		r, err := arrived(raw)
		if err != nil {
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		_, err = awsapi.Authenticate(r, signedAt, body, lookup(example))
		if err == nil {
			_, err = awsapi.Authenticate(r, signedAt, body, lookup(awsapi.Credential{SecretAccessKey: "another"}))
			require.Error(t, err)
			_, err = awsapi.Authenticate(r, signedAt, append(body, ' '), lookup(example))
		}
		code, status := awsapi.Refusal(err)
		if code == "" || status != http.StatusForbidden || len(err.Error()) > 4<<10 {
			t.Fatalf("%q: %v", raw, err)
		}
	})
}

// Each forged region would stay in a signer that is shared, with a key of its own.
func TestSignaturesLeaveNothing(t *testing.T) {
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	s := exampleScope
	forge := func(n int) {
		s.region = fmt.Sprint("forged-", n)
		require.NoError(t, authenticate(get(), example, get().sign(s)))
	}
	forge(0)
	before := heap()
	for n := range 5000 {
		forge(n)
	}
	if after := heap(); after > before+512<<10 {
		t.Errorf("%d bytes are left of 5,000 signatures", after-before)
	}
}

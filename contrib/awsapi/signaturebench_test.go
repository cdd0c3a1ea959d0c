package awsapi_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/fleetaudit/fleetaudit/contrib/awsapi"
)

// BenchmarkVerify is what it costs to let a request in, and to refuse one at each stage: those before "another secret"
// are refused without the body having been read.
func BenchmarkVerify(b *testing.B) {
	long := "host;x-amz-date;x-" + strings.Repeat("z", 4<<10)
	large := post()
	large.body = `{"nextToken":"` + strings.Repeat("x", 1<<20) + `"}`
	large.headers[2][1] = strconv.Itoa(len(large.body))
	right, token := post().sign(exampleScope), awsapi.Credential{SecretAccessKey: exampleSecret, SessionToken: "token"}
	for _, bench := range []struct {
		name          string
		request       signable
		authorization string
		key           awsapi.Credential
		code          string
	}{
		{"right", post(), right, example, ""},
		{"right, 1 MiB", large, large.sign(exampleScope), example, ""},
		{"not signed", post(), "Basic QUtJRDpzZWNyZXQ=", example, "IncompleteSignatureException"},
		{"8 KiB of nonsense", post(), strings.Repeat("x", 8<<10), example, "IncompleteSignatureException"},
		{"4 KiB of a header's name", post(), strings.Replace(right, "host;x-amz-date", long, 1), example,
			"InvalidSignatureException"},
		{"expired", post().dated("20260102T025904Z"), right, example, "InvalidSignatureException"},
		{"another key", post(), strings.Replace(right, exampleKey, "AKID", 1), example, "UnrecognizedClientException"},
		{"another token", post(), right, token, "UnrecognizedClientException"},
		{"another secret", post(), right, awsapi.Credential{SecretAccessKey: "x"}, "InvalidSignatureException"},
		{"another secret, 1 MiB", large, right, awsapi.Credential{SecretAccessKey: "x"}, "InvalidSignatureException"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			r, err := http.NewRequest(bench.request.method, "http://127.0.0.1:8080"+bench.request.target, nil)
			if err != nil {
				b.Fatal(err)
			}
			r.RequestURI, r.ContentLength = bench.request.target, int64(len(bench.request.body))
			for _, h := range bench.request.headers {
				r.Header.Add(h[0], h[1])
			}
			r.Header.Set("Authorization", bench.authorization)
			body := []byte(bench.request.body)
			b.ReportAllocs()
			for b.Loop() {
				_, err := awsapi.Authenticate(r, signedAt, body, lookup(bench.key))
				if code, _ := awsapi.Refusal(err); code != bench.code {
					b.Fatal(err)
				}
			}
		})
	}
}

package awsapi_test

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/awsapi"
)

// The example key of AWS's documentation.
const (
	exampleKey    = "AKIDEXAMPLE"
	exampleSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
)

// signedAt is when requests are signed, unless they say otherwise.
var signedAt = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// signable is a request as a client makes it up, byte by byte.
type signable struct {
	method, target string
	headers        [][2]string // as they are sent, without Authorization
	body           string
}

// raw is the request as it travels.
func (r signable) raw(authorization ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", r.method, r.target)
	for _, h := range r.headers {
		fmt.Fprintf(&b, "%s: %s\r\n", h[0], h[1])
	}
	for _, a := range authorization {
		fmt.Fprintf(&b, "Authorization: %s\r\n", a)
	}
	return b.String() + "\r\n" + r.body
}

// arrived is a raw request as a server gets it.
func arrived(raw string) (*http.Request, error) {
	return http.ReadRequest(bufio.NewReader(strings.NewReader(raw)))
}

// headerNames are the names of all headers but User-Agent, as SignedHeaders has them.
func (r signable) headerNames() []string {
	var names []string
	for _, h := range r.headers {
		if name := strings.ToLower(h[0]); name != "user-agent" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// scope is what a signature is for.
type scope struct{ accessKeyID, secret, date, region, service string }

var exampleScope = scope{exampleKey, exampleSecret, "20260102", "eu-west-1", "iot"}

// signature is the reference: Signature Version 4 as AWS's "Create a signed AWS API request" has it, of the named headers
// in the order given.
func (r signable) signature(s scope, names ...string) string {
	escape := func(s, safe string) string {
		var b strings.Builder
		for _, c := range []byte(s) {
			if strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~"+safe, c) >= 0 {
				b.WriteByte(c)
			} else {
				fmt.Fprintf(&b, "%%%02X", c)
			}
		}
		return b.String()
	}
	path, query, _ := strings.Cut(r.target, "?")
	var pairs []string
	for pair := range strings.SplitSeq(query, "&") {
		if name, value, _ := strings.Cut(pair, "="); pair != "" {
			name, _ = url.QueryUnescape(name)
			value, _ = url.QueryUnescape(value)
			pairs = append(pairs, escape(name, "")+"="+escape(value, ""))
		}
	}
	slices.SortFunc(pairs, func(a, b string) int { // by name, then by value: not by "name=value"
		return slices.Compare(strings.Split(a, "="), strings.Split(b, "="))
	})
	canonical := r.method + "\n" + escape(path, "/") + "\n" + strings.Join(pairs, "&") + "\n"
	var date string
	for _, name := range names {
		var values []string
		for _, h := range r.headers {
			if strings.EqualFold(h[0], name) {
				values = append(values, strings.Join(strings.Fields(h[1]), " "))
			}
		}
		canonical += name + ":" + strings.Join(values, ",") + "\n"
		if name == "x-amz-date" {
			date = strings.Join(values, ",")
		}
	}
	body := sha256.Sum256([]byte(r.body))
	canonical += "\n" + strings.Join(names, ";") + "\n" + hex.EncodeToString(body[:])
	mac := func(key []byte, text string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(text))
		return h.Sum(nil)
	}
	key := mac(mac(mac(mac([]byte("AWS4"+s.secret), s.date), s.region), s.service), "aws4_request")
	sum := sha256.Sum256([]byte(canonical))
	text := "AWS4-HMAC-SHA256\n" + date + "\n" + s.date + "/" + s.region + "/" + s.service + "/aws4_request\n"
	return hex.EncodeToString(mac(key, text+hex.EncodeToString(sum[:])))
}

// sign returns the Authorization header of the request: all headers are signed, or those that are named.
func (r signable) sign(s scope, names ...string) string {
	if names == nil {
		names = r.headerNames()
	}
	return fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/%s/%s/%s/aws4_request, SignedHeaders=%s, Signature=%s",
		s.accessKeyID, s.date, s.region, s.service, strings.Join(names, ";"), r.signature(s, names...))
}

// lookup knows one key.
func lookup(c awsapi.Credential) func(string) (awsapi.Credential, error) {
	return func(id string) (awsapi.Credential, error) {
		if id != exampleKey {
			return awsapi.Credential{}, errors.New("unknown")
		}
		return c, nil
	}
}

// authenticate has a request verified as it travelled. A server's own refusal of it is an error, too.
func authenticate(r signable, c awsapi.Credential, authorization ...string) error {
	got, err := arrived(r.raw(authorization...))
	if err != nil {
		return err
	}
	header := got.Header.Clone()
	id, err := awsapi.Authenticate(got, signedAt, []byte(r.body), lookup(c))
	if diff := cmp.Diff(header, got.Header); diff != "" {
		return fmt.Errorf("the request was changed (-sent +left):\n%s", diff)
	}
	if err == nil && id != exampleKey {
		return fmt.Errorf("access key %q", id)
	}
	return err
}

var example = awsapi.Credential{SecretAccessKey: exampleSecret}

// A reference that agrees with nobody would prove nothing: this is get-vanilla-query-order-value of AWS's published test
// suite for Signature Version 4.
func TestReference(t *testing.T) {
	r := signable{"GET", "/?Param1=value2&Param1=value1",
		[][2]string{{"Host", "example.amazonaws.com"}, {"X-Amz-Date", "20150830T123600Z"}}, ""}
	s := scope{exampleKey, exampleSecret, "20150830", "us-east-1", "service"}
	const want = "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694"
	require.Equal(t, want, r.signature(s, "host", "x-amz-date"))
}

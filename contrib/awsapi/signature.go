package awsapi

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go/aws-http-auth/credentials"
	"github.com/aws/smithy-go/aws-http-auth/sigv4"
	smithyv4 "github.com/aws/smithy-go/aws-http-auth/v4"

	"github.com/fleetaudit/fleetaudit/model"
)

const (
	// maxSkew is how far a signature's time may be from this machine's, before or after; exactly as far is near enough.
	maxSkew = 5 * time.Minute

	timeFormat = "20060102T150405Z" // of X-Amz-Date
)

// signature is what a request says about who signed it: Signature Version 4, in an Authorization header. Nothing of it
// is true until verify says so.
type signature struct {
	authorization
	time         time.Time
	contentHash  string // X-Amz-Content-Sha256; empty: not sent
	sessionToken string // X-Amz-Security-Token; empty: not sent
}

// parseSignature reads a request's signature, and refuses what can be refused without its key and without its body.
func parseSignature(r *http.Request, now time.Time) (*signature, error) {
	_, query := target(r)
	names, err := url.ParseQuery(query)
	if err != nil { // the signer would sign only the rest
		return nil, forbidden(invalidSignature, "the query cannot be read, and so not be verified: %v", err)
	}
	if names.Has("X-Amz-Signature") || names.Has("X-Amz-Algorithm") {
		return nil, forbidden(noToken, "a signature in the query (a pre-signed URL) is not taken: "+
			"sign with an Authorization header")
	}
	header := r.Header["Authorization"]
	if len(header) == 0 {
		return nil, forbidden(noToken, "the request is not signed: it has no Authorization header")
	}
	if len(header) > 1 {
		return nil, forbidden(incomplete, "Authorization must be sent once, not %d times", len(header))
	}
	var s signature
	if s.authorization, err = parseAuthorization(header[0]); err != nil {
		return nil, err
	}
	if s.service != "iot" && s.service != "execute-api" { // the latter is what older clients sign for
		return nil, forbidden(invalidSignature, "the signature is for service %s, and must be for iot",
			model.Quote(s.service))
	}
	if err := s.checkHeaders(r); err != nil {
		return nil, err
	}
	return &s, s.checkTime(r, now)
}

// checkHeaders holds the signed headers against those that came.
func (s *signature) checkHeaders(r *http.Request) error {
	names := strings.Split(s.signedHeaders, ";")
	signed := func(name string) bool {
		_, found := slices.BinarySearch(names, name)
		return found
	}
	for _, name := range []string{"host", "x-amz-date"} {
		if !signed(name) {
			return forbidden(incomplete, "SignedHeaders %s must name %s", model.Quote(s.signedHeaders), name)
		}
	}
	for _, name := range names {
		switch {
		case name == "authorization" || name == "transfer-encoding":
			return forbidden(incomplete, "SignedHeaders must not name %s", name)
		case name == "content-length" && (r.ContentLength < 0 || len(r.Header["Content-Length"]) == 0):
			return forbidden(incomplete, "SignedHeaders must name content-length only if it is sent")
		case name != "host" && len(r.Header[http.CanonicalHeaderKey(name)]) == 0:
			return forbidden(invalidSignature, "SignedHeaders names %s, but the request has no such header",
				model.Quote(name))
		}
	}
	for name := range r.Header {
		lower := strings.ToLower(name)
		if !strings.HasPrefix(lower, "x-amz-") || signed(lower) {
			continue
		}
		// AWS lets these two be unsigned. The first is compared with the body, which is; the other says nothing.
		if lower != "x-amz-content-sha256" && lower != "x-amz-user-agent" {
			return forbidden(invalidSignature, "%s must be signed, but SignedHeaders does not name it", model.Quote(name))
		}
	}
	for _, name := range []string{"X-Amz-Date", "X-Amz-Content-Sha256", "X-Amz-Security-Token"} {
		if n := len(r.Header[name]); n > 1 {
			return forbidden(incomplete, "%s must be sent once, not %d times", name, n)
		}
	}
	s.contentHash, s.sessionToken = r.Header.Get("X-Amz-Content-Sha256"), r.Header.Get("X-Amz-Security-Token")
	if b, err := hex.DecodeString(s.contentHash); s.contentHash != "" && (err != nil || len(b) != sha256.Size) {
		return forbidden(invalidSignature, "X-Amz-Content-Sha256 %s must be the body's SHA-256 in hexadecimal: "+
			"bodies that are unsigned or signed in chunks are not taken", model.Quote(s.contentHash))
	}
	return nil
}

func (s *signature) checkTime(r *http.Request, now time.Time) error {
	date := r.Header.Get("X-Amz-Date")
	at, err := time.Parse(timeFormat, date)
	if err != nil || at.Format(timeFormat) != date { // Parse takes fractions too
		return forbidden(incomplete, "X-Amz-Date %s must have the form YYYYMMDD'T'HHMMSS'Z'", model.Quote(date))
	}
	if s.date != date[:8] {
		return forbidden(invalidSignature, "the signature's scope is of %s, and must be of X-Amz-Date's day, %s",
			model.Quote(s.date), date[:8])
	}
	age := now.Truncate(time.Second).Sub(at) // X-Amz-Date has no fractions
	if age > maxSkew {
		return forbidden(invalidSignature, "the signature has expired: X-Amz-Date %s is more than 5 minutes before %s",
			date, now.UTC().Format(timeFormat))
	}
	if age < -maxSkew {
		return forbidden(invalidSignature, "the signature is not valid yet: X-Amz-Date %s is more than 5 minutes after %s",
			date, now.UTC().Format(timeFormat))
	}
	s.time = at
	return nil
}

// errUnrecognized says that nobody has the access key, or not with this session token: AWS does not tell which, either.
func errUnrecognized() error {
	return forbidden(unrecognized, "the access key is not known here, or its session token is wrong or missing")
}

// admits tells whether whoever has the credential may enter with such a signature, right or not. verify asks it, too;
// asked before, it saves reading the body.
func (s *signature) admits(c Credential) error {
	// An empty secret is everybody's, a forgotten token is sent as an empty one.
	if c.SecretAccessKey == "" || subtle.ConstantTimeCompare([]byte(s.sessionToken), []byte(c.SessionToken)) == 0 {
		return errUnrecognized()
	}
	if c.Region != "" && s.region != c.Region {
		return forbidden(invalidSignature, "the signature is for region %s, and must be for %s",
			model.Quote(s.region), c.Region)
	}
	return nil
}

// verify signs the request anew and compares: nil, if whoever signed it has the credential's secret, and nothing of
// what was signed has changed since. body is as it came over the wire.
//
// The path is taken as it was sent: what some clients would have signed of //, /. and /.. is no path of an operation.
func (s *signature) verify(r *http.Request, c Credential, body []byte) error {
	if err := s.admits(c); err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	if s.contentHash != "" && s.contentHash != hash {
		return forbidden(invalidSignature, "X-Amz-Content-Sha256 %s is not the body's SHA-256 in lower case",
			s.contentHash)
	}
	path, query := target(r)
	again := &http.Request{
		Method: r.Method,
		Host:   r.Host,
		URL:    &url.URL{Opaque: "//host" + path, RawPath: path, RawQuery: query}, // Opaque is not escaped once more
		Header: http.Header{},
	}
	empty := false
	for name := range strings.SplitSeq(s.signedHeaders, ";") {
		switch name {
		case "host", "x-amz-date": // which the signer adds
		case "content-length":
			again.ContentLength = r.ContentLength
			empty = r.ContentLength == 0
		default: // in lower case, because User-Agent and others are not signed
			again.Header[name] = slices.Clone(r.Header[http.CanonicalHeaderKey(name)])
		}
	}
	if empty {
		if err := s.signEmpty(again, c.SecretAccessKey, sum[:]); err != nil {
			return err
		}
	} else {
		key := aws.Credentials{AccessKeyID: s.accessKeyID, SecretAccessKey: c.SecretAccessKey}
		// A Signer keeps the keys that it derives, for as many regions as requests make up: so each has its own.
		if err := v4.NewSigner().SignHTTP(r.Context(), key, again, hash, s.service, s.region, s.time); err != nil {
			return err
		}
	}
	if subtle.ConstantTimeCompare([]byte(again.Header.Get("Authorization")), []byte(s.String())) == 0 {
		return forbidden(invalidSignature, "the signature is not what the request and the secret access key give: "+
			"check the secret, and whether something on the way changes requests")
	}
	return nil
}

// signEmpty signs a request of which a content-length of 0 is signed, as the SDK for C++ does where a PUT has no body. The
// SDK's usual signer leaves that out, this other one of AWS's does not. It leaves spaces as they are.
func (s *signature) signEmpty(r *http.Request, secret string, hash []byte) (err error) {
	for _, values := range r.Header {
		for i, value := range values {
			values[i] = strings.Join(strings.Fields(value), " ")
		}
	}
	r.Header["content-length"] = []string{"0"}
	if r.URL.Path, err = url.PathUnescape(r.URL.RawPath); err != nil {
		return forbidden(invalidSignature, "the path cannot be read, and so not be verified: %v", err)
	}
	return sigv4.New().SignRequest(&sigv4.SignRequestInput{
		Request:     r,
		PayloadHash: hash,
		Credentials: credentials.Credentials{AccessKeyID: s.accessKeyID, SecretAccessKey: secret},
		Service:     s.service,
		Region:      s.region,
		Time:        s.time,
	}, func(o *smithyv4.SignerOptions) { o.HeaderRules = everyHeader{} })
}

// everyHeader says that all headers are signed that the request to sign anew has.
type everyHeader struct{}

func (everyHeader) IsSigned(string) bool { return true }

// target is the path and the query as the client sent them: handlers before this one may have changed r.URL.
func target(r *http.Request) (path, query string) {
	path, query, _ = strings.Cut(r.RequestURI, "?")
	if _, rest, absolute := strings.Cut(path, "://"); absolute && path[0] != '/' { // as proxies are asked
		path = "/"
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			path = rest[i:]
		}
	}
	return path, query
}

package awsapi

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/fleetaudit/fleetaudit/model"
)

// algorithm is the only one of AWS's that is taken.
const algorithm = "AWS4-HMAC-SHA256"

// maxAuthorization is how long an Authorization header may be. Those of AWS's clients have less than 500 bytes.
const maxAuthorization = 8 << 10

// Codes of the errors of who may not enter. AWS answers them all with status 403.
const (
	noToken          = "MissingAuthenticationTokenException"
	incomplete       = "IncompleteSignatureException"
	invalidSignature = "InvalidSignatureException"
	unrecognized     = "UnrecognizedClientException"
)

func forbidden(code, format string, args ...any) error {
	return &apiError{code: code, status: http.StatusForbidden, message: fmt.Sprintf(format, args...)}
}

// authorization is what an Authorization header says.
type authorization struct {
	accessKeyID           string
	date, region, service string // the scope of the key that signed
	signedHeaders         string // lower-case names, in order, between semicolons
	signature             string // hexadecimal
}

// String is the header as the SDK's signer writes it.
func (a authorization) String() string {
	return fmt.Sprintf("%s Credential=%s/%s/%s/%s/aws4_request, SignedHeaders=%s, Signature=%s",
		algorithm, a.accessKeyID, a.date, a.region, a.service, a.signedHeaders, a.signature)
}

// parseAuthorization reads an Authorization header. Its parts may stand in any order, and have spaces around them.
func parseAuthorization(header string) (authorization, error) {
	var a authorization
	if len(header) > maxAuthorization {
		return a, forbidden(incomplete, "Authorization must have at most %d bytes, not %d",
			maxAuthorization, len(header))
	}
	scheme, rest, _ := strings.Cut(header, " ")
	if strings.HasPrefix(scheme, "AWS4-") && scheme != algorithm {
		return a, forbidden(incomplete, "Authorization: the algorithm must be %s, not %s", algorithm, model.Quote(scheme))
	}
	if scheme != algorithm { // whose value may be a secret
		return a, forbidden(incomplete, "Authorization must begin with %s", algorithm)
	}
	parts := make(map[string]string, 3)
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.Trim(part, " \t"), "=")
		if name != "Credential" && name != "SignedHeaders" && name != "Signature" {
			return a, forbidden(incomplete,
				"Authorization must be made of Credential=, SignedHeaders= and Signature=, not %s", model.Quote(name))
		}
		if _, twice := parts[name]; twice {
			return a, forbidden(incomplete, "Authorization: %s must not be given twice", name)
		}
		parts[name] = value
	}
	for _, name := range []string{"Credential", "SignedHeaders", "Signature"} {
		if parts[name] == "" {
			return a, forbidden(incomplete, "Authorization: %s is required", name)
		}
	}
	a.signedHeaders, a.signature = parts["SignedHeaders"], parts["Signature"]
	if err := a.credential(parts["Credential"]); err != nil {
		return authorization{}, err
	}
	names := strings.Split(a.signedHeaders, ";")
	for i, name := range names {
		if !headerName(name) || i > 0 && name <= names[i-1] {
			return authorization{}, forbidden(incomplete, "Authorization: SignedHeaders %s must be names in lower case, "+
				"in order, each once, between semicolons; %s is wrong", model.Quote(a.signedHeaders), model.Quote(name))
		}
	}
	if len(a.signature) != 64 || strings.Trim(a.signature, "0123456789abcdef") != "" {
		return authorization{}, forbidden(incomplete,
			"Authorization: Signature %s must be 64 hexadecimal digits in lower case", model.Quote(a.signature))
	}
	return a, nil
}

func (a *authorization) credential(v string) error {
	scope := strings.Split(v, "/")
	unseen := func(s string) bool {
		return s == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
	}
	if len(scope) != 5 || scope[4] != "aws4_request" || slices.ContainsFunc(scope, unseen) {
		return forbidden(incomplete, "Authorization: Credential %s must be accessKeyId/date/region/service/aws4_request",
			model.Quote(v))
	}
	a.accessKeyID, a.date, a.region, a.service = scope[0], scope[1], scope[2], scope[3]
	return nil
}

// headerName tells whether s is a header's name in lower case.
func headerName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
}

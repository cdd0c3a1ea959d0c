package awsapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/awsapi"
	"github.com/fleetaudit/fleetaudit/model"
)

const (
	credential    = "Credential=AKID/20260102/eu-west-1/iot/aws4_request"
	signedHeaders = "SignedHeaders=host;x-amz-date"
)

var hexSignature = "Signature=" + strings.Repeat("0123456789abcdef", 4)

func TestAuthorization(t *testing.T) {
	const begin = "AWS4-HMAC-SHA256 "
	right := begin + credential + ", " + signedHeaders + ", " + hexSignature
	for _, header := range []string{
		right,
		begin + credential + "," + signedHeaders + "," + hexSignature,
		begin + " " + hexSignature + " ,\t" + signedHeaders + "  , " + credential + " ",
	} {
		got, err := awsapi.ReprintAuthorization(header)
		require.NoError(t, err, header)
		require.Equal(t, right, got)
	}

	replaced := func(old, with string) string { return strings.Replace(right, old, with, 1) }
	type row struct{ header, want string }
	const parts = "Authorization must be made of Credential=, SignedHeaders= and Signature=, not "
	rows := []row{
		{"", "Authorization must begin with AWS4-HMAC-SHA256"},
		{"Basic QUtJRDpzZWNyZXQ=", "Authorization must begin with AWS4-HMAC-SHA256"},
		{"QUtJRDpzZWNyZXQ=", "Authorization must begin with AWS4-HMAC-SHA256"},
		{"aws4-hmac-sha256" + right[16:], "Authorization must begin with AWS4-HMAC-SHA256"},
		{"AWS AKID:c2lnbmF0dXJl", "Authorization must begin with AWS4-HMAC-SHA256"},
		{replaced("HMAC", "ECDSA"), `Authorization: the algorithm must be AWS4-HMAC-SHA256, not "AWS4-ECDSA-SHA256"`},
		{"AWS4-HMAC-SHA256", parts + `""`},
		{right + ",", parts + `""`},
		{right + ", Extra=1", parts + `"Extra"`},
		{replaced("Credential", "credential"), parts + `"credential"`},
		{right + ", " + hexSignature, "Authorization: Signature must not be given twice"},
		{replaced(credential+", ", ""), "Authorization: Credential is required"},
		{replaced(", "+signedHeaders, ""), "Authorization: SignedHeaders is required"},
		{replaced(", "+hexSignature, ""), "Authorization: Signature is required"},
		{right + strings.Repeat(" ", 8<<10), "Authorization must have at most 8192 bytes, not 8367"},
	}
	for _, c := range []string{
		"AKID", "AKID/eu-west-1/iot/aws4_request", "AK/ID/20260102/eu-west-1/iot/aws4_request",
		"AKID/20260102/eu-west-1/iot/aws4", "/20260102/eu-west-1/iot/aws4_request", "AKID/20260102//iot/aws4_request",
		"A\x00/20260102/eu-west-1/iot/aws4_request",
		"é/20260102/eu-west-1/iot/aws4_request", "A D/20260102/eu-west-1/iot/aws4_request",
	} {
		rows = append(rows, row{replaced(credential, "Credential="+c), "Authorization: Credential " + model.Quote(c) +
			" must be accessKeyId/date/region/service/aws4_request"})
	}
	for _, h := range [][2]string{
		{"x-amz-date;host", "host"}, {"host;host", "host"}, {"Host;x-amz-date", "Host"}, {"host;", ""}, {";host", ""},
		{"host x", "host x"}, {"host:x", "host:x"}, {"é", "é"},
	} {
		rows = append(rows, row{replaced(signedHeaders, "SignedHeaders="+h[0]), "Authorization: SignedHeaders " +
			model.Quote(h[0]) + " must be names in lower case, in order, each once, between semicolons; " +
			model.Quote(h[1]) + " is wrong"})
	}
	digits := strings.Repeat("0", 63)
	for _, s := range []string{digits, digits + "00", digits + "g", digits + "A", digits + "é", "0x" + digits} {
		rows = append(rows, row{replaced(hexSignature, "Signature="+s), "Authorization: Signature " + model.Quote(s) +
			" must be 64 hexadecimal digits in lower case"})
	}
	for _, row := range rows {
		_, err := awsapi.ReprintAuthorization(row.header)
		require.EqualError(t, err, "IncompleteSignatureException: "+row.want, row.header)
		_, status := awsapi.Refusal(err)
		require.Equal(t, http.StatusForbidden, status)
	}
}

// FuzzAuthorization reads any header: what is taken prints back as what is the same.
func FuzzAuthorization(f *testing.F) {
	f.Add("AWS4-HMAC-SHA256 " + credential + ", " + signedHeaders + ", " + hexSignature)
	f.Add("AWS4-HMAC-SHA256 " + hexSignature + "," + signedHeaders + ",\t" + credential)
	f.Add("AWS4-HMAC-SHA256 Credential==/=/=/=/aws4_request,SignedHeaders=!," + hexSignature)
	f.Add("AWS4-ECDSA-P256-SHA256 " + credential)
	f.Add("Basic QUtJRDpzZWNyZXQ=")
	f.Fuzz(func(t *testing.T, header string) {
		printed, err := awsapi.ReprintAuthorization(header)
		if err != nil {
			code, status := awsapi.Refusal(err)
			if code != "IncompleteSignatureException" || status != http.StatusForbidden || len(err.Error()) > 4<<10 {
				t.Fatal(err)
			}
			return
		}
		again, err := awsapi.ReprintAuthorization(printed)
		if err != nil || again != printed {
			t.Fatalf("%q is read as %q, and that as %q, %v", header, printed, again, err)
		}
	})
}

package keyring_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/keyring"
)

func TestParse(t *testing.T) {
	const plain = "[default]\naws_access_key_id = AKIA1\naws_secret_access_key = s3cret\n"
	one := keyring.Key{Profile: "default", AccessKeyID: "AKIA1", SecretAccessKey: "s3cret"}
	for _, row := range []struct {
		name, file string
		want       []keyring.Key
	}{
		{"plain", plain, []keyring.Key{one}},
		{"no spaces, carriage returns, a byte order mark", "\uFEFF" + strings.NewReplacer(" ", "", "\n", "\r\n").Replace(plain), []keyring.Key{one}},
		{"no end of line", strings.TrimSpace(plain), []keyring.Key{one}},
		{"comments and what clients keep there", "# a\n; b\n" + plain + "region = eu-west-1\noutput=json\naws_account_id = 123456789012\n", []keyring.Key{one}},
		{"capitals", strings.ReplaceAll(plain, "aws_", "AWS_"), []keyring.Key{one}},
		{"token", plain + "aws_session_token = IQ==\n", []keyring.Key{{Profile: "default", AccessKeyID: "AKIA1", SecretAccessKey: "s3cret", SessionToken: "IQ=="}}},
		{"a secret with all that has a meaning elsewhere", strings.Replace(plain, "s3cret", `a;b#c%(d)s"=:\`, 1),
			[]keyring.Key{{Profile: "default", AccessKeyID: "AKIA1", SecretAccessKey: `a;b#c%(d)s"=:\`}}},
		{"quotes are part of it", strings.Replace(plain, "s3cret", `"s3cret"`, 1),
			[]keyring.Key{{Profile: "default", AccessKeyID: "AKIA1", SecretAccessKey: `"s3cret"`}}},
		{"two profiles", plain + strings.ReplaceAll(strings.Replace(plain, "default", "profile pump line", 1), "1", "2"),
			[]keyring.Key{one, {Profile: "profile pump line", AccessKeyID: "AKIA2", SecretAccessKey: "s3cret"}}},
		{"the same key for two", plain + strings.Replace(plain, "default", "other", 1), []keyring.Key{one, {Profile: "other", AccessKeyID: "AKIA1", SecretAccessKey: "s3cret"}}},
		{"a profile in two parts", "[default]\naws_access_key_id=AKIA1\n[other]\naws_access_key_id=AKIA2\naws_secret_access_key=x\n[default]\naws_secret_access_key=s3cret",
			[]keyring.Key{one, {Profile: "other", AccessKeyID: "AKIA2", SecretAccessKey: "x"}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := keyring.Parse([]byte(row.file))
			require.NoError(t, err)
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	const id, secret = "aws_access_key_id = AKIA1\n", "aws_secret_access_key = s3cret\n"
	const format = "is not in the format of AWS's shared credentials file: want [profile], a comment, or key = value in each line"
	for _, row := range []struct{ file, want string }{
		{"", "has no [profile]"},
		{"# nothing\n", "has no [profile]"},
		{id + secret, `"aws_access_key_id" is before the first [profile]`},
		{"[a]\n", "[a] aws_access_key_id is missing\n[a] aws_secret_access_key is missing"},
		{"[a]\n" + id, "[a] aws_secret_access_key is missing"},
		{"[a]\nrole_arn = s3cret\n", "[a] aws_access_key_id is missing\n[a] aws_secret_access_key is missing"},
		{"[a]\n" + id + "aws_secret_access_key =\n", "[a] aws_secret_access_key is empty"},
		{"[a]\naws_access_key_id = \"\"\n" + secret, "[a] aws_access_key_id must be 1 to 128 letters, digits and underscores"},
		{"[a]\naws_access_key_id = s3cret/1\n" + secret, "[a] aws_access_key_id must be 1 to 128 letters, digits and underscores"},
		{"[a]\n" + id + "aws_secret_access_key = s3cret # mine\n", "[a] aws_secret_access_key must not have white space in it"},
		{"[a]\n" + id + secret + "aws_session_token =\n", "[a] aws_session_token is empty"},
		{"[a]\n" + id + secret + "aws_sesion_token = s3cret\n", `[a] "aws_sesion_token" is unknown; the keys are aws_access_key_id, aws_secret_access_key and aws_session_token`},
		{"[a]\n" + id + secret + secret, "[a] aws_secret_access_key is there twice"},
		{"[a]\n" + id + secret + "[b]\n" + id + "aws_secret_access_key = s3cret2\n", "[b]: the access key of [a], with another secret or token"},
		{"[a]\n" + id + secret + "[b]\n" + id + secret + "aws_session_token = s3cret\n", "[b]: the access key of [a], with another secret or token"},
		// A parent lends nothing to its child.
		{"[a]\n" + id + secret + "[a.b]\naws_access_key_id = AKIA2\n", "[a.b] aws_secret_access_key is missing"},
		{"[a]\n" + id + "aws_secret_access_key s3cret\n", "line 3: want [profile], a comment, or key = value"},
		{"[a]\n" + id + "= s3cret\n", "line 3: want [profile], a comment, or key = value"},
		{"[a\n" + id + secret, format},
		{"[]\n" + id + secret, format},
		{"[a]\n" + id + "aws_secret_access_key = `s3cret\n", format},
		{"[a]\n\"s3cret = 1\n", format},
	} {
		got, err := keyring.Parse([]byte(row.file))
		if err == nil {
			t.Errorf("%q: %d keys, want error %s", row.file, len(got), row.want)
			continue
		}
		if err.Error() != row.want {
			t.Errorf("%q: error %v, want %s", row.file, err, row.want)
		}
		if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: the error tells a secret: %v", row.file, err)
		}
	}
}

// FuzzParse looks for keys that would let in somebody without a secret.
func FuzzParse(f *testing.F) {
	f.Add("[default]\naws_access_key_id = AKIA1\naws_secret_access_key = s3cret\naws_session_token = t\n[b]\n")
	f.Add("[a\n= x\n`\"\"\"")
	f.Fuzz(func(t *testing.T, file string) {
		keys, err := keyring.Parse([]byte(file))
		if err == nil && len(keys) == 0 {
			t.Error("neither a key nor an error")
		}
		for _, k := range keys {
			if k.Profile == "" || k.AccessKeyID == "" || k.SecretAccessKey == "" || strings.ContainsAny(k.AccessKeyID+k.SecretAccessKey+k.SessionToken, " \t\r\n") {
				t.Errorf("key %+v", k)
			}
		}
	})
}

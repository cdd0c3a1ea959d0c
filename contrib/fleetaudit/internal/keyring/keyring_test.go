package keyring_test

import (
	"fmt"
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
		{"quotes within it", strings.Replace(plain, "s3cret", "s3`cr`et\"\"\"", 1),
			[]keyring.Key{{Profile: "default", AccessKeyID: "AKIA1", SecretAccessKey: "s3`cr`et\"\"\""}}},
		{"two quotes", strings.Replace(plain, "s3cret", `""`, 1), []keyring.Key{{Profile: "default", AccessKeyID: "AKIA1", SecretAccessKey: `""`}}},
		{"a long access key", strings.Replace(plain, "AKIA1", strings.Repeat("A", 128), 1),
			[]keyring.Key{{Profile: "default", AccessKeyID: strings.Repeat("A", 128), SecretAccessKey: "s3cret"}}},
		{"a profile like any other", strings.Replace(plain, "default", "DEFAULT", 1), []keyring.Key{{Profile: "DEFAULT", AccessKeyID: "AKIA1", SecretAccessKey: "s3cret"}}},
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
	const format = "line 3: want [profile], a comment, or key = value"
	const unknown = "the key is unknown; those of a profile are aws_access_key_id, aws_secret_access_key and aws_session_token"
	const quoted = "line 3: a value must not begin with ` or \"\"\""
	const missing = "aws_access_key_id is missing\n[a] aws_secret_access_key is missing"
	for _, row := range []struct{ file, want string }{
		{"", "has no [profile]"},
		{"# nothing\n", "has no [profile]"},
		{id + secret, "line 1: is before the first [profile]"},
		// A secret without its key, or with it but without what is between them.
		{"# mine\nS3cret/x==\n[a]\n" + id + secret, "line 2: is before the first [profile]"},
		{"S3cret/x\n[a]\n" + id + secret, "line 1: is before the first [profile]"},
		{"[a]\nS3cret/x==\n", "[a] " + missing},
		{"[a]\n" + id + "aws_session_tokenS3cret/x==\n" + secret, "line 3: " + unknown},
		{"[a]\n" + id + secret + "[DEFAULT]\n" + id + "aws_secret_access_key =\n", "[DEFAULT] aws_secret_access_key is empty"},
		{"[DEFAULT]\n", strings.ReplaceAll("[a] "+missing, "[a]", "[DEFAULT]")},
		{"[a] # was: [s3cret]\n" + id + secret, "line 1: want [profile], a comment, or key = value"},
		{"[a]\r;aws_secret_access_key=s3cret]\n" + id, "line 1: has a carriage return in it: lines must end with a line feed"},
		{"[a]\n", "[a] " + missing},
		{"[a]\n" + id, "[a] aws_secret_access_key is missing"},
		{"[a]\nrole_arn = s3cret\n", "[a] " + missing},
		{"[a]\n" + id + "aws_secret_access_key =\n", "[a] aws_secret_access_key is empty"},
		{"[a]\naws_access_key_id = \"\"\n" + secret, "[a] aws_access_key_id must be 1 to 128 letters, digits and underscores"},
		{"[a]\naws_access_key_id = s3cret/1\n" + secret, "[a] aws_access_key_id must be 1 to 128 letters, digits and underscores"},
		{"[a]\n" + id + "aws_secret_access_key = s3cret # mine\n", "[a] aws_secret_access_key must not have white space or control characters in it"},
		{"[a]\n" + id + "aws_secret_access_key = s3cret\x00\n", "[a] aws_secret_access_key must not have white space or control characters in it"},
		{"[a]\naws_access_key_id = " + strings.Repeat("A", 129) + "\n" + secret, "[a] aws_access_key_id must be 1 to 128 letters, digits and underscores"},
		{"[a]\n" + id + secret + "aws_session_token =\n", "[a] aws_session_token is empty"},
		{"[a]\n" + id + secret + "aws_sesion_token = s3cret\n", "line 4: " + unknown},
		{"[a]\naws_sesion_token = s3cret\n[b]\n" + id + "aws_sekret=s3cret\n", "line 2: " + unknown + "\nline 5: " + unknown + "\n[a] " + missing + "\n[b] aws_secret_access_key is missing"},
		{"[a]\n" + id + secret + secret, "[a] aws_secret_access_key is there twice"},
		{"[a]\n" + id + secret + "[b]\n" + id + "aws_secret_access_key = s3cret2\n", "[b]: the access key of [a], with another secret or token"},
		{"[a]\n" + id + secret + "[b]\n" + id + secret + "aws_session_token = s3cret\n", "[b]: the access key of [a], with another secret or token"},
		// A parent lends nothing to its child.
		{"[a]\n" + id + secret + "[a.b]\naws_access_key_id = AKIA2\n", "[a.b] aws_secret_access_key is missing"},
		{"[a]\n" + id + "aws_secret_access_key s3cret\n", format},
		{"[a]\n" + id + "= s3cret\n", format},
		{"[a]\n" + id + "[b\n" + secret, format},
		{"[a]\n" + id + "[]\n" + secret, format},
		{"[a]\n" + id + "\"s3cret = 1\n", format},
		{"[a]\n" + id + "\"aws_secret_access_key\" = s3cret\n", format},
		{"[a]\n" + id + "`aws_secret_access_key` = s3cret\n", format},
		{"[a]\n" + id + "aws_secret_access_key = `s3cret`\n", quoted},
		{"[a]\n" + id + "aws_secret_access_key = `s3cret\n", quoted},
		{"[a]\n" + id + "aws_secret_access_key:\"\"\"s3cret\"\"\"\n", quoted},
		{"[a]\n" + id + "region = \"\"\"\n" + secret + "[b]\n\"\"\"\n", quoted},
		{"[a]\n-=s3cret\n[b]\n[a]\n-=s3cret\n", "is not in the format of AWS's shared credentials file"},
	} {
		got, err := keyring.Parse([]byte(row.file))
		if err == nil {
			t.Errorf("%q: %d keys, want error %s", row.file, len(got), row.want)
			continue
		}
		if err.Error() != row.want {
			t.Errorf("%q: error %v, want %s", row.file, err, row.want)
		}
		if strings.Contains(strings.ToLower(err.Error()), "s3cret") {
			t.Errorf("%q: the error tells a secret: %v", row.file, err)
		}
	}
}

// FuzzParse compares the keys with those of a reader that knows of nothing but lines, and the errors with those of a
// text with other values: what they do not depend on they do not tell.
func FuzzParse(f *testing.F) {
	f.Add("[default]\naws_access_key_id = AKIA1\naws_secret_access_key = s3cret\naws_session_token = t\n[b]\n")
	f.Add("[default]\nAWS_Access_Key_ID: AKIA1\r\n aws_secret_access_key=\"\"a`#;=\\\n[DEFAULT] ; x\naws_access_key_id=2\naws_secret_access_key='2'")
	f.Add("[a\n= x\n`\"\"\"")
	f.Add("s3cret==\n[a]\n")
	f.Add("[a]\naws_session_tokens3cret==\n[b]\nx = `\n")
	f.Fuzz(func(t *testing.T, file string) {
		keys, err := keyring.Parse([]byte(file))
		changed := changeValues(file)
		if _, other := keyring.Parse([]byte(changed)); fmt.Sprint(err) != fmt.Sprint(other) {
			t.Errorf("error %v, and %v of %q", err, other, changed)
		}
		if err != nil {
			return
		}
		if len(keys) == 0 {
			t.Error("neither a key nor an error")
		}
		got := make(map[string]keyring.Key)
		for _, k := range keys {
			got[k.Profile] = k
			if k.Profile == "" || k.AccessKeyID == "" || k.SecretAccessKey == "" || strings.ContainsAny(k.AccessKeyID+k.SecretAccessKey+k.SessionToken, " \t\r\n") {
				t.Errorf("key %+v", k)
			}
		}
		if diff := cmp.Diff(readLines(file), got); diff != "" || len(got) != len(keys) {
			t.Errorf("%d keys (-want +got):\n%s", len(keys), diff)
		}
	})
}

// readLines reads the keys of each profile, of which it takes what comes last.
func readLines(file string) map[string]keyring.Key {
	all := make(map[string]keyring.Key)
	profile := ""
	for line := range strings.SplitSeq(strings.TrimPrefix(file, "\uFEFF"), "\n") {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			profile = line[1:strings.LastIndex(line, "]")]
			k := all[profile]
			k.Profile = profile
			all[profile] = k
			continue
		}
		if strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") || line == "" {
			continue
		}
		at := strings.IndexAny(line, "=:")
		k, value := all[profile], strings.TrimSpace(line[at+1:])
		switch strings.ToLower(strings.TrimSpace(line[:at])) {
		case "aws_access_key_id":
			k.AccessKeyID = value
		case "aws_secret_access_key":
			k.SecretAccessKey = value
		case "aws_session_token":
			k.SessionToken = value
		}
		all[profile] = k
	}
	return all
}

// changeValues puts other letters and digits in the place of all that may be a secret: of what is neither a comment, a
// profile, a key that is known, nor the beginning of one that is not.
func changeValues(file string) string {
	next := func(r rune) rune {
		switch {
		case r == 'z' || r == 'Z':
			return r - 25
		case r == '9':
			return '0'
		case r >= 'a' && r < 'z' || r >= 'A' && r < 'Z' || r >= '0' && r < '9':
			return r + 1
		}
		return r
	}
	start := func(line string) int {
		key := line[:max(strings.IndexAny(line, "=:"), 0)]
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "aws_access_key_id", "aws_secret_access_key", "aws_session_token", "aws_account_id":
			return len(key)
		}
		if strings.HasPrefix(strings.ToLower(line), "aws_") {
			return len("aws_")
		}
		return 0
	}
	var lines []string
	for line := range strings.SplitSeq(strings.TrimPrefix(file, "\uFEFF"), "\n") {
		line = strings.TrimSpace(line)
		if line != "" && !strings.ContainsAny(line[:1], "#;[") {
			at := start(line)
			changed := line[:at] + strings.Map(next, line[at:])
			if start(changed) == at { // it is as well known as it was
				line = changed
			}
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

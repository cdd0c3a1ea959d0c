package cli_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks/builtin"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/cli"
)

// TestServeCredentials tries who may enter.
func TestServeCredentials(t *testing.T) {
	data, err := os.ReadFile("testdata/credentials/good.ini")
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "keys.ini")
	require.NoError(t, os.WriteFile(file, data, 0o600))
	s := start(t, builtin.All, example, "--credentials", file, "--log-level", "debug")
	for _, row := range []struct {
		who               string
		id, secret, token string
		status            int
		code              string
	}{
		{"a profile", "AKIAPIPELINE", "not-a-secret-1", "", 200, ""},
		{"a profile with a token", "ASIALAPTOP", "not-a-secret-2", "not-a-token", 200, ""},
		{"it without the token", "ASIALAPTOP", "not-a-secret-2", "", 403, "UnrecognizedClientException"},
		{"another's secret", "AKIAPIPELINE", "not-a-secret-2", "", 403, "InvalidSignatureException"},
		{"a stranger", "AKIASTRANGER", "not-a-secret-1", "", 403, "UnrecognizedClientException"},
		{"nobody", "", "", "", 403, "MissingAuthenticationTokenException"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", s.url+"/audit/configuration", nil)
		require.NoError(t, err)
		if row.id != "" {
			sign(t, r, aws.Credentials{AccessKeyID: row.id, SecretAccessKey: row.secret, SessionToken: row.token})
		}
		answer, err := s.client.Do(r)
		require.NoError(t, err)
		answer.Body.Close()
		if code := answer.Header.Get("X-Amzn-Errortype"); answer.StatusCode != row.status || code != row.code {
			t.Errorf("%s: %d %s, want %d %s", row.who, answer.StatusCode, code, row.status, row.code)
		}
	}
	// Whoever asks for these pages has no key.
	s.must(t, "GET", "/healthz", "")
	s.must(t, "GET", "/metrics", "")
	s.stop()
	if log := s.logged(); strings.Contains(log, "not-a-") || strings.Contains(log, "level=WARN msg=\"without") || strings.Contains(log, "chmod") {
		t.Errorf("the log tells a secret, or warns:\n%s", log)
	}
}

// sign signs a request without a body.
func sign(t *testing.T, r *http.Request, c aws.Credentials) {
	t.Helper()
	empty := sha256.Sum256(nil)
	require.NoError(t, v4.NewSigner().SignHTTP(context.Background(), c, r, hex.EncodeToString(empty[:]), "iot", "us-east-1", time.Now()))
}

// TestServeCredentialsOfOthers has files that others may use in some way.
func TestServeCredentialsOfOthers(t *testing.T) {
	file := oneKey(t)
	for _, row := range []struct {
		mode os.FileMode
		want string // empty: no warning
	}{
		{0o600, ""},
		{0o400, ""},
		{0o644, "-rw-r--r--"},
		{0o640, "-rw-r-----"},
		{0o620, "-rw--w----"},
		{0o604, "-rw----r--"},
	} {
		require.NoError(t, os.Chmod(file, row.mode))
		s := start(t, builtin.All, example, "--credentials", file, "--log-format", "json")
		s.stop()
		var got string
		for line := range strings.Lines(s.logged()) {
			var record struct{ Level, Msg, File, Mode string }
			require.NoError(t, json.Unmarshal([]byte(line), &record))
			if record.Level == "WARN" && record.File == file && strings.Contains(record.Msg, "chmod 600") {
				got = record.Mode
			}
		}
		if got != row.want {
			t.Errorf("%v: warned of %q, want %q:\n%s", row.mode, got, row.want, s.logged())
		}
	}
}

// oneKey writes a file with an access key that nobody else may use.
func oneKey(t *testing.T) string {
	file := filepath.Join(t.TempDir(), "keys.ini")
	require.NoError(t, os.WriteFile(file, []byte("[a]\naws_access_key_id = A\naws_secret_access_key = B\n"), 0o600))
	return file
}

// TestServeElsewhere has credentials, so that every address is tried. This one is of hardly any machine; where it is, it
// is the fleet that is missing.
func TestServeElsewhere(t *testing.T) {
	got := run(t, "serve", "testdata/none", "--credentials", oneKey(t), "--listen", "192.0.2.1:0")
	want := regexp.MustCompile(`\Afleetaudit: (--listen "192\.0\.2\.1:0": [^:]+|testdata/none: [^:]+)\n\z`)
	if got.code != cli.ExitError || got.stdout != "" || !want.MatchString(got.stderr) {
		t.Errorf("%+v, want exit code %d and %v", got, cli.ExitError, want)
	}
}

package cli_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/google/go-cmp/cmp"
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

// TestServeCredentialsOfOthers has a file that anybody may read.
func TestServeCredentialsOfOthers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys.ini")
	require.NoError(t, os.WriteFile(file, []byte("[a]\naws_access_key_id = A\naws_secret_access_key = B\n"), 0o600))
	require.NoError(t, os.Chmod(file, 0o644))
	s := start(t, builtin.All, example, "--credentials", file)
	s.stop()
	if want := `level=WARN msg="others than its owner may use the file of credentials: chmod 600 takes that away" file=` + file + " mode=-rw-r--r--\n"; !strings.Contains(s.logged(), want) {
		t.Errorf("the log does not say %s:\n%s", want, s.logged())
	}
}

// TestServeElsewhere has credentials, so that every address is tried: this one is of no machine.
func TestServeElsewhere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys.ini")
	require.NoError(t, os.WriteFile(file, []byte("[a]\naws_access_key_id = A\naws_secret_access_key = B\n"), 0o600))
	got := run(t, "serve", example, "--credentials", file, "--listen", "192.0.2.1:0")
	want := result{code: cli.ExitError, stderr: `fleetaudit: --listen "192.0.2.1:0": cannot assign requested address` + "\n"}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(result{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

package cli_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks/builtin"
)

// TestREADMESession runs the session with the AWS CLI that README.md shows. Its comments are what it prints.
func TestREADMESession(t *testing.T) {
	if _, err := exec.LookPath("aws"); err != nil {
		t.Skip("there is no AWS CLI here; what it sends is among the rows of contrib/awsapi")
	}
	readme, err := os.ReadFile("../../../../README.md")
	require.NoError(t, err)
	_, section, _ := strings.Cut(string(readme), "## Unmodified AWS clients\n")
	_, script, _ := strings.Cut(section, "```sh\n")
	script, _, ended := strings.Cut(script, "```\n")
	require.True(t, ended)
	var want strings.Builder
	for line := range strings.Lines(script) {
		if told, ok := strings.CutPrefix(line, "# "); ok {
			want.WriteString(told)
		}
	}
	require.NotEmpty(t, want.String())

	const endpoint = "http://127.0.0.1:8080"
	require.Contains(t, script, endpoint)
	s := start(t, builtin.All, example)
	session := exec.CommandContext(t.Context(), "sh", "-euc", strings.ReplaceAll(script, endpoint, s.url))
	session.Env = append(os.Environ(), "HOME="+t.TempDir(), "AWS_PAGER=", "LC_ALL=C.UTF-8")
	session.Stderr = t.Output()
	got, err := session.Output()
	require.NoError(t, err)
	if diff := cmp.Diff(want.String(), string(got)); diff != "" {
		t.Errorf("the session (-README +it):\n%s", diff)
	}
}

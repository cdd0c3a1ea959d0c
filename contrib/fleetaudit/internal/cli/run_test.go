package cli_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/cli"
)

// result is what one run of the program did.
type result struct {
	code           int
	stdout, stderr string
}

func run(t *testing.T, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := cli.Run(t.Context(), args, strings.NewReader(""), &stdout, &stderr)
	return result{code, stdout.String(), stderr.String()}
}

// rows reads the rows of a file in testdata: two parts each, with a separator between.
func rows(t *testing.T, file, separator string) [][2]string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", file))
	require.NoError(t, err)
	var all [][2]string
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		left, right, ok := strings.Cut(line, separator)
		require.True(t, ok, "%s: %s", file, line)
		all = append(all, [2]string{strings.TrimSpace(left), strings.TrimSpace(right)})
	}
	require.NotEmpty(t, all)
	return all
}

// words splits a command line. A word that is ” is empty.
func words(line string) []string {
	all := strings.Fields(line)
	for i, w := range all {
		if w == "''" {
			all[i] = ""
		}
	}
	return all
}

// testdata is the folder of that name, also for a test that works in another one.
var testdata, _ = filepath.Abs("testdata")

// golden compares got with a file in testdata, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join(testdata, name)
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "-update writes it")
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// random is what differs from audit to audit.
var random = regexp.MustCompile(`"(taskId|findingId|taskStartTime|findingTime)": ("[0-9a-f-]+"|[0-9.]+)`)

func TestGolden(t *testing.T) {
	for _, row := range rows(t, "golden.txt", "=") {
		t.Run(row[0], func(t *testing.T) {
			got := run(t, words(row[1])...)
			golden(t, filepath.Join("golden", row[0]), random.ReplaceAllString(got.stdout, `"$1": "..."`))
		})
	}
}

func TestExitCodes(t *testing.T) {
	for _, row := range rows(t, "exit.txt", " ") {
		t.Run(row[1], func(t *testing.T) {
			got := run(t, words(row[1])...)
			if code := string(rune('0' + got.code)); code != row[0] {
				t.Errorf("exit code %s, want %s\n%s%s", code, row[0], got.stdout, got.stderr)
			}
			if got.stdout == "" {
				t.Error("there is no result")
			}
			if lines := strings.Count(got.stderr, "\n"); (got.code == cli.ExitError) != (lines == 1) || lines > 1 {
				t.Errorf("exit code %d with these lines on stderr:\n%s", got.code, got.stderr)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	for _, row := range rows(t, "errors.txt", "=>") {
		t.Run(row[0], func(t *testing.T) {
			want := result{code: cli.ExitError, stderr: "fleetaudit: " + row[1] + "\n"}
			got := run(t, words(row[0])...)
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(result{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// fullDisk takes nothing.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, os.ErrPermission }

func TestResultCannotBeWritten(t *testing.T) {
	for _, args := range []string{
		"audit testdata/sound --as-of 2030-01-01",
		"audit testdata/sound --as-of 2030-01-01 --format json",
		"schedule next --frequency DAILY",
		"checks",
		"version",
	} {
		var stderr bytes.Buffer
		code := cli.Run(t.Context(), words(args), nil, fullDisk{}, &stderr)
		if want := "fleetaudit: the result cannot be written: permission denied\n"; code != cli.ExitError || stderr.String() != want {
			t.Errorf("%s: exit code %d, stderr %q, want 2, %q", args, code, stderr.String(), want)
		}
	}
}

func TestStandardInput(t *testing.T) {
	bundle, err := os.ReadFile("testdata/sound/ca.pem")
	require.NoError(t, err)
	var stdout, stderr bytes.Buffer
	code := cli.Run(t.Context(), []string{"audit", "-", "--as-of", "2044-12-31", "--check", "CA_CERTIFICATE_EXPIRING_CHECK", "--fail-on", "low"},
		bytes.NewReader(bundle), &stdout, &stderr)
	if code != cli.ExitFindings || stderr.String() != "" {
		t.Errorf("exit code %d, stderr %q, want 1 and nothing", code, stderr.String())
	}
	golden(t, "golden/stdin.txt", stdout.String())
}

func TestInterruptedWhileReading(t *testing.T) {
	reader, writer, err := os.Pipe()
	require.NoError(t, err)
	defer reader.Close()
	defer writer.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	code := cli.Run(ctx, []string{"audit", "-"}, reader, &stdout, &stderr)
	want := result{cli.ExitError, "", "fleetaudit: interrupted while reading, nothing was audited\n"}
	if diff := cmp.Diff(want, result{code, stdout.String(), stderr.String()}, cmp.AllowUnexported(result{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCompletion(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"checks REVOKED_CA", "REVOKED_CA_CERTIFICATE_STILL_ACTIVE_CHECK\tRevoked CA certificate is still active\n:4\n"},
		{"audit --check CA_", "CA_CERTIFICATE_EXPIRING_CHECK\tCA certificate is expiring\nCA_CERTIFICATE_KEY_QUALITY_CHECK\tCA certificate has a weak key\n:4\n"},
		{"audit --check X,LOG", "X,LOGGING_DISABLED_CHECK\tLogging is disabled\n:4\n"},
		{"audit --fail-on C", "CRITICAL\nHIGH\nMEDIUM\nLOW\nNONE\n:4\n"},
		{"audit --suppressions acc", ":0\n"}, // files, whatever they are called
		{"audit --data hi", ":16\n"},         // folders
		{"serve --data da", ":16\n"},
		{"serve --log-level w", "debug\ninfo\nwarn\nerror\n:4\n"},
		{"serve --credentials ke", ":0\n"},
		{"schedule next --frequency D", "DAILY\nWEEKLY\nBIWEEKLY\nMONTHLY\n:4\n"},
	} {
		got := run(t, append([]string{"__complete"}, words(test.args)...)...)
		if got.code != cli.ExitOK || got.stdout != test.want {
			t.Errorf("%s: exit code %d, stdout %q, want %q", test.args, got.code, got.stdout, test.want)
		}
	}
}

func TestVersion(t *testing.T) {
	got := run(t, "version")
	if !regexp.MustCompile(`\Afleetaudit \S+, go\S+ \w+/\w+(, revision \w+( with changes)?)?\n\z`).MatchString(got.stdout) {
		t.Errorf("version says %q", got.stdout)
	}
}

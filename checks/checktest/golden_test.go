package checktest_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/checktest"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// A flag as many tests have it, which checktest must neither declare again nor ignore.
var _ = flag.Bool("update", false, "rewrite the golden files")

const golden = `{"checkName":"PASSWORD_CHECK","severity":"HIGH","nonCompliantResource":{"resourceType":"CLIENT_ID","resourceIdentifier":{"clientId":"bell"}},"reasonForNonCompliance":"Its password is <admin>.","reasonForNonComplianceCode":"DEFAULT_PASSWORD"}
{"checkName":"PASSWORD_CHECK","severity":"HIGH","nonCompliantResource":{"resourceType":"CLIENT_ID","resourceIdentifier":{"clientId":"lamp"}},"reasonForNonCompliance":"Its password is <admin>.","reasonForNonComplianceCode":"DEFAULT_PASSWORD"}
{"checkName":"PASSWORD_CHECK","severity":"HIGH","nonCompliantResource":{"resourceType":"CLIENT_ID","resourceIdentifier":{"clientId":"oven"}},"reasonForNonCompliance":"Its password is <admin>.","reasonForNonComplianceCode":"DEFAULT_PASSWORD"}
`

func TestGolden(t *testing.T) {
	check := passwords(checks.Slice("devices", fleet()))
	bell, rest, _ := strings.Cut(golden, "\n")
	for _, row := range []struct {
		name string
		file string
		c    checktest.Case
		want string // of the failure, with PATH for the file's
	}{
		{"same", golden, checktest.Case{WantScanned: 5}, ""},
		{"another order, line ends of Windows", strings.ReplaceAll(rest+bell, "\n", "\r\n"), checktest.Case{}, ""},
		{"unexpected", rest, checktest.Case{},
			"PASSWORD_CHECK: findings (- only in PATH, + only found now; CHECKTEST_UPDATE=1 rewrites the file):\n+ " + bell + "\n"},
		{"another word", strings.Replace(golden, "<admin>", "admin", 1), checktest.Case{},
			"PASSWORD_CHECK: findings (- only in PATH, + only found now; CHECKTEST_UPDATE=1 rewrites the file):\n+ " + bell + "\n- " + strings.Replace(bell, "<admin>", "admin", 1) + "\n"},
		{"count", golden, checktest.Case{WantScanned: 7}, "PASSWORD_CHECK counted 5 resources as checked, want 7"},
		{"no error", golden, checktest.Case{WantErr: errLost}, `PASSWORD_CHECK completed, want an error that is "connection lost"`},
		{"Want", golden, checktest.Case{Want: found}, "Case.Want must be nil: the golden file says what is wanted"},
	} {
		path := filepath.Join(t.TempDir(), "x.golden")
		require.NoError(t, os.WriteFile(path, []byte(row.file), 0o666))
		got, _ := record(t, func(t testing.TB) { checktest.Golden(t, check, row.c, path) })
		var want []string
		if row.want != "" {
			want = []string{strings.ReplaceAll(row.want, "PATH", path)}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: failures (-want +got):\n%s", row.name, diff)
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != row.file {
			t.Errorf("%s: the file was changed (%v)", row.name, err)
		}
	}
}

func TestGoldenUpdate(t *testing.T) {
	check := passwords(checks.Slice("devices", fleet()))
	path := filepath.Join(t.TempDir(), "testdata", "new", "x.golden")
	run := func(check checks.Check) (failures, logs []string) {
		return record(t, func(t testing.TB) { checktest.Golden(t, check, checktest.Case{}, path) })
	}
	wrote := []string{"wrote " + path + ": 3 findings"}
	read := func() string {
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, os.Remove(path))
		return string(b)
	}

	failures, _ := run(check)
	want := []string{"PASSWORD_CHECK: open " + path + ": no such file or directory; run the test with CHECKTEST_UPDATE=1 to make it"}
	if diff := cmp.Diff(want, failures); diff != "" {
		t.Errorf("no file: failures (-want +got):\n%s", diff)
	}

	t.Setenv("CHECKTEST_UPDATE", "1")
	failures, logs := run(check)
	if diff := cmp.Diff(wrote, logs); diff != "" || failures != nil {
		t.Errorf("variable: failures %q, log (-want +got):\n%s", failures, diff)
	}
	if diff := cmp.Diff(golden, read()); diff != "" {
		t.Errorf("variable: file (-want +got):\n%s", diff)
	}
	failures, _ = run(checks.New(spec(), nil)) // it panics
	if _, err := os.Stat(path); len(failures) != 1 || err == nil {
		t.Errorf("check that fails: failures %q, and the file was written", failures)
	}

	t.Setenv("CHECKTEST_UPDATE", "yes")
	failures, _ = run(check)
	if diff := cmp.Diff([]string{`CHECKTEST_UPDATE="yes" must be 1 or 0`}, failures); diff != "" {
		t.Errorf("variable with another value: failures (-want +got):\n%s", diff)
	}

	t.Setenv("CHECKTEST_UPDATE", "0")
	require.NoError(t, flag.Set("update", "true"))
	t.Cleanup(func() { require.NoError(t, flag.Set("update", "false")) })
	failures, logs = run(check)
	if diff := cmp.Diff(wrote, logs); diff != "" || failures != nil {
		t.Errorf("flag: failures %q, log (-want +got):\n%s", failures, diff)
	}
	if diff := cmp.Diff(golden, read()); diff != "" {
		t.Errorf("flag: file (-want +got):\n%s", diff)
	}
}

package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/builtin"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/cli"
	"github.com/fleetaudit/fleetaudit/model"
)

// wellBehaved checks what holds for every run: an exit code that the help explains, no escape codes, and
// errors of one line.
func wellBehaved(t *testing.T, args []string, stdin string) {
	var stdout, stderr bytes.Buffer
	code := cli.Run(context.Background(), args, strings.NewReader(stdin), &stdout, &stderr)
	if code != cli.ExitOK && code != cli.ExitFindings && code != cli.ExitError {
		t.Errorf("%q: exit code %d", args, code)
	}
	if n := strings.Count(stderr.String(), "\n"); n > 1 || (n == 1) != (code == cli.ExitError) {
		t.Errorf("%q: exit code %d, stderr %q", args, code, stderr.String())
	}
	for _, text := range []string{stdout.String(), stderr.String()} {
		if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsGraphic(r) }); i >= 0 {
			t.Errorf("%q: the text holds %q", args, text[i:])
		}
	}
}

// FuzzScheduleNext tries command lines; words are separated by spaces.
func FuzzScheduleNext(f *testing.F) {
	for _, seed := range []string{
		"--frequency MONTHLY --day-of-month LAST", "--frequency weekly --day-of-week MON -n 3 --format json",
		"--frequency BIWEEKLY --day-of-week=fri --anchor 2026-01-01 --zone Pacific/Apia --from 2011-12-29",
		"--at 25:00", "-n=-1", "--zone /etc", "x", "-", "--",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		wellBehaved(t, append([]string{"schedule", "next"}, strings.Split(line, " ")...), "")
	})
}

// FuzzAudit tries files.
func FuzzAudit(f *testing.F) {
	for _, name := range []string{"sound/ca.pem", "sound/valve-1.der", "sound/root.crl", "fleet/devices/malformed.pem", "fleet/devices/hostile.pem"} {
		b, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
	for _, name := range []string{"identity/pools.json", "policies/buildings.json", "policies/doorbell.json", "roles/aliases.json", "registry/accounts.json", "connections/2024-05.jsonl", "keys/weak-debian-keys.txt"} {
		b, err := os.ReadFile(filepath.Join(example, name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
	f.Fuzz(func(t *testing.T, file string) {
		for _, at := range []string{asOf, exampleAsOf} {
			wellBehaved(t, []string{"audit", "-", "--as-of", at, "--all", "--width", "80"}, file)
			var stdout bytes.Buffer
			cli.Run(context.Background(), []string{"audit", "-", "--as-of", at, "--format", "json"}, strings.NewReader(file), &stdout, new(bytes.Buffer))
			if stdout.Len() > 0 {
				decode(t, stdout.String())
			}
		}
	})
}

// FuzzSuppressions tries files of suppressions. One that is taken says the same when it is written anew, and the
// audit has no more to say against it.
func FuzzSuppressions(f *testing.F) {
	example, err := os.ReadFile(exampleSuppressions)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(example))
	for _, seed := range []string{
		suppressions(), suppressions(aSuppression), "\uFEFF" + suppressions(aSuppression), suppressions(aSuppression, aSuppression),
		suppressions(strings.Replace(aSuppression, "pump-1", `\u001b[2J\u202e`, 1)),
		suppressions(strings.Replace(aSuppression, `"suppressIndefinitely": true`, `"expirationDate": 1597881600.5`, 1)),
		suppressions(strings.Replace(aSuppression, "true", "null", 1)), "{}", "[", `{"suppressions": [[]]}`, "{\"\xff\": 0}",
	} {
		f.Add(seed)
	}
	var specs []checks.Spec
	for _, c := range builtin.All(inventory.New(inventory.Contents{})) {
		specs = append(specs, c.Spec())
	}
	name := filepath.Join(f.TempDir(), "suppressions.json")
	f.Fuzz(func(t *testing.T, file string) {
		list, err := cli.ParseSuppressions([]byte(file), specs)
		if err != nil {
			if list != nil || strings.ContainsFunc(err.Error(), func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("%q: %d suppressions and the error %q", file, len(list), err)
			}
			return
		}
		written, err := json.Marshal(map[string]any{"suppressions": append([]model.AuditSuppression{}, list...)})
		require.NoError(t, err)
		again, err := cli.ParseSuppressions(written, specs)
		require.NoError(t, err)
		if diff := cmp.Diff(list, again); diff != "" {
			t.Errorf("%q, written anew (-first +second):\n%s", file, diff)
		}
		require.NoError(t, os.WriteFile(name, []byte(file), 0o600))
		for _, more := range [][]string{{"--width", "72"}, {"--width", "200", "--all"}} {
			args := append([]string{"audit", "testdata/sound", "-", "--as-of", asOf, "--forecast", "2044-01-01", "--allow-unread", "--suppressions", name}, more...)
			wellBehaved(t, args, `{"accounts": [`+anAccount+`]}`+connected)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("2030-01-31", "03:30", "CERT_AGE_THRESHOLD_IN_DAYS=60")
	f.Add("2030-01-31T12:00:00+02:00", "23:59:59", "DEVICE_CERTIFICATE_AGE_CHECK.CERT_AGE_THRESHOLD_IN_DAYS=60")
	specs := []checks.Spec{check("A_CHECK", model.AuditFindingSeverityLow, fine)(inventory.New(inventory.Contents{})).Spec()}
	specs[0].Params = []checks.Param{{Name: "DAYS", Default: 30, Min: 30, Max: 60}}
	f.Fuzz(func(t *testing.T, date, clock, param string) {
		if d, err := cli.ParseDate("from", date, time.UTC); err == nil && (d.Year() < 1950 || d.Year() > 9998) {
			t.Errorf("date %q is %v", date, d)
		}
		if c, err := cli.ParseClock("at", clock); err == nil && (c < 0 || c >= 24*time.Hour) {
			t.Errorf("clock %q is %v", clock, c)
		}
		if set, err := cli.ParseParams([]string{param}, specs); err == nil {
			n := set["A_CHECK"]["DAYS"]
			if len(set) != 1 || len(n) != 2 || n < "30" || n > "60" {
				t.Errorf("param %q sets %v", param, set)
			}
		}
		for _, near := range cli.Nearest(date, []string{"audit", "schedule", "checks"}) {
			if near != "audit" && near != "schedule" && near != "checks" {
				t.Errorf("nearest to %q is %q", date, near)
			}
		}
	})
}

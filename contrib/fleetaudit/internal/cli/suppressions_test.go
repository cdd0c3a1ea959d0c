package cli_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/cli"
	"github.com/fleetaudit/fleetaudit/model"
)

// aSuppression is one of a file.
const aSuppression = `{"checkName": "CONFLICTING_CLIENT_IDS_CHECK", "resourceIdentifier": {"clientId": "pump-1"}, "suppressIndefinitely": true}`

// suppressions is a file of them.
func suppressions(elements ...string) string {
	return `{"suppressions": [` + strings.Join(elements, ", ") + `]}`
}

// with replaces something in aSuppression.
func with(old, new string) string { return strings.Replace(aSuppression, old, new, 1) }

// TestSuppressionsRead has files that are as the AWS CLI prints them, or nearly so.
func TestSuppressionsRead(t *testing.T) {
	until := func(date string) string { return with(`"suppressIndefinitely": true`, `"expirationDate": `+date) }
	want := func(at string) model.AuditSuppression {
		s := model.AuditSuppression{CheckName: "CONFLICTING_CLIENT_IDS_CHECK", ResourceIdentifier: model.ResourceIdentifier{ClientID: "pump-1"}}
		if at == "" {
			s.SuppressIndefinitely = new(true)
			return s
		}
		var err error
		s.ExpirationDate, err = model.ParseTimestamp(at)
		require.NoError(t, err)
		return s
	}
	dated := want("2024-08-20")
	dated.SuppressIndefinitely, dated.Description = new(false), "Why."
	everything := dated
	everything.ResourceIdentifier = model.ResourceIdentifier{
		DeviceCertificateID: strings.Repeat("0a", 32), CACertificateID: strings.Repeat("0b", 32), CognitoIdentityPoolID: "eu-west-1:0c", ClientID: "d",
		PolicyVersionIdentifier: model.PolicyVersionIdentifier{PolicyName: "e", PolicyVersionID: "1"}, Account: "123456789012",
		IAMRoleARN: "arn:aws:iam::123456789012:role/f", RoleAliasARN: "arn:aws:iot:eu-west-1:123456789012:rolealias/g",
		IssuerCertificateIdentifier: model.IssuerCertificateIdentifier{IssuerCertificateSubject: "CN=h", IssuerID: "0f", IssuerCertificateSerialNumber: "0:1"},
		DeviceCertificateARN:        "arn:aws:iot:eu-west-1:123456789012:cert/j",
	}
	written, err := json.Marshal(everything)
	require.NoError(t, err)
	for _, row := range []struct {
		name, file string
		want       []model.AuditSuppression
	}{
		{"every member of a resource", suppressions(string(written)), []model.AuditSuppression{everything}},
		{"none", suppressions(), []model.AuditSuppression{}},
		{"indefinite", suppressions(aSuppression), []model.AuditSuppression{want("")}},
		{"version 1 of the AWS CLI", suppressions(until("1724112000.0")), []model.AuditSuppression{want("2024-08-20T00:00:00Z")}},
		{"version 2 of the AWS CLI", suppressions(until(`"2024-08-20T00:00:00+00:00"`)), []model.AuditSuppression{want("2024-08-20T00:00:00Z")}},
		{"another zone", suppressions(until(`"2024-08-20T00:00:00.5+02:00"`)), []model.AuditSuppression{want("2024-08-19T22:00:00.5Z")}},
		{"a date", suppressions(until(`"2024-08-20"`)), []model.AuditSuppression{want("2024-08-20T00:00:00Z")}},
		{"with a byte order mark", "\uFEFF" + suppressions(aSuppression) + "\r\n", []model.AuditSuppression{want("")}},
		{"every member", suppressions(until(`"2024-08-20", "suppressIndefinitely": false, "description": "Why."`)), []model.AuditSuppression{dated}},
	} {
		got, err := cli.ParseSuppressions([]byte(row.file), []checks.Spec{{Name: "CONFLICTING_CLIENT_IDS_CHECK"}})
		require.NoError(t, err, row.name)
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}

// TestBadSuppressions has files that are refused, before a fleet that does not exist is looked for.
func TestBadSuppressions(t *testing.T) {
	for _, row := range []struct{ name, file, want string }{
		{"empty", "", "is no JSON, as its first 0 bytes show: unexpected end of JSON input"},
		{"torn", suppressions(aSuppression)[:100], "is no JSON, as its first 100 bytes show: unexpected end of JSON input"},
		{"no JSON", "{]", "is no JSON, as its first 2 bytes show: invalid character ']' looking for beginning of object key string"},
		{"something after the end", "\uFEFF" + suppressions() + " {", "is no JSON, as its first 25 bytes show: invalid character '{' after top-level value"},
		{"not UTF-8", suppressions(with("pump-1", "pump-\xff")), "is not UTF-8 at byte 105"},
		{"deep", strings.Repeat("[", 100_000), "is no JSON, as its first 10001 bytes show: invalid character '[' exceeded max depth"},
		{"a list", "[" + aSuppression + "]", "the document must be an object, is a list"},
		{"nothing", "{}", "suppressions is required"},
		{"null", `{"suppressions": null}`, "suppressions null must be a list"},
		{"an object", `{"suppressions": {}}`, "suppressions must be a list, is an object"},
		{"other capitals", `{"Suppressions": []}`, "Suppressions is unknown; the members are suppressions"},
		{"twice", `{"suppressions": [], "suppressions": []}`, "suppressions is there twice"},
		{"a page", `{"suppressions": [], "NextToken": "x"}`, "NextToken must be absent: it says that there are more suppressions, and all are needed"},
		{"a text", suppressions(aSuppression, `"x"`), `suppressions[1] "x" must be an object`},
		{"unknown member", suppressions(with("checkName", "check\u202ename")), `suppressions[0]["check\u202ename"] is unknown; ` +
			"the members are checkName, resourceIdentifier, expirationDate, suppressIndefinitely, description"},
		{"unknown member below", suppressions(with("clientId", "clientID")), "suppressions[0].resourceIdentifier.clientID is unknown; the members are " +
			"deviceCertificateId, caCertificateId, cognitoIdentityPoolId, clientId, policyVersionIdentifier, account, iamRoleArn, roleAliasArn, " +
			"issuerCertificateIdentifier, deviceCertificateArn"},
		{"member twice", suppressions(with(`"clientId"`, `"clientId": "pump-2", "clientId"`)), "suppressions[0].resourceIdentifier.clientId is there twice"},
		{"a number for a text", suppressions(with(`"pump-1"`, "17000000000000000000000")), "suppressions[0].resourceIdentifier.clientId 17000000000000000000000 must be a string"},
		{"a long number for a text", suppressions(with(`"pump-1"`, strings.Repeat("1", 1000))), "suppressions[0].resourceIdentifier.clientId " + strings.Repeat("1", 80) + " must be a string"},
		{"a text for a flag", suppressions(with("true", `"yes"`)), `suppressions[0].suppressIndefinitely "yes" must be true or false`},
		{"null for a flag", suppressions(with("true", "null")), "suppressions[0].suppressIndefinitely null must be true or false"},
		{"a flag for a date", suppressions(with("suppressIndefinitely", "expirationDate")), "suppressions[0].expirationDate true must be a time: epoch seconds, an RFC 3339 time or a date"},
		{"a list for a date", suppressions(with(`"suppressIndefinitely": true`, `"expirationDate": []`)), "suppressions[0].expirationDate must be a time: epoch seconds, an RFC 3339 time or a date, is a list"},
		{"no date", suppressions(with(`"suppressIndefinitely": true`, `"expirationDate": "soon"`)), `suppressions[0].expirationDate "soon" is not a time: ` +
			"want epoch seconds, an RFC 3339 time or a date, of year 1 to 9999"},
		{"milliseconds", suppressions(with(`"suppressIndefinitely": true`, `"expirationDate": 1724112000000`)), `suppressions[0].expirationDate "1724112000000" is not a time: ` +
			"want epoch seconds, an RFC 3339 time or a date, of year 1 to 9999"},
		{"an object for a text", suppressions(with(`"CONFLICTING_CLIENT_IDS_CHECK"`, "{}")), "suppressions[0].checkName must be a string, is an object"},
		{"a text for an object", suppressions(with(`{"clientId": "pump-1"}`, `"pump-1"`)), `suppressions[0].resourceIdentifier "pump-1" must be an object`},
		{"no such check", suppressions(aSuppression, with("IDS_", "ID_")), `suppressions[1].checkName "CONFLICTING_CLIENT_ID_CHECK" is not a check: did you mean CONFLICTING_CLIENT_IDS_CHECK?`},
		{"a check in small letters", suppressions(strings.Replace(aSuppression, "CONFLICTING_CLIENT_IDS_CHECK", "logging_disabled_check", 1)),
			`suppressions[0].checkName "logging_disabled_check" is not a check: did you mean LOGGING_DISABLED_CHECK?`},
		{"a resource of nothing", suppressions(with(`"clientId": "pump-1"`, "")), "suppressions[0].resourceIdentifier is required"},
		{"wrong id", suppressions(with(`"clientId": "pump-1"`, `"account": "12"`)), `suppressions[0].resourceIdentifier.account "12" must have exactly 12 characters`},
		{"control characters", suppressions(with("true", `true, "description": "a\u001b[2J"`)), `suppressions[0].description "a\x1b[2J" must match [\p{Graph}\x20]*`},
		{"for how long", suppressions(aSuppression, with(`, "suppressIndefinitely": true`, "")), "suppressions[1].expirationDate is required, or else suppressIndefinitely true"},
		{"not for good", suppressions(with("true", "false")), "suppressions[0].expirationDate is required when suppressIndefinitely is false"},
		{"both", suppressions(with("true", `true, "expirationDate": "2024-08-20"`)), `suppressions[0].expirationDate "2024-08-20T00:00:00Z" must not be given together with suppressIndefinitely true`},
		{"several problems", suppressions(`{"description": "x"}`), "suppressions[0].checkName is required; suppressions[0].resourceIdentifier is required; " +
			"suppressions[0].expirationDate is required, or else suppressIndefinitely true"},
		{"the same resource", suppressions(aSuppression, with("pump-1", "pump-2"), with("true", `true, "description": "x"`)),
			`suppressions[2].resourceIdentifier "pump-1" has a suppression of CONFLICTING_CLIENT_IDS_CHECK already, suppressions[0]`},
	} {
		t.Run(row.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "s.json")
			require.NoError(t, os.WriteFile(name, []byte(row.file), 0o600))
			want := result{code: cli.ExitError, stderr: "fleetaudit: " + name + ": " + row.want + "\n"}
			if diff := cmp.Diff(want, run(t, "audit", "testdata/none", "--suppressions", name), cmp.AllowUnexported(result{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestSuppressionsFileTooLarge has a file with one byte too much.
func TestSuppressionsFileTooLarge(t *testing.T) {
	name := filepath.Join(t.TempDir(), "s.json")
	require.NoError(t, os.WriteFile(name, nil, 0o600))
	require.NoError(t, os.Truncate(name, 64<<20+1))
	want := result{code: cli.ExitError, stderr: "fleetaudit: " + name + ": is larger than 67108864 bytes\n"}
	if diff := cmp.Diff(want, run(t, "audit", "testdata/none", "--suppressions", name), cmp.AllowUnexported(result{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestSuppressed suppresses findings of a check about one, two and three certificates.
func TestSuppressed(t *testing.T) {
	ids := make(map[string]string) // by subject
	seen := check("SEEN_CHECK", model.AuditFindingSeverityHigh, func(_ context.Context, pass *checks.Pass, c *inventory.Certificate) error {
		if c.ParseError == "" {
			report(pass, c)
		}
		return nil
	})
	for key, r := range decode(t, run(t, "audit", "testdata/fleet/devices", "--as-of", asOf, "--format", "json").stdout).Resources {
		ids[strings.TrimSuffix(strings.TrimPrefix(r.Subject, "CN="), ",O=Example")] = key
	}
	file := func(t *testing.T, expires string, devices ...string) string {
		var all []string
		for _, d := range devices {
			require.NotEmpty(t, ids[d], d)
			all = append(all, `{"checkName": "SEEN_CHECK", "resourceIdentifier": {"deviceCertificateId": "`+ids[d]+`"}, "expirationDate": "`+expires+`"}`)
		}
		name := filepath.Join(t.TempDir(), "s.json")
		require.NoError(t, os.WriteFile(name, []byte(suppressions(all...)), 0o600))
		return name
	}
	for _, row := range []struct {
		name, expires string
		devices       []string
		code          int
		status        model.AuditCheckRunStatus
		want          []string // in the table report
		not           []string
	}{
		{"none", "2031-01-01", nil, cli.ExitFindings, "COMPLETED_NON_COMPLIANT", []string{"0 in force\n", "3 findings: 3 HIGH\n"}, []string{"SUPPRESSED", "suppressed"}},
		{"one", "2031-01-01", []string{"pump-1"}, cli.ExitFindings, "COMPLETED_NON_COMPLIANT",
			[]string{"NON-COMPLIANT        3        2           1\n", "SEEN (2): It was seen.", "1 resource suppressed.", "1 in force\n", "2 findings, 1 suppressed: 2 HIGH\n"},
			[]string{"Expir", "Matched", "CN=pump-1"}},
		{"two", "2031-01-01", []string{"pump-1", "pump-3"}, cli.ExitFindings, "COMPLETED_NON_COMPLIANT",
			[]string{"2 resources suppressed.", "1 finding, 2 suppressed: 1 HIGH\n"}, []string{"CN=pump-1", "CN=pump-3"}},
		{"all", "2031-01-01", []string{"pump-1", "pump-2", "pump-3"}, cli.ExitOK, "COMPLETED_COMPLIANT",
			[]string{"compliant        3        0           3\n", "No findings, 3 suppressed\n"}, []string{"What to do", "SEEN (", "resources suppressed"}},
		{"for the last second", "2030-01-01T00:00:00.001Z", []string{"pump-1", "pump-2", "pump-3"}, cli.ExitOK, "COMPLETED_COMPLIANT",
			[]string{"No findings, 3 suppressed\n", "Expiring within 30 days (3)\n"}, nil},
		{"no longer", "2030-01-01", []string{"pump-1", "pump-2", "pump-3"}, cli.ExitFindings, "COMPLETED_NON_COMPLIANT",
			[]string{"0 in force, 3 expired\n", "Expired (3): what", "3 findings: 3 HIGH\n"}, []string{"SUPPRESSED", "suppressed"}},
		{"for 30 days", "2030-01-31", []string{"pump-1"}, cli.ExitFindings, "COMPLETED_NON_COMPLIANT", []string{"Expiring within 30 days (1)\n"}, nil},
		{"for more", "2030-01-31T00:00:00.001Z", []string{"pump-1"}, cli.ExitFindings, "COMPLETED_NON_COMPLIANT", []string{"1 in force\n"}, []string{"Expir"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			three := filepath.Join(t.TempDir(), "three.pem")
			b, err := os.ReadFile("testdata/fleet/devices/pumps.pem")
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(three, []byte(strings.Join(strings.SplitAfterN(string(b), "-----END CERTIFICATE-----\n", 4)[:3], "")), 0o600))
			const line = "audit --as-of 2030-01-01 --fail-on HIGH --width 500" // wide enough for the names of files
			args := []string{three, "--suppressions", file(t, row.expires, row.devices...)}
			makers := []func(*inventory.Inventory) checks.Check{seen}
			got := runWith(t.Context(), makers, line, args...)
			if got.code != row.code || got.stderr != "" {
				t.Errorf("exit code %d, want %d, stderr %q", got.code, row.code, got.stderr)
			}
			for _, words := range row.want {
				if !strings.Contains(got.stdout, words) {
					t.Errorf("the report lacks %q:\n%s", words, got.stdout)
				}
			}
			for _, words := range row.not {
				if strings.Contains(got.stdout, words) {
					t.Errorf("the report has %q:\n%s", words, got.stdout)
				}
			}
			doc := decode(t, runWith(t.Context(), makers, line+" --format json", args...).stdout)
			if status := doc.AuditTask.AuditDetails["SEEN_CHECK"].CheckRunStatus; status != row.status || len(doc.Findings) != 3 {
				t.Errorf("status %s and %d findings, want %s and 3", status, len(doc.Findings), row.status)
			}
		})
	}
}

// TestHostileSuppressions has ids that would clear a terminal, more than are shown.
func TestHostileSuppressions(t *testing.T) {
	var all []string
	for _, tail := range strings.Split("abcdefghijklm", "") {
		all = append(all, with("pump-1", `\u001b[2J\u202e `+tail))
	}
	connections, err := filepath.Abs(filepath.Join(example, "connections"))
	require.NoError(t, err)
	t.Chdir(t.TempDir()) // a long name would be told in two lines
	const name = "s\x1b[2J.json"
	require.NoError(t, os.WriteFile(name, []byte(suppressions(all...)), 0o600))
	for _, width := range []string{"72", "200"} {
		args := []string{"audit", connections, "--as-of", exampleAsOf, "--width", width, "--suppressions", name}
		cut, whole := run(t, args...), run(t, append(args, "--all")...)
		for _, got := range []result{cut, whole} {
			if strings.ContainsAny(got.stdout, "\x1b\u202e") || got.code != cli.ExitOK {
				t.Errorf("exit code %d, and the report has a character that is not to be seen:\n%q", got.code, got.stdout)
			}
		}
		for _, want := range []string{`s\x1b[2J.json: 13 in force`, "Matched nothing (13): ", `\x1b[2J\u202e j`, "  never", "... and 3 more (--all shows them)\n"} {
			if !strings.Contains(cut.stdout, want) {
				t.Errorf("the report lacks %q:\n%s", want, cut.stdout)
			}
		}
		if strings.Contains(cut.stdout, `\u202e k`) || !strings.Contains(whole.stdout, `\u202e m`) {
			t.Errorf("the list is cut at the wrong place:\n%s\n%s", cut.stdout, whole.stdout)
		}
	}
}

// TestInterruptedBeforeReadingSuppressions is too late even for a file that is there.
func TestInterruptedBeforeReadingSuppressions(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got := runWith(ctx, nil, "audit testdata/sound --suppressions "+exampleSuppressions)
	want := result{cli.ExitError, "", "fleetaudit: interrupted while reading, nothing was audited\n"}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(result{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

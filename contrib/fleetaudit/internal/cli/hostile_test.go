package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/cli"
)

const (
	anAccount = `{"account": "123456789012"}`
	broad     = `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"}}`
	connected = `{"clientId": "lock-7", "timestamp": 1717142400000, "eventType": "connected"}` + "\n"
)

// policies is a fleet object with the elements of policies.
func policies(elements string) string { return `{"policies": [` + elements + `]}` }

// policy is an element of policies.
func policy(name, document string) string {
	return fmt.Sprintf(`{"policyName": %q, "policyVersionId": "1", "policyDocument": %s}`, name, document)
}

// TestBadFiles audits folders with something bad in them, and something good beside it. The good is audited, and the
// bad is told with its place.
func TestBadFiles(t *testing.T) {
	times := strings.Repeat
	for _, row := range []struct {
		name     string
		files    map[string]string // by name; one that begins with "->" is a link
		problems []string
		loaded   string // what the head of the report says
	}{
		{"malformed JSON", map[string]string{"f.json": policies(policy("p", broad) + `, {"policyName": "q" "x"}`)},
			[]string{`f.json:199: is no JSON from here on: invalid character '"' after object key:value pair`}, "1 policy version"},
		{"unknown members", map[string]string{"f.json": `{"polices": [], "accounts": [{"account": "123456789012", "alias": "x"}]}`},
			[]string{
				`f.json:1: "polices" is unknown; the members are policies, identityPools, roleAliases, certificates, accounts`,
				"f.json:57: accounts[0].alias is unknown; the members are account, loggingOptions, v2LoggingOptions",
			}, "1 account"},
		{"duplicate key", map[string]string{"f.json": policies(policy("p", `{"Statement": [], "Statement": []}`))},
			[]string{"f.json:94: policies[0].policyDocument.Statement is there twice"}, "1 policy version"},
		{"wrong type", map[string]string{"f.json": `{"accounts": [` + anAccount + `, {"account": 1}]}`},
			[]string{"f.json:55: accounts[1].account 1 must be a string"}, "1 account"},
		{"contradiction", map[string]string{"a.json": policies(policy("p", broad)), "p.json": strings.ReplaceAll(broad, "*", "x")},
			[]string{"p.json:0: version 1 of the policy p is not what a.json:14 says, which counts"}, "1 policy version"},
		{"torn last line", map[string]string{"events.jsonl": connected + connected[:40]},
			[]string{"events.jsonl:117: is no JSON from here on: it ends too early"}, "1 connection (1 client id)"},
		{"torn line", map[string]string{"events.jsonl": connected[:40] + "\n" + connected},
			[]string{"events.jsonl:41: is no JSON from here on: it ends too early"}, "1 connection (1 client id)"},
		{"event in seconds", map[string]string{"events.jsonl": connected + strings.Replace(connected, "000,", ",", 1)},
			[]string{"events.jsonl:113: timestamp 1717142400 must be a whole number of epoch milliseconds, not before the year 2000"}, "1 connection (1 client id)"},
		{"policy of 1 MB", map[string]string{"big.json": strings.Replace(broad, "*", times("x", 1<<20), 1), "p.json": broad},
			[]string{"big.json:0: the object has 1048676 characters, and may have 404600"}, "2 policy versions"},
		{"policy without end", map[string]string{"p.json": broad[:30]},
			[]string{"p.json:30: is no JSON from here on: it ends too early"}, ""},
		{"huge object", map[string]string{"huge.json": `{"accounts": [{"account": "` + times("1", 64<<20) + "\"}]}\n", "good.json": `{"accounts": [` + anAccount + `]}`},
			[]string{"huge.json:0: JSON object of 67108895 bytes is larger than 67108864, and is not read"}, "1 account"},
		{"links in a circle", map[string]string{"self": "->.", "a": "->b", "b": "->a", "lost": "->gone", "p.json": broad},
			[]string{
				"a:0: cannot be read: too many levels of symbolic links", "b:0: cannot be read: too many levels of symbolic links",
				"lost:0: cannot be read: no such file or directory",
			}, "1 policy version"},
		{"weak keys that are none", map[string]string{"keys": times("0123456789abcdef0123\n", 3) + "0123\n", "p.json": broad},
			[]string{`keys:0: blocklist line 4: "0123" is not 20 hexadecimal digits`}, "1 policy version"},
		{"registration of no certificate", map[string]string{"f.json": `{"certificates": [{"certificateId": "` + times("0a", 32) + `"}], "accounts": [` + anAccount + `]}`},
			[]string{"f.json:18: certificates[0] is about the certificate " + times("0a", 32) + ", which is in no file"}, "1 account"},
	} {
		t.Run(row.name, func(t *testing.T) {
			root := t.TempDir()
			for name, content := range row.files {
				path := filepath.Join(root, name)
				if target, ok := strings.CutPrefix(content, "->"); ok {
					require.NoError(t, os.Symlink(target, path))
					continue
				}
				require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
			}
			got := run(t, "audit", root, "--as-of", exampleAsOf, "--format", "json")
			if row.loaded == "" {
				want := result{code: cli.ExitError, stderr: "fleetaudit: nothing to audit was found: " + root + "/" + row.problems[0] + "\n"}
				if diff := cmp.Diff(want, got, cmp.AllowUnexported(result{})); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				return
			}
			const incomplete = "fleetaudit: the audit is not complete: not everything could be read (--allow-unread accepts that)\n"
			if got.code != cli.ExitError || got.stderr != incomplete {
				t.Errorf("exit code %d, stderr %q", got.code, got.stderr)
			}
			var problems []string
			for _, p := range decode(t, got.stdout).LoadProblems {
				short := strings.ReplaceAll(fmt.Sprintf("%s:%d: %s", p.File, p.Offset, p.Reason), root+"/", "")
				problems = append(problems, short)
			}
			if diff := cmp.Diff(row.problems, problems); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			text := run(t, "audit", root, "--as-of", exampleAsOf, "--allow-unread")
			if text.code != cli.ExitOK || !strings.Contains(text.stdout, "UTC: "+row.loaded+"\n") {
				t.Errorf("exit code %d with --allow-unread, want 0 and %q:\n%s", text.code, row.loaded, text.stdout)
			}
		})
	}
}

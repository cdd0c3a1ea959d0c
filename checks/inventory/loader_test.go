package inventory_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

func registered(id, more string) string {
	return fmt.Sprintf(`{"certificates": [{"certificateId": %q%s}]}`, id, more)
}

// TestRegistered puts together what the registry says of certificates, and the certificates, in either order.
func TestRegistered(t *testing.T) {
	ca := newCA(t, "CA", nil)
	authority, device := ca.certificate(), ca.issue(t, 5)
	since := time.Date(2024, 5, 1, 10, 0, 0, 0, time.UTC)
	type facts struct {
		Device, CA inventory.CertificateStatus
		Since      time.Time
	}
	active := inventory.CertificateStatusActive
	for _, test := range []struct {
		name, json string
		want       facts
		problems   []string
	}{
		{"nothing", registered(device.ID, ``), facts{active, active, time.Time{}}, nil},
		{"all", registered(device.ID, `, "status": "REVOKED", "creationDate": "2024-05-01T12:00:00+02:00"`),
			facts{inventory.CertificateStatusRevoked, active, since}, nil},
		{"upper case", registered(strings.ToUpper(device.ID), `, "status": "INACTIVE"`), facts{inventory.CertificateStatusInactive, active, time.Time{}}, nil},
		{"epoch seconds", registered(device.ID, `, "creationDate": 1714557600`), facts{active, active, since}, nil},
		{"CA", registered(authority.ID, `, "status": "INACTIVE"`), facts{active, inventory.CertificateStatusInactive, time.Time{}}, nil},
		{"status that no CA has", registered(authority.ID, `, "status": "REVOKED"`), facts{active, active, time.Time{}},
			[]string{"json:18: certificates[0].status REVOKED must be ACTIVE or INACTIVE, since the certificate is a CA's"}},
		{"certificate that is nowhere", registered(strings.Repeat("0", 64), ``), facts{active, active, time.Time{}},
			[]string{"json:18: certificates[0] is about the certificate " + strings.Repeat("0", 64) + ", which is in no file"}},
		{"two things", registered(device.ID, `, "status": "REVOKED"`) + registered(device.ID, `, "status": "ACTIVE"`),
			facts{inventory.CertificateStatusRevoked, active, time.Time{}},
			[]string{"json:144: registration of " + device.ID + " is not what json:18 says, which counts"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			pem := block("CERTIFICATE", ca.Raw) + block("CERTIFICATE", device.Raw)
			for _, files := range [][2][2]string{{{"json", test.json}, {"pem", pem}}, {{"pem", pem}, {"json", test.json}}} {
				var l inventory.Loader
				for _, f := range files {
					require.NoError(t, l.LoadReader(context.Background(), strings.NewReader(f[1]), f[0]))
				}
				loaded := l.Loaded()
				d, c := loaded.DeviceCertificates[0], loaded.CACertificates[0]
				if diff := cmp.Diff(test.want, facts{d.Status, c.Status, d.CreatedAt}); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				var problems []string
				for _, p := range loaded.Problems {
					problems = append(problems, p.String())
				}
				if diff := cmp.Diff(test.problems, problems); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
		})
	}
}

// TestLoader reads several places as one fleet.
func TestLoader(t *testing.T) {
	policy := func(id string) string {
		return fmt.Sprintf(`{"policies": [{"policyName": "p", "policyVersionId": %q, "isDefaultVersion": false, "policyDocument": {"Statement": []}}]}`, id)
	}
	event := func(client, kind string, at int64) string {
		return fmt.Sprintf(`{"clientId": %q, "timestamp": %d, "eventType": %q, "sessionIdentifier": "s"}`, client, at, kind)
	}
	root := t.TempDir()
	name := filepath.Join(root, "door.json")
	require.NoError(t, os.WriteFile(name, []byte(`{"Statement": []}`), 0o600))
	ctx := context.Background()
	var l inventory.Loader
	require.NoError(t, l.LoadFS(ctx, fstest.MapFS{
		"b":       {Data: []byte(policy("1") + "\nx")},
		"events":  {Data: []byte(event("c", "connected", 1717142400000))},
		"weak":    {Data: []byte("00006aa0ce2cd60e6660\n")},
		"letters": {Data: []byte("hello")},
	}))
	require.NoError(t, l.LoadReader(ctx, strings.NewReader(policy("1")+policy("2")), "a"))
	require.NoError(t, l.LoadReader(ctx, strings.NewReader(event("c", "disconnected", 1717142500000)), "more"))
	require.NoError(t, l.LoadReader(ctx, strings.NewReader("00006aa0ce2cd60e6660\n00008be7025d9f1a9088\n"), "weak too"))
	require.NoError(t, l.LoadReader(ctx, strings.NewReader("hello"), "word"))
	require.Error(t, l.Load(ctx, filepath.Join(root, "none")))
	for range 2 { // the second time, nothing is new
		require.NoError(t, l.Load(ctx, root))
		require.NoError(t, l.Load(ctx, name))
		require.NoError(t, l.LoadReader(ctx, strings.NewReader("{}"), "empty"))
	}
	got := l.Loaded()
	want := []string{
		fmt.Sprintf("policy door:1 %s:0", name), "policy p:2 a:" + fmt.Sprint(len(policy("1"))+14) + " (not default)", "policy p:1 b:14 (not default)",
		"client c 1", "weak keys 2",
		"problem b:" + fmt.Sprint(len(policy("1"))+1) + ": no JSON object begins here; nothing is read up to the next line that begins with one",
		"problem empty:0: object with none of the members policies, identityPools, roleAliases, certificates, accounts, eventType, Statement is not read",
		"problem word:0: neither PEM, DER nor JSON",
		fmt.Sprintf("ignored %s:0: second copy of %s:0", name, name), "ignored a:14: second copy of b:14",
		"ignored letters:0: plain text without any PEM block",
	}
	if diff := cmp.Diff(want, summary(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if c := got.Clients[0].Connections[0]; c.DisconnectedAt.IsZero() || !c.DisconnectedAt.Equal(c.ConnectedAt.Add(100*time.Second)) {
		t.Errorf("connection %+v", c)
	}
}

// TestPolicyFile: a document alone goes by the name of its file.
func TestPolicyFile(t *testing.T) {
	for file, want := range map[string]string{
		"lock":                         "policy lock:1 lock:0",
		"a b/lock.v2.json":             "policy lock.v2:1 a b/lock.v2.json:0",
		"the lock.json":                `problem the lock.json:0: policy document is not read: it goes by the name of its file, and "the lock" is not 1 to 128 letters, digits and characters of _+=,.@-`,
		".json":                        `problem .json:0: policy document is not read: it goes by the name of its file, and "" is not 1 to 128 letters, digits and characters of _+=,.@-`,
		strings.Repeat("x", 129):       "problem " + strings.Repeat("x", 129) + `:0: policy document is not read: it goes by the name of its file, and "` + strings.Repeat("x", 80) + `" is not 1 to 128 letters, digits and characters of _+=,.@-`,
		strings.Repeat("x", 128) + ".": "policy " + strings.Repeat("x", 128) + ":1 " + strings.Repeat("x", 128) + ".:0",
	} {
		l, err := inventory.LoadFS(context.Background(), fstest.MapFS{file: {Data: []byte(`{"Statement": []}`)}})
		require.NoError(t, err)
		if diff := cmp.Diff([]string{want}, summary(l)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
	}
}

// TestDocumentedFile loads the fleet that the package's comment shows.
func TestDocumentedFile(t *testing.T) {
	data, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	_, text, _ := strings.Cut(string(data), "//\t{\n//\t  \"policies\"")
	text, _, _ = strings.Cut(text, "\n//\n")
	var fleet strings.Builder
	for line := range strings.Lines("//\t{\n//\t  \"policies\"" + text) {
		line, _, _ = strings.Cut(strings.TrimPrefix(line, "//\t"), "?")
		line, _, _ = strings.Cut(line, "  what the registry")
		fleet.WriteString(strings.TrimRight(line, "\n") + "\n")
	}
	role, id := "arn:aws:iam::123456789012:role/log", strings.Repeat("0", 64)
	l := loadFile(t, strings.NewReplacer(`"..."`, `"`+role+`"`, "64 hexadecimal digits, the SHA-256 of its DER", id).Replace(fleet.String()))
	var got []string
	for _, line := range summary(l) {
		kind, _, _ := strings.Cut(line, " ")
		got = append(got, kind)
	}
	want := []string{"policy", "pool", "alias", "account", "problem"}
	if diff := cmp.Diff(want, got); diff != "" || !strings.Contains(l.Problems[0].What, "certificate "+id+", which is in no file") {
		t.Errorf("(-want +got):\n%s%s", diff, strings.Join(summary(l), "\n"))
	}
}

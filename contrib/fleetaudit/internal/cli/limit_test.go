package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// event is a line about a connection with a principal; of a client id, and in epoch milliseconds.
func event(kind, clientID, millis, principal string) string {
	return `{"clientId": "` + clientID + `", "timestamp": ` + millis + `, "eventType": "` + kind + `", "sessionIdentifier": "s", "principalIdentifier": "` + principal + "\"}\n"
}

// TestLimits looks at what a report says about weak keys and connections that were not looked for.
func TestLimits(t *testing.T) {
	const (
		certificate = "2e715088dbe63eae515ed5df7fce4485953129b61541e087ec7edb753e843f93"
		waiting     = "WAITING_FOR_DATA_COLLECTION"
		supply      = " were loaded (JSON objects with the eventType connected or disconnected)"
		shared      = "DEVICE_CERTIFICATE_SHARED_CHECK"
		conflicting = "CONFLICTING_CLIENT_IDS_CHECK"
		noWeakKeys  = "No list of Debian's weak keys was loaded: RSA keys were looked at for ROCA (CVE-2017-15361) and not for " +
			"CVE-2008-0166. The lists of Debian's package openssl-blacklist may be among the paths."
		oldEvents = "No connection event is of the 31 days before the audit, at which checks of connections look: the newest is of "
		april     = "1714521600000" // 2024-05-01, 31 days before the audit
		june      = "1717200000000" // the audit
		later     = "1717200000001"
		since     = "1714521600001"
	)
	rsa, err := os.ReadFile(filepath.Join(example, "devices", "nordlicht.pem"))
	require.NoError(t, err)
	ecdsa, err := os.ReadFile(filepath.Join(example, "devices", "camera-1.der"))
	require.NoError(t, err)
	for _, row := range []struct {
		name, check, file string
		notes             []string
		not               string // why the check did not run
	}{
		{"RSA keys", "DEVICE_CERTIFICATE_KEY_QUALITY_CHECK", string(rsa), []string{noWeakKeys}, ""},
		{"no RSA keys", "DEVICE_CERTIFICATE_KEY_QUALITY_CHECK", string(ecdsa), []string{}, ""},
		{"RSA keys and another check", "DEVICE_CERTIFICATE_AGE_CHECK", string(rsa), []string{}, ""},
		{"no events", shared, string(ecdsa), []string{}, waiting + " no events of connections" + supply},
		{"no events of clients", conflicting, string(ecdsa), []string{}, waiting + " no events of connections" + supply},
		{"no certificate connected", shared, event("connected", "c", since, "someone"), []string{}, waiting + " no events of connections with a device certificate" + supply},
		{"someone connected", conflicting, event("connected", "c", since, "someone"), []string{}, ""},
		{"too long ago", shared, event("connected", "c", april, certificate), []string{oldEvents + "2024-05-01 00:00 UTC."}, ""},
		{"too late", shared, event("connected", "c", later, certificate), []string{oldEvents + "2024-06-01 00:00 UTC."}, ""},
		{"in time", shared, event("connected", "c", since, certificate), []string{}, ""},
		{"just in time", shared, event("connected", "c", june, certificate), []string{}, ""},
		{"it ended in time", shared, event("connected", "c", april, certificate) + event("disconnected", "c", since, certificate), []string{}, ""},
		{"events and another check", "LOGGING_DISABLED_CHECK", event("connected", "c", april, certificate) + `{"accounts": [` + anAccount + `]}`, []string{}, ""},
		{"no policies", "IOT_POLICY_OVERLY_PERMISSIVE_CHECK", string(ecdsa), []string{}, " no policy versions were loaded (a policy document, or JSON with policies)"},
		{"no pools", "UNAUTHENTICATED_COGNITO_ROLE_OVERLY_PERMISSIVE_CHECK", string(ecdsa), []string{}, " no identity pools were loaded (JSON with identityPools)"},
		{"no role aliases", "IOT_ROLE_ALIAS_OVERLY_PERMISSIVE_CHECK", string(ecdsa), []string{}, " no role aliases were loaded (JSON with roleAliases)"},
		{"no accounts", "LOGGING_DISABLED_CHECK", string(ecdsa), []string{}, " no account settings were loaded (JSON with accounts)"},
	} {
		t.Run(row.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "fleet")
			require.NoError(t, os.WriteFile(name, []byte(row.file), 0o600))
			got := run(t, "audit", name, "--as-of", exampleAsOf, "--check", row.check, "--format", "json")
			doc := decode(t, got.stdout)
			if diff := cmp.Diff(row.notes, doc.Notes); diff != "" {
				t.Errorf("notes (-want +got):\n%s", diff)
			}
			not := ""
			for _, n := range doc.NotRunChecks {
				not += n.CheckRunStatus + " " + n.Reason
			}
			if not != row.not || (doc.AuditTask == nil) != (row.not != "") {
				t.Errorf("not run: %q, want %q", not, row.not)
			}
			stderr := ""
			if _, why, ok := strings.Cut(row.not, " "); ok {
				stderr = "fleetaudit: the audit is not complete: " + row.check + " had nothing to look at: " + why + "\n"
			}
			if got.stderr != stderr {
				t.Errorf("stderr %q, want %q", got.stderr, stderr)
			}
		})
	}
}

package cli_test

import (
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// TestCoverage audits CA certificates with CRLs, and looks at what the report says about those without.
func TestCoverage(t *testing.T) {
	const check = "REVOKED_CA_CERTIFICATE_STILL_ACTIVE_CHECK"
	root := newCA(t, "Root", nil, "2020-01-01", "2045-01-01")
	other := newCA(t, "Other root", nil, "2020-01-01", "2045-01-01")
	line := newCA(t, "Line", root, "2020-01-01", "2045-01-01")
	otherLine := newCA(t, "Other line", other, "2020-01-01", "2045-01-01")
	crl := pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: root.revoke(t, otherLine.SerialNumber)})
	badCRL := pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: []byte{0x30, 3, 2, 1, 1}})
	badDevice := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{0x30, 0}})
	for _, row := range []struct {
		name  string
		check string
		file  []byte
		ran   bool
		notes []string
	}{
		{"all have", check, slices.Concat(root.pem(), line.pem(), crl), true, []string{}},
		{"a root needs none", check, slices.Concat(root.pem(), line.pem(), other.pem(), crl), true, []string{}},
		{"one has none", check, slices.Concat(root.pem(), line.pem(), otherLine.pem(), crl), true,
			[]string{"1 CA certificate has an issuer of which no CRL was loaded: whether it is revoked is not known."}},
		{"none has", check, slices.Concat(other.pem(), otherLine.pem(), crl), false, []string{}},
		{"nameless ones do not meet", "REVOKED_DEVICE_CERTIFICATE_STILL_ACTIVE_CHECK", slices.Concat(badDevice, badCRL), false, []string{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "fleet.pem")
			require.NoError(t, os.WriteFile(name, row.file, 0o600))
			doc := decode(t, run(t, "audit", name, "--as-of", asOf, "--check", row.check, "--format", "json").stdout)
			if ran := doc.AuditTask != nil; ran != row.ran {
				t.Errorf("ran: %v, want %v", ran, row.ran)
			}
			if diff := cmp.Diff(row.notes, doc.Notes); diff != "" {
				t.Errorf("notes (-want +got):\n%s", diff)
			}
		})
	}
}

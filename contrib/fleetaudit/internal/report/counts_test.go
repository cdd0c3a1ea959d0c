package report_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/checks/weakkey"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/report"
)

func TestCounts(t *testing.T) {
	keys, err := weakkey.ReadBlocklist(strings.NewReader(strings.Repeat("0", 20) + "\n" + strings.Repeat("1", 20) + "\n"))
	require.NoError(t, err)
	connections := make([]inventory.Connection, 600)
	for _, row := range []struct {
		fleet inventory.Contents
		want  string
	}{
		{inventory.Contents{}, ""},
		{inventory.Contents{DeviceCertificates: make([]inventory.Certificate, 1), CACertificates: make([]inventory.Certificate, 2), CRLs: make([]inventory.CRL, 3)},
			"1 device certificate, 2 CA certificates, 3 CRLs"},
		{inventory.Contents{PolicyVersions: make([]inventory.PolicyVersion, 1234), IdentityPools: make([]inventory.IdentityPool, 1), RoleAliases: make([]inventory.RoleAlias, 2)},
			"1,234 policy versions, 1 identity pool, 2 role aliases"},
		{inventory.Contents{Clients: []inventory.Client{{ID: "a", Connections: connections[:1]}}}, "1 connection (1 client id)"},
		{inventory.Contents{Clients: []inventory.Client{{Connections: connections}, {Connections: connections}}, CertificateUses: make([]inventory.CertificateUse, 1)},
			"1,200 connections (2 client ids, 1 certificate)"},
		{inventory.Contents{Accounts: make([]inventory.AccountSettings, 1), WeakKeys: keys}, "1 account, 2 known weak keys"},
	} {
		if got := report.New(nil, inventory.Loaded{Contents: row.fleet}).Loaded.String(); got != row.want {
			t.Errorf("%q, want %q", got, row.want)
		}
	}
}

package inventory_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

// TestLoadFleet loads the example fleet, and compares with testdata/fleet.txt, a row each: for certificates and
// CRLs what OpenSSL says about them.
func TestLoadFleet(t *testing.T) {
	l, err := inventory.LoadFS(context.Background(), os.DirFS("testdata/fleet"))
	require.NoError(t, err)
	var got []string
	row := func(columns ...any) { got = append(got, strings.TrimSpace(fmt.Sprintln(columns...))) }
	day := func(t time.Time) string { return t.Format("2006-01-02") }
	for _, list := range [][]inventory.Certificate{l.CACertificates, l.DeviceCertificates} {
		for _, c := range list {
			if c.ParseError != "" {
				row(c.Origin, "does not parse")
				continue
			}
			row(c.Origin, "CA:", c.IsCA, "version", c.Version, "serial", c.Serial(), c.KeyAlgorithm, c.KeyBits,
				day(c.NotBefore), day(c.NotAfter), c.Subject())
			if !c.CreatedAt.IsZero() {
				row("-", c.Status, "since", c.CreatedAt.Format(time.RFC3339Nano))
			}
		}
	}
	for _, c := range l.CRLs {
		row(c.Origin, "CRL", day(c.ThisUpdate), day(c.NextUpdate), "delta:", c.Delta, "entries", c.Len(), c.Issuer(), c.Unusable)
	}
	for _, v := range l.PolicyVersions {
		statements := 0
		if v.Document != nil {
			statements = len(v.Document.Statements)
		}
		row(v.Origin, "policy", v.Name+":"+v.VersionID, "default:", !v.NotDefault, "statements", statements, "targets", len(v.Targets), v.ParseError)
	}
	roles := func(list ...inventory.Role) (all []string) {
		for _, r := range list {
			for _, p := range r.Policies {
				_, name, _ := strings.Cut(r.ARN, "role/")
				all = append(all, fmt.Sprintf("%s/%s:%d", name, p.Name, len(p.Document.Statements)))
			}
		}
		return all
	}
	for _, p := range l.IdentityPools {
		row(p.Origin, "pool", p.ID, day(p.LastConnectedAt), "authenticated", roles(p.Authenticated...), "unauthenticated", roles(p.Unauthenticated...))
	}
	for _, a := range l.RoleAliases {
		row(a.Origin, "alias", a.ARN, roles(a.Role), a.LastUsed)
	}
	for _, a := range l.Accounts {
		row(a.Origin, "account", a.Account, fmt.Sprintf("%+v %+v", a.Logging, a.V2Logging))
	}
	for _, c := range l.Clients {
		row("client", c.ID, "connections", len(c.Connections))
	}
	for _, u := range l.CertificateUses {
		row("certificate", u.CertificateID, "connections", len(u.Connections))
	}
	row("weak keys", l.WeakKeys.Len())
	for _, p := range append(l.Problems, l.Ignored...) {
		row(p)
	}
	data, err := os.ReadFile("testdata/fleet.txt")
	require.NoError(t, err)
	var want []string
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			want = append(want, line)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s\n%s", diff, strings.Join(got, "\n"))
	}
}

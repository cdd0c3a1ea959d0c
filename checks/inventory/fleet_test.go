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

// TestLoadFleet loads a folder that OpenSSL made, and compares with what OpenSSL says about it, a row
// each in testdata/fleet.txt.
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
		}
	}
	for _, c := range l.CRLs {
		row(c.Origin, "CRL", day(c.ThisUpdate), day(c.NextUpdate), "delta:", c.Delta, "entries", c.Len(), c.Issuer(), c.Unusable)
	}
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

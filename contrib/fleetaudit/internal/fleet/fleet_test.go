package fleet_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/fleet"
)

// sound has two CA certificates, a device certificate and two CRLs.
const sound = "../cli/testdata/sound"

// example has some of everything.
const example = "../../../../checks/inventory/testdata/fleet"

func TestLoad(t *testing.T) {
	device := filepath.Join(sound, "valve-1.der")
	der, err := os.ReadFile(device)
	require.NoError(t, err)
	type counts struct{ devices, cas, crls, rest, problems, ignored int }
	for _, test := range []struct {
		name  string
		paths []string
		want  counts
	}{
		{"folder", []string{sound}, counts{1, 2, 2, 0, 0, 0}},
		{"file", []string{device}, counts{1, 0, 0, 0, 0, 0}},
		{"two files", []string{device, filepath.Join(sound, "root.crl")}, counts{1, 0, 1, 0, 0, 0}},
		{"twice", []string{sound, sound}, counts{1, 2, 2, 0, 0, 5}},
		{"problems twice", []string{"../cli/testdata/fleet", "../cli/testdata/fleet"}, counts{19, 4, 2, 0, 3, 2 + 25}},
		{"problems by two names", []string{"../cli/testdata/fleet/devices/malformed.pem", "../cli/testdata/../testdata/fleet/devices/malformed.pem"}, counts{1, 0, 0, 0, 2, 1}},
		{"weak keys", []string{filepath.Join(example, "keys")}, counts{0, 0, 0, 6, 0, 0}},
		{"policies", []string{filepath.Join(example, "policies", "meter.json")}, counts{0, 0, 0, 1, 0, 0}},
		{"policies twice", []string{filepath.Join(example, "policies", "meter.json"), filepath.Join(example, "policies", "meter.json")}, counts{0, 0, 0, 1, 0, 1}},
		{"events of seven clients and six certificates", []string{filepath.Join(example, "connections")}, counts{0, 0, 0, 13, 0, 0}},
		{"pools, aliases, accounts", []string{filepath.Join(example, "identity"), filepath.Join(example, "roles"), filepath.Join(example, "registry", "accounts.json")}, counts{0, 0, 0, 9, 0, 0}},
		{"certificates and what the registry says of others", []string{device, filepath.Join(example, "registry", "certificates.json")}, counts{1, 0, 0, 0, 4, 0}},
		{"standard input", []string{"-"}, counts{1, 0, 0, 0, 0, 0}},
		{"standard input twice", []string{"-", "-"}, counts{1, 0, 0, 0, 1, 0}}, // the second time it is empty
		{"standard input and the same file", []string{"-", device}, counts{1, 0, 0, 0, 0, 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			l, err := fleet.Load(t.Context(), strings.NewReader(string(der)), test.paths)
			require.NoError(t, err)
			rest := len(l.PolicyVersions) + len(l.IdentityPools) + len(l.RoleAliases) + len(l.Clients) + len(l.CertificateUses) + len(l.Accounts) + l.WeakKeys.Len()
			got := counts{len(l.DeviceCertificates), len(l.CACertificates), len(l.CRLs), rest, len(l.Problems), len(l.Ignored)}
			if got != test.want {
				t.Errorf("loaded %+v, want %+v", got, test.want)
			}
		})
	}
	l, err := fleet.Load(t.Context(), strings.NewReader(string(der)), []string{device, "-"})
	require.NoError(t, err)
	want := []inventory.Problem{{Origin: inventory.Origin{File: "stdin"}, What: "second copy of " + device + ":0"}}
	if diff := cmp.Diff(want, l.Ignored); diff != "" {
		t.Errorf("ignored (-want +got):\n%s", diff)
	}
}

func TestLoadErrors(t *testing.T) {
	empty := t.TempDir()
	for _, row := range []struct {
		path, stdin, want string
	}{
		{"none", "", "none: no such file or directory"},
		{empty, "", "nothing to audit was found: want certificates and CRLs in PEM or DER, or the rest of a fleet in JSON (see fleetaudit audit --help)"},
		{"-", "", "nothing to audit was found: stdin: is empty"},
		{"-", "hello", "nothing to audit was found: stdin: neither PEM, DER nor JSON"},
		{"-", strings.Repeat("-----BEGIN CERTIFICATE-----\n", 2), "nothing to audit was found: " +
			`stdin: block "CERTIFICATE" has no END, and 1 more`},
	} {
		_, err := fleet.Load(t.Context(), strings.NewReader(row.stdin), []string{row.path})
		if err == nil || err.Error() != row.want {
			t.Errorf("%s: error %v, want %s", row.path, err, row.want)
		}
	}
}

// TestLoadDoesNotOutlastItsContext waits for a reader that never says anything.
func TestLoadDoesNotOutlastItsContext(t *testing.T) {
	reader, writer := io.Pipe()
	defer writer.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	go func() {
		writer.Write([]byte("-----BEGIN")) // once it is read, somebody waits for the rest
		cancel(enough)
	}()
	if _, err := fleet.Load(ctx, reader, []string{"-"}); !errors.Is(err, enough) {
		t.Errorf("error %v, want %v", err, enough)
	}
}

func TestNames(t *testing.T) {
	paths := []string{"a", "-", "b"}
	if diff := cmp.Diff([]string{"a", "stdin", "b"}, fleet.Names(paths)); diff != "" || paths[1] != "-" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestLoadLooksAtPathsFirst has a standard input that must not be read, since another path does not exist.
func TestLoadLooksAtPathsFirst(t *testing.T) {
	_, err := fleet.Load(t.Context(), untouchable{t}, []string{"-", sound, "none"})
	if want := "none: no such file or directory"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

type untouchable struct{ t *testing.T }

func (u untouchable) Read([]byte) (int, error) {
	u.t.Error("standard input is read")
	return 0, io.EOF
}

package cli_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"flag"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the files in testdata anew")

// asOf is when the fleets in testdata are audited.
const asOf = "2030-01-01"

// example is the fleet that the README audits, in which every check finds something.
const (
	example     = "../../../../checks/inventory/testdata/fleet"
	exampleAsOf = "2024-06-01"
	// exampleSuppressions are of findings about it, and show what there is to tell of suppressions.
	exampleSuppressions = "../../../../checks/inventory/testdata/suppressions.json"
)

// TestFleets compares the fleets in testdata with those that are made here.
func TestFleets(t *testing.T) {
	for name, want := range fleets(t) {
		path := filepath.Join("testdata", filepath.FromSlash(name))
		if *update {
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
			require.NoError(t, os.WriteFile(path, want, 0o644))
		}
		got, err := os.ReadFile(path)
		require.NoError(t, err)
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what fleets makes", path)
		}
	}
	var files, made []string
	for _, root := range []string{"fleet", "sound"} {
		require.NoError(t, filepath.WalkDir(filepath.Join("testdata", root), func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				files = append(files, filepath.ToSlash(path))
			}
			return err
		}))
	}
	for name := range fleets(t) {
		made = append(made, "testdata/"+name)
	}
	slices.Sort(made)
	if diff := cmp.Diff(made, files); diff != "" {
		t.Errorf("files in testdata (-want +got):\n%s", diff)
	}
}

// fleets returns the files of two fleets by their names below testdata: one in which much is wrong, and
// one in which all is well. It returns the same bytes every time.
func fleets(t *testing.T) map[string][]byte {
	root := newCA(t, "Example Root CA", nil, "2020-01-01", "2045-01-01")
	line1 := newCA(t, "Example Line 1 CA", root, "2024-01-01", "2030-01-20")
	line2 := newCA(t, "Example Line 2 CA", root, "2024-01-01", "2034-01-01")
	old := newCA(t, "Example Old CA", root, "2018-01-01", "2028-06-30")

	var pumps []byte
	for i := range 14 {
		expires := fmt.Sprintf("2029-%02d-15", 1+i%12)
		pumps = append(pumps, newDevice(t, fmt.Sprintf("pump-%d", i+1), line1, "2029-01-01", expires).pem()...)
	}
	valve1 := newDevice(t, "valve-1", line2, "2029-06-01", "2031-06-01")
	valve2 := newDevice(t, "valve-2", line2, "2027-06-01", "2030-01-10")
	hostile := newDevice(t, "evil\x1b[2J\u202e\x07", line1, "2029-06-01", "2029-07-01")
	gauge := newDevice(t, "gauge-1", line1, "2029-06-01", "2031-06-01")

	return map[string][]byte{
		"fleet/ca/root.pem":           root.pem(),
		"fleet/ca/lines.pem":          slices.Concat([]byte("Those that sign for the lines.\n"), line1.pem(), line2.pem(), old.pem()),
		"fleet/crl/root.crl":          root.revoke(t, line2.SerialNumber),
		"fleet/crl/line-1.pem":        pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: line1.revoke(t, gauge.SerialNumber)}),
		"fleet/devices/pumps.pem":     pumps,
		"fleet/devices/valve-1.der":   valve1.Raw,
		"fleet/devices/valve-2.der":   valve2.Raw,
		"fleet/devices/copy.der":      valve1.Raw,
		"fleet/devices/gauge.pem":     gauge.pem(),
		"fleet/devices/hostile.pem":   hostile.pem(),
		"fleet/devices/malformed.pem": slices.Concat(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{0x30, 0x03, 2, 1, 1}}), []byte("-----BEGIN CERTIFICATE-----\nMIIB!\n-----END CERTIFICATE-----\n")),
		"fleet/devices/truncated.der": valve1.Raw[:100],
		"fleet/notes.txt":             []byte("Valve 2 is due in January.\n"),
		"sound/ca.pem":                slices.Concat(root.pem(), line2.pem()),
		"sound/line-2.crl":            line2.revoke(t, valve2.SerialNumber),
		"sound/root.crl":              root.revoke(t, old.SerialNumber),
		"sound/valve-1.der":           valve1.Raw,
	}
}

// authority is a certificate and its key.
type authority struct {
	*x509.Certificate
	key ed25519.PrivateKey
}

// newKey makes the same key for a name every time, and Ed25519 the same signatures.
func newKey(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func newCA(t testing.TB, name string, issuer *authority, from, to string) *authority {
	return newCertificate(t, name, issuer, &x509.Certificate{
		NotBefore: day(t, from), NotAfter: day(t, to), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	})
}

func newDevice(t testing.TB, name string, issuer *authority, from, to string) *authority {
	return newCertificate(t, name, issuer, &x509.Certificate{
		NotBefore: day(t, from), NotAfter: day(t, to), BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
	})
}

func newCertificate(t testing.TB, name string, issuer *authority, c *x509.Certificate) *authority {
	key := newKey(name)
	c.Subject = pkix.Name{CommonName: name, Organization: []string{"Example"}}
	c.SerialNumber = new(big.Int).SetBytes(key.Seed()[:8])
	if issuer == nil {
		issuer = &authority{c, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, issuer.Certificate, key.Public(), issuer.key)
	require.NoError(t, err)
	made, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &authority{made, key}
}

func (a *authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Raw})
}

// revoke makes a's CRL, in DER.
func (a *authority) revoke(t testing.TB, serials ...*big.Int) []byte {
	list := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: day(t, "2029-12-01"), NextUpdate: day(t, "2030-02-01")}
	for _, serial := range serials {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: serial, RevocationTime: day(t, "2029-11-11"), ReasonCode: 1})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, a.Certificate, a.key)
	require.NoError(t, err)
	return der
}

func day(t testing.TB, s string) time.Time {
	d, err := time.Parse(time.DateOnly, s)
	require.NoError(t, err)
	return d
}

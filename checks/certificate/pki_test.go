package certificate_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/checktest"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/model"
)

const day = 24 * time.Hour

// now is the time of every audit in these tests, but for those about time itself.
var now = time.Date(2024, 6, 1, 12, 0, 0, 0, time.UTC)

// authority is a CA that tests issue certificates and CRLs with.
type authority struct {
	inventory.Certificate
	x509 *x509.Certificate
	key  crypto.Signer
}

// newCA makes a root, or an intermediate below parent. edit may change the template.
func newCA(t testing.TB, name string, parent *authority, edit ...func(*x509.Certificate)) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return newCAWithKey(t, name, key, parent, edit...)
}

func newCAWithKey(t testing.TB, name string, key crypto.Signer, parent *authority, edit ...func(*x509.Certificate)) *authority {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: now.AddDate(-5, 0, 0), NotAfter: now.AddDate(5, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	for _, f := range edit {
		f(template)
	}
	if parent == nil {
		parent = &authority{x509: template, key: key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent.x509, key.Public(), parent.key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &authority{inventory.NewCertificate(der, inventory.CertificateStatusActive), cert, key}
}

// issue makes the certificate of a device.
func (a *authority) issue(t testing.TB, serial int64, edit ...func(*x509.Certificate)) inventory.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "device"},
		NotBefore: now.AddDate(0, -1, 0), NotAfter: now.AddDate(1, 0, 0),
	}
	for _, f := range edit {
		f(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.x509, a.key.Public(), a.key)
	require.NoError(t, err)
	return inventory.NewCertificate(der, inventory.CertificateStatusActive)
}

// crl makes a CRL of yesterday that has serial numbers revoked, for compromise of the key, two days ago.
func (a *authority) crl(t testing.TB, serials ...int64) inventory.CRL {
	t.Helper()
	template := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: now.Add(-day), NextUpdate: now.Add(day)}
	for _, s := range serials {
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries, x509.RevocationListEntry{
			SerialNumber: big.NewInt(s), RevocationTime: now.Add(-2 * day), ReasonCode: 1,
		})
	}
	return inventory.NewCRL(createCRL(t, template, a))
}

// with returns c in another status.
func with(status inventory.CertificateStatus, c inventory.Certificate) inventory.Certificate {
	c.Status = status
	return c
}

// damaged is a certificate that does not parse.
func damaged(status inventory.CertificateStatus) inventory.Certificate {
	return inventory.NewCertificate([]byte("damaged "+status), status)
}

func device(c inventory.Certificate, code string) checktest.Finding {
	return checktest.Finding{Resource: model.ResourceIdentifier{DeviceCertificateID: c.ID}, ReasonCode: code}
}

func ca(c inventory.Certificate, code string) checktest.Finding {
	return checktest.Finding{Resource: model.ResourceIdentifier{CACertificateID: c.ID}, ReasonCode: code}
}

const notEvaluable = model.ReasonCodeResourceNotEvaluable

// scoped are certificates in every status and one that does not parse in three, all of which break the
// rule of a check where make does so.
func scoped(make func(inventory.CertificateStatus) inventory.Certificate) (all, broken, unknown []inventory.Certificate) {
	for _, s := range append(inventory.CertificateStatus("").Values(), "", "Active") {
		c := make(s)
		all = append(all, c)
		switch s {
		case inventory.CertificateStatusActive, inventory.CertificateStatusPendingTransfer:
			broken = append(broken, c)
		case "", "Active":
			unknown = append(unknown, c)
		}
	}
	for _, s := range []inventory.CertificateStatus{"ACTIVE", "PENDING_TRANSFER", "INACTIVE"} {
		c := damaged(s)
		all = append(all, c)
		if s != "INACTIVE" {
			unknown = append(unknown, c)
		}
	}
	return all, broken, unknown
}

// contract tries a check in every situation, over an inventory whose Sources the kit has its hands on.
func contract(t *testing.T, c checktest.Case, contents inventory.Contents, check func(*inventory.Inventory) checks.Check, also ...func(*checktest.Kit, *inventory.Inventory)) {
	t.Helper()
	checktest.Contract(t, c, func(k *checktest.Kit) checks.Check {
		inv := inventory.New(contents)
		for _, f := range also {
			f(k, inv)
		}
		return check(inv)
	})
}

func deviceSource(k *checktest.Kit, inv *inventory.Inventory) {
	inv.DeviceCertificates = checktest.Source(k, inv.DeviceCertificates)
}

func caSource(k *checktest.Kit, inv *inventory.Inventory) {
	inv.CACertificates = checktest.Source(k, inv.CACertificates)
}

func crlSource(k *checktest.Kit, inv *inventory.Inventory) {
	inv.CRLs = checktest.Source(k, inv.CRLs)
}

func createCRL(t testing.TB, template *x509.RevocationList, a *authority) []byte {
	t.Helper()
	der, err := x509.CreateRevocationList(rand.Reader, template, a.x509, a.key)
	require.NoError(t, err)
	return der
}

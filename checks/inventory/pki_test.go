package inventory_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

// now is the time of every audit in these tests.
var now = time.Date(2024, 6, 1, 12, 0, 0, 0, time.UTC)

// authority is a CA that tests issue certificates and CRLs with.
type authority struct {
	*x509.Certificate
	key crypto.Signer
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
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	require.NoError(t, err)
	keyID := sha1.Sum(spki)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, SubjectKeyId: keyID[:],
		NotBefore: now.AddDate(-5, 0, 0), NotAfter: now.AddDate(5, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	for _, f := range edit {
		f(template)
	}
	signer := &authority{template, key}
	if parent != nil {
		signer = parent
		template.AuthorityKeyId = parent.SubjectKeyId // which crypto/x509 leaves out of a self-issued one
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer.Certificate, key.Public(), signer.key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &authority{cert, key}
}

// issue makes the certificate of a device.
func (a *authority) issue(t testing.TB, serial int64, edit ...func(*x509.Certificate)) inventory.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "device"},
		NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(1, 0, 0),
	}
	for _, f := range edit {
		f(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.Certificate, a.key.Public(), a.key)
	require.NoError(t, err)
	return inventory.NewCertificate(der, inventory.CertificateStatusActive)
}

// entry is an entry of a CRL: revoked the given days ago.
func entry(serial int64, daysAgo, reason int) x509.RevocationListEntry {
	return x509.RevocationListEntry{
		SerialNumber: big.NewInt(serial), RevocationTime: now.AddDate(0, 0, -daysAgo), ReasonCode: reason,
	}
}

// crl makes a CRL of a number, issued the given days ago. edit may change the template.
func (a *authority) crl(t testing.TB, number int64, daysAgo int, entries []x509.RevocationListEntry, edit ...func(*x509.RevocationList)) inventory.CRL {
	t.Helper()
	return inventory.NewCRL(a.crlDER(t, number, daysAgo, entries, edit...))
}

func (a *authority) crlDER(t testing.TB, number int64, daysAgo int, entries []x509.RevocationListEntry, edit ...func(*x509.RevocationList)) []byte {
	t.Helper()
	template := &x509.RevocationList{
		Number: big.NewInt(number), ThisUpdate: now.AddDate(0, 0, -daysAgo),
		NextUpdate: now.AddDate(0, 0, 7-daysAgo), RevokedCertificateEntries: entries,
	}
	for _, f := range edit {
		f(template)
	}
	issuer := *a.Certificate
	issuer.KeyUsage |= x509.KeyUsageCRLSign // it may lack it in the inventory, to see what happens
	if issuer.SubjectKeyId == nil {
		issuer.SubjectKeyId = []byte("none of its own")
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, &issuer, a.key)
	require.NoError(t, err)
	return der
}

// certificate is the CA's as the inventory has it.
func (a *authority) certificate() inventory.Certificate {
	return inventory.NewCertificate(a.Raw, inventory.CertificateStatusActive)
}

// revocations reads an inventory as of now.
func revocations(t testing.TB, c inventory.Contents) *inventory.Revocations {
	t.Helper()
	r, err := inventory.New(c).Revocations(context.Background(), &checks.Pass{Time: now})
	require.NoError(t, err)
	return r
}

// ecdsaWithSHA256 is what sign signs with.
var ecdsaWithSHA256 = pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}}

// sign makes a certificate or a CRL of what is to be signed, for forms that crypto/x509 does not make.
func sign(t testing.TB, key crypto.Signer, tbs any) []byte {
	t.Helper()
	body, err := asn1.Marshal(tbs)
	require.NoError(t, err)
	digest := sha256.Sum256(body)
	sig, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	require.NoError(t, err)
	der, err := asn1.Marshal(struct {
		TBS       asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}{asn1.RawValue{FullBytes: body}, ecdsaWithSHA256, asn1.BitString{Bytes: sig, BitLength: 8 * len(sig)}})
	require.NoError(t, err)
	return der
}

// version1 makes an X.509 version 1 certificate.
func version1(t testing.TB, subject, issuer string) inventory.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	require.NoError(t, err)
	der := sign(t, key, struct {
		Serial    int
		Algorithm pkix.AlgorithmIdentifier
		Issuer    pkix.RDNSequence
		Validity  struct{ NotBefore, NotAfter time.Time }
		Subject   pkix.RDNSequence
		Key       asn1.RawValue
	}{
		1, ecdsaWithSHA256, pkix.Name{CommonName: issuer}.ToRDNSequence(),
		struct{ NotBefore, NotAfter time.Time }{now, now.AddDate(1, 0, 0)},
		pkix.Name{CommonName: subject}.ToRDNSequence(), asn1.RawValue{FullBytes: spki},
	})
	return inventory.NewCertificate(der, inventory.CertificateStatusActive)
}

// version1CRL makes a version 1 CRL, which has no extensions.
func (a *authority) version1CRL(t testing.TB, daysAgo int, serials ...int64) []byte {
	t.Helper()
	type revoked struct {
		Serial int64
		Time   time.Time
	}
	var list []revoked
	for _, s := range serials {
		list = append(list, revoked{s, now.AddDate(0, 0, -daysAgo)})
	}
	return sign(t, a.key, struct {
		Algorithm  pkix.AlgorithmIdentifier
		Issuer     asn1.RawValue
		ThisUpdate time.Time
		NextUpdate time.Time
		Revoked    []revoked `asn1:"omitempty"`
	}{
		ecdsaWithSHA256, asn1.RawValue{FullBytes: a.RawSubject}, now.AddDate(0, 0, -daysAgo), now.AddDate(0, 0, 7-daysAgo), list,
	})
}

// certificateIssuer is the extension of an entry of an indirect CRL that says whose certificate it is.
func certificateIssuer(t testing.TB, ca *authority) pkix.Extension {
	t.Helper()
	value, err := asn1.Marshal([]asn1.RawValue{{Class: asn1.ClassContextSpecific, Tag: 4, IsCompound: true, Bytes: ca.RawSubject}})
	require.NoError(t, err)
	return critical(29, value...)
}

// withVersion replaces the version of a CRL, whose signature is wrong then.
func withVersion(t testing.TB, crl []byte, version byte) []byte {
	t.Helper()
	return replaced(t, crl, "\x02\x01\x01\x30", "\x02\x01"+string(version)+"\x30")
}

// replaced replaces the first old by new, both of one length.
func replaced(t testing.TB, der []byte, old, new string) []byte {
	t.Helper()
	require.Contains(t, string(der), old)
	require.Len(t, new, len(old))
	return bytes.Replace(der, []byte(old), []byte(new), 1)
}

// createCRL makes a CRL in the name of a, with a key that may not be a's.
func createCRL(t testing.TB, template *x509.RevocationList, a *authority) []byte {
	t.Helper()
	issuer := *a.Certificate
	issuer.PublicKey = a.key.Public()
	der, err := x509.CreateRevocationList(rand.Reader, template, &issuer, a.key)
	require.NoError(t, err)
	return der
}

// renewed is a's certificate once more, with everything a CA may do.
func renewed(t testing.TB, a *authority) *authority {
	t.Helper()
	return newCAWithKey(t, a.Subject.CommonName, a.key, nil, func(c *x509.Certificate) { c.SerialNumber = big.NewInt(99) })
}

// withoutKeyID takes the key identifier out of a CA certificate, so that what it issues has none either.
// The certificate's own signature is wrong then, which is not looked at.
func withoutKeyID(t testing.TB, a *authority) *authority {
	t.Helper()
	cert, err := x509.ParseCertificate(replaced(t, a.Raw, "\x55\x1d\x0e", "\x55\x1d\x7f"))
	require.NoError(t, err)
	require.Empty(t, cert.SubjectKeyId)
	return &authority{cert, a.key}
}

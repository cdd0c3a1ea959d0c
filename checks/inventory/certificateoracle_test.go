package inventory_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/checks/weakkey"
)

// agree holds a Certificate against what crypto/x509 makes of its DER: verdict, words and facts.
func agree(t *testing.T, der []byte) inventory.Certificate {
	t.Helper()
	c := inventory.NewCertificate(der, inventory.CertificateStatusActive)
	x, err := x509.ParseCertificate(der)
	words := ""
	switch {
	case len(der) > inventory.MaxCertificate:
		return c
	case err != nil:
		words = strings.ToValidUTF8(err.Error(), "\uFFFD")
	case x.SerialNumber.Sign() < 0:
		words = "negative serial number"
	}
	if start, cut := strings.CutSuffix(c.ParseError, "..."); c.ParseError != words && !(cut && len(start) > 190 && strings.HasPrefix(words, start)) {
		t.Fatalf("ParseError %q, want %q", c.ParseError, words)
	}
	got := factsOf(&c)
	if !utf8.ValidString(c.ParseError) || !utf8.ValidString(got.Issuer) || !utf8.ValidString(got.Subject) {
		t.Errorf("text is not UTF-8: %q, %q, %q", c.ParseError, got.Issuer, got.Subject)
	}
	if c.ParseError != "" {
		if diff := cmp.Diff(facts{Algorithm: "0"}, got); diff != "" || c.KeyTrace() != (weakkey.Trace{}) || c.IsCA {
			t.Errorf("it does not parse, CA %t, key %+v, facts (-want +got):\n%s", c.IsCA, c.KeyTrace(), diff)
		}
		return c
	}
	want := oracle(x)
	want.Issuer, want.Subject = got.Issuer, got.Subject // of odd names there is more than one text
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
	if isCA := x.IsCA || x.Version == 1 && bytes.Equal(x.RawIssuer, x.RawSubject); c.IsCA != isCA {
		t.Errorf("CA %t, want %t", c.IsCA, isCA)
	}
	trace, known := traceOf(x)
	if got := c.KeyTrace(); got != trace && (known || got != weakkey.Trace{}) {
		t.Errorf("key %+v, want %+v", got, trace)
	}
	return c
}

// traceOf returns the Trace of a certificate's key, and whether a Certificate must have it. What nobody can read has
// none.
func traceOf(x *x509.Certificate) (trace weakkey.Trace, known bool) {
	if k, ok := x.PublicKey.(*rsa.PublicKey); ok {
		return weakkey.TraceOf(k.N.Bytes()), true
	}
	if x.PublicKeyAlgorithm != x509.UnknownPublicKeyAlgorithm {
		return weakkey.TraceOf(nil), true
	}
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	var key struct{ N, E *big.Int }
	_, err := asn1.Unmarshal(x.RawSubjectPublicKeyInfo, &info)
	if err == nil && info.Algorithm.Algorithm.Equal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}) {
		if _, err = asn1.Unmarshal(info.Key.RightAlign(), &key); err == nil && key.N.Sign() > 0 {
			return weakkey.TraceOf(key.N.Bytes()), false
		}
	}
	return weakkey.Trace{}, true
}

// specimens are certificates of every kind of key, of both versions, and of a CA.
func specimens(t testing.TB) (all [][]byte) {
	t.Helper()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	root := newCA(t, "root", nil)
	all = [][]byte{root.Raw, newCA(t, "sub", root).Raw, version1(t, "old root", "old root").Raw}
	for _, key := range []crypto.Signer{rsaKey, p384, edKey} {
		template := &x509.Certificate{
			SerialNumber: big.NewInt(0x1234567), Subject: pkix.Name{CommonName: "Gerät"}, NotBefore: now, NotAfter: now.AddDate(30, 0, 0),
			DNSNames: []string{"device.example"}, KeyUsage: x509.KeyUsageDigitalSignature,
		}
		der, err := x509.CreateCertificate(rand.Reader, template, root.Certificate, key.Public(), root.key)
		require.NoError(t, err)
		all = append(all, der)
	}
	pss := replaced(t, all[3], "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a")
	return append(all, pss)
}

// TestMutatedCertificates changes each byte of a certificate in several ways, and leaves out or doubles some.
func TestMutatedCertificates(t *testing.T) {
	parsed, refused := 0, 0
	try := func(der []byte) {
		if c := agree(t, der); c.ParseError == "" {
			parsed++
		} else {
			refused++
		}
	}
	for _, der := range specimens(t) {
		try(der)
		for i := range der {
			for _, v := range []byte{der[i] ^ 1, der[i] ^ 0x80, der[i] + 1, 0} {
				m := bytes.Clone(der)
				m[i] = v
				try(m)
			}
			try(slices.Delete(bytes.Clone(der), i, i+1))
			if t.Failed() {
				t.Fatalf("byte %d of %x", i, der)
			}
		}
	}
	require.Greater(t, parsed, 1000)
	require.Greater(t, refused, 1000)
}

// TestPointOffTheCurve: the point of a key is checked, whatever else is read how.
func TestPointOffTheCurve(t *testing.T) {
	for _, der := range specimens(t)[:2] {
		x, err := x509.ParseCertificate(der)
		require.NoError(t, err)
		point, err := x.PublicKey.(*ecdsa.PublicKey).Bytes()
		require.NoError(t, err)
		off := bytes.Clone(point)
		off[len(off)-1] ^= 1
		if c := agree(t, bytes.Replace(der, point, off, 1)); c.ParseError == "" {
			t.Error("a point that is not on the curve is taken for a key")
		}
	}
}

func FuzzNewCertificate(f *testing.F) {
	for _, der := range append(fleetDER(f), specimens(f)...) {
		f.Add(der)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		c := agree(t, der)
		if (len(der) > inventory.MaxCertificate) != strings.Contains(c.ParseError, "bytes of DER are more than") {
			t.Errorf("%d bytes, ParseError %q", len(der), c.ParseError)
		}
	})
}

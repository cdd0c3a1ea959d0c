package certificate_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"iter"
	"math/big"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/certificate"
	"github.com/fleetaudit/fleetaudit/checks/checktest"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/checks/weakkey"
)

const (
	rocaKey   = "CERTIFICATE_KEY_VULNERABILITY_CVE-2017-15361"
	debianKey = "CERTIFICATE_KEY_VULNERABILITY_CVE-2008-0166"
)

// publicOnly is a key of which the test has no private half.
type publicOnly struct{ key any }

func (p publicOnly) Public() crypto.PublicKey { return p.key }

func (publicOnly) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("there is no private key")
}

// weakModulus returns a published modulus of 2048 bits from a row of weakkey's testdata that has words in it.
func weakModulus(t testing.TB, file, words string) *big.Int {
	t.Helper()
	text, err := os.ReadFile("../weakkey/testdata/" + file)
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		n, ok := new(big.Int).SetString(fields[len(fields)-1], 16)
		if !strings.HasPrefix(line, "#") && strings.Contains(line, words) && ok && n.BitLen() == 2048 {
			return n
		}
	}
	t.Fatalf("%s has no row of 2048 bits with %q", file, words)
	return nil
}

func rocaModulus(t testing.TB) *big.Int { return weakModulus(t, "roca.txt", "weak") }

func debianModulus(t testing.TB) *big.Int {
	return weakModulus(t, "debian.txt", "042dcb33f1f6f3ce9eee")
}

func blocklist(t testing.TB, lines ...string) *weakkey.Blocklist {
	t.Helper()
	b, err := weakkey.ReadBlocklist(strings.NewReader(strings.Join(lines, "\n")))
	require.NoError(t, err)
	return b
}

// debianList has many keys, that of debianModulus among them.
func debianList(t testing.TB) *weakkey.Blocklist {
	t.Helper()
	text, err := os.ReadFile("../weakkey/testdata/blacklist.RSA-2048")
	require.NoError(t, err)
	return blocklist(t, string(text))
}

// holder makes a certificate of a device that has a key.
func (a *authority) holder(t testing.TB, key any) inventory.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(5), Subject: pkix.Name{CommonName: "device"},
		NotBefore: now.AddDate(0, -1, 0), NotAfter: now.AddDate(1, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.x509, key, a.key)
	require.NoError(t, err)
	return inventory.NewCertificate(der, inventory.CertificateStatusActive)
}

// pss says of a certificate's RSA key that it is for RSASSA-PSS only.
func pss(t testing.TB, c inventory.Certificate) inventory.Certificate {
	t.Helper()
	rsaEncryption := []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1}
	require.Equal(t, 1, bytes.Count(c.Raw, rsaEncryption))
	der := bytes.Clone(c.Raw)
	der[bytes.Index(der, rsaEncryption)+len(rsaEncryption)-1] = 10
	c = inventory.NewCertificate(der, c.Status)
	require.Empty(t, c.ParseError)
	require.Equal(t, x509.UnknownPublicKeyAlgorithm, c.KeyAlgorithm)
	return c
}

func TestKeyQuality(t *testing.T) {
	root := newCA(t, "root", nil)
	key := func(n *big.Int) any { return &rsa.PublicKey{N: n, E: 65537} }
	roca, debian := rocaModulus(t), debianModulus(t)
	sound, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	ed, _, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	list := debianList(t)
	// The modulus has five bytes in front: tag, length and a sign.
	damaged := func(before int, v byte) inventory.Certificate {
		der := pss(t, root.holder(t, key(roca))).Raw
		der[bytes.Index(der, roca.Bytes())-before] = v
		c := inventory.NewCertificate(der, inventory.CertificateStatusActive)
		require.Empty(t, c.ParseError)
		return c
	}
	large := 1 << 30
	large = large<<8 + 1 // 1 where an int has 32 bits

	for _, test := range []struct {
		name string
		cert inventory.Certificate
		list *weakkey.Blocklist
		want []string
	}{
		{"ROCA", root.holder(t, key(roca)), nil, []string{rocaKey}},
		{"ROCA, another list", root.holder(t, key(roca)), list, []string{rocaKey}},
		{"Debian", root.holder(t, key(debian)), list, []string{debianKey}},
		{"Debian, no list", root.holder(t, key(debian)), nil, nil},
		{"Debian, empty list", root.holder(t, key(debian)), new(weakkey.Blocklist), nil},
		{"Debian, another list", root.holder(t, key(debian)), blocklist(t, "00000000000000000000"), nil},
		// The line is what openssl and sha1sum make of the modulus.
		{"both", root.holder(t, key(roca)), blocklist(t, "3e542217c02c1cf84600"), []string{rocaKey, debianKey}},
		{"sound, and small", root.holder(t, sound.Public()), list, nil},
		{"elliptic", root.holder(t, ec.Public()), list, nil},
		{"Ed25519", root.holder(t, ed), list, nil},
		{"small exponent", root.holder(t, &rsa.PublicKey{N: roca, E: 3}), list, []string{rocaKey}},
		{"large exponent", root.holder(t, &rsa.PublicKey{N: debian, E: large}), list, []string{debianKey}},
		{"PSS, ROCA", pss(t, root.holder(t, key(roca))), list, []string{rocaKey}},
		{"PSS, Debian", pss(t, root.holder(t, key(debian))), list, []string{debianKey}},
		{"PSS, sound", pss(t, root.holder(t, sound.Public())), list, nil},
		{"PSS, no modulus", damaged(5, 4), list, []string{notEvaluable}},
		{"PSS, negative modulus", damaged(1, 0x80), list, []string{notEvaluable}},
		{"damaged", inventory.NewCertificate([]byte("0"), inventory.CertificateStatusActive), list, []string{notEvaluable}},
	} {
		t.Run(test.name, func(t *testing.T) {
			contents := inventory.Contents{DeviceCertificates: []inventory.Certificate{test.cert}, WeakKeys: test.list}
			contents.CACertificates = contents.DeviceCertificates // the check goes by where a certificate stands
			inv := inventory.New(contents)
			var devices, cas []checktest.Finding
			for _, code := range test.want {
				devices, cas = append(devices, device(test.cert, code)), append(cas, ca(test.cert, code))
			}
			checktest.Run(t, certificate.DeviceCertificateKeyQuality(inv), checktest.Case{Time: now, Want: devices, WantScanned: 1})
			checktest.Run(t, certificate.CACertificateKeyQuality(inv), checktest.Case{Time: now, Want: cas, WantScanned: 1})
		})
	}
}

// TestKeyQualityWords has the words and additional information of findings.
func TestKeyQualityWords(t *testing.T) {
	root := newCA(t, "root", nil)
	for _, test := range []struct {
		n            *big.Int
		code, reason string
	}{
		{rocaModulus(t), rocaKey, "Certificate has a key that can be factored (ROCA)."},
		{debianModulus(t), debianKey, "Certificate has a key that is on the list of known weak keys."},
	} {
		c := root.holder(t, &rsa.PublicKey{N: test.n, E: 65537})
		inv := inventory.New(inventory.Contents{DeviceCertificates: []inventory.Certificate{c}, WeakKeys: debianList(t)})
		out := checktest.Run(t, certificate.DeviceCertificateKeyQuality(inv),
			checktest.Case{Time: now, Want: []checktest.Finding{device(c, test.code)}})
		for _, f := range out.Findings {
			info := map[string]string{"KEY_ALGORITHM": "RSA", "KEY_SIZE": "2048"}
			if diff := cmp.Diff(info, f.Resource.AdditionalInfo); f.Reason != test.reason || diff != "" {
				t.Errorf("reason %q, additional information (-want +got):\n%s", f.Reason, diff)
			}
		}
	}
}

// TestKeyQualityReplace: a pass goes by the list that is there when it begins, the next one by the next.
func TestKeyQualityReplace(t *testing.T) {
	root := newCA(t, "root", nil)
	c := root.holder(t, &rsa.PublicKey{N: debianModulus(t), E: 65537})
	inv := inventory.New(inventory.Contents{})
	inv.DeviceCertificates = &checks.Source[inventory.Certificate]{
		Name: "device certificates",
		All: func(context.Context) iter.Seq2[inventory.Certificate, error] {
			return func(yield func(inventory.Certificate, error) bool) {
				inv.Replace(inventory.Contents{WeakKeys: debianList(t)})
				yield(c, nil)
			}
		},
	}
	check := certificate.DeviceCertificateKeyQuality(inv)
	checktest.Run(t, check, checktest.Case{Time: now, WantScanned: 1})
	checktest.Run(t, check, checktest.Case{Time: now, WantScanned: 1, Want: []checktest.Finding{device(c, debianKey)}})
}

// TestKeyQualityEnormous: keys that fill a certificate, and have every step taken, are judged as others are.
func TestKeyQualityEnormous(t *testing.T) {
	root := newCA(t, "root", nil)
	n := new(big.Int).Exp(big.NewInt(65537), big.NewInt(31_000), nil)
	contents := inventory.Contents{WeakKeys: debianList(t)}
	var want []checktest.Finding
	for i := range int64(20) {
		n.Mul(n, big.NewInt(65537))
		c := root.holder(t, &rsa.PublicKey{N: n, E: 65537 + int(i)})
		require.Empty(t, c.ParseError)
		require.Greater(t, c.KeyBits, 490_000)
		contents.DeviceCertificates = append(contents.DeviceCertificates, c)
		want = append(want, device(c, rocaKey))
	}
	checktest.Run(t, certificate.DeviceCertificateKeyQuality(inventory.New(contents)), checktest.Case{Time: now, Want: want})
}

// BenchmarkKeyQuality reports what the check takes for a certificate.
func BenchmarkKeyQuality(b *testing.B) {
	root := newCA(b, "root", nil)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(b, err)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(b, err)
	list := debianList(b)
	for _, test := range []struct {
		name string
		key  any
		list *weakkey.Blocklist
	}{
		{"elliptic", ec.Public(), list}, {"RSA", key.Public(), nil}, {"RSA, list", key.Public(), list},
		{"ROCA, list", &rsa.PublicKey{N: rocaModulus(b), E: 65537}, list},
	} {
		certs := make([]inventory.Certificate, 1000)
		for i := range certs {
			if certs[i] = root.holder(b, test.key); i > 0 {
				certs[i].ID = strconv.Itoa(i)
			}
		}
		check := certificate.DeviceCertificateKeyQuality(inventory.New(inventory.Contents{DeviceCertificates: certs, WeakKeys: test.list}))
		b.Run(test.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				err := check.Run(b.Context(), &checks.Pass{Time: now, Report: func(checks.Finding) {}})
				require.NoError(b, err)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(certs)), "ns/certificate")
		})
	}
}

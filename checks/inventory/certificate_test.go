package inventory_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

// facts are a certificate's, in a form that can be compared.
type facts struct {
	NotBefore, NotAfter                                time.Time
	Algorithm                                          string
	Bits, Version                                      int
	Issuer, Subject, Serial                            string
	RawIssuer, RawSubject, RawKey, RawSerial, AKI, SKI string
	SelfIssued                                         bool
}

func factsOf(c *inventory.Certificate) facts {
	return facts{
		c.NotBefore, c.NotAfter, c.KeyAlgorithm.String(), c.KeyBits, c.Version, c.Issuer(), c.Subject(), c.Serial(),
		string(c.RawIssuer()), string(c.RawSubject()), string(c.RawPublicKey()), string(c.RawSerial()),
		string(c.AuthorityKeyID()), string(c.SubjectKeyID()), c.SelfIssued(),
	}
}

// oracle has the same facts from crypto/x509.
func oracle(x *x509.Certificate) facts {
	serial := x.SerialNumber.Text(16)
	bits := 0
	switch k := x.PublicKey.(type) {
	case *rsa.PublicKey:
		bits = k.N.BitLen()
	case *ecdsa.PublicKey:
		bits = k.Params().BitSize
	case ed25519.PublicKey:
		bits = 256
	}
	return facts{
		x.NotBefore, x.NotAfter, x.PublicKeyAlgorithm.String(), bits, x.Version, x.Issuer.ToRDNSequence().String(), x.Subject.ToRDNSequence().String(),
		strings.Repeat("0", len(serial)%2) + serial,
		string(x.RawIssuer), string(x.RawSubject), string(x.RawSubjectPublicKeyInfo), string(x.SerialNumber.Bytes()),
		string(x.AuthorityKeyId), string(x.SubjectKeyId), bytes.Equal(x.RawIssuer, x.RawSubject),
	}
}

func TestCertificateFacts(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	root := newCA(t, "root", nil)
	for name, key := range map[string]crypto.Signer{"RSA": rsaKey, "P-384": p384, "Ed25519": edKey, "P-256": root.key} {
		for _, serial := range []*big.Int{big.NewInt(1), big.NewInt(0x80), big.NewInt(0xabc), new(big.Int).Lsh(big.NewInt(5), 150)} {
			t.Run(fmt.Sprint(name, " ", serial), func(t *testing.T) {
				template := &x509.Certificate{
					SerialNumber: serial, Subject: pkix.Name{CommonName: "Gerät, 1", Organization: []string{"A+B"}},
					NotBefore: now, NotAfter: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), SubjectKeyId: []byte(name),
				}
				der, err := x509.CreateCertificate(rand.Reader, template, root.Certificate, key.Public(), root.key)
				require.NoError(t, err)
				x, err := x509.ParseCertificate(der)
				require.NoError(t, err)
				c := inventory.NewCertificate(der, inventory.CertificateStatusInactive)
				require.Empty(t, c.ParseError)
				if diff := cmp.Diff(oracle(x), factsOf(&c)); diff != "" {
					t.Errorf("facts (-want +got):\n%s", diff)
				}
				sum := sha256.Sum256(der)
				if want := hex.EncodeToString(sum[:]); c.ID != want || c.Status != "INACTIVE" || c.IsCA || c.Root() {
					t.Errorf("ID %s, status %s, CA %t, root %t; want %s, INACTIVE, neither", c.ID, c.Status, c.IsCA, c.Root(), want)
				}
			})
		}
	}
}

// TestRoot has the ways in which a certificate can be a CA's and a root.
func TestRoot(t *testing.T) {
	root := newCA(t, "root", nil)
	rekeyed := newCA(t, "root", root) // self-issued, but signed with another key
	for _, test := range []struct {
		name       string
		cert       inventory.Certificate
		isCA, root bool
	}{
		{"root", root.certificate(), true, true},
		{"key rollover", rekeyed.certificate(), true, false},
		{"key rollover without key identifiers", inventory.NewCertificate(replaced(t, rekeyed.Raw, "\x55\x1d\x23", "\x55\x1d\x7f"), "ACTIVE"), true, false},
		{"intermediate", newCA(t, "sub", root).certificate(), true, false},
		{"device", root.issue(t, 7), false, false},
		{"self-signed device", root.issue(t, 7, func(c *x509.Certificate) { c.Subject = root.Subject }), false, true},
		{"version 1 root", version1(t, "old root", "old root"), true, true},
		{"version 1 device", version1(t, "device", "old root"), false, false},
		{"no certificate", inventory.NewCertificate([]byte("x"), ""), false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.cert.IsCA != test.isCA || test.cert.Root() != test.root {
				t.Errorf("CA %t, root %t; want %t, %t (%s)", test.cert.IsCA, test.cert.Root(), test.isCA, test.root, test.cert.ParseError)
			}
		})
	}
}

func TestCertificateThatDoesNotParse(t *testing.T) {
	good := newCA(t, "root", nil).Raw
	huge := bytes.Repeat([]byte{0x30}, inventory.MaxCertificate+1)
	for _, test := range []struct {
		name, want string
		der        []byte
	}{
		{"empty", "x509: malformed certificate", nil},
		{"text", "x509: malformed certificate", []byte("hello")},
		{"truncated", "x509: malformed certificate", good[:len(good)-1]},
		{"trailing data", "x509: trailing data", append(bytes.Clone(good), 0)},
		{"too large", "65537 bytes of DER are more than 65536", huge},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := inventory.NewCertificate(test.der, inventory.CertificateStatusActive)
			if c.ParseError != test.want {
				t.Errorf("ParseError %q, want %q", c.ParseError, test.want)
			}
			if diff := cmp.Diff(facts{Algorithm: "0"}, factsOf(&c)); diff != "" {
				t.Errorf("facts (-want +got):\n%s", diff)
			}
			if len(c.ID) != 64 || len(c.Raw) > inventory.MaxCertificate {
				t.Errorf("ID %q, %d bytes of Raw", c.ID, len(c.Raw))
			}
		})
	}
}

// TestParserWordsAreShort: the parser repeats what a hostile certificate says.
func TestParserWordsAreShort(t *testing.T) {
	uri := append([]byte("http://"), bytes.Repeat([]byte("%zz"), 1000)...)
	san, err := asn1.Marshal([]asn1.RawValue{{Class: asn1.ClassContextSpecific, Tag: 6, Bytes: uri}})
	require.NoError(t, err)
	c := newCA(t, "root", nil).issue(t, 1, extension(asn1.ObjectIdentifier{2, 5, 29, 17}, san))
	if n := len(c.ParseError); n != 203 || !strings.HasPrefix(c.ParseError, "x509: cannot parse URI") || !strings.HasSuffix(c.ParseError, "%...") {
		t.Errorf("ParseError has %d bytes: %q", n, c.ParseError)
	}
}

func extension(id asn1.ObjectIdentifier, value []byte) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.ExtraExtensions = []pkix.Extension{{Id: id, Value: value}} }
}

func TestLargestCertificate(t *testing.T) {
	_, key, err := ed25519.GenerateKey(rand.Reader) // whose signatures are all of one length
	require.NoError(t, err)
	root := newCAWithKey(t, "root", key, nil)
	const some = 60000
	padded := func(n int) inventory.Certificate {
		return root.issue(t, 1, extension(asn1.ObjectIdentifier{1, 2, 3}, make([]byte, n)))
	}
	largest := some + inventory.MaxCertificate - len(padded(some).Raw)
	if c := padded(largest); len(c.Raw) != inventory.MaxCertificate || c.ParseError != "" || c.Subject() != "CN=device" {
		t.Errorf("%d bytes: ParseError %q", len(c.Raw), c.ParseError)
	}
	if c := padded(largest + 1); c.ParseError != "65537 bytes of DER are more than 65536" {
		t.Errorf("ParseError %q", c.ParseError)
	}
}

// TestNegativeSerial: a setting of the Go runtime lets it pass, and it would be mistaken for its positive.
func TestNegativeSerial(t *testing.T) {
	der := newCA(t, "root", nil).issue(t, 0x7a).Raw
	negative := replaced(t, der, "\x02\x01\x7a", "\x02\x01\xfa")
	for _, setting := range []string{"x509negativeserial=0", "x509negativeserial=1"} {
		t.Setenv("GODEBUG", setting)
		if c := inventory.NewCertificate(negative, "ACTIVE"); !strings.Contains(c.ParseError, "negative serial number") {
			t.Errorf("%s: ParseError %q", setting, c.ParseError)
		}
	}
}

func TestCertificateIsCompact(t *testing.T) {
	if size := unsafe.Sizeof(inventory.Certificate{}); size > 256 {
		t.Errorf("a Certificate has %d bytes; a fleet has a million of them", size)
	}
	c := newCA(t, "root", nil).certificate()
	if n := testing.AllocsPerRun(10, func() { c.RawIssuer(); c.RawSerial(); c.AuthorityKeyID() }); n > 0 {
		t.Errorf("the accessors allocate %v times", n)
	}
}

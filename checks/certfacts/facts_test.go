package certfacts_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks/certfacts"
)

// facts are a certificate's, in a form that can be compared.
type facts struct {
	NotBefore, NotAfter                          time.Time
	Algorithm                                    x509.PublicKeyAlgorithm
	Bits, Version                                int
	BasicConstraints, IsCA                       bool
	MaxPathLen                                   int
	Serial, Issuer, Subject, Key, Modulus, Point string
	AuthorityKeyID, SubjectKeyID                 string
	SameNames, HasNoMore                         bool
}

func factsOf(der []byte, f *certfacts.Facts) facts {
	return facts{
		f.NotBefore, f.NotAfter, f.KeyAlgorithm, f.KeyBits, f.Version, f.BasicConstraints, f.IsCA, f.MaxPathLen,
		string(f.Serial.Of(der)), string(f.Issuer.Of(der)), string(f.Subject.Of(der)), string(f.PublicKey.Of(der)),
		string(f.Modulus.Of(der)), string(f.Point.Of(der)), string(f.AuthorityKeyID.Of(der)), string(f.SubjectKeyID.Of(der)),
		f.IssuerHash == f.SubjectHash, cap(f.Issuer.Of(der)) == f.Issuer.Len(),
	}
}

// oracle has the same facts from crypto/x509.
func oracle(c *x509.Certificate) facts {
	f := facts{
		NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(), Algorithm: c.PublicKeyAlgorithm, Version: c.Version,
		BasicConstraints: c.BasicConstraintsValid, IsCA: c.IsCA, MaxPathLen: -1,
		Serial: string(c.SerialNumber.Bytes()), Issuer: string(c.RawIssuer), Subject: string(c.RawSubject),
		Key: string(c.RawSubjectPublicKeyInfo), AuthorityKeyID: string(c.AuthorityKeyId),
		SubjectKeyID: string(c.SubjectKeyId),
		SameNames:    string(c.RawIssuer) == string(c.RawSubject), HasNoMore: true,
	}
	if c.MaxPathLen > 0 || c.MaxPathLenZero {
		f.MaxPathLen = c.MaxPathLen
	}
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
		f.Bits, f.Modulus = k.N.BitLen(), string(k.N.Bytes())
	case *ecdsa.PublicKey:
		point, _ := k.Bytes()
		f.Bits, f.Point = k.Params().BitSize, string(point)
	case ed25519.PublicKey:
		f.Bits = 256
	}
	return f
}

// pssModulus reads the modulus of a key for RSASSA-PSS with encoding/asn1; empty if it cannot be read.
func pssModulus(spki string) string {
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	var key struct{ N, E *big.Int }
	if _, err := asn1.Unmarshal([]byte(spki), &info); err != nil ||
		!info.Algorithm.Algorithm.Equal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}) {
		return ""
	}
	if _, err := asn1.Unmarshal(info.Key.RightAlign(), &key); err != nil || key.N.Sign() <= 0 {
		return ""
	}
	return string(key.N.Bytes())
}

// compare compares what Parse and CheckKey say with what crypto/x509 says, of certificates understood or not.
func compare(t testing.TB, der []byte) (accepted bool) {
	t.Helper()
	f, err := certfacts.Parse(der)
	if err != nil {
		require.Equal(t, certfacts.Facts{}, f)
	} else {
		err = f.CheckKey(der)
	}
	c, want := x509.ParseCertificate(der)
	if want != nil {
		require.EqualError(t, err, want.Error(), "%x", der)
		return false
	}
	require.NoError(t, err, "%x", der)
	got, wants := factsOf(der, &f), oracle(c)
	if got.Algorithm == x509.UnknownPublicKeyAlgorithm && got.Modulus != "" {
		wants.Modulus = pssModulus(wants.Key)
	}
	for _, s := range []*string{&wants.Modulus, &wants.Point} {
		if !strings.Contains(string(der), *s) { // its bits are shifted
			*s = ""
		}
	}
	if got != wants {
		t.Fatalf("(-crypto/x509 +certfacts)\n%s\n%x", cmp.Diff(wants, got), der)
	}
	return true
}

func TestParse(t *testing.T) {
	for _, row := range rows() {
		t.Run(row.name, func(t *testing.T) {
			der := row.der()
			verdict := refused
			if compare(t, der) {
				verdict = slow
			}
			if certfacts.Fast(der) {
				require.NotEqual(t, refused, verdict)
				verdict = fast
			}
			require.Equal(t, row.want, verdict, "%x", der)
		})
	}
}

// The Modulus of a key for RSASSA-PSS is what encoding/asn1 reads.
func TestParseRSASSAPSS(t *testing.T) {
	for _, row := range rows() {
		der := row.der()
		f, err := certfacts.Parse(der)
		if err != nil || f.KeyAlgorithm != x509.UnknownPublicKeyAlgorithm {
			continue
		}
		t.Run(row.name, func(t *testing.T) {
			require.Equal(t, row.modulus, string(f.Modulus.Of(der)))
			if row.modulus != "" {
				require.Equal(t, row.modulus, pssModulus(string(f.PublicKey.Of(der))))
			}
		})
	}
}

func TestParseAllocatesNothing(t *testing.T) {
	for _, f := range []form{device(), full(device())} {
		der := f.der()
		require.Zero(t, testing.AllocsPerRun(100, func() {
			if _, err := certfacts.Parse(der); err != nil {
				t.Fatal(err)
			}
		}))
	}
}

// A negative serial number is an error even where crypto/x509 is told to take it.
func TestParseNegativeSerial(t *testing.T) {
	f := device()
	f.serial = tlv(integer, "\xff")
	der := f.der()
	compare(t, der)
	t.Setenv("GODEBUG", "x509negativeserial=1")
	_, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	_, err = certfacts.Parse(der)
	require.EqualError(t, err, "negative serial number")
}

func TestCheckKeyAllocatesNothing(t *testing.T) {
	f := device()
	f.key = rsaKey(modulus(256))
	der := f.der()
	facts, err := certfacts.Parse(der)
	require.NoError(t, err)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if err := facts.CheckKey(der); err != nil {
			t.Fatal(err)
		}
	}), "there is nothing to do")
}

func TestHashesOfNames(t *testing.T) {
	parse := func(f form) certfacts.Facts {
		facts, err := certfacts.Parse(f.der())
		require.NoError(t, err)
		return facts
	}
	issued, authority := device(), device()
	authority.subject = issued.issuer
	authority.validity = between(generalizedTime, "20240229235958Z", "99991231235959Z")
	authority.trailing = ""
	child, parent := parse(issued), parse(authority)
	require.Equal(t, child.IssuerHash, parent.SubjectHash)
	require.Equal(t, child.IssuerHash, parent.IssuerHash)
	require.NotEqual(t, child.SubjectHash, parent.SubjectHash)

	asked := device() // of which crypto/x509 has to be asked
	asked.bodyTail = tlv(null)
	require.False(t, certfacts.Fast(asked.der()))
	require.Equal(t, child.IssuerHash, parse(asked).IssuerHash)
	require.Equal(t, child.SubjectHash, parse(asked).SubjectHash)
}

func TestCheckKey(t *testing.T) {
	for _, row := range []struct {
		name, id string
		size     int
	}{{"P-224", p224, 28}, {"P-256", p256, 32}, {"P-384", p384, 48}, {"P-521", p521, 66}} {
		t.Run(row.name, func(t *testing.T) {
			f := device()
			point := make([]byte, 2*row.size)
			point[0] = 1
			f.key = ecPoint(row.id, "\x04"+string(point))
			der := f.der()
			require.False(t, compare(t, der))
			facts, err := certfacts.Parse(der)
			if row.id == p224 { // of which crypto/x509 is asked
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			require.Error(t, facts.CheckKey(der))
		})
	}
}

// The dates of four hundred years are those of package time, and so are all others.
func TestDaysSince1970(t *testing.T) {
	for d := time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC); d.Year() < 401; d = d.AddDate(0, 0, 1) {
		require.EqualValues(t, d.Unix()/86400, certfacts.DaysSince1970(d.Year(), int(d.Month()), d.Day()), d)
	}
	for year := 0; year < 10000; year += 97 {
		d := time.Date(year, 2, 28, 0, 0, 0, 0, time.UTC).AddDate(0, 0, 1)
		require.EqualValues(t, d.Unix()/86400, certfacts.DaysSince1970(d.Year(), int(d.Month()), d.Day()), d)
	}
}

package certificate_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	rand2 "math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/certificate"
	"github.com/fleetaudit/fleetaudit/checks/checktest"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

// specimen is a certificate, and what crypto/x509 makes of it; nil if that does not parse it.
type specimen struct {
	inventory.Certificate
	x509 *x509.Certificate
}

func newSpecimen(c inventory.Certificate) specimen {
	x, err := x509.ParseCertificate(c.Raw)
	if err != nil {
		x = nil
	}
	return specimen{c, x}
}

// oracle is what should be found about a certificate: the reason codes of the checks of expiry and age.
// It counts in nanoseconds since 1970, and goes by crypto/x509 alone.
func oracle(c specimen, at time.Time, expiryDays, ageDays int64) (expiry, age string) {
	switch c.Status {
	case "INACTIVE", "REVOKED", "PENDING_ACTIVATION", "REGISTER_INACTIVE":
		return "", ""
	case "ACTIVE", "PENDING_TRANSFER":
	default:
		return notEvaluable, notEvaluable
	}
	if c.x509 == nil {
		return notEvaluable, notEvaluable
	}
	nanos := func(t time.Time) *big.Int {
		n := new(big.Int).Mul(big.NewInt(t.Unix()), big.NewInt(1e9))
		return n.Add(n, big.NewInt(int64(t.Nanosecond())))
	}
	plusDays := func(n *big.Int, days int64) *big.Int {
		return new(big.Int).Add(n, new(big.Int).Mul(big.NewInt(days), big.NewInt(86400e9)))
	}
	if end := nanos(c.x509.NotAfter); end.Cmp(nanos(at)) < 0 {
		expiry = past
	} else if end.Cmp(plusDays(nanos(at), expiryDays)) <= 0 {
		expiry = approaching
	}
	birth := nanos(c.x509.NotBefore)
	if !c.CreatedAt.IsZero() {
		birth = nanos(c.CreatedAt)
	}
	if plusDays(birth, ageDays).Cmp(nanos(at)) <= 0 {
		age = old
	}
	return expiry, age
}

// agree runs the checks of expiry and age over certificates, which it takes for device certificates, and
// the first of them for CA certificates too, and holds them against the oracle. It returns how often the oracle gave each answer.
func agree(t *testing.T, all []specimen, at time.Time, expiryDays, ageDays int64) map[string]int {
	t.Helper()
	var devices, cas []inventory.Certificate
	var expiring, caExpiring, aged []checktest.Finding
	answers := make(map[string]int)
	for i, s := range all {
		c := s.Certificate
		devices = append(devices, c)
		expiry, age := oracle(s, at, expiryDays, ageDays)
		if answers[expiry+" "+age]++; expiry != "" {
			expiring = append(expiring, device(c, expiry))
		}
		if age != "" {
			aged = append(aged, device(c, age))
		}
		if i >= 2000 {
			continue
		}
		cas = append(cas, c)
		if fixed, _ := oracle(s, at, 30, ageDays); fixed != "" {
			caExpiring = append(caExpiring, ca(c, fixed))
		}
	}
	inv := inventory.New(inventory.Contents{DeviceCertificates: devices, CACertificates: cas})
	days := func(name string, n int64) map[string]string { return map[string]string{name: strconv.FormatInt(n, 10)} }
	for _, test := range []struct {
		check  checks.Check
		config map[string]string
		want   []checktest.Finding
	}{
		{certificate.DeviceCertificateExpiring(inv), days("CERT_EXPIRATION_THRESHOLD_IN_DAYS", expiryDays), expiring},
		{certificate.CACertificateExpiring(inv), nil, caExpiring},
		{certificate.DeviceCertificateAge(inv), days("CERT_AGE_THRESHOLD_IN_DAYS", ageDays), aged},
	} {
		checktest.Run(t, test.check, checktest.Case{Time: at, Config: test.config, Want: test.want})
	}
	return answers
}

// TestTenThousandCertificates tries what real and odd certificates have: every kind of key, ends of
// validity at thresholds and one second beside them, at the border between the two forms of time in
// DER, in the year 9999, before their beginnings, and damage.
func TestTenThousandCertificates(t *testing.T) {
	const count = 10000
	times := []struct {
		at                  time.Time
		expiryDays, ageDays int64
	}{
		{time.Date(2024, 6, 1, 12, 0, 0, 0, time.UTC), 30, 365},
		{time.Date(2024, 6, 1, 12, 0, 0, 1, time.UTC), 31, 30},
		{time.Date(2049, 12, 31, 23, 59, 59, 999999999, time.UTC), 3652, 3652},
		{time.Date(1949, 12, 31, 23, 0, 0, 0, time.FixedZone("", 3600)), 60, 400},
		{time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), 365, 3652},
	}
	root := newCA(t, "root", nil)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	edKey, _, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	keys := []any{rsaKey.Public(), p384.Public(), edKey, root.key.Public()}

	r := rand2.New(rand2.NewPCG(1, 2))
	somewhen := func() time.Time { // near what one of the audits looks at, or anywhen
		if r.IntN(8) == 0 {
			return time.Unix(-62167219200+r.Int64N(315569519999), 0).UTC() // years 0 to 9999
		}
		test := times[r.IntN(len(times))]
		days := []int64{0, test.expiryDays, -test.ageDays, 30, -30}[r.IntN(5)]
		return test.at.Add(time.Duration(days)*day + time.Duration(r.IntN(3)-1)*time.Second)
	}
	statuses := append([]inventory.CertificateStatus{"ACTIVE", "ACTIVE", "ACTIVE", "unheard-of"}, inventory.CertificateStatus("").Values()...)
	all := make([]specimen, 0, count)
	seen := make(map[string]bool)
	for len(all) < count {
		template := &x509.Certificate{
			SerialNumber: big.NewInt(int64(len(all))), Subject: pkix.Name{CommonName: fmt.Sprint("device ", len(all))},
			NotBefore: somewhen(), NotAfter: somewhen(),
		}
		der, err := x509.CreateCertificate(rand.Reader, template, root.x509, keys[len(all)%len(keys)], root.key)
		if err != nil {
			require.ErrorContains(t, err, "cannot represent time") // a second beyond the year 9999
			continue
		}
		if r.IntN(20) == 0 {
			der[r.IntN(len(der))] ^= 1 << r.IntN(8)
		}
		c := inventory.NewCertificate(der, statuses[r.IntN(len(statuses))])
		if r.IntN(3) == 0 {
			c.CreatedAt = somewhen()
		}
		if !seen[c.ID] {
			seen[c.ID] = true
			all = append(all, newSpecimen(c))
		}
	}
	answers := make(map[string]int)
	for _, test := range times {
		for answer, n := range agree(t, all, test.at, test.expiryDays, test.ageDays) {
			answers[answer] += n
		}
	}
	for _, expiry := range []string{"", approaching, past} {
		for _, age := range []string{"", old} {
			if n := answers[expiry+" "+age]; n < 100 {
				t.Errorf("the oracle said %q and %q %d times, which tries too little", expiry, age, n)
			}
		}
	}
	if n := answers[notEvaluable+" "+notEvaluable]; n < 100 {
		t.Errorf("%d certificates could not be evaluated, which tries too little", n)
	}
}

// TestRealBundles audits the bundle in testdata, and the one of the machine's operating system if it has
// one, at several times.
func TestRealBundles(t *testing.T) {
	bundles := map[string]int{"../inventory/testdata/fleet": 12}
	const system = "/etc/ssl/certs/ca-certificates.crt"
	if _, err := os.Stat(system); !errors.Is(err, fs.ErrNotExist) {
		bundles[system] = 10
	}
	for name, atLeast := range bundles {
		l, err := inventory.Load(context.Background(), name)
		require.NoError(t, err)
		var all []specimen
		for _, c := range append(l.CACertificates, l.DeviceCertificates...) {
			all = append(all, newSpecimen(c))
		}
		if len(all) < atLeast {
			t.Errorf("%s has %d certificates", name, len(all))
		}
		for year := 1999; year < 2055; year += 5 {
			agree(t, all, time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC), 365, 365)
		}
	}
}

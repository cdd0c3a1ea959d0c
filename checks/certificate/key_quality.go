package certificate

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"strconv"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/internal/baseline"
	"github.com/fleetaudit/fleetaudit/checks/internal/finding"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

// Reason codes of the two checks of key quality.
const (
	rocaKey   = "CERTIFICATE_KEY_VULNERABILITY_CVE-2017-15361"
	debianKey = "CERTIFICATE_KEY_VULNERABILITY_CVE-2008-0166"
)

// whichKeys is a part of the Doc of each check of key quality.
const whichKeys = "\n\n" +
	"CVE-2017-15361 (ROCA) is told by a fingerprint in the modulus, which a sound key has with a probability of " +
	"2^-155. CVE-2008-0166 (Debian's OpenSSL of 2006 to 2008) is told by a list that the host supplies; without " +
	"one, only ROCA is looked for. A key that has both is two findings. The additional information has the kind " +
	"of key and its size in bits.\n\n" +
	"Only RSA keys are looked at, RSASSA-PSS ones among them. Their size is no criterion, nor are curves and the " +
	"hash of the signature: AWS wants sizes when a certificate is registered, and names nothing but the two CVEs " +
	"here. How AWS tells them it does not say, nor what it makes of a key whose public exponent is not 65537: " +
	"here the modulus decides, since who can factor it has the private key whatever the exponent."

// keyQuality makes a check that reports the certificates of src that have weak keys.
func keyQuality(spec checks.Spec, inv *inventory.Inventory, src *checks.Source[inventory.Certificate],
	name naming) checks.Check {
	spec.ReasonCodes = []checks.ReasonCode{
		{Code: rocaKey, Doc: "Infineon's RSALib made its key, which can be factored (ROCA)."},
		{Code: debianKey, Doc: "Debian's OpenSSL made its key of one of few random seeds, all of them known."},
	}
	spec.References = []checks.Reference{
		baseline.NISTIR8259A("Data Protection"),
		baseline.ETSI303645("5.4-4: critical security parameters are made so as to reduce the risk of automated attacks"),
		baseline.IEC62443("CR 1.9: strength of public key-based authentication, algorithms and keys"),
	}
	spec.Source = src
	return checks.New(spec, func(ctx context.Context, pass *checks.Pass) error {
		weak := inv.WeakKeys() // one list for the whole pass
		judge := func(_ context.Context, pass *checks.Pass, c *inventory.Certificate) error {
			trace := c.KeyTrace()
			if trace.Sound(weak) {
				return nil
			}
			n, err := modulus(c)
			if err != nil {
				finding.NotEvaluable(pass, name(c), "Public key of the certificate cannot be parsed: "+err.Error())
				return nil
			}
			if n == nil {
				return nil
			}
			found := func(code, reason string) {
				info := map[string]string{"KEY_ALGORITHM": "RSA", "KEY_SIZE": strconv.Itoa(n.BitLen())}
				finding.Report(pass, name(c), code, reason, info)
			}
			if trace.ROCA(n) {
				found(rocaKey, "Certificate has a key that can be factored (ROCA).")
			}
			if weak.Contains(n) {
				found(debianKey, "Certificate has a key that is on the list of known weak keys.")
			}
			return nil
		}
		return checks.Scan(ctx, pass, src, scoped(name, judge))
	})
}

// modulus returns the modulus of c's RSA key; nil if it has a key of another kind.
func modulus(c *inventory.Certificate) (*big.Int, error) {
	switch c.KeyAlgorithm {
	case x509.RSA, x509.UnknownPublicKeyAlgorithm: // crypto/x509 knows no RSASSA-PSS keys
	default:
		return nil, nil
	}
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(c.RawPublicKey(), &info); err != nil {
		return nil, err
	}
	rsassaPSS := asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
	if c.KeyAlgorithm != x509.RSA && !info.Algorithm.Algorithm.Equal(rsassaPSS) {
		return nil, nil
	}
	var key struct{ N, E *big.Int } // x509.ParsePKCS1PublicKey refuses exponents that certificates may have
	if _, err := asn1.Unmarshal(info.Key.RightAlign(), &key); err != nil {
		return nil, err
	}
	if key.N.Sign() <= 0 {
		return nil, errors.New("modulus of the RSA key is not positive")
	}
	return key.N, nil
}

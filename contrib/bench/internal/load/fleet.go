// Package load holds `fleetaudit serve` under load from another process, and looks at whether what it answers is right.
package load

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

// Fleet is a fleet of generated resources, of which every tenth is not as it should be.
type Fleet struct{ Certificates, Policies int }

// The checks that a Fleet is audited with, and that each find every tenth resource of one kind.
const (
	expiringCheck = "DEVICE_CERTIFICATE_EXPIRING_CHECK"
	policyCheck   = "IOT_POLICY_OVERLY_PERMISSIVE_CHECK"
)

// counts is what an audit must say of one check.
type counts struct{ total, nonCompliant int64 }

func (f Fleet) want() map[string]counts {
	return map[string]counts{
		expiringCheck: {int64(f.Certificates), int64(f.Certificates / 10)},
		policyCheck:   {int64(f.Policies), int64(f.Policies / 10)},
	}
}

// Write writes the fleet into a folder.
func (f Fleet) Write(folder string) error {
	if err := f.writeCertificates(filepath.Join(folder, "certificates.pem")); err != nil {
		return err
	}
	type policy struct {
		Name     string `json:"policyName"`
		Version  string `json:"policyVersionId"`
		Document any    `json:"policyDocument"`
	}
	var fleet struct {
		Policies []policy `json:"policies"`
	}
	for i := range f.Policies {
		resource := fmt.Sprintf("arn:aws:iot:eu-west-1:123456789012:topic/devices/%d/state", i)
		if i%10 == 0 {
			resource = "*"
		}
		fleet.Policies = append(fleet.Policies, policy{policyName(i), "1", map[string]any{
			"Version":   "2012-10-17",
			"Statement": []any{map[string]any{"Effect": "Allow", "Action": "iot:Publish", "Resource": resource}},
		}})
	}
	b, err := json.Marshal(fleet)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "policies.json"), b, 0o600)
}

func policyName(i int) string { return fmt.Sprintf("device-%d", i) }

func (f Fleet) writeCertificates(path string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	begin := time.Now().Add(-24 * time.Hour)
	authority := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Example CA"}}
	for i := range f.Certificates {
		end := begin.AddDate(2, 0, 0)
		if i%10 == 0 {
			end = begin.AddDate(0, 0, 10)
		}
		der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
			SerialNumber: big.NewInt(int64(i + 2)),
			Subject:      pkix.Name{CommonName: fmt.Sprintf("device-%d", i)},
			NotBefore:    begin,
			NotAfter:     end,
		}, authority, key.Public(), key)
		if err != nil {
			return err
		}
		if err := pem.Encode(file, &pem.Block{Type: "CERTIFICATE", Bytes: der}); err != nil {
			return err
		}
	}
	return file.Close()
}

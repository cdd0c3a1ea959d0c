package findings

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/fleetaudit/fleetaudit/model"
)

// Fingerprint is what makes two findings of two audits the same: check, resource and reason code. It is
// comparable; two findings are the same exactly when their fingerprints are ==.
type Fingerprint struct {
	CheckName  string
	Resource   model.ResourceIdentifier
	ReasonCode string
}

// FingerprintOf returns the fingerprint of a finding.
func FingerprintOf(f model.AuditFinding) Fingerprint {
	return Fingerprint{f.CheckName, f.NonCompliantResource.ResourceIdentifier, f.ReasonForNonComplianceCode}
}

// String returns 32 lower-case hexadecimal digits that stand for the fingerprint: the first half of the
// SHA-256 of an encoding that no two fingerprints share. They are the same in every process, on every
// machine and in every release, so they may be kept outside.
func (f Fingerprint) String() string {
	sum := sha256.Sum256(f.encode())
	return hex.EncodeToString(sum[:16])
}

func (f *Fingerprint) encode() []byte {
	b := appendIdentifier(appendString(nil, f.CheckName), &f.Resource)
	return appendString(b, f.ReasonCode)
}

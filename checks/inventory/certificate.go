package inventory

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"time"
	"unique"

	"github.com/fleetaudit/fleetaudit/checks/certfacts"
	"github.com/fleetaudit/fleetaudit/checks/weakkey"
)

// CertificateStatus is the state of a certificate in the registry of the fleet, in AWS's words.
type CertificateStatus string

// The six statuses of a certificate. A CA certificate is ACTIVE or INACTIVE.
const (
	CertificateStatusActive            CertificateStatus = "ACTIVE"
	CertificateStatusInactive          CertificateStatus = "INACTIVE"
	CertificateStatusRevoked           CertificateStatus = "REVOKED"
	CertificateStatusPendingTransfer   CertificateStatus = "PENDING_TRANSFER"
	CertificateStatusPendingActivation CertificateStatus = "PENDING_ACTIVATION"
	CertificateStatusRegisterInactive  CertificateStatus = "REGISTER_INACTIVE"
)

// Values lists every CertificateStatus.
func (CertificateStatus) Values() []CertificateStatus {
	return []CertificateStatus{
		CertificateStatusActive, CertificateStatusInactive, CertificateStatusRevoked,
		CertificateStatusPendingTransfer, CertificateStatusPendingActivation, CertificateStatusRegisterInactive,
	}
}

// MaxCertificate is how many bytes of DER a certificate may have; one with more is not parsed.
const MaxCertificate = 64 << 10

// Certificate is a device's certificate, or a CA's, with the facts that checks need. [NewCertificate]
// makes it; the host may then set Status, CreatedAt and Origin. It is a value of about 250 bytes beside
// its DER, which it shares with its copies.
type Certificate struct {
	ID        string // AWS's certificateId: the SHA-256 of its DER, 64 lower-case hexadecimal digits
	Status    CertificateStatus
	CreatedAt time.Time // when it was registered; zero: unknown
	Origin    Origin

	// Raw is its DER; empty if that has more than MaxCertificate bytes.
	Raw []byte
	// ParseError is what the parser says about a certificate that does not parse; empty if it does.
	// All that follows is zero in one that does not.
	ParseError string

	NotBefore    time.Time // in UTC, both ends of the validity included
	NotAfter     time.Time
	KeyAlgorithm x509.PublicKeyAlgorithm
	KeyBits      int // size of the public key; 0: the algorithm is not known, or is DSA
	Version      int // 1, 2 or 3
	IsCA         bool

	issuer, subject, serial      span
	authorityKeyID, subjectKeyID span
	publicKey                    span

	// What follows saves a look at the DER, which in a large fleet is never at hand. It is zero in a Certificate that
	// NewCertificate has not made, and the last two in one that is self-issued: every one may have a name of its own.
	issuerHash              uint16 // of both of the last two
	serialHash              uint32
	keyTrace                weakkey.Trace
	issuerName, issuerKeyID unique.Handle[string]
}

// span is a part of a certificate's DER, or nothing.
type span struct{ start, size uint16 }

// NewCertificate makes a Certificate of its DER, which it keeps. It never fails: the error of one that
// does not parse is its ParseError.
func NewCertificate(der []byte, status CertificateStatus) Certificate {
	sum := sha256.Sum256(der)
	c := Certificate{ID: hex.EncodeToString(sum[:]), Status: status}
	if len(der) > MaxCertificate {
		c.ParseError = fmt.Sprintf("%d bytes of DER are more than %d", len(der), MaxCertificate)
		return c
	}
	c.Raw = der
	if err := c.parse(); err != nil {
		c.ParseError = shorten(err.Error())
	}
	return c
}

// parse sets the facts, or none of them. No other function knows which parser is in use.
func (c *Certificate) parse() error {
	f, err := certfacts.Parse(c.Raw)
	if err == nil {
		err = f.CheckKey(c.Raw)
	}
	if err != nil {
		return err
	}
	c.NotBefore, c.NotAfter = f.NotBefore, f.NotAfter
	c.KeyAlgorithm, c.KeyBits = f.KeyAlgorithm, f.KeyBits
	c.Version = f.Version
	c.issuer, c.subject, c.serial = spanOf(f.Issuer), spanOf(f.Subject), spanOf(f.Serial)
	c.authorityKeyID, c.subjectKeyID = spanOf(f.AuthorityKeyID), spanOf(f.SubjectKeyID)
	c.publicKey = spanOf(f.PublicKey)
	// Version 1 has no extensions to say it with; a root of those days is told by issuing itself.
	c.IsCA = f.IsCA || f.Version == 1 && c.SelfIssued()

	c.serialHash = serialHash(c.RawSerial())
	switch {
	case f.Modulus.Len() > 0:
		c.keyTrace = weakkey.TraceOf(f.Modulus.Of(c.Raw))
	case f.KeyAlgorithm != x509.RSA && f.KeyAlgorithm != x509.UnknownPublicKeyAlgorithm:
		c.keyTrace = weakkey.TraceOf(nil)
	}
	if !c.SelfIssued() {
		c.issuerName, c.issuerKeyID = handle(c.RawIssuer()), handle(c.AuthorityKeyID())
		c.issuerHash = issuerHash(c.RawIssuer(), c.AuthorityKeyID())
	}
	return nil
}

func spanOf(p certfacts.Part) span { return span{uint16(p.Start), uint16(p.Len())} }

func (c *Certificate) bytes(s span) []byte {
	end := int(s.start) + int(s.size)
	return c.Raw[s.start:end:end]
}

// RawIssuer returns the issuer's name in DER, a part of Raw; empty if c does not parse.
func (c *Certificate) RawIssuer() []byte { return c.bytes(c.issuer) }

// RawSubject returns the subject's name in DER, a part of Raw; empty if c does not parse.
func (c *Certificate) RawSubject() []byte { return c.bytes(c.subject) }

// RawPublicKey returns the SubjectPublicKeyInfo in DER, a part of Raw; empty if c does not parse.
func (c *Certificate) RawPublicKey() []byte { return c.bytes(c.publicKey) }

// RawSerial returns the serial number, big-endian without leading zeros, a part of Raw; empty for 0.
func (c *Certificate) RawSerial() []byte { return c.bytes(c.serial) }

// AuthorityKeyID returns the identifier of the key that c says it is signed with, a part of Raw; empty
// if c has none.
func (c *Certificate) AuthorityKeyID() []byte { return c.bytes(c.authorityKeyID) }

// SubjectKeyID returns the identifier of c's own key, a part of Raw; empty if c has none.
func (c *Certificate) SubjectKeyID() []byte { return c.bytes(c.subjectKeyID) }

// Issuer returns the issuer's name for people: "CN=Device CA,O=Example".
func (c *Certificate) Issuer() string { return nameText(c.RawIssuer()) }

// Subject returns the subject's name for people: "CN=device-1,O=Example".
func (c *Certificate) Subject() string { return nameText(c.RawSubject()) }

// Serial returns the serial number in hexadecimal, two digits a byte; empty if c does not parse.
func (c *Certificate) Serial() string {
	if c.ParseError != "" {
		return ""
	}
	if c.serial.size == 0 {
		return "00"
	}
	return hex.EncodeToString(c.RawSerial())
}

// SelfIssued tells whether issuer and subject are the same name; false if c does not parse.
func (c *Certificate) SelfIssued() bool {
	return c.subject.size > 0 && bytes.Equal(c.RawIssuer(), c.RawSubject())
}

// KeyTrace returns what is kept of c's key, so that most need no look at the DER. It is zero, and the key has to be
// looked at, if NewCertificate has not made c, or does not know the key's algorithm.
func (c *Certificate) KeyTrace() weakkey.Trace { return c.keyTrace }

// Root tells whether c is self-issued and signed with its own key: as its key identifiers say, or where one
// is missing, as the signature does. One whose signature cannot be checked counts as a root.
func (c *Certificate) Root() bool {
	if !c.SelfIssued() || !sameKey(c.AuthorityKeyID(), c.SubjectKeyID()) {
		return false
	}
	if len(c.AuthorityKeyID()) > 0 && len(c.SubjectKeyID()) > 0 {
		return true
	}
	x, err := signer(c)
	if err != nil {
		return true
	}
	err = x.CheckSignature(x.SignatureAlgorithm, x.RawTBSCertificate, x.Signature)
	return err == nil || !verdictOn(err)
}

// sameKey tells whether two key identifiers do not contradict each other; an empty one fits every key.
func sameKey(a, b []byte) bool {
	return len(a) == 0 || len(b) == 0 || bytes.Equal(a, b)
}

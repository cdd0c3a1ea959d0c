package inventory

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
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
	x, err := x509.ParseCertificate(c.Raw)
	if err != nil {
		return err
	}
	if x.SerialNumber.Sign() < 0 { // which a GODEBUG setting lets pass
		return errors.New("negative serial number")
	}
	c.NotBefore, c.NotAfter = x.NotBefore.UTC(), x.NotAfter.UTC()
	c.KeyAlgorithm, c.KeyBits = x.PublicKeyAlgorithm, keyBits(x.PublicKey)
	c.Version = x.Version
	c.issuer, c.subject = c.find(x.RawIssuer), c.find(x.RawSubject)
	c.serial = c.find(x.SerialNumber.Bytes())
	c.authorityKeyID, c.subjectKeyID = c.find(x.AuthorityKeyId), c.find(x.SubjectKeyId)
	c.publicKey = c.find(x.RawSubjectPublicKeyInfo)
	// Version 1 has no extensions to say it with; a root of those days is told by issuing itself.
	c.IsCA = x.IsCA || x.Version == 1 && c.SelfIssued()
	return nil
}

// find returns a span that holds b, which the parser has from Raw. Which one does not matter: whatever
// it is found as, the bytes are the same.
func (c *Certificate) find(b []byte) span {
	i := bytes.Index(c.Raw, b)
	if i < 0 || len(b) == 0 {
		return span{}
	}
	return span{uint16(i), uint16(len(b))}
}

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

func keyBits(key any) int {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return k.N.BitLen()
	case *ecdsa.PublicKey:
		return k.Curve.Params().BitSize
	case ed25519.PublicKey:
		return 8 * len(k)
	case *ecdh.PublicKey:
		return 8 * len(k.Bytes())
	}
	return 0
}

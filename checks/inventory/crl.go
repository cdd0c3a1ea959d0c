package inventory

import (
	"cmp"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/maphash"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/fleetaudit/fleetaudit/checks/internal/sieve"
)

// MaxCRL is how many bytes of DER a CRL may have; one with more is not parsed.
const MaxCRL = 64 << 20

// CRL is a list of certificates that a CA has revoked, or a delta CRL, which says what has changed since
// such a list. [NewCRL] makes it; the host may then set Origin. Nobody has checked its signature:
// [Inventory.Revocations] does.
type CRL struct {
	ID     string // the SHA-256 of its DER, 64 lower-case hexadecimal digits
	Origin Origin

	// Unusable says why it cannot be relied on: it does not parse, or has a critical extension that is
	// not known (RFC 5280, section 5.2). Empty: nothing is known against it. Its issuer is known
	// wherever possible; all that follows AuthorityKeyID may be zero.
	Unusable string

	RawIssuer      []byte // the name in DER
	AuthorityKeyID []byte // empty: it does not say which key it is signed with
	ThisUpdate     time.Time
	NextUpdate     time.Time // zero: it does not say
	Number         *big.Int  // nil: it has none
	Delta          bool

	attributes bool             // it is about attribute certificates, which have serial numbers of their own
	userOnly   bool             // it covers no CA certificates
	caOnly     bool             // it covers nothing but CA certificates
	scope      string           // its issuing distribution point in DER: which part of the CA's certificates it covers
	names      map[string]int32 // issuers of entries, in DER; its own is 0
	entries    []entry          // by issuer and serial number
	serials    sieve.Sieve      // of the entries
	tbs, sig   []byte
	algorithm  x509.SignatureAlgorithm
}

// entry is one revoked certificate of a CRL.
type entry struct {
	serial string // big-endian without leading zeros
	at     int64  // when, in epoch seconds
	reason int32  // RFC 5280's number
	issuer int32  // as names has it
}

// removeFromCRL is the reason of an entry that takes a certificate off hold.
const removeFromCRL = 8

// NewCRL makes a CRL of its DER, of which it keeps parts. It never fails: one that does not parse is
// Unusable. Versions 1 and 2 are read.
func NewCRL(der []byte) CRL {
	sum := sha256.Sum256(der)
	c := CRL{ID: hex.EncodeToString(sum[:])}
	if len(der) > MaxCRL {
		c.Unusable = fmt.Sprintf("%d bytes of DER are more than %d", len(der), MaxCRL)
		return c
	}
	if err := c.parse(der); err != nil {
		c.Unusable = shorten(err.Error())
	}
	return c
}

// Issuer returns the issuer's name for people: "CN=Device CA,O=Example".
func (c *CRL) Issuer() string { return nameText(c.RawIssuer) }

// Len returns how many entries it has.
func (c *CRL) Len() int { return len(c.entries) }

// String names it for people by where it was read, or else by its ID.
func (c *CRL) String() string { return "CRL " + cmp.Or(c.Origin.String(), c.ID) }

// outline is as much of a CRL as tells who issued it and what was signed.
type outline struct {
	TBS       asn1.RawValue
	Algorithm asn1.RawValue
	Signature asn1.BitString
}

func (c *CRL) parse(der []byte) error {
	var o outline
	if rest, err := asn1.Unmarshal(der, &o); err != nil {
		return err
	} else if len(rest) > 0 {
		return errors.New("trailing data")
	}
	if o.TBS.Class != asn1.ClassUniversal || o.TBS.Tag != asn1.TagSequence {
		return errors.New("no TBSCertList")
	}
	c.tbs = o.TBS.FullBytes

	body := o.TBS.Bytes
	var version int
	if rest, err := asn1.Unmarshal(body, &version); err == nil {
		body = rest
	} else {
		// crypto/x509 reads version 2 only, of which 1 is a subset; what was signed stays as it was.
		v2, err := asn1.Marshal(outline{
			asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: slices.Concat([]byte{2, 1, 1}, body)},
			o.Algorithm, o.Signature,
		})
		if err != nil {
			return err
		}
		der = v2
	}
	c.RawIssuer = issuerName(body)

	x, err := x509.ParseRevocationList(der)
	if err != nil {
		return err
	}
	c.AuthorityKeyID = x.AuthorityKeyId
	c.ThisUpdate, c.NextUpdate, c.Number = x.ThisUpdate.UTC(), x.NextUpdate.UTC(), x.Number
	c.sig, c.algorithm = x.Signature, x.SignatureAlgorithm
	if err := c.readExtensions(x.Extensions); err != nil {
		return err
	}
	return c.readEntries(x.RevokedCertificateEntries)
}

// issuerName finds the issuer in what follows the version of a TBSCertList; nil if it is not there.
func issuerName(body []byte) []byte {
	var algorithm, issuer asn1.RawValue
	rest, err := asn1.Unmarshal(body, &algorithm)
	if err != nil {
		return nil
	}
	if _, err := asn1.Unmarshal(rest, &issuer); err != nil || issuer.Tag != asn1.TagSequence {
		return nil
	}
	return issuer.FullBytes
}

// Extensions of CRLs and of their entries, by the last part of their identifier below 2.5.29.
const (
	extCRLNumber         = 20
	extReasonCode        = 21
	extDeltaIndicator    = 27
	extDistributionPoint = 28
	extCertificateIssuer = 29
	extAuthorityKeyID    = 35
	tagDirectoryName     = 4 // in GeneralName
)

// extension returns the last part of an identifier below 2.5.29, or -1.
func extension(id asn1.ObjectIdentifier) int {
	if len(id) == 4 && id[:3].Equal(asn1.ObjectIdentifier{2, 5, 29}) {
		return id[3]
	}
	return -1
}

// covers tells whether the CRL is about certificates of CAs, or about the others.
func (c *CRL) covers(isCA bool) bool { return !(c.userOnly && isCA || c.caOnly && !isCA) }

func (c *CRL) readExtensions(list []pkix.Extension) error {
	for _, e := range list {
		switch extension(e.Id) {
		case extCRLNumber, extAuthorityKeyID:
		case extDeltaIndicator:
			c.Delta = true
		case extDistributionPoint:
			var point struct {
				Name           asn1.RawValue  `asn1:"optional,tag:0"`
				UserOnly       bool           `asn1:"optional,tag:1"`
				CAOnly         bool           `asn1:"optional,tag:2"`
				Reasons        asn1.BitString `asn1:"optional,tag:3"`
				Indirect       bool           `asn1:"optional,tag:4"`
				AttributesOnly bool           `asn1:"optional,tag:5"`
			}
			if rest, err := asn1.Unmarshal(e.Value, &point); err != nil || len(rest) > 0 {
				return errors.New("malformed issuing distribution point")
			}
			c.scope, c.attributes = string(e.Value), point.AttributesOnly
			c.userOnly, c.caOnly = point.UserOnly, point.CAOnly
		default:
			if e.Critical {
				return fmt.Errorf("critical extension %v is not known", e.Id)
			}
		}
	}
	return nil
}

func (c *CRL) readEntries(list []x509.RevocationListEntry) error {
	c.names = map[string]int32{string(c.RawIssuer): 0}
	c.entries = make([]entry, 0, len(list))
	size := 0
	for _, r := range list {
		size += (r.SerialNumber.BitLen() + 7) / 8
	}
	var serials strings.Builder // one allocation for all of them
	serials.Grow(size)
	var issuer int32 // of this entry and those that follow, until one names another
	for _, r := range list {
		for _, e := range r.Extensions {
			switch extension(e.Id) {
			case extReasonCode:
			case extCertificateIssuer:
				name := directoryName(e.Value)
				if name == nil {
					return fmt.Errorf("entry %x: malformed certificate issuer", r.SerialNumber)
				}
				var known bool
				if issuer, known = c.names[string(name)]; !known {
					issuer = int32(len(c.names))
					c.names[string(name)] = issuer
				}
			default:
				if e.Critical {
					return fmt.Errorf("entry %x: critical extension %v is not known", r.SerialNumber, e.Id)
				}
			}
		}
		if r.SerialNumber.Sign() < 0 {
			continue // no certificate that parses has such a number
		}
		start := serials.Len()
		serials.Write(r.SerialNumber.Bytes())
		c.entries = append(c.entries, entry{
			serial: serials.String()[start:], at: r.RevocationTime.Unix(), reason: int32(r.ReasonCode), issuer: issuer,
		})
	}
	slices.SortFunc(c.entries, compareEntries)
	c.serials = sieve.New(len(c.entries), 4)
	for _, e := range c.entries {
		c.serials.Put(serialHash([]byte(e.serial)))
	}
	return nil
}

func compareEntries(a, b entry) int {
	return cmp.Or(cmp.Compare(a.issuer, b.issuer), strings.Compare(a.serial, b.serial))
}

// directoryName returns the first name in DER of GeneralNames, nil if there is none.
func directoryName(der []byte) []byte {
	var names []asn1.RawValue
	if rest, err := asn1.Unmarshal(der, &names); err != nil || len(rest) > 0 {
		return nil
	}
	for _, n := range names {
		if n.Class == asn1.ClassContextSpecific && n.Tag == tagDirectoryName && len(n.Bytes) > 0 {
			return n.Bytes
		}
	}
	return nil
}

// seed makes hashes, which never leave the process.
var seed = maphash.MakeSeed()

// serialHash returns the hash of a serial number, which is not zero.
func serialHash(serial []byte) uint32 { return uint32(maphash.Bytes(seed, serial)) | 1 }

// mayList tells whether there may be an entry about a certificate.
func (c *CRL) mayList(cert *Certificate) bool {
	hash := cert.serialHash
	if hash == 0 {
		hash = serialHash(cert.RawSerial())
	}
	return c.serials.Holds(hash)
}

// find returns the entry about a certificate as of an instant. If there are several, one that revokes it
// goes before one that takes it off hold, and the earliest before the others.
func (c *CRL) find(cert *Certificate, at int64) (entry, bool) {
	if !c.mayList(cert) {
		return entry{}, false
	}
	owner, ok := c.names[string(cert.RawIssuer())]
	if !ok {
		return entry{}, false
	}
	want := entry{serial: string(cert.RawSerial()), issuer: owner}
	i, _ := slices.BinarySearchFunc(c.entries, want, compareEntries)
	var best entry
	found := false
	for ; i < len(c.entries) && compareEntries(c.entries[i], want) == 0; i++ {
		e := c.entries[i]
		if e.at <= at && (!found || e.before(best)) {
			best, found = e, true
		}
	}
	return best, found
}

func (e entry) before(o entry) bool {
	if lifted := e.reason == removeFromCRL; lifted != (o.reason == removeFromCRL) {
		return !lifted
	}
	return e.at < o.at
}

// newer orders CRLs of one CA by when they were issued; the ID makes the order the same every time.
func newer(a, b *CRL) int {
	if n := a.ThisUpdate.Compare(b.ThisUpdate); n != 0 {
		return n
	}
	if a.Number != nil && b.Number != nil {
		if n := a.Number.Cmp(b.Number); n != 0 {
			return n
		}
	}
	return strings.Compare(a.ID, b.ID)
}

var reasons = [...]string{"unspecified", "keyCompromise", "cACompromise", "affiliationChanged", "superseded",
	"cessationOfOperation", "certificateHold", 8: "removeFromCRL", "privilegeWithdrawn", "aACompromise"}

// reasonText is RFC 5280's word for a reason, or its number.
func reasonText(code int32) string {
	if code >= 0 && int(code) < len(reasons) && reasons[code] != "" {
		return reasons[code]
	}
	return fmt.Sprint(code)
}

package findings

import (
	"bytes"
	"encoding/binary"
	"maps"
	"slices"

	"github.com/fleetaudit/fleetaudit/model"
)

// What findings hold is stored as byte strings with one spelling for each value, so that equal values
// are equal strings. Lengths and counts are uvarints. The decoder reads only what the encoder wrote.

// members lists the strings that a resource identifier is made of, in the order of their encoding, which
// appendIdentifier has to repeat. A new one comes last, since the order shows in [Fingerprint.String].
func members(r *model.ResourceIdentifier) [memberCount]*string {
	return [...]*string{
		&r.DeviceCertificateID, &r.CACertificateID, &r.CognitoIdentityPoolID, &r.ClientID,
		&r.PolicyVersionIdentifier.PolicyName, &r.PolicyVersionIdentifier.PolicyVersionID,
		&r.Account, &r.IAMRoleARN, &r.RoleAliasARN,
		&r.IssuerCertificateIdentifier.IssuerCertificateSubject, &r.IssuerCertificateIdentifier.IssuerID,
		&r.IssuerCertificateIdentifier.IssuerCertificateSerialNumber, &r.DeviceCertificateARN,
	}
}

const memberCount = 13

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// appendIdentifier writes which members are set, then those. Going through members would take half as
// long again, and this is a good part of an Append.
func appendIdentifier(b []byte, r *model.ResourceIdentifier) []byte {
	at := len(b)
	b = append(b, 0, 0)
	var set uint16
	b, set = appendMember(b, set, 0, r.DeviceCertificateID)
	b, set = appendMember(b, set, 1, r.CACertificateID)
	b, set = appendMember(b, set, 2, r.CognitoIdentityPoolID)
	b, set = appendMember(b, set, 3, r.ClientID)
	b, set = appendMember(b, set, 4, r.PolicyVersionIdentifier.PolicyName)
	b, set = appendMember(b, set, 5, r.PolicyVersionIdentifier.PolicyVersionID)
	b, set = appendMember(b, set, 6, r.Account)
	b, set = appendMember(b, set, 7, r.IAMRoleARN)
	b, set = appendMember(b, set, 8, r.RoleAliasARN)
	b, set = appendMember(b, set, 9, r.IssuerCertificateIdentifier.IssuerCertificateSubject)
	b, set = appendMember(b, set, 10, r.IssuerCertificateIdentifier.IssuerID)
	b, set = appendMember(b, set, 11, r.IssuerCertificateIdentifier.IssuerCertificateSerialNumber)
	b, set = appendMember(b, set, 12, r.DeviceCertificateARN)
	binary.LittleEndian.PutUint16(b[at:], set)
	return b
}

func appendMember(b []byte, set uint16, i int, m string) ([]byte, uint16) {
	if m == "" {
		return b, set
	}
	return appendString(b, m), set | 1<<i
}

// appendDetail writes the additional information and the related resources of a finding; nothing when
// there are none.
func appendDetail(b []byte, info map[string]string, related []model.RelatedResource) []byte {
	if len(info) == 0 && len(related) == 0 {
		return b
	}
	b = appendInfo(b, info)
	for i := range related {
		b = appendString(b, string(related[i].ResourceType))
		b = appendIdentifier(b, &related[i].ResourceIdentifier)
		b = appendInfo(b, related[i].AdditionalInfo)
	}
	return b
}

func appendInfo(b []byte, info map[string]string) []byte {
	b = binary.AppendUvarint(b, uint64(len(info)))
	if len(info) <= 1 { // nothing to sort: the usual case
		for k, v := range info {
			b = appendString(appendString(b, k), v)
		}
		return b
	}
	for _, k := range slices.Sorted(maps.Keys(info)) {
		b = appendString(appendString(b, k), info[k])
	}
	return b
}

// isDetail says whether b is what appendDetail writes, without sorting or copying anything.
func isDetail(b []byte, info map[string]string, related []model.RelatedResource) bool {
	if len(b) == 0 {
		return len(info) == 0 && len(related) == 0
	}
	d := decoder(b)
	if !d.isInfo(info) {
		return false
	}
	for i := range related {
		r := &related[i]
		if !d.isString(string(r.ResourceType)) || !d.isIdentifier(&r.ResourceIdentifier) || !d.isInfo(r.AdditionalInfo) {
			return false
		}
	}
	return len(d) == 0
}

// decoder reads from the front of an encoding. What it returns is copied out of it, but for bytes.
type decoder []byte

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(*d)
	*d = (*d)[n:]
	return v
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(*d)
	*d = (*d)[n:]
	return v
}

func (d *decoder) bytes() []byte {
	n := d.uvarint()
	b := (*d)[:n]
	*d = (*d)[n:]
	return b
}

func (d *decoder) identifier(last *recent) model.ResourceIdentifier {
	var r model.ResourceIdentifier
	set := binary.LittleEndian.Uint16(*d)
	*d = (*d)[2:]
	for i, m := range members(&r) {
		if set&(1<<i) != 0 {
			*m = last.string(d.bytes())
		}
	}
	return r
}

func (d *decoder) related(last *recent) model.RelatedResource {
	return model.RelatedResource{
		ResourceType:       model.ResourceType(last.string(d.bytes())),
		ResourceIdentifier: d.identifier(last),
		AdditionalInfo:     d.info(last),
	}
}

// info reads additional information; there is none at the end of what is encoded.
func (d *decoder) info(last *recent) map[string]string {
	if len(*d) == 0 {
		return nil
	}
	n := d.uvarint()
	if n == 0 {
		return nil
	}
	m := make(map[string]string, n)
	for range n {
		k := last.string(d.bytes())
		m[k] = last.string(d.bytes())
	}
	return m
}

// isString and its like read over what they compare with, as long as they are true.
func (d *decoder) isString(s string) bool {
	return string(d.bytes()) == s
}

func (d *decoder) isIdentifier(r *model.ResourceIdentifier) bool {
	var room [128]byte
	b := appendIdentifier(room[:0], r)
	same := bytes.HasPrefix(*d, b)
	if same {
		*d = (*d)[len(b):]
	}
	return same
}

func (d *decoder) isInfo(info map[string]string) bool {
	if d.uvarint() != uint64(len(info)) {
		return false
	}
	for range len(info) {
		v, ok := info[string(d.bytes())]
		if !ok || !d.isString(v) {
			return false
		}
	}
	return true
}

package findings

import (
	"encoding/binary"
	"maps"
	"slices"

	"github.com/fleetaudit/fleetaudit/model"
)

// What findings hold is stored as byte strings with one spelling for each value, so that equal values
// are equal strings. Lengths and counts are uvarints. The decoder reads only what the encoder wrote.

// members lists the strings that a resource identifier is made of, in the order of their encoding. A new
// one comes last, since the order shows in [Fingerprint.String].
func members(r *model.ResourceIdentifier) [13]*string {
	return [...]*string{
		&r.DeviceCertificateID, &r.CACertificateID, &r.CognitoIdentityPoolID, &r.ClientID,
		&r.PolicyVersionIdentifier.PolicyName, &r.PolicyVersionIdentifier.PolicyVersionID,
		&r.Account, &r.IAMRoleARN, &r.RoleAliasARN,
		&r.IssuerCertificateIdentifier.IssuerCertificateSubject, &r.IssuerCertificateIdentifier.IssuerID,
		&r.IssuerCertificateIdentifier.IssuerCertificateSerialNumber, &r.DeviceCertificateARN,
	}
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// appendIdentifier writes which members are set, then those.
func appendIdentifier(b []byte, r *model.ResourceIdentifier) []byte {
	at := len(b)
	b = append(b, 0, 0)
	var set uint16
	for i, m := range members(r) {
		if *m != "" {
			set |= 1 << i
			b = appendString(b, *m)
		}
	}
	binary.LittleEndian.PutUint16(b[at:], set)
	return b
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

// decoder reads from the front of an encoding. What it returns is copied out of it.
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

func (d *decoder) string() string {
	n := d.uvarint()
	s := string((*d)[:n])
	*d = (*d)[n:]
	return s
}

func (d *decoder) identifier() model.ResourceIdentifier {
	var r model.ResourceIdentifier
	set := binary.LittleEndian.Uint16(*d)
	*d = (*d)[2:]
	for i, m := range members(&r) {
		if set&(1<<i) != 0 {
			*m = d.string()
		}
	}
	return r
}

func (d *decoder) related() model.RelatedResource {
	return model.RelatedResource{
		ResourceType:       model.ResourceType(d.string()),
		ResourceIdentifier: d.identifier(),
		AdditionalInfo:     d.info(),
	}
}

// info reads additional information; there is none at the end of what is encoded.
func (d *decoder) info() map[string]string {
	if len(*d) == 0 {
		return nil
	}
	n := d.uvarint()
	if n == 0 {
		return nil
	}
	m := make(map[string]string, n)
	for range n {
		k := d.string()
		m[k] = d.string()
	}
	return m
}

package certfacts_test

import (
	"crypto/elliptic"
	"encoding/hex"
	"strings"
)

// form is a certificate whose parts can be replaced, each in DER. Its signature is none.
type form struct {
	version, serial, algorithm, issuer, validity, subject, key string

	unique           string // between the key and the extensions
	extensions       []string
	bodyTail         string // after the extensions
	outer, signature string // the algorithm once more, and the signature
	tail, trailing   string // after the signature, and after all
}

func (f form) der() []byte {
	extensions := ""
	if f.extensions != nil {
		extensions = tlv(0xa3, tlv(0x30, f.extensions...))
	}
	body := tlv(0x30, f.version, f.serial, f.algorithm, f.issuer, f.validity, f.subject, f.key, f.unique, extensions,
		f.bodyTail)
	return []byte(tlv(0x30, body, f.outer, f.signature, f.tail) + f.trailing)
}

// tlv makes an element.
func tlv(tag byte, parts ...string) string {
	contents := strings.Join(parts, "")
	return string([]byte{tag}) + length(len(contents)) + contents
}

func length(n int) string {
	switch {
	case n < 0x80:
		return string([]byte{byte(n)})
	case n < 0x100:
		return string([]byte{0x81, byte(n)})
	case n < 0x10000:
		return string([]byte{0x82, byte(n >> 8), byte(n)})
	}
	return string([]byte{0x83, byte(n >> 16), byte(n >> 8), byte(n)})
}

// x is bytes in hexadecimal.
func x(s string) string {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return string(b)
}

// Tags.
const (
	sequence, set, integer, boolean, null  = 0x30, 0x31, 0x02, 0x01, 0x05
	bitString, octetString, identifier     = 0x03, 0x04, 0x06
	utf8String, printableString, t61String = 0x0c, 0x13, 0x14
	ia5String, numericString, bmpString    = 0x16, 0x12, 0x1e
	utcTime, generalizedTime               = 0x17, 0x18
)

// The contents of identifiers.
const (
	ecdsaWithSHA256 = "\x2a\x86\x48\xce\x3d\x04\x03\x02"
	sha256WithRSA   = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"
	ecPublicKey     = "\x2a\x86\x48\xce\x3d\x02\x01"
	rsaEncryption   = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"
	rsassaPSS       = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"
	p224            = "\x2b\x81\x04\x00\x21"
	p256            = "\x2a\x86\x48\xce\x3d\x03\x01\x07"
	p384            = "\x2b\x81\x04\x00\x22"
	p521            = "\x2b\x81\x04\x00\x23"
	idEd25519       = "\x2b\x65\x70"
	idX25519        = "\x2b\x65\x6e"
	idDSA           = "\x2a\x86\x48\xce\x38\x04\x01"
	commonName      = "\x55\x04\x03"
	organization    = "\x55\x04\x0a"
	country         = "\x55\x04\x06"
	emailAddress    = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"
	authorityInfo   = "\x2b\x06\x01\x05\x05\x07\x01\x01"
)

// Extensions of X.509's, by the last number of their identifiers.
const (
	subjectKeyID, keyUsage, altName, basic           = 14, 15, 17, 19
	nameConstraints, crlPoints, policies, policyMaps = 30, 31, 32, 33
	authorityKeyID, policyConstraints, purposes, any = 35, 36, 37, 54
)

// rdn makes a set of one attribute.
func rdn(kind string, tag byte, value string) string {
	return tlv(set, tlv(sequence, tlv(identifier, kind), tlv(tag, value)))
}

// ext makes an extension of X.509's.
func ext(id byte, value string) string {
	return tlv(sequence, tlv(identifier, "\x55\x1d"+string([]byte{id})), tlv(octetString, value))
}

func criticalExt(id byte, value string) string {
	return tlv(sequence, tlv(identifier, "\x55\x1d"+string([]byte{id})), x("0101ff"), tlv(octetString, value))
}

func otherExt(id, value string) string {
	return tlv(sequence, tlv(identifier, id), tlv(octetString, value))
}

// between makes a validity.
func between(tag byte, notBefore, notAfter string) string {
	return tlv(sequence, tlv(tag, notBefore), tlv(tag, notAfter))
}

// ecKey makes a key with the base point of a curve.
func ecKey(id string, c elliptic.Curve) string {
	p := c.Params()
	size := (p.BitSize + 7) / 8
	return ecPoint(id, "\x04"+string(p.Gx.FillBytes(make([]byte, size)))+string(p.Gy.FillBytes(make([]byte, size))))
}

func ecPoint(id, point string) string {
	return tlv(sequence, tlv(sequence, tlv(identifier, ecPublicKey), tlv(identifier, id)), tlv(bitString, "\x00",
		point))
}

// rsaKey makes a key of a modulus and 65537.
func rsaKey(modulus string) string {
	return rsaKeyOf(tlv(integer, modulus), tlv(integer, "\x01\x00\x01"))
}

func rsaKeyOf(parts ...string) string {
	return tlv(sequence, tlv(sequence, tlv(identifier, rsaEncryption), x("0500")), tlv(bitString, "\x00",
		tlv(sequence, parts...)))
}

// modulus is one of some bytes, with a leading zero.
func modulus(bytes int) string { return "\x00" + strings.Repeat("\xc5", bytes) }

// device is a certificate as AWS IoT issues them, with a key on P-256.
func device() form {
	algorithm := tlv(sequence, tlv(identifier, ecdsaWithSHA256))
	return form{
		version: x("a003020102"), serial: tlv(integer, x("00 9f38 7edc ba98 0011 2233 4455 6677 8899 aabb ccdd")),
		algorithm: algorithm, outer: algorithm, signature: tlv(bitString, "\x00", strings.Repeat("\x30", 70)),
		issuer: tlv(sequence, rdn("\x55\x04\x0b", utf8String,
			"Amazon Web Services O=Amazon.com Inc. L=Seattle ST=Washington C=US")),
		validity: between(utcTime, "240229235958Z", "491231235959Z"),
		subject:  tlv(sequence, rdn(commonName, utf8String, "AWS IoT Certificate")),
		key:      ecKey(p256, elliptic.P256()),
		extensions: []string{
			ext(authorityKeyID, tlv(sequence, tlv(0x80, "abcdefghijabcdefghij"))),
			ext(subjectKeyID, tlv(octetString, "01234567890123456789")),
			criticalExt(basic, tlv(sequence)), criticalExt(keyUsage, x("03020780")),
		},
	}
}

// shortest is f with as few bytes as can be after what is signed, and without extensions.
func shortest(f form) form {
	f.algorithm = tlv(sequence, tlv(identifier, "\x2a"))
	f.outer, f.signature, f.extensions = f.algorithm, tlv(bitString, "\x00"), nil
	return f
}

// full adds the other extensions that are usual.
func full(f form) form {
	uri := func(s string) string { return tlv(0x86, s) }
	point := func(s string) string { return tlv(sequence, tlv(0xa0, tlv(0xa0, uri(s)))) }
	f.extensions = append(f.extensions,
		ext(altName, tlv(sequence, tlv(0x82, "pump-1.example.com"), tlv(0x82, "pump-1.internal.example"), tlv(0x81,
			"fleet@example.com"),
			tlv(0x87, "\x0a\x00\x00\x01"), tlv(0x87, "0123456789abcdef"))),
		ext(purposes, tlv(sequence, tlv(identifier, x("2b06010505070302")), tlv(identifier, x("2b06010505070301")))),
		ext(crlPoints, tlv(sequence, point("http://ca.example.com/ca.crl"), point("http://ca.example.net/ca.crl"))),
		ext(policies, tlv(sequence, tlv(sequence, tlv(identifier, x("67810c010201"))), tlv(sequence, tlv(identifier,
			x("2b0601040182df13010101"))))),
		otherExt(authorityInfo, tlv(sequence,
			tlv(sequence, tlv(identifier, x("2b06010505073001")), uri("http://ocsp.example.com")),
			tlv(sequence, tlv(identifier, x("2b06010505073002")), uri("http://ca.example.com/ca.crt")))),
	)
	return f
}

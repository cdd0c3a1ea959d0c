package certfacts_test

import (
	"crypto/elliptic"
	"math/big"
	"strings"
)

func keys(add func(name, want, modulus string, edit func(f *form))) {
	key := func(name, want, der string) {
		add("key: "+name, want, "", func(f *form) { f.key = der })
	}
	key("P-224", slow, ecKey(p224, elliptic.P224()))
	key("P-256", fast, ecKey(p256, elliptic.P256()))
	key("P-384", fast, ecKey(p384, elliptic.P384()))
	key("P-521", fast, ecKey(p521, elliptic.P521()))
	p := ecKey(p256, elliptic.P256())
	point := p[len(p)-65:]
	key("P-256, one byte missing", refused, ecPoint(p256, point[:64]))
	key("P-256, one byte more", refused, ecPoint(p256, point+"\x00"))
	key("P-256, compressed", refused, ecPoint(p256, "\x02"+point[1:33]))
	key("P-256, of another form", refused, ecPoint(p256, "\x06"+point[1:]))
	key("P-256, infinity", refused, ecPoint(p256, "\x00"))
	key("P-256, of no bytes", refused, ecPoint(p256, ""))
	key("P-384 with a point of P-256", refused, ecPoint(p384, point))
	key("unknown curve", refused, ecPoint(x("2b8104000a"), point))
	curve := func(name, want, algorithm, bits string) {
		key(name, want, tlv(sequence, tlv(sequence, algorithm), bits))
	}
	id := tlv(identifier, ecPublicKey)
	curve("P-256, with more parameters", slow, id+tlv(identifier, p256)+x("0500"), tlv(bitString, "\x00"+point))
	curve("P-256, with an element after it", slow, id+tlv(identifier, p256), tlv(bitString, "\x00"+point)+x("0500"))
	curve("P-256, with padding", refused, id+tlv(identifier, p256), tlv(bitString, "\x01"+point[:64]+"\x02"))
	curve("P-256, an octet string", refused, id+tlv(identifier, p256), tlv(octetString, "\x00"+point))
	curve("P-256, missing", refused, id+tlv(identifier, p256), "")
	curve("no curve", refused, id, tlv(bitString, "\x00"+point))

	add("key: empty, at the end", refused, "", func(f *form) {
		*f = shortest(*f)
		f.key = tlv(sequence)
	})
	for _, bits := range []int{1024, 2048, 3072, 4096} {
		key("RSA", fast, rsaKey(modulus(bits/8)))
	}
	key("RSA of 8 bits", fast, rsaKey("\x00\x81"))
	key("RSA of 7 bits", fast, rsaKey("\x7f"))
	key("RSA of 9 bits", fast, rsaKey("\x01\x00"))
	key("RSA of 0", refused, rsaKey("\x00"))
	key("RSA that is negative", refused, rsaKey("\x81"))
	key("RSA with a leading zero", refused, rsaKey("\x00\x7f"))
	key("RSA of no bytes", refused, rsaKey(""))
	n := tlv(integer, modulus(128))
	key("RSA with exponent 3", fast, rsaKeyOf(n, tlv(integer, "\x03")))
	key("RSA with an even exponent", fast, rsaKeyOf(n, tlv(integer, "\x02")))
	key("RSA with exponent 128", fast, rsaKeyOf(n, tlv(integer, "\x00\x80")))
	key("RSA with an exponent of 31 bits", fast, rsaKeyOf(n, tlv(integer, "\x7f\xff\xff\xff")))
	key("RSA with an exponent of 32 bits", slow, rsaKeyOf(n, tlv(integer, "\x00\x80\x00\x00\x00")))
	key("RSA with an exponent of 72 bits", refused, rsaKeyOf(n, tlv(integer, strings.Repeat("a", 9))))
	key("RSA with exponent 0", refused, rsaKeyOf(n, tlv(integer, "\x00")))
	key("RSA with a negative exponent", refused, rsaKeyOf(n, tlv(integer, "\xff")))
	key("RSA with an exponent with a leading zero", refused, rsaKeyOf(n, tlv(integer, "\x00\x03")))
	key("RSA with an exponent of no bytes", refused, rsaKeyOf(n, tlv(integer)))
	key("RSA without an exponent", refused, rsaKeyOf(n))
	key("RSA of three numbers", slow, rsaKeyOf(n, tlv(integer, "\x03"), tlv(integer, "\x03")))
	numbers := tlv(sequence, n, tlv(integer, "\x03"))
	info := func(name, want, algorithm, bits string) {
		key(name, want, tlv(sequence, tlv(sequence, algorithm), bits))
	}
	info("RSA without NULL", refused, tlv(identifier, rsaEncryption), tlv(bitString, "\x00"+numbers))
	info("RSA with two NULLs", slow, tlv(identifier, rsaEncryption)+x("0500 0500"), tlv(bitString, "\x00"+numbers))
	info("RSA with bytes after it", slow, tlv(identifier, rsaEncryption)+x("0500"), tlv(bitString,
		"\x00"+numbers+"\x00"))
	info("RSA with padding", refused, tlv(identifier, rsaEncryption)+x("0500"), tlv(bitString, "\x01"+numbers+"\x00"))
	info("RSA, shifted by one bit", slow, tlv(identifier, rsaEncryption)+x("0500"), shifted(numbers))
	info("P-256, shifted by one bit", slow, id+tlv(identifier, p256), shifted(point))
	info("P-256, shifted by one bit, not on the curve", refused, id+tlv(identifier, p256), shifted(point[:64]+"\x01"))
	info("RSA in a set", refused, tlv(identifier, rsaEncryption)+x("0500"), tlv(bitString, "\x00"+tlv(set, n,
		tlv(integer, "\x03"))))
	info("RSA of an octet string", refused, tlv(identifier, rsaEncryption)+x("0500"), tlv(octetString, "\x00"+numbers))

	info("Ed25519", fast, tlv(identifier, idEd25519), tlv(bitString, "\x00", strings.Repeat("a", 32)))
	info("Ed25519 with NULL", refused, tlv(identifier, idEd25519)+x("0500"), tlv(bitString, "\x00",
		strings.Repeat("a", 32)))
	info("Ed25519 of 31 bytes", refused, tlv(identifier, idEd25519), tlv(bitString, "\x00", strings.Repeat("a", 31)))
	info("Ed25519 of 33 bytes", refused, tlv(identifier, idEd25519), tlv(bitString, "\x00", strings.Repeat("a", 33)))
	info("Ed25519 with padding", slow, tlv(identifier, idEd25519), tlv(bitString, "\x01", strings.Repeat("b", 32)))
	info("Ed25519 with bytes after it", slow, tlv(identifier, idEd25519), tlv(bitString, "\x00", strings.Repeat("a",
		32))+x("0500"))
	info("X25519", slow, tlv(identifier, idX25519), tlv(bitString, "\x00", strings.Repeat("a", 32)))
	info("DSA", slow, tlv(identifier, idDSA)+tlv(sequence, tlv(integer, "\x07"), tlv(integer, "\x05"), tlv(integer,
		"\x03")),
		tlv(bitString, "\x00", tlv(integer, "\x07")))
	info("DSA without parameters", refused, tlv(identifier, idDSA), tlv(bitString, "\x00", tlv(integer, "\x07")))
	info("unknown", slow, tlv(identifier, "\x2a\x03\x04"), tlv(bitString, "\x00a"))
	info("unknown, of no bytes", refused, tlv(identifier, "\x2a\x03\x04"), tlv(bitString))

	pss := func(name, want, modulus, parameters, bits string) {
		add("key: RSASSA-PSS "+name, want, modulus, func(f *form) {
			f.key = tlv(sequence, tlv(sequence, tlv(identifier, rsassaPSS), parameters), bits)
		})
	}
	whole := tlv(bitString, "\x00"+numbers)
	m := modulus(128)[1:]
	pss("without parameters", fast, m, "", whole)
	pss("with parameters", fast, m, tlv(sequence, tlv(0xa0, tlv(sequence, tlv(identifier, ecdsaWithSHA256)))), whole)
	pss("with two parameters", slow, "", x("0500 0500"), whole)
	pss("with truncated parameters", refused, "", x("0501"), whole)
	pss("with an element after it", slow, "", "", whole+x("0500"))
	pss("of 0", slow, "", "", tlv(bitString, "\x00"+tlv(sequence, tlv(integer, "\x00"), tlv(integer, "\x03"))))
	pss("with exponent 0", slow, "", "", tlv(bitString, "\x00"+tlv(sequence, n, tlv(integer, "\x00"))))
	pss("with padding", slow, "", "", tlv(bitString, "\x01"+numbers+"\x00"))
	pss("of no bytes", refused, "", "", tlv(bitString))
}

// shifted makes a BIT STRING with one bit of padding, of what begins with a bit that is zero.
func shifted(s string) string {
	n := new(big.Int).SetBytes([]byte(s))
	return tlv(bitString, "\x01", string(n.Lsh(n, 1).FillBytes(make([]byte, len(s)))))
}

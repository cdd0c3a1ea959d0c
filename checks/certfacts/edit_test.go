package certfacts_test

import (
	"crypto/elliptic"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks/certfacts"
)

// bases are certificates with all elements that are understood.
func bases() map[string][]byte {
	edit := func(edit func(f *form)) []byte {
		f := device()
		f.extensions = nil
		edit(&f)
		return f.der()
	}
	return map[string][]byte{
		"device": device().der(), "full": full(device()).der(),
		"RSA": edit(func(f *form) { f.key = rsaKey(modulus(128)) }),
		"RSASSA-PSS": edit(func(f *form) {
			f.key = tlv(sequence, tlv(sequence, tlv(identifier, rsassaPSS), tlv(sequence)), tlv(bitString, "\x00",
				tlv(sequence, tlv(integer, modulus(20)), tlv(integer, "\x03"))))
		}),
		"P-384": edit(func(f *form) { f.key = ecKey(p384, elliptic.P384()) }),
		"P-521": edit(func(f *form) { f.key = ecKey(p521, elliptic.P521()) }),
		"Ed25519": edit(func(f *form) {
			f.key = tlv(sequence, tlv(sequence, tlv(identifier, idEd25519)), tlv(bitString, "\x00", modulus(31)))
		}),
		"names": edit(func(f *form) {
			f.issuer = tlv(sequence, rdn(country, printableString, "NO"), rdn(emailAddress, ia5String,
				"a@example.com"), rdn(commonName, t61String, "caf\xe9"))
			f.subject = tlv(sequence, tlv(set, tlv(sequence, tlv(identifier, country), tlv(printableString, "NO")),
				tlv(sequence, tlv(identifier, commonName), tlv(utf8String, "ö"))))
		}),
		"validity": edit(func(f *form) {
			f.validity = between(generalizedTime, "20500228235959Z",
				"99991231235959Z")
		}),
		"version 1": edit(func(f *form) { f.version = "" }),
		"CA": edit(func(f *form) {
			f.extensions = []string{criticalExt(basic, tlv(sequence, x("0101ff 020100"))), criticalExt(keyUsage,
				x("03020106")),
				otherExt("\x2a\x03\x04", "anything"), otherExt("\x2a\x03\x05", "anything")}
		}),
	}
}

// Every edit of every element of every base is what crypto/x509 says it is.
func TestParseEdited(t *testing.T) {
	for name, base := range bases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.True(t, certfacts.Fast(base))
			understood, refused := 0, 0
			for element := 0; ; element++ {
				if _, ok := edited(base, element, 0); !ok {
					break
				}
				for edit := range edits {
					der, _ := edited(base, element, edit)
					if !compare(t, der) {
						refused++
					} else if certfacts.Fast(der) {
						understood++
					}
				}
			}
			require.Positive(t, understood, "of no edit")
			require.Positive(t, refused, "no edit")
		})
	}
}

// A certificate that ends early is none.
func TestParseTruncated(t *testing.T) {
	for name, base := range bases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for n := range base {
				require.False(t, compare(t, base[:n:n]), fmt.Sprint(n))
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, row := range rows() {
		f.Add(row.der(), uint16(0), uint8(0), uint16(0), uint8(0))
	}
	for _, base := range bases() {
		for edit := range edits {
			f.Add(base, uint16(5*edit), uint8(edit), uint16(7*edit), uint8(edit+3))
		}
	}
	f.Fuzz(func(t *testing.T, der []byte, element uint16, edit uint8, element2 uint16, edit2 uint8) {
		if len(der) > 1<<17 {
			return
		}
		compare(t, der)
		once, ok := edited(der, int(element)%256, int(edit))
		if !ok {
			return
		}
		compare(t, once)
		if twice, ok := edited(once, int(element2)%256, int(edit2)); ok {
			compare(t, twice)
		}
	})
}

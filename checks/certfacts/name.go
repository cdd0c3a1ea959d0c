package certfacts

import (
	"encoding/binary"
	"unicode/utf8"
)

// name reads the Name that der[at:end] begins with. False if it is none whose attributes are all understood.
func name(der []byte, at, end int) (Part, bool) {
	first, end, ok := element(der, at, end, tagSequence)
	if !ok {
		return Part{}, false
	}
	n := part(at, end)
	for at = first; at < end; {
		if stop, ok := usualAttribute(der, at, end); ok {
			at = stop
			continue
		}
		var set int
		if set, at, ok = element(der, at, end, tagSet); !ok {
			return n, false
		}
		for set < at {
			var attribute int
			if attribute, set, ok = element(der, set, at, tagSequence); !ok || !attributeIn(der, attribute, set) {
				return n, false
			}
		}
	}
	return n, true
}

// usualAttribute reads the attribute that der[at:end] begins with, if it is a short one of a type of X.520's and alone
// in its set: nearly every one is, and so its header is in fixed places. False if it is not, or is not understood.
func usualAttribute(der []byte, at, end int) (stop int, ok bool) {
	if end-at < 11 {
		return 0, false
	}
	// A SET, a SEQUENCE, and an identifier of three bytes, 2.5.4 first, with lengths between them.
	const header, lengths = 0x04550306_00300031, 0x00000000_ff00ff00
	b := (*[11]byte)(der[at:])
	h := binary.LittleEndian.Uint64(b[:])
	n := b[10]
	stop = at + 11 + int(n)
	if h&^lengths != header || b[1] != n+9 || b[3] != n+7 || n >= 0x80-9 || b[8] >= 0x80 || stop > end {
		return 0, false
	}
	return stop, characters(der[at+11:stop], b[9])
}

// attributeIn tells whether der[at:end] are an attribute's type and value.
func attributeIn(der []byte, at, end int) bool {
	at, ok := identifierAt(der, at, end)
	if !ok || at == end {
		return false
	}
	start, ok := whole(der, at, end, der[at])
	return ok && characters(der[start:end], der[at])
}

// characters tells whether s may be a string of a kind, which is one that is understood.
func characters(s []byte, tag byte) bool {
	switch tag {
	case tagUTF8String:
		return utf8.Valid(s)
	case tagPrintableString:
		return printable(s)
	case tagIA5String:
		return ascii(s)
	case tagT61String:
		return true
	}
	return false
}

// each is a byte eight times when multiplied with it.
const each = 0x01010101_01010101

// ascii tells whether all of s is ASCII.
func ascii(s []byte) bool {
	var all uint64
	for ; len(s) >= 8; s = s[8:] {
		all |= binary.LittleEndian.Uint64(s)
	}
	for _, c := range s {
		all |= uint64(c)
	}
	return all&(0x80*each) == 0
}

// printable tells whether all of s may be in a PrintableString, where crypto/x509 lets '*' and '&' pass too.
func printable(s []byte) bool {
	var strange byte
	for ; len(s) >= 8; s = s[8:] {
		c := (*[8]byte)(s)
		strange |= strangers[c[0]] | strangers[c[1]] | strangers[c[2]] | strangers[c[3]] |
			strangers[c[4]] | strangers[c[5]] | strangers[c[6]] | strangers[c[7]]
	}
	for _, c := range s {
		strange |= strangers[c]
	}
	return strange == 0
}

// strangers has 1 for each character that may not be in a PrintableString.
var strangers = func() (set [256]byte) {
	for c := range set {
		set[c] = 1
	}
	for _, c := range []byte(" '()*+,-./0123456789:=?&ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
		set[c] = 0
	}
	return set
}()

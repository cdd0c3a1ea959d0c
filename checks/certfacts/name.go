package certfacts

import (
	"encoding/binary"
	"unicode/utf8"
)

// name reads the Name that der[at:end] begins with. False if it is none whose attributes are all understood.
func name(der []byte, at, end int) (Part, bool) {
	first, stop := at+2, short(der, at, tagSequence)
	if stop > end {
		var ok bool
		if first, stop, ok = element(der, at, end, tagSequence); !ok {
			return Part{}, false
		}
	}
	n, end := part(at, stop), stop
	for at = first; at < end; {
		if stop := usualAttribute(der, at, end); stop <= end {
			at = stop
			continue
		}
		var ok bool
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

// usualAttribute returns where the attribute ends that der[at:end] begins with, if it is a short one of a type of
// X.520's and alone in its set: nearly every one is, and so its header is in fixed places. It is nowhere if it is not,
// or is not understood.
func usualAttribute(der []byte, at, end int) (stop int) {
	if end-at < 11 {
		return nowhere
	}
	// A SET, a SEQUENCE, and an identifier of three bytes, 2.5.4 first, of an empty value; and what lengths grow by.
	const header, growth = 0x04550306_07300931, 0x00000000_01000100
	b := (*[11]byte)(der[at:])
	n := uint64(b[10])
	stop = at + 11 + int(n)
	if binary.LittleEndian.Uint64(b[:]) != header+n*growth || n >= 0x80-9 || b[8] >= 0x80 || stop > end ||
		!characters(der[at+11:stop], b[9]) {
		return nowhere
	}
	return stop
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
		return ascii(s) || utf8.Valid(s)
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
	if len(s) < 8 {
		for _, c := range s {
			all |= uint64(c)
		}
		return all < 0x80
	}
	last := (*[8]byte)(s[len(s)-8:]) // some of which may be looked at twice
	for ; len(s) >= 16; s = s[16:] {
		b := (*[16]byte)(s)
		all |= binary.LittleEndian.Uint64(b[:]) | binary.LittleEndian.Uint64(b[8:])
	}
	if len(s) >= 8 {
		all |= binary.LittleEndian.Uint64(s)
	}
	return (all|binary.LittleEndian.Uint64(last[:]))&(0x80*each) == 0
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

package certfacts

import "encoding/binary"

// Tags of elements, with class and form as the first byte of an element has them.
const (
	tagBoolean         = 0x01
	tagInteger         = 0x02
	tagBitString       = 0x03
	tagOctetString     = 0x04
	tagOID             = 0x06
	tagUTF8String      = 0x0c
	tagPrintableString = 0x13
	tagT61String       = 0x14
	tagIA5String       = 0x16
	tagUTCTime         = 0x17
	tagGeneralizedTime = 0x18
	tagSequence        = 0x30
	tagSet             = 0x31

	tagContext            = 0x80
	tagContextConstructed = 0xa0
)

// nowhere is where nothing is: what ends there does not end where it should.
const nowhere = 1 << 30

// short returns where the element ends that begins at der[at], has the tag, and has less than 128 bytes, which begin
// after two. It may be nowhere, or beyond the element that it is in: callers look whether it ends where it should.
func short(der []byte, at int, tag byte) (stop int) {
	if i := uint(at) + 1; i < uint(len(der)) && der[at] == tag && der[i] < 0x80 {
		return at + 2 + int(der[i])
	}
	return nowhere
}

// element returns where the contents of the element that der[at:end] begins with begin and end. False if it has another
// tag, a length that is not minimal, 65,536 bytes or more, or more than there are.
func element(der []byte, at, end int, tag byte) (start, stop int, ok bool) {
	if uint(at) >= uint(len(der)) || len(der)-at < 4 { // so short that only its length can be of one byte
		stop = short(der, at, tag)
		return at + 2, stop, stop <= end
	}
	h := binary.BigEndian.Uint32(der[at:])
	switch n := h << 8; {
	case byte(h>>24) != tag:
		return 0, 0, false
	case n < 0x80<<24:
		start, stop = at+2, at+2+int(n>>24)
	case n >= 0x820100<<8 && n < 0x83<<24:
		start, stop = at+4, at+4+int(uint16(h))
	case n >= 0x8180<<16 && n < 0x82<<24:
		start, stop = at+3, at+3+int(byte(h>>8))
	default:
		return 0, 0, false
	}
	return start, stop, stop <= end
}

// anyElement is element for any tag of one byte.
func anyElement(der []byte, at, end int) (tag byte, start, stop int, ok bool) {
	if at >= end || der[at]&0x1f == 0x1f {
		return 0, 0, 0, false
	}
	start, stop, ok = element(der, at, end, der[at])
	return der[at], start, stop, ok
}

// whole is element for one that takes up all of der[at:end].
func whole(der []byte, at, end int, tag byte) (start int, ok bool) {
	if short(der, at, tag) == end {
		return at + 2, true
	}
	return wholeLong(der, at, end, tag)
}

func wholeLong(der []byte, at, end int, tag byte) (start int, ok bool) {
	start, stop, ok := element(der, at, end, tag)
	return start, ok && stop == end
}

// identifier tells whether s are the contents of an object identifier none of whose numbers has more than four bytes.
func identifier(s []byte) bool {
	more := 0 // bytes of a number that others follow
	for _, b := range s {
		switch {
		case b < 0x80:
			more = 0
		case b == 0x80 && more == 0, more == 3:
			return false
		default:
			more++
		}
	}
	return more == 0 && len(s) > 0
}

// natural returns where the digits of an INTEGER's contents begin: without leading zeros. False if it is negative,
// or not in its shortest form.
func natural(der []byte, start, stop int) (digits int, ok bool) {
	if start >= stop || der[start] >= 0x80 {
		return 0, false
	}
	if der[start] > 0 {
		return start, true
	}
	return start + 1, stop-start == 1 || der[start+1] >= 0x80
}

package inventory

import (
	"bytes"
	"context"
	"encoding/asn1"
	"fmt"
	"io"
	"slices"
)

// isDER tells whether a file that begins with head is DER. Text, too, can begin with a "0".
func isDER(head []byte) bool {
	if len(head) < 2 || head[0] != 0x30 {
		return false
	}
	// A long length is no character in UTF-8. A short one must be that of the whole file.
	return head[1] > 0x80 && head[1] <= 0x84 || head[1] < 0x80 && len(head) == 2+int(head[1])
}

// der reads DER objects, which stand one after another. It takes memory for one, and for some segments.
func (f *reading) der(ctx context.Context, g *segment) {
	for ctx.Err() == nil {
		f.fill(g, segmentSize)
		n := wholeObjects(g.text)
		if size, ok := derSize(g.text); n == 0 && ok && size <= MaxCRL {
			f.fill(g, int(size))
			n = int(min(size, int64(len(g.text))))
		}
		last := f.err != nil || n == 0
		var next *segment
		if last {
			g.end = f.err
		} else {
			next = f.after(g, n)
		}
		f.ahead.do(g, g.der, f.take)
		if last {
			return
		}
		g = next
	}
}

// wholeObjects returns how many bytes the DER objects have that stand in text to their ends.
func wholeObjects(text []byte) int {
	n := 0
	for {
		size, ok := derSize(text[n:])
		if !ok || size > int64(len(text)-n) {
			return n
		}
		n += int(size)
	}
}

// der finds the DER objects of a segment.
func (g *segment) der() {
	at := g.at
	for rest := g.text; len(rest) > 0; {
		size, ok := derSize(rest)
		switch {
		case !ok:
			g.problem(at, "what begins here is no DER object, and is not read")
			return
		case size > MaxCRL:
			g.problem(at, fmt.Sprintf("DER object of %d bytes is larger than %d, it and the rest are not read", size, MaxCRL))
			return
		case size > int64(len(rest)):
			if g.end == io.EOF {
				g.problem(at, fmt.Sprintf("DER object is truncated: %d bytes of %d", len(rest), size))
			}
			g.ended()
			return
		}
		g.derObject(rest[:size], at)
		rest, at = rest[size:], at+size
	}
	g.ended()
}

func (g *segment) derObject(der []byte, at int64) {
	switch shapeOf(der) {
	case shapeCertificate:
		g.certificate(bytes.Clone(der), at)
	case shapeCRL:
		g.revocationList(bytes.Clone(der), at)
	case shapePrivateKey:
		g.ignored(at, "private key")
	default:
		g.problem(at, "DER object that is neither a certificate nor a CRL")
	}
}

// derSize reads the header of a SEQUENCE, and returns how many bytes it has with its header.
func derSize(head []byte) (int64, bool) {
	if len(head) < 2 || head[0] != 0x30 || head[1] == 0x80 || head[1] > 0x84 {
		return 0, false
	}
	if head[1] < 0x80 {
		return 2 + int64(head[1]), true
	}
	n := int(head[1] & 0x7f)
	if len(head) < 2+n {
		return 0, false
	}
	var size int64
	for _, b := range head[2 : 2+n] {
		size = size<<8 | int64(b)
	}
	return size + int64(2+n), true
}

// shape is what a DER object is by its outline, whether or not it parses.
type shape int

const (
	shapeOther shape = iota
	shapeCertificate
	shapeCRL
	shapePrivateKey
)

func shapeOf(der []byte) shape {
	if plainCertificate(der) {
		return shapeCertificate
	}
	return shapeByParser(der)
}

// plainCertificate tells whether der is a certificate of version 2 or 3, without looking at more than its outline. What
// is in the least unusual is none: shapeByParser decides.
func plainCertificate(der []byte) bool {
	const sequence, bits, version = 0x30, 0x03, 0xa0
	tag, parts, _, ok := derPart(der)
	if !ok || tag != sequence {
		return false
	}
	tag, tbs, parts, ok := derPart(parts)
	if !ok || tag != sequence {
		return false
	}
	tag, _, parts, ok = derPart(parts)
	if !ok || tag != sequence {
		return false
	}
	tag, signature, parts, ok := derPart(parts)
	if !ok || tag != bits || len(parts) > 0 || len(signature) == 0 || signature[0] != 0 {
		return false
	}
	if len(tbs) == 0 || tbs[0] != version {
		return false
	}
	for len(tbs) > 0 {
		if _, _, tbs, ok = derPart(tbs); !ok {
			return false
		}
	}
	return true
}

// derPart splits off the first value of der. It knows tags of one byte, and lengths below 16 MiB.
func derPart(der []byte) (tag byte, value, rest []byte, ok bool) {
	if len(der) < 2 || der[0]&0x1f == 0x1f {
		return 0, nil, nil, false
	}
	size, start := int(der[1]), 2
	if size >= 0x80 {
		start += size & 0x7f
		if start == 2 || start > 5 || len(der) < start {
			return 0, nil, nil, false
		}
		size = 0
		for _, b := range der[2:start] {
			size = size<<8 | int(b)
		}
		if size < 0x80 || size>>(8*(start-3)) == 0 { // it would have fewer bytes
			return 0, nil, nil, false
		}
	}
	if len(der)-start < size {
		return 0, nil, nil, false
	}
	return der[0], der[start : start+size], der[start+size:], true
}

// shapeByParser is shapeOf for what may be anything.
func shapeByParser(der []byte) shape {
	outer := tags(der)
	switch {
	case matches(outer, asn1.TagInteger, asn1.TagInteger, asn1.TagInteger, asn1.TagInteger, asn1.TagInteger,
		asn1.TagInteger, asn1.TagInteger, asn1.TagInteger, asn1.TagInteger), // RSA
		matches(outer, asn1.TagInteger, asn1.TagOctetString),                     // elliptic curve
		matches(outer, asn1.TagInteger, asn1.TagSequence, asn1.TagOctetString),   // PKCS #8
		len(outer) == 2 && matches(outer, asn1.TagSequence, asn1.TagOctetString): // PKCS #8, encrypted
		return shapePrivateKey
	case len(outer) != 3 || !matches(outer, asn1.TagSequence, asn1.TagSequence, asn1.TagBitString):
		return shapeOther
	}
	var o outline
	if _, err := asn1.Unmarshal(der, &o); err != nil {
		return shapeOther
	}
	tbs := tags(o.TBS.FullBytes)
	if len(tbs) > 0 && tbs[0] == tagVersion {
		return shapeCertificate
	}
	if len(tbs) > 0 && tbs[0] == asn1.TagInteger { // a serial number, or a CRL's version
		tbs = tbs[1:]
	}
	const algorithm, name = asn1.TagSequence, asn1.TagSequence
	switch {
	case matches(tbs, algorithm, name, asn1.TagSequence):
		return shapeCertificate
	case matches(tbs, algorithm, name, asn1.TagUTCTime), matches(tbs, algorithm, name, asn1.TagGeneralizedTime):
		return shapeCRL
	}
	return shapeOther
}

// tagVersion is that of a certificate's version: class and number as one.
const tagVersion = asn1.ClassContextSpecific << 8

// tags returns the tags of what a SEQUENCE holds, nil if it cannot be read.
func tags(der []byte) []int {
	var parts []asn1.RawValue
	if _, err := asn1.Unmarshal(der, &parts); err != nil {
		return nil
	}
	list := make([]int, len(parts))
	for i, p := range parts {
		list[i] = p.Class<<8 | p.Tag
	}
	return list
}

func matches(list []int, first ...int) bool {
	return len(list) >= len(first) && slices.Equal(list[:len(first)], first)
}

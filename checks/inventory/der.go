package inventory

import (
	"bufio"
	"encoding/asn1"
	"fmt"
	"io"
	"iter"
	"slices"
)

// derObject is one DER object of a file, or what is wrong with one.
type derObject struct {
	der     []byte
	at      int64
	problem string // empty: nothing is wrong
}

// isDER tells whether a file that begins with head is DER. Text, too, can begin with a "0".
func isDER(head []byte) bool {
	if len(head) < 2 || head[0] != 0x30 {
		return false
	}
	// A long length is no character in UTF-8. A short one must be that of the whole file.
	return head[1] > 0x80 && head[1] <= 0x84 || head[1] < 0x80 && len(head) == 2+int(head[1])
}

// derObjects streams the DER objects of r, which stand one after another. It takes memory for one. An
// error, that of reading, is the last.
func derObjects(r *bufio.Reader) iter.Seq2[derObject, error] {
	return func(yield func(derObject, error) bool) {
		var at int64
		for {
			head, err := r.Peek(6)
			if len(head) == 0 {
				if err != io.EOF {
					yield(derObject{}, err)
				}
				return
			}
			size, ok := derSize(head)
			switch {
			case !ok:
				yield(derObject{at: at, problem: "what begins here is no DER object, and is not read"}, nil)
				return
			case size > MaxCRL:
				yield(derObject{at: at, problem: fmt.Sprintf("DER object of %d bytes is larger than %d, it and the rest are not read", size, MaxCRL)}, nil)
				return
			}
			der, err := io.ReadAll(io.LimitReader(r, size))
			if err != nil {
				yield(derObject{}, err)
				return
			}
			if int64(len(der)) < size {
				yield(derObject{at: at, problem: fmt.Sprintf("DER object is truncated: %d bytes of %d", len(der), size)}, nil)
				return
			}
			if !yield(derObject{der: der[:size:size], at: at}, nil) {
				return
			}
			at += size
		}
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

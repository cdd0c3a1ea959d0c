package certfacts

import "encoding/binary"

// readExtensions reads the extensions, which are all that is left of what is signed. False if there is one that is
// not understood.
func (f *Facts) readExtensions(der []byte, at, end int) bool {
	at, ok := whole(der, at, end, tagContextConstructed|3)
	if !ok {
		return false
	}
	if at, ok = whole(der, at, end, tagSequence); !ok {
		return false
	}
	var known uint64 // identifiers so far, by their last number
	var others identifiers
	for at < end {
		x, ok := usualExtension(der, at, end)
		if !ok {
			var id Part
			if x, id, ok = extensionAt(der, at, end); !ok {
				return false
			}
			if x.id == other {
				at = x.end
				if !others.add(der, id) || !otherIn(der, x, id) {
					return false
				}
				continue
			}
		}
		at = x.end
		if known>>(x.id%other)&1 != 0 || !f.readExtension(der, x) {
			return false
		}
		known |= 1 << (x.id % other)
	}
	return true
}

// extension is one of a certificate. More than four fields would be slow to hand around.
type extension struct {
	id         byte // the last number of an identifier that begins with 2.5.29; other: it is of another kind
	critical   bool
	start, end int // where the value is
}

// other is one more than the last of X.509's numbers that are understood.
const other = 64

// accessToIssuer is the identifier of the extension that says where more about the issuer is to be found.
const accessToIssuer = "\x2b\x06\x01\x05\x05\x07\x01\x01"

// usualExtension reads the extension that der[at:end] begins with, if it is a short one that X.509 has: the header of
// such is in fixed places. False if it is not, or is not understood.
func usualExtension(der []byte, at, end int) (x extension, ok bool) {
	if end-at < 12 { // a shorter one is for extensionAt
		return x, false
	}
	// A SEQUENCE, and an identifier of three bytes, 2.5.29 first; a length, a number, and what follows between them.
	const header, between = 0x00001d55_03060030, 0xffff0000_0000ff00
	b := (*[12]byte)(der[at:])
	h := binary.LittleEndian.Uint64(b[:])
	x.id, x.start, x.end = b[6], at+9, at+2+int(b[1])
	if h&^between != header || b[1] >= 0x80 || x.end > end || x.id >= other {
		return x, false
	}
	size := b[8]
	if b[7] == tagBoolean {
		if b[8] != 1 || b[9] != 0xff || b[10] != tagOctetString {
			return x, false
		}
		x.critical = true
		x.start += 3
		size = b[11]
	} else if b[7] != tagOctetString {
		return x, false
	}
	return x, x.start+int(size) == x.end
}

// extensionAt reads the extension that der[at:end] begins with, and where its identifier is. One that says that it is
// not critical, which should go without saying, is not understood.
func extensionAt(der []byte, at, end int) (x extension, id Part, ok bool) {
	start, stop, ok := element(der, at, end, tagSequence)
	if !ok {
		return x, id, false
	}
	at, ok = identifierAt(der, start, stop)
	if !ok {
		return x, id, false
	}
	id = part(start+2, at)
	x.id, x.end = other, stop
	if b := id.Of(der); len(b) == 3 && b[0] == 0x55 && b[1] == 0x1d && b[2] < other {
		x.id = b[2]
	}
	if stop-at >= 3 && der[at] == tagBoolean && der[at+1] == 1 && der[at+2] == 0xff {
		x.critical = true
		at += 3
	}
	x.start, ok = whole(der, at, stop, tagOctetString)
	return x, id, ok
}

// otherIn tells whether an extension that is none of X.509's is well-formed, as far as crypto/x509 looks.
func otherIn(der []byte, x extension, id Part) bool {
	return string(id.Of(der)) != accessToIssuer || !x.critical && accessIn(der, x.start, x.end)
}

// identifiers are some, each another.
type identifiers struct {
	list [6]Part
	n    int
}

// add adds an identifier; false if it is there already, or there is no room.
func (s *identifiers) add(der []byte, id Part) bool {
	if s.n == len(s.list) {
		return false
	}
	for _, o := range s.list[:s.n] {
		if string(o.Of(der)) == string(id.Of(der)) {
			return false
		}
	}
	s.list[s.n] = id
	s.n++
	return true
}

// readExtension reads the value of an extension that X.509 has. crypto/x509 makes nothing of those that are not named
// here.
func (f *Facts) readExtension(der []byte, x extension) bool {
	switch x.id {
	case 14:
		f.SubjectKeyID = part(x.start+2, x.end)
		return short(der, x.start, tagOctetString) == x.end && !x.critical
	case 15:
		return usageIn(der, x.start, x.end)
	case 17:
		return alternativeNamesIn(der, x.start, x.end)
	case 19:
		return f.readBasicConstraints(der, x.start, x.end)
	case 31:
		return distributionPointsIn(der, x.start, x.end)
	case 32:
		return policiesIn(der, x.start, x.end)
	case 35:
		return !x.critical && f.readAuthorityKeyID(der, x.start, x.end)
	case 37:
		return purposesIn(der, x.start, x.end)
	case 30, 33, 36, 54: // of CA certificates, and rare there
		return false
	}
	return true
}

func (f *Facts) readBasicConstraints(der []byte, at, end int) bool {
	if short(der, at, tagSequence) != end {
		return false
	}
	at += 2
	f.BasicConstraints = true
	if end-at >= 3 && der[at] == tagBoolean {
		if der[at+1] != 1 || der[at+2] != 0 && der[at+2] != 0xff {
			return false
		}
		f.IsCA = der[at+2] == 0xff
		at += 3
	}
	if end-at == 3 && der[at] == tagInteger && der[at+1] == 1 && der[at+2] < 0x80 {
		f.MaxPathLen = int(der[at+2])
		at += 3
	}
	return at == end
}

// readAuthorityKeyID reads the key identifier, which is the first. crypto/x509 does not look at what follows it.
func (f *Facts) readAuthorityKeyID(der []byte, at, end int) bool {
	at, ok := whole(der, at, end, tagSequence)
	if !ok {
		return false
	}
	if at < end && der[at] == tagContext {
		stop := short(der, at, tagContext)
		f.AuthorityKeyID = part(at+2, stop)
		return stop <= end
	}
	return true
}

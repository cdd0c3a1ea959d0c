package certfacts

import "encoding/binary"

// readExtensions reads the extensions, which are all that is left of what is signed. False if there is one that is
// not understood.
func (f *Facts) readExtensions(der []byte, at, end int) bool {
	if short(der, at, tagContextConstructed|3) == end && short(der, at+2, tagSequence) == end {
		at += 4
	} else {
		var ok bool
		if at, ok = whole(der, at, end, tagContextConstructed|3); !ok {
			return false
		}
		if at, ok = whole(der, at, end, tagSequence); !ok {
			return false
		}
	}
	var known uint64 // identifiers so far, by their last number
	var others identifiers
	for at < end {
		var x extension
		if end-at >= 12 { // a shorter one is for extensionAt
			// Nearly all are short and X.509's, and so have their header in fixed places: a SEQUENCE, an identifier of three
			// bytes, 2.5.29 first, and the value's size, which all lengths go by. TRUE may come before the value.
			const header, headerTrue, followsTrue = 0x04001d55_03060730, 0x01001d55_03060a30, 0x0004ff01
			b := (*[12]byte)(der[at:])
			h := binary.LittleEndian.Uint64(b[:])
			x.id = b[6]
			id := uint64(x.id) << 48
			if size := uint64(b[8]); h == header+id+size<<8 {
				x.start, x.end = at+9, at+9+int(size)
			} else if size := uint64(b[11]); h == headerTrue+id+size<<8 && binary.LittleEndian.Uint32(b[8:])&0xffffff == followsTrue {
				x.critical, x.start, x.end = true, at+12, at+12+int(size)
			}
		}
		if x.id >= access || x.end-at > 2+0x7f || x.end > end || x.end == 0 {
			var id Part
			var ok bool
			if x, id, ok = extensionAt(der, at, end); !ok || x.id == other && !others.add(der, id) {
				return false
			}
		}
		if x.id != other {
			if known>>(x.id%other)&1 != 0 {
				return false
			}
			known |= 1 << (x.id % other)
		}
		if !f.readExtension(der, x) {
			return false
		}
		at = x.end
	}
	return true
}

// extension is one of a certificate. More than four fields would be slow to hand around.
type extension struct {
	id         byte // the last number of an identifier that begins with 2.5.29; access and other: it is of another kind
	critical   bool
	start, end int // where the value is
}

const (
	// access stands for the extension that says where more about the issuer is to be found, and is one more than the last
	// of X.509's numbers that are understood.
	access = 63
	other  = 64

	// accessToIssuer is the identifier of that extension.
	accessToIssuer = "\x2b\x06\x01\x05\x05\x07\x01\x01"
)

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
	if b := id.Of(der); len(b) == 3 && b[0] == 0x55 && b[1] == 0x1d && b[2] < access {
		x.id = b[2]
	} else if string(b) == accessToIssuer {
		x.id = access
	}
	if stop-at >= 3 && der[at] == tagBoolean && der[at+1] == 1 && der[at+2] == 0xff {
		x.critical = true
		at += 3
	}
	x.start, ok = whole(der, at, stop, tagOctetString)
	return x, id, ok
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

// readExtension reads the value of an extension. crypto/x509 makes nothing of those that are not named here.
func (f *Facts) readExtension(der []byte, x extension) bool {
	switch x.id {
	case 14:
		f.SubjectKeyID = part(x.start+2, x.end)
		return short(der, x.start, tagOctetString) == x.end && !x.critical
	case 15:
		return usageIn(der, x.start, x.end)
	case 17, 19, 31, 32, 35, 37, access: // each of which is a SEQUENCE
	case 30, 33, 36, 54: // of CA certificates, and rare there
		return false
	default:
		return true
	}
	at := x.start + 2
	if short(der, x.start, tagSequence) != x.end {
		var ok bool
		if at, ok = whole(der, x.start, x.end, tagSequence); !ok {
			return false
		}
	}
	switch x.id {
	case 17:
		return alternativeNamesIn(der, at, x.end)
	case 19:
		return f.readBasicConstraints(der, at, x.end)
	case 31:
		return distributionPointsIn(der, at, x.end)
	case 32:
		return policiesIn(der, at, x.end)
	case 35:
		return !x.critical && f.readAuthorityKeyID(der, at, x.end)
	case 37:
		return purposesIn(der, at, x.end)
	}
	return !x.critical && accessIn(der, at, x.end)
}

// readBasicConstraints reads the contents of basic constraints.
func (f *Facts) readBasicConstraints(der []byte, at, end int) bool {
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

// readAuthorityKeyID reads the key identifier, which is the first in the contents. crypto/x509 does not look at what
// follows it.
func (f *Facts) readAuthorityKeyID(der []byte, at, end int) bool {
	if at < end && der[at] == tagContext {
		stop := short(der, at, tagContext)
		f.AuthorityKeyID = part(at+2, stop)
		return stop <= end
	}
	return true
}

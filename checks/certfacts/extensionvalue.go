package certfacts

import "encoding/binary"

// What the following functions read is no fact, but crypto/x509 refuses a certificate in which it is not well-formed.

// usageIn tells whether der[at:end] is a key usage.
func usageIn(der []byte, at, end int) bool {
	if short(der, at, tagBitString) != end || end-at < 4 {
		return false
	}
	padding := der[at+2]
	return padding <= 7 && der[end-1]&(1<<padding-1) == 0
}

// identifierAt returns where the object identifier ends that der[at:end] begins with.
func identifierAt(der []byte, at, end int) (stop int, ok bool) {
	if pkixAt(der, at, end) {
		return at + 10, true
	}
	stop = short(der, at, tagOID)
	return stop, stop <= end && identifier(der[at+2:stop])
}

// pkixAt tells whether der[at:end] begins with an object identifier of ten bytes that begins with 1.3.6.1.5.5.7, as
// purposes and methods of access have it.
func pkixAt(der []byte, at, end int) bool {
	const pkix = 0x07050501_062b0806
	if end-at < 10 {
		return false
	}
	b := (*[10]byte)(der[at:])
	return binary.LittleEndian.Uint64(b[:]) == pkix && b[8]|b[9] < 0x80
}

// purposesIn tells whether der[at:end] are extended key usages.
func purposesIn(der []byte, at, end int) bool {
	for at < end {
		if pkixAt(der, at, end) {
			at += 10
			continue
		}
		var ok bool
		if at, ok = identifierAt(der, at, end); !ok {
			return false
		}
	}
	return true
}

// policiesIn tells whether der[at:end] are certificate policies, each another.
func policiesIn(der []byte, at, end int) bool {
	var policies identifiers
	for at < end {
		policy, next, ok := at+2, short(der, at, tagSequence), true
		if next > end {
			if policy, next, ok = element(der, at, end, tagSequence); !ok {
				return false
			}
		}
		stop, ok := identifierAt(der, policy, next)
		if !ok || !policies.add(der, part(policy, stop)) {
			return false
		}
		at = next
	}
	return true
}

// accessIn tells whether der[at:end] are the accesses to information about the issuer.
func accessIn(der []byte, at, end int) bool {
	for at < end {
		if next := short(der, at, tagSequence); next <= end && pkixAt(der, at+2, next) &&
			short(der, at+12, tagContext|6) == next {
			at = next // as nearly all are
			continue
		}
		access, next, ok := element(der, at, end, tagSequence)
		if !ok {
			return false
		}
		if access, ok = identifierAt(der, access, next); !ok {
			return false
		}
		if access < next && der[access] == tagContext|6 {
			if _, ok = whole(der, access, next, tagContext|6); !ok {
				return false
			}
		}
		at = next
	}
	return true
}

// distributionPointsIn tells whether der[at:end] are the distribution points of CRLs.
func distributionPointsIn(der []byte, at, end int) bool {
	for at < end {
		if next := short(der, at, tagSequence); next <= end && short(der, at+2, tagContextConstructed) == next &&
			short(der, at+4, tagContextConstructed) == next && short(der, at+6, tagContext|6) == next {
			at = next // as nearly all are: with one URI
			continue
		}
		point, next, ok := element(der, at, end, tagSequence)
		if !ok {
			return false
		}
		at = next
		if point == next || der[point] != tagContextConstructed {
			continue // it has no name, which is all that is looked at
		}
		name, nameEnd, ok := element(der, point, next, tagContextConstructed)
		if !ok {
			return false
		}
		if name, ok = whole(der, name, nameEnd, tagContextConstructed); !ok {
			return false
		}
		for name < nameEnd {
			if _, name, ok = element(der, name, nameEnd, tagContext|6); !ok {
				return false
			}
		}
	}
	return true
}

// alternativeNamesIn tells whether der[at:end] are alternative names without a URI, which takes more to understand.
func alternativeNamesIn(der []byte, at, end int) bool {
	for at < end {
		tag, start := der[at], at+2
		stop := short(der, at, tag)
		if stop > end {
			var ok bool
			if start, stop, ok = element(der, at, end, tag); !ok {
				return false
			}
		}
		at = stop
		switch tag {
		case tagContext | 1, tagContext | 2:
			if !ascii(der[start:stop]) {
				return false
			}
		case tagContext | 6:
			return false
		case tagContext | 7:
			if stop-start != 4 && stop-start != 16 {
				return false
			}
		default:
			if tag&0x1f == 0x1f {
				return false
			}
		}
	}
	return true
}

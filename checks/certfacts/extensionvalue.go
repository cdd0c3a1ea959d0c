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
	// Eight bytes beginning with 1.3.6.1.5.5.7, as purposes and methods of access have.
	const pkix = 0x07050501_062b0806
	if end-at >= 10 {
		if b := (*[10]byte)(der[at:]); binary.LittleEndian.Uint64(b[:]) == pkix && b[8]|b[9] < 0x80 {
			return at + 10, true
		}
	}
	stop = short(der, at, tagOID)
	return stop, stop <= end && identifier(der[at+2:stop])
}

// purposesIn tells whether der[at:end] are extended key usages.
func purposesIn(der []byte, at, end int) bool {
	at, ok := whole(der, at, end, tagSequence)
	for ok && at < end {
		at, ok = identifierAt(der, at, end)
	}
	return ok
}

// policiesIn tells whether der[at:end] are certificate policies, each another.
func policiesIn(der []byte, at, end int) bool {
	var policies identifiers
	at, ok := whole(der, at, end, tagSequence)
	for ok && at < end {
		var policy int
		if policy, at, ok = element(der, at, end, tagSequence); !ok {
			return false
		}
		stop, found := identifierAt(der, policy, at)
		ok = found && policies.add(der, part(policy, stop))
	}
	return ok
}

// accessIn tells whether der[at:end] are the accesses to information about the issuer.
func accessIn(der []byte, at, end int) bool {
	at, ok := whole(der, at, end, tagSequence)
	for ok && at < end {
		var access int
		if access, at, ok = element(der, at, end, tagSequence); !ok {
			return false
		}
		if access, ok = identifierAt(der, access, at); !ok {
			return false
		}
		if access < at && der[access] == tagContext|6 {
			_, ok = whole(der, access, at, tagContext|6)
		}
	}
	return ok
}

// distributionPointsIn tells whether der[at:end] are the distribution points of CRLs.
func distributionPointsIn(der []byte, at, end int) bool {
	at, ok := whole(der, at, end, tagSequence)
	for ok && at < end {
		var point int
		if point, at, ok = element(der, at, end, tagSequence); !ok {
			return false
		}
		if point == at || der[point] != tagContextConstructed {
			continue // it has no name, which is all that is looked at
		}
		name, nameEnd, ok := element(der, point, at, tagContextConstructed)
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
	return ok
}

// alternativeNamesIn tells whether der[at:end] are alternative names without a URI, which takes more to understand.
func alternativeNamesIn(der []byte, at, end int) bool {
	at, ok := whole(der, at, end, tagSequence)
	for ok && at < end {
		tag, start := der[at], at+2
		stop := short(der, at, tag)
		if stop > end {
			if start, stop, ok = element(der, at, end, tag); !ok {
				return false
			}
		}
		at = stop
		switch tag {
		case tagContext | 1, tagContext | 2:
			ok = ascii(der[start:stop])
		case tagContext | 6:
			return false
		case tagContext | 7:
			ok = stop-start == 4 || stop-start == 16
		default:
			ok = tag&0x1f != 0x1f
		}
	}
	return ok
}

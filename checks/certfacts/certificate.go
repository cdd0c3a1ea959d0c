package certfacts

// read sets the facts of a certificate that it fully understands; false if this is none, or is one that crypto/x509
// has to be asked about.
func (f *Facts) read(der []byte) bool {
	at, end := 0, len(der)
	at, ok := whole(der, at, end, tagSequence)
	if !ok {
		return false
	}
	tbs, tbsEnd, ok := element(der, at, end, tagSequence)
	if !ok {
		return false
	}
	outer := short(der, tbsEnd, tagSequence)
	if outer > end {
		return false
	}
	signature, ok := whole(der, outer, end, tagBitString)
	if !ok || !octets(der, signature, end) {
		return false
	}
	return f.readBody(der, tbs, tbsEnd, der[tbsEnd:outer])
}

// version3 is the version of a certificate that has extensions.
const version3 = "\xa0\x03\x02\x01\x02"

// readBody reads what is signed, with the algorithm that the signature says it has.
func (f *Facts) readBody(der []byte, at, end int, algorithm []byte) bool {
	f.Version = 1
	if end-at >= len(version3) && string(der[at:at+len(version3)]) == version3 {
		f.Version = 3
		at += len(version3)
	}
	serial := at + 2
	if at = short(der, at, tagInteger); at > end {
		return false
	}
	serial, ok := natural(der, serial, at)
	if !ok {
		return false
	}
	if serial < at {
		f.Serial = part(serial, at)
	}
	stop := short(der, at, tagSequence)
	if stop > end || !sameAlgorithm(der[at:stop], algorithm) {
		return false
	}
	if f.Issuer, ok = name(der, stop, end); !ok {
		return false
	}
	if at, ok = f.readValidity(der, int(f.Issuer.End), end); !ok {
		return false
	}
	if f.Subject, ok = name(der, at, end); !ok {
		return false
	}
	if at, ok = f.readKey(der, int(f.Subject.End), end); !ok {
		return false
	}
	f.MaxPathLen = -1
	if at < end && (f.Version != 3 || !f.readExtensions(der, at, end)) {
		return false
	}
	f.hash(der)
	return true
}

// What nearly all certificates are signed with.
const (
	ecdsaWithSHA256 = "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"
	sha256WithRSA   = "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00"
)

// sameAlgorithm tells whether a and b are one AlgorithmIdentifier, of less than 128 bytes.
func sameAlgorithm(a, b []byte) bool {
	if string(a) == ecdsaWithSHA256 || string(a) == sha256WithRSA {
		return string(a) == string(b)
	}
	return string(a) == string(b) && algorithmIdentifier(a, 2, len(a))
}

// algorithmIdentifier tells whether der[at:end] are the contents of an AlgorithmIdentifier.
func algorithmIdentifier(der []byte, at, end int) bool {
	at, ok := identifierAt(der, at, end)
	if !ok || at == end {
		return ok
	}
	_, _, stop, ok := anyElement(der, at, end)
	return ok && stop == end
}

// octets tells whether der[at:end] are the contents of a BIT STRING of whole bytes.
func octets(der []byte, at, end int) bool { return at < end && der[at] == 0 }

package certfacts

import (
	"crypto/x509"
	"math/bits"
	"strings"
)

// The AlgorithmIdentifiers of the keys that are understood, in DER.
const (
	keyRSA     = "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"
	keyP256    = "\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
	keyP384    = "\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22"
	keyP521    = "\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23"
	keyEd25519 = "\x30\x05\x06\x03\x2b\x65\x70"

	// identifierPSS is the identifier of RSASSA-PSS, which parameters may follow.
	identifierPSS = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"
)

// What the SubjectPublicKeyInfos of nearly all devices begin with, and end with, in parts that are compared at once: of
// a point on P-256, and of an RSA key of 2,048 bits whose exponent is 65537.
const (
	startP256A    = "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a"
	startP256B    = "\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04"
	startRSA2048A = "\x30\x82\x01\x22\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01"
	startRSA2048B = "\x01\x05\x00\x03\x82\x01\x0f\x00\x30\x82\x01\x0a\x02\x82\x01\x01"
	endRSA2048    = "\x02\x03\x01\x00\x01"

	lengthP256    = 16 + 11 + 64
	lengthRSA2048 = 16 + 16 + 1 + 256 + 5
)

// usualKey is readKey for such keys. The result is nowhere for others.
func (f *Facts) usualKey(der []byte, at, end int) (stop int) {
	info := der[at:end]
	if len(info) >= lengthP256 && string(info[:16]) == startP256A && string(info[16:27]) == startP256B {
		stop = at + lengthP256
		f.KeyAlgorithm, f.KeyBits, f.Point = x509.ECDSA, 256, part(at+26, stop)
	} else if len(info) >= lengthRSA2048 && string(info[:16]) == startRSA2048A && string(info[16:32]) == startRSA2048B &&
		info[32] == 0 && info[33] >= 0x80 && string(info[289:lengthRSA2048]) == endRSA2048 {
		stop = at + lengthRSA2048
		f.KeyAlgorithm, f.KeyBits, f.Modulus = x509.RSA, 2048, part(at+33, at+289)
	} else {
		return nowhere
	}
	f.PublicKey = part(at, stop)
	return stop
}

// readKey reads the SubjectPublicKeyInfo that der[at:end] begins with, and returns where it ends. False if it has a key
// that is not understood.
func (f *Facts) readKey(der []byte, at, end int) (stop int, ok bool) {
	if stop = f.usualKey(der, at, end); stop <= end {
		return stop, true
	}
	start, stop, ok := element(der, at, end, tagSequence)
	if !ok {
		return 0, false
	}
	f.PublicKey = part(at, stop)
	info := der[start:stop]
	switch {
	case starts(info, keyRSA):
		f.KeyAlgorithm = x509.RSA
		f.Modulus, ok = modulus(der, start+len(keyRSA), stop)
		if ok {
			f.KeyBits = 8*(f.Modulus.Len()-1) + bits.Len8(der[f.Modulus.Start])
		}
	case starts(info, keyP256):
		ok = f.readPoint(der, start+len(keyP256), stop, 256)
	case starts(info, keyP384):
		ok = f.readPoint(der, start+len(keyP384), stop, 384)
	case starts(info, keyP521):
		ok = f.readPoint(der, start+len(keyP521), stop, 521)
	case starts(info, keyEd25519):
		f.KeyAlgorithm, f.KeyBits = x509.Ed25519, 256
		at, ok = whole(der, start+len(keyEd25519), stop, tagBitString)
		ok = ok && octets(der, at, stop) && stop-at == 1+32
	default:
		f.Modulus = modulusPSS(der, f.PublicKey)
		ok = f.Modulus.Len() > 0
	}
	return stop, ok
}

func starts(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && string(b[:len(prefix)]) == prefix
}

// readPoint reads the point of an ECDSA key, without looking for the curve.
func (f *Facts) readPoint(der []byte, at, end, size int) bool {
	f.KeyAlgorithm, f.KeyBits = x509.ECDSA, size
	at, ok := whole(der, at, end, tagBitString)
	if !ok || end-at != 2+2*((size+7)/8) || der[at] != 0 || der[at+1] != 4 {
		return false
	}
	f.Point = part(at+1, end)
	return true
}

// modulus reads the RSA key that is the BIT STRING der[at:end]. False if one of its two numbers is not positive, or
// the exponent has more than 31 bits.
func modulus(der []byte, at, end int) (Part, bool) {
	at, ok := whole(der, at, end, tagBitString)
	if !ok || !octets(der, at, end) {
		return Part{}, false
	}
	if at, ok = whole(der, at+1, end, tagSequence); !ok {
		return Part{}, false
	}
	start, at, ok := element(der, at, end, tagInteger)
	if !ok {
		return Part{}, false
	}
	if start, ok = natural(der, start, at); !ok || start == at {
		return Part{}, false
	}
	n := part(start, at)
	if short(der, at, tagInteger) != end || end-at > 2+4 {
		return Part{}, false
	}
	start, ok = natural(der, at+2, end)
	return n, ok && start < end
}

// modulusPSS returns the modulus of a SubjectPublicKeyInfo that is for RSASSA-PSS; nothing if it is not, or is not
// understood.
func modulusPSS(der []byte, info Part) Part {
	end := int(info.End)
	at, ok := whole(der, int(info.Start), end, tagSequence)
	if !ok {
		return Part{}
	}
	start, at, ok := element(der, at, end, tagSequence)
	if !ok || !strings.HasPrefix(string(der[start:at]), identifierPSS) || !algorithmIdentifier(der, start, at) {
		return Part{}
	}
	n, ok := modulus(der, at, end)
	if !ok {
		return Part{}
	}
	return n
}

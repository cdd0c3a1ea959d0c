package facts

import (
	"crypto/x509"
	"encoding/binary"
	"math/bits"
	"time"
)

// digest is of the facts of certificates, in their order. It costs little, so that what is measured is the reading.
type digest struct {
	sum            uint64
	first, issuers uint64 // the first issuer's hash, and how many certificates have had it
}

// add adds a number to the sum, which depends on the order.
func (d *digest) add(n uint64) { d.sum = (bits.RotateLeft64(d.sum, 5) ^ n) * 0x9e3779b97f4a7c15 }

func (d *digest) times(notBefore, notAfter time.Time) {
	d.add(uint64(notBefore.Unix()))
	d.add(uint64(notAfter.Unix()))
}

// bytes adds the serial number and key identifiers: their first and last eight bytes, or all if they are shorter.
func (d *digest) bytes(serial, authority, subject []byte) {
	d.add(ends(serial))
	d.add(ends(authority))
	d.add(ends(subject))
}

func ends(b []byte) uint64 {
	if len(b) >= 8 {
		return binary.BigEndian.Uint64(b) ^ bits.RotateLeft64(binary.BigEndian.Uint64(b[len(b)-8:]), 32) + uint64(len(b))
	}
	n := uint64(len(b))
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}

func (d *digest) key(algorithm x509.PublicKeyAlgorithm, size int) {
	d.add(uint64(algorithm)<<32 | uint64(size))
}

func (d *digest) constraints(valid, ca bool, maxPathLen int) {
	n := uint64(int64(maxPathLen)) << 2
	if valid {
		n |= 1
	}
	if ca {
		n |= 2
	}
	d.add(n)
}

// names adds which names are the same, since hashes differ from one contender to the other.
func (d *digest) names(issuer, subject uint64) {
	if d.first == 0 {
		d.first = issuer
	}
	if issuer == d.first {
		d.issuers++
	}
	n := d.issuers << 1
	if issuer == subject {
		n |= 1
	}
	d.add(n)
}

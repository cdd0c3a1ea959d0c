package weakkey

import (
	"encoding/hex"
	"math/big"
	"slices"
)

// What tests need to see.
var ROCAPrimes = rocaPrimes

// The limits.
const (
	SmallestROCA = smallestROCA
	MaxKeys      = maxKeys
	MaxLine      = maxLine
)

// Keys are the keys of b.
func (b *Blocklist) Keys() []fingerprint { return slices.Collect(b.all()) }

// Has tells whether the key of a line is in b.
func (b *Blocklist) Has(line string) bool {
	f, ok := parse([]byte(line))
	return ok && b.contains(f)
}

// FingerprintOf returns the line of a modulus.
func FingerprintOf(n *big.Int) string {
	f := fingerprintOf(n.Bytes())
	return hex.EncodeToString(f[:])
}

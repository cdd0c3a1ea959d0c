package weakkey

// What tests need to see.
var ROCAPrimes = rocaPrimes

// The limits.
const (
	SmallestROCA = smallestROCA
	MaxKeys      = maxKeys
	MaxLine      = maxLine
)

// Keys are the keys of b, in its own memory.
func (b *Blocklist) Keys() []fingerprint { return b.keys }

package weakkey

import (
	"bytes"
	"math/big"
	"math/bits"
)

// Trace is what is kept of a key, in eight bytes, so that of almost every sound one this can be told without another
// look at it. The zero value says nothing. It is safe for concurrent use.
type Trace struct {
	head uint32 // of the modulus's fingerprint
	kind traceKind
}

type traceKind uint8

const (
	untraced traceKind = iota
	noModulus
	notROCA
	isROCA
)

// TraceOf returns the Trace of an RSA key's modulus, big-endian; nil stands for a key of another kind.
func TraceOf(modulus []byte) Trace {
	if modulus == nil {
		return Trace{kind: noModulus}
	}
	modulus = bytes.TrimLeft(modulus, "\x00")
	t := Trace{fingerprintOf(modulus).head(), notROCA}
	var room [4096 / bits.UintSize]big.Word // for almost every modulus, without an allocation
	if bitLen(modulus) >= smallestROCA && roca(appendWords(room[:0], modulus)) {
		t.kind = isROCA
	}
	return t
}

// bitLen returns how many bits a number has that is big-endian without leading zeros.
func bitLen(number []byte) int {
	if len(number) == 0 {
		return 0
	}
	return 8*(len(number)-1) + bits.Len8(number[0])
}

// appendWords appends the words of a big-endian number, the lowest first.
func appendWords(words []big.Word, number []byte) []big.Word {
	for len(number) > 0 {
		rest := max(0, len(number)-bits.UintSize/8)
		var w big.Word
		for _, b := range number[rest:] {
			w = w<<8 | big.Word(b)
		}
		words = append(words, w)
		number = number[:rest]
	}
	return words
}

// Sound tells whether it is known that the key has no modulus, or one that neither [ROCA] nor b finds, which may be
// nil. False says nothing: the modulus has to be looked at. So it says of one sound key in 2^32 for each that is in b.
func (t Trace) Sound(b *Blocklist) bool {
	return t.kind == noModulus || t.kind == notROCA && (b == nil || !b.holds(t.head))
}

// ROCA returns what [ROCA] does of n, which must be the modulus that t is of, or any if t is zero.
func (t Trace) ROCA(n *big.Int) bool {
	if t.kind == untraced {
		return ROCA(n)
	}
	return t.kind == isROCA
}

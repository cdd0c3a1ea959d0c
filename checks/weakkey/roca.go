package weakkey

import (
	"math/big"
	"math/bits"
	"slices"
)

// smallestROCA is how many bits a product of two primes of the library has at least: each is larger than
// the product of [rocaPrimes] and 2.
const smallestROCA = 439

// rocaPrimes are the odd ones of the first 39 primes, those whose product every key of the library is made
// with, in groups whose products fit in 32 bits. The first group lets the fewest moduli through.
var rocaPrimes = [...][]uint64{
	{37, 11, 97, 79, 13, 61},
	{151, 73, 127, 17, 19},
	{157, 53, 71, 103},
	{107, 109, 3, 5, 7, 23},
	{29, 31, 41, 43, 47},
	{59, 67, 83, 89},
	{101, 113, 131, 137},
	{139, 149, 163, 167},
}

// ROCA tells whether the modulus n of an RSA key has the fingerprint of CVE-2017-15361, which Infineon's
// RSALib left in the keys that it made, in smart cards and TPMs, until 2017. Such keys can be factored. False
// for nil, for what is not positive, for even numbers, and for those of less than 439 bits, which the library
// cannot have made.
//
// The library made primes k*M + (65537^a mod M), where M is the product of the first 39 primes or of more.
// So a modulus of its making is a power of 65537 modulo M, and none is missed. A random modulus that no
// small prime divides is one with probability 2.45e18/1.04e65 = 2^-154.9: of so many residues, so many are
// powers of 65537. That is stricter than tools that ask each small prime by itself whether the modulus is
// some power of 65537, which one sound modulus in 240 million is, and which can be arranged: here one
// exponent must do for all the primes.
//
// The structure and the fingerprint are those of Nemec, Sys, Svenda, Klinec and Matyas, "The Return of
// Coppersmith's Attack" (ACM CCS 2017), and of the detection tool that its authors published,
// crocs-muni/roca.
func ROCA(n *big.Int) bool {
	return n != nil && n.Sign() > 0 && n.BitLen() >= smallestROCA && roca(n.Bits())
}

// roca is [ROCA] of a modulus of so many bits, the lowest word first.
func roca(words []big.Word) bool {
	if words[0]&1 == 0 {
		return false
	}
	exponents := congruence{0, 1}
	for _, group := range rocaPrimes {
		product := uint64(1)
		for _, p := range group {
			product *= p
		}
		residue := mod(words, uint(product))
		for _, p := range group {
			c, ok := logarithm(residue%p, p)
			if !ok || !exponents.restrict(c) {
				return false
			}
		}
	}
	return true
}

// mod returns what words, the lowest first, leave when divided by m, which has at most 32 bits.
func mod(words []big.Word, m uint) uint64 {
	var r uint
	for _, w := range slices.Backward(words) {
		_, r = bits.Div(r, uint(w), m)
	}
	return uint64(r)
}

// congruence is all numbers that leave a remainder when divided by a modulus.
type congruence struct{ remainder, modulus uint64 }

// logarithm returns the exponents of 65537 whose power is x modulo the prime p; false if there is none.
func logarithm(x, p uint64) (c congruence, ok bool) {
	power := uint64(1)
	for {
		if power == x {
			c.remainder, ok = c.modulus, true
		}
		c.modulus++
		if power = power * 65537 % p; power == 1 {
			return c, ok
		}
	}
}

// restrict leaves in c the numbers that are in d too; false if there is none. The moduli must be orders of
// 65537 modulo primes of [rocaPrimes], whose least common multiple fits in 62 bits.
func (c *congruence) restrict(d congruence) bool {
	a, b := c.modulus, d.modulus
	for b != 0 {
		a, b = b, a%b
	}
	common := c.modulus / a * d.modulus
	for c.remainder%d.modulus != d.remainder {
		if c.remainder += c.modulus; c.remainder >= common {
			return false
		}
	}
	c.modulus = common
	return true
}

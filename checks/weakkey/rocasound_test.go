package weakkey_test

import (
	crand "crypto/rand"
	"crypto/rsa"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks/weakkey"
)

// TestROCASoundKeys: none of 44 keys of crypto/rsa is found.
func TestROCASoundKeys(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ bits, keys int }{{1024, 40}, {2048, 4}} {
		if testing.Short() {
			test.keys /= 10
		}
		for range test.keys {
			key, err := rsa.GenerateKey(crand.Reader, test.bits)
			require.NoError(t, err)
			if weakkey.ROCA(key.N) {
				t.Errorf("found: %x", key.N)
			}
		}
	}
}

// TestROCAMillion: none of a million sound moduli of 512 bits is found. They are the products of any two of
// 1,415 random primes of 256 bits, so each of them is a modulus as RSA wants them; and since the primes are
// random, so are the residues that ROCA looks at. That is tried, too: as many moduli are powers of 65537
// modulo a small prime as of random ones should be.
func TestROCAMillion(t *testing.T) {
	t.Parallel()
	pool := 1415
	if testing.Short() {
		pool = 448 // a hundred thousand
	}
	r := rand.NewChaCha8([32]byte{1})
	var primes []*big.Int
	for b := make([]byte, 32); len(primes) < pool; {
		r.Read(b)
		b[0] |= 0xc0 // as crypto/rsa does, so that every product has 512 bits
		b[31] |= 1
		if p := new(big.Int).SetBytes(b); p.ProbablyPrime(0) {
			primes = append(primes, p)
		}
	}
	n, moduli := new(big.Int), 0
	for i, p := range primes {
		for _, q := range primes[:i] {
			moduli++
			if n.Mul(p, q); n.BitLen() != 512 || weakkey.ROCA(n) {
				t.Fatalf("found, or not of 512 bits: %x", n)
			}
		}
	}
	if want := pool * (pool - 1) / 2; moduli != want || !testing.Short() && moduli < 1_000_000 {
		t.Fatalf("%d moduli, want %d", moduli, want)
	}

	for _, small := range oddPrimes() {
		residues := make([]int64, small)
		for _, p := range primes {
			residues[new(big.Int).Mod(p, big.NewInt(small)).Int64()]++
		}
		power := make([]bool, small)
		for _, x := range powers(small) {
			power[x] = true
		}
		var some int64 // ordered pairs of primes whose product is a power
		for x, nx := range residues {
			for y, ny := range residues {
				if power[int64(x)*int64(y)%small] {
					some += nx * ny
				}
			}
		}
		got := float64(some) / float64(pool*pool)
		want := float64(len(powers(small))) / float64(small-1)
		if math.Abs(got/want-1) > 0.1 {
			t.Errorf("modulo %d a share of %f are powers of 65537, want %f", small, got, want)
		}
	}
}

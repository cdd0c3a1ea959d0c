package sieve_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/fleetaudit/fleetaudit/checks/internal/sieve"
)

// TestSieve: nothing that was put in is held back, and most else is, whether hashes are spread or not.
func TestSieve(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, row := range []struct {
		n, perWord int
		share      float64 // of others that may be let through
	}{
		{0, 4, 0}, {1, 4, 0.01}, {3, 4, 0.02}, {5, 4, 0.02}, {100, 4, 0.02}, {100_000, 4, 0.01}, {100_000, 6, 0.025},
	} {
		for name, hash := range map[string]func(i int) uint32{
			"random":     func(int) uint32 { return r.Uint32() },
			"sequential": func(i int) uint32 { return uint32(2*i + 1) },
			"high":       func(i int) uint32 { return uint32(i) << 12 },
		} {
			t.Run(fmt.Sprint(row.n, " ", row.perWord, " ", name), func(t *testing.T) {
				in := make(map[uint32]bool)
				s := sieve.New(row.n, row.perWord)
				for i := range row.n {
					h := hash(i)
					in[h] = true
					s.Put(h)
				}
				for h := range in {
					if !s.Holds(h) {
						t.Fatalf("%x was put in and is held back", h)
					}
				}
				const tries = 100_000
				through := 0
				for range tries {
					if h := r.Uint32(); !in[h] && s.Holds(h) {
						through++
					}
				}
				if got := float64(through) / tries; got > row.share {
					t.Errorf("%.4f of others are let through, more than %.4f", got, row.share)
				}
			})
		}
	}
}

func TestZeroSieve(t *testing.T) {
	var s sieve.Sieve
	for _, h := range []uint32{0, 1, 1 << 31, 1<<32 - 1} {
		if s.Holds(h) {
			t.Errorf("it lets %x through", h)
		}
	}
}

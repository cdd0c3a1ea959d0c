package inventory_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

// TestIndex holds an index against a list of numbers, with so many keys that some hashes are the same.
func TestIndex(t *testing.T) {
	x, want := inventory.NewIndex(), make([]uint32, 300_000)
	there := 0
	toggle := func(key int) {
		if want[key] == 0 {
			want[key] = x.Add(uint64(key))
			there++
			return
		}
		x.Remove(uint64(key))
		want[key] = 0
		there--
	}
	check := func(when string) {
		t.Helper()
		if x.Len() != there {
			t.Fatalf("%s: %d keys, want %d", when, x.Len(), there)
		}
		for key, n := range want {
			if got := x.Find(uint64(key)); got != n {
				t.Fatalf("%s: %d has number %d, want %d", when, key, got, n)
			}
		}
	}
	check("none")
	for key := range want {
		toggle(key)
	}
	check("all")
	require.NotZero(t, x.Collisions(), "of %d keys some should have the same hash", len(want)) // ten are to be expected
	random := rand.New(rand.NewPCG(1, 1))
	for key := range want {
		if random.IntN(2) == 0 {
			toggle(key)
		}
	}
	check("half of them")
	x.Shrink()
	check("the same, made anew")
	for key := range want {
		toggle(key)
	}
	check("the other half")
}

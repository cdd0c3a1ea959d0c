package inventory_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

// TestIndex holds an index against a list of numbers, with so many keys that some hashes are the same.
func TestIndex(t *testing.T) {
	x, keys, want := inventory.NewIndex(), make([]uint64, 400_000), make([]uint32, 400_000)
	random := rand.New(rand.NewPCG(1, 1))
	for i := range keys {
		keys[i] = random.Uint64() // of numbers in a row all hashes may differ
	}
	there := 0
	toggle := func(key int) {
		if want[key] == 0 {
			want[key] = x.Add(keys[key])
			there++
			return
		}
		x.Remove(keys[key])
		want[key] = 0
		there--
	}
	check := func(when string) {
		t.Helper()
		if x.Len() != there {
			t.Fatalf("%s: %d keys, want %d", when, x.Len(), there)
		}
		for key, n := range want {
			if got := x.Find(keys[key]); got != n {
				t.Fatalf("%s: %d has number %d, want %d", when, key, got, n)
			}
		}
	}
	check("none")
	for key := range want {
		toggle(key)
	}
	check("all")
	require.NotZero(t, x.Collisions(), "of %d keys some should have the same hash", len(want)) // 18 are to be expected
	for key := range want {
		if random.IntN(2) == 0 {
			toggle(key)
		}
	}
	check("half of them")
	for key := range want {
		toggle(key)
	}
	check("the other half")
}

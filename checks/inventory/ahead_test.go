package inventory_test

import (
	"runtime"
	"testing"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

// TestAheadOrder: segments are taken in order, whichever is done first, and by who gave them.
func TestAheadOrder(t *testing.T) {
	const n = 100
	var started [n]chan struct{}
	for i := range started {
		started[i] = make(chan struct{})
	}
	next := 0 // not atomic: one goroutine takes
	inventory.Ahead(n, 1, func(i int) {
		close(started[i])
		if i%2 == 0 {
			<-started[i+1]
		}
	}, func(i int) {
		if i != next {
			t.Errorf("segment %d is taken, not %d", i, next)
		}
		next++
	})
	if next != n {
		t.Errorf("%d segments are taken", next)
	}
}

// TestAheadLimits: no more is worked on than there are processors for, and than fits in memory.
func TestAheadLimits(t *testing.T) {
	for size, want := range map[int]int{
		1: 2 * runtime.GOMAXPROCS(0), inventory.MaxBegun / 2: 2, inventory.MaxBegun: 1, 2 * inventory.MaxBegun: 1,
	} {
		if most := inventory.Ahead(want+2, size, func(int) {}, func(int) {}); most != want {
			t.Errorf("size %d: %d segments at once, want %d", size, most, want)
		}
	}
}

// TestAheadPanic: what panics in a goroutine panics where the segment is taken.
func TestAheadPanic(t *testing.T) {
	taken := 0
	defer func() {
		if r := recover(); r != "three" || taken != 3 {
			t.Errorf("recovered %v after %d segments", r, taken)
		}
	}()
	inventory.Ahead(5, 1, func(i int) {
		if i == 3 {
			panic("three")
		}
	}, func(int) { taken++ })
}

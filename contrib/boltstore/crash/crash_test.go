//go:build unix

// Package crash_test kills processes that keep an engine's state in a boltstore, and compares what the next one finds
// with what was acknowledged.
package crash_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

var (
	kills = flag.Int("kills", 0, "how often TestKill kills; 0: 1,000 times, or fewer with -short or the race detector")
	cuts  = flag.Int("cuts", 0, "how often TestPowerLoss cuts the power; 0: 60 times, or fewer in the same way")
	seed  = flag.Uint64("seed", 0, "of what is random; 0: a new one")
)

const isChild = "FLEETAUDIT_CRASH_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(isChild) != "" {
		if err := runChild(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// newSeed returns the seed of a test, and has it told when the test fails.
func newSeed(t *testing.T) uint64 {
	s := *seed
	if s == 0 {
		s = rand.Uint64()
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("-seed %d has the same operations again, but not the same moments", s)
		}
	})
	return s
}

// budget returns how often to kill in a test, if a flag does not say so.
func budget(set, usual int) int {
	switch {
	case set > 0:
		return set
	case testing.Short():
		return usual / 10
	case raced:
		return usual / 20
	}
	return usual
}

// A process that runs audits, and in which operations are called from several goroutines, is killed at any moment. The
// next one has everything that was acknowledged, or that anybody could see, and of what was begun all or nothing.
func TestKill(t *testing.T) {
	h := newHarness(t, isBolt, newSeed(t))
	begun := time.Now()
	for range budget(*kills, 1000) {
		if h.live(); len(h.wrong) > 0 {
			h.report()
			return
		}
	}
	h.close()
	h.report()
	t.Logf("%d kills in %s, %d while opening: %d operations acknowledged, %d comparisons; audits: %d, of which %d were not "+
		"acknowledged, %d interruptions, %d dropped; %d notifications, %d of them again",
		h.killed, time.Since(begun).Round(time.Second), h.killedEarly, h.acked, h.dumps, len(h.audits), h.adopted, h.interrupted, h.dropped,
		len(h.notes), h.repeated)
	for what, n := range map[string]int{
		"kill while it was opened": h.killedEarly, "comparison": h.dumps, "audit that was interrupted": h.interrupted, "audit that was dropped": h.dropped,
	} {
		if n == 0 && !testing.Short() {
			t.Errorf("there was no %s: this was no harness", what)
		}
	}
}

// Each of these stores does one thing wrong, which no operation shows, and the harness finds it.
func TestHarnessBites(t *testing.T) {
	for _, store := range []string{isLate, isHalved, isForgetful} {
		t.Run(store, func(t *testing.T) {
			h := newHarness(t, store, newSeed(t))
			for range 100 {
				if h.live(); len(h.wrong) > 0 {
					t.Logf("found after %d kills: %.300s", h.killed, h.wrong[0])
					return
				}
			}
			t.Error("100 kills, and nothing was found")
		})
	}
}

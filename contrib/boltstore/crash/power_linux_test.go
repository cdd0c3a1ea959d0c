package crash_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// newPowerHarness returns a harness on a disk that can lose its power.
func newPowerHarness(t *testing.T, store string) *harness {
	d := newDisk(t)
	h := newHarness(t, store, newSeed(t))
	h.power = true
	h.disk = d
	h.path = filepath.Join(d.folder, "fleetaudit.db")
	d.mount("")
	return h
}

// tear returns a fault of LazyFS: of some writes to the file it keeps only parts, or only some, and then it ends.
func (h *harness) tear() string {
	file := filepath.Join(h.disk.root, filepath.Base(h.path))
	some := func(n int) string {
		all := h.rand.Perm(n)[:1+h.rand.IntN(n-1)]
		slices.Sort(all)
		for i := range all {
			all[i]++
		}
		return strings.ReplaceAll(fmt.Sprint(all), " ", ",")
	}
	if h.rand.IntN(2) == 0 {
		return fmt.Sprintf("[[injection]]\ntype=\"torn-seq\"\nop=\"write\"\nfile=%q\npersist=%s\noccurrence=%d\n", file, some(5), 1+h.rand.IntN(12))
	}
	// A page of 4 kB is eight sectors.
	return fmt.Sprintf("[[injection]]\ntype=\"torn-op\"\nfile=%q\npersist=%s\nparts=8\noccurrence=%d\n", file, some(8), 1+h.rand.IntN(60))
}

// lose has a child live until the power is cut. The ways in which that can happen: the child ends, and then the disk
// forgets; the disk ends first; it ends in the middle of a write.
func (h *harness) lose() {
	p := h.plan()
	p.Settle = h.rand.IntN(5) == 0
	p.Full = h.rand.IntN(10) == 0
	way := h.rand.IntN(3)
	if way == 2 {
		h.disk.cut()
		h.disk.mount(h.tear())
	}
	c := h.start(p)
	limit := time.Duration(h.rand.Int64N(int64(h.opening)))
	if way < 2 && h.rand.IntN(4) > 0 {
		select {
		case <-c.ready:
			h.opening = (3*h.opening + time.Since(c.begun)) / 4
			limit = time.Duration(h.rand.Int64N(int64(2 * maxLoad)))
		case <-c.done:
		case <-c.hung.Done():
		}
	}
	if way == 2 { // until the fault comes
		limit = 4*h.opening + 4*maxLoad
	}
	delay := time.NewTimer(limit)
	defer delay.Stop()
	select {
	case <-delay.C:
	case <-h.disk.died:
		h.torn++
	case <-c.done:
	}
	if way == 0 {
		h.kill(c)
		h.reap(c)
		h.disk.clear()
		return
	}
	select {
	case <-h.disk.died:
		c.broken = true
	case <-c.done: // by itself, which is wrong while there is power
		select {
		case <-h.disk.died:
			c.broken = true
		case <-time.After(100 * time.Millisecond): // a disk that died may not have been buried yet
		}
	default:
		c.broken = true
	}
	h.disk.cut()
	h.kill(c)
	h.reap(c)
	h.disk.mount("")
}

// The power is cut under a process that runs audits. What was acknowledged is there when it is back.
func TestPowerLoss(t *testing.T) {
	h := newPowerHarness(t, isBolt)
	begun := time.Now()
	for range budget(*cuts, 60) {
		if h.lose(); len(h.wrong) > 0 {
			h.report()
			return
		}
	}
	h.close()
	h.report()
	t.Logf("%d power losses in %s, %d in the middle of a write: %d operations acknowledged, %d comparisons; audits: %d, of which %d were not "+
		"acknowledged, %d interruptions, %d dropped", h.killed, time.Since(begun).Round(time.Second), h.torn, h.acked, h.dumps,
		len(h.audits), h.adopted, h.interrupted, h.dropped)
}

// A store that does not sync loses something then, or what it has is damaged.
func TestPowerLossBites(t *testing.T) {
	h := newPowerHarness(t, isUnsynced)
	for range 100 {
		if h.lose(); len(h.wrong) > 0 {
			t.Logf("found after %d power losses: %.300s", h.killed, h.wrong[0])
			return
		}
	}
	t.Error("100 power losses, and nothing was found")
}

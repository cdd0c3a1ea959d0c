package storetest

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/fleetaudit/fleetaudit/engine"
)

const (
	writers     = 4
	generations = 25 // Commits of each writer
	spread      = 12 // rows of each Commit
)

// concurrent has writers that write the same number to all of their rows in each Commit, and loaders who want to find each
// writer's rows to be of one Commit, and of none that is older than what had been acknowledged when they began.
func concurrent(k *kit) {
	var acked [writers]atomic.Uint64
	var writing, loading sync.WaitGroup
	over := make(chan struct{})
	for w := range writers {
		writing.Go(func() {
			for g := range uint64(generations) {
				if err := k.store.Commit(context.Background(), generation(w, g+1)); err != nil {
					k.Errorf("Commit beside others: %v", err)
					return
				}
				acked[w].Store(g + 1)
			}
		})
	}
	for range 2 {
		loading.Go(func() {
			for {
				var least [writers]uint64
				for w := range acked {
					least[w] = acked[w].Load()
				}
				if !k.loadGenerations(least) {
					return
				}
				select {
				case <-over:
					return
				default:
				}
			}
		})
	}
	writing.Wait()
	close(over)
	loading.Wait()
	for w := range writers {
		k.want.Commit(context.Background(), generation(w, generations))
	}
	k.check("Commits beside others")
}

// generation returns the changes of a writer's Commit.
func generation(w int, g uint64) []engine.Change {
	var changes []engine.Change
	for i := range spread {
		value := binary.BigEndian.AppendUint64(nil, g)
		value = append(value, make([]byte, i*700)...)
		changes = append(changes, engine.Change{Table: fmt.Sprintf("table%c", 'a'+i%3), Key: []byte{byte(w), byte(i)}, Value: value})
	}
	return changes
}

// loadGenerations tells whether what Load finds is as it should be.
func (k *kit) loadGenerations(least [writers]uint64) bool {
	var found, rows [writers]uint64
	ok := true
	broken := func(format string, args ...any) { ok = false; k.Errorf(format, args...) }
	err := k.store.Load(context.Background(), func(r engine.Row) error {
		if len(r.Key) != 2 || r.Key[0] >= writers || len(r.Value) < 8 {
			return fmt.Errorf("a row that nobody committed: %s", show(r))
		}
		w, g := r.Key[0], binary.BigEndian.Uint64(r.Value)
		if rows[w]++; rows[w] == 1 {
			found[w] = g
		} else if ok && g != found[w] {
			broken("a Load found half of a Commit: a row of number %d beside one of number %d", g, found[w])
		}
		return nil
	})
	if err != nil {
		broken("Load beside Commits: %v", err)
		return false
	}
	for w := range found {
		if ok && found[w] < least[w] {
			broken("a Load found number %d of a writer, whose number %d had been committed before", found[w], least[w])
		}
		if ok && rows[w] != 0 && rows[w] != spread {
			broken("a Load found half of a Commit: %d of %d rows", rows[w], spread)
		}
	}
	return ok
}

// model does anything, and wants the Store to hold what a map would.
func model(k *kit) {
	for seed := range uint64(2) {
		rng := rand.New(rand.NewPCG(seed, 3))
		for step := range 60 {
			k.commit(randomChanges(rng)...)
			if step%3 == 2 {
				k.same(fmt.Sprintf("seed %d, step %d", seed, step), k.load())
			}
			if rng.IntN(8) == 0 {
				k.reopen()
			}
		}
		k.check(fmt.Sprintf("seed %d, at the end", seed))
	}
}

// randomChanges returns changes of few tables and keys, no key twice.
func randomChanges(rng *rand.Rand) []engine.Change {
	var changes []engine.Change
	seen := make(map[row]bool)
	for range rng.IntN(12) {
		c := engine.Change{Table: string(rune('a' + rng.IntN(3))), Key: bytes.Repeat([]byte{byte(rng.IntN(30))}, 1+rng.IntN(2)*300)}
		if at := (row{c.Table, string(c.Key)}); seen[at] {
			continue
		} else {
			seen[at] = true
		}
		if rng.IntN(3) > 0 {
			c.Value = bytes.Repeat([]byte{byte(rng.Uint32())}, 1+rng.IntN(1<<(3+rng.IntN(12))))
		}
		changes = append(changes, c)
	}
	return changes
}

package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/fleetaudit/fleetaudit/engine"
)

func fresh(k *kit) {
	k.check("nothing committed")
	k.commit()
	k.commit(drop("audit", "a"))
	k.check("nothing committed but the end of what is not there")
}

func order(k *kit) {
	for _, table := range []string{"b", "ab", "a", "aa", "zone"} {
		for _, key := range []string{"b", "\xff", "a", "aa", "\x00", "a\x00", "b\xff"} {
			k.commit(put(table, key, table+key))
		}
	}
	k.check("rows out of order")
}

func replace(k *kit) {
	k.commit(put("audit", "a", "1"), put("audit", "b", "1"), put("audit", "c", "1"))
	k.commit(put("audit", "b", "2"))
	k.check("a value that is as long")
	k.commit(put("audit", "b", strings.Repeat("3", 10_000)))
	k.commit(put("audit", "a", "3"), put("audit", "c", "1"))
	k.check("a longer value")
	k.commit(put("audit", "b", "4"))
	k.check("a shorter value")
}

func remove(k *kit) {
	k.commit(put("audit", "a", "1"), put("audit", "b", "2"), put("audit", "c", "3"), put("meta", "a", "4"))
	k.commit(drop("audit", "b"))
	k.check("a row that went")
	k.commit(drop("audit", "b"), drop("audit", "none"), drop("none", "a"))
	k.check("rows that went, but were not there")
	k.commit(put("audit", "b", "5"))
	k.check("a row that came back")
	k.commit(drop("audit", "a"), drop("audit", "b"), drop("audit", "c"))
	k.check("a table that is empty")
	k.commit(drop("meta", "a"))
	k.check("all rows gone")
	k.commit(put("audit", "a", "6"))
	k.check("a row after all had gone")
}

func batch(k *kit) {
	var changes []engine.Change
	for i := range 500 {
		changes = append(changes, put([]string{"audit", "chunk", "meta"}[i%3], fmt.Sprint(i), "1"))
	}
	k.commit(changes...)
	k.check("a batch")
	for i := range changes {
		switch changes[i].Value = []byte("2"); i % 5 {
		case 0:
			changes[i].Value = nil
		case 1:
			changes[i].Value = []byte{} // which is empty too
		case 2:
			changes[i].Key = []byte(fmt.Sprint("new", i))
		}
	}
	k.commit(changes...)
	k.check("a batch of new rows, other values and rows that go")
}

func tables(k *kit) {
	k.commit(put("a", "bc", "1"), put("ab", "c", "2"), put("abc", "x", "3"), put("x", "abc", "4"))
	k.check("tables and keys that are one text if they are put together")
	k.commit(drop("ab", "c"))
	k.check("the same, less one")
	for i := range 40 {
		k.commit(put("t"+strings.Repeat("a", i), "key", fmt.Sprint(i)))
	}
	k.check("forty tables")
}

func keys(k *kit) {
	var changes []engine.Change
	for b := range 256 {
		changes = append(changes, put("bytes", string([]byte{byte(b)}), fmt.Sprint(b)))
		changes = append(changes, put("bytes", string([]byte{0, byte(b)}), fmt.Sprint(b)))
		changes = append(changes, put("bytes", string([]byte{byte(b), 0}), fmt.Sprint(b, "0"))) // {0, 0} comes twice
	}
	changes = slices.DeleteFunc(changes, func(c engine.Change) bool { return string(c.Value) == "0" && len(c.Key) == 2 })
	for _, n := range []int{1, 2, 255, 256, 1023, 1024} {
		for _, b := range []string{"\x00", "\xff", "k"} {
			changes = append(changes, put("long", strings.Repeat(b, n), fmt.Sprint(n, b)))
		}
	}
	for i := range 40 { // which differ in the last of 1,024 bytes
		changes = append(changes, put("last", strings.Repeat("k", 1023)+string([]byte{byte(i * 6)}), fmt.Sprint(i)))
	}
	k.commit(changes...)
	k.check("keys of any bytes")
	for i := range changes {
		if i%2 == 0 {
			changes[i].Value = nil
		}
	}
	k.commit(changes...)
	k.check("every other of them")
}

func values(k *kit) {
	var all []engine.Change
	for i, n := range []int{1, 2, 3, 100, 1023, 1024, 1025, 4095, 4096, 4097, 65_535, 65_536, 100_000, 1 << 20, 3 << 20} {
		value := make([]byte, n)
		rng := rand.New(rand.NewPCG(uint64(n), 1))
		for j := range value {
			value[j] = byte(rng.Uint32())
		}
		zero := engine.Change{Table: "zero", Key: []byte{byte(i)}, Value: make([]byte, n)}
		all = append(all, engine.Change{Table: "chunk", Key: []byte{byte(i)}, Value: value}, zero)
		k.commit(all[len(all)-2:]...)
	}
	k.check("values of many sizes")
	for i := range all {
		all[i].Value = all[len(all)-2-i/2*2].Value
	}
	k.commit(all...)
	k.check("values of other sizes instead")
}

func manyRows(k *kit) {
	const rows = 20_000
	perm := rand.New(rand.NewPCG(1, 2)).Perm(rows)
	for some := range slices.Chunk(perm, rows/10) {
		var changes []engine.Change
		for _, i := range some {
			changes = append(changes, put("run", fmt.Sprintf("%08d", i), strings.Repeat("v", i%200+1)))
		}
		k.commit(changes...)
	}
	k.check("many rows")
	var changes []engine.Change
	for i := range rows {
		if i%4 != 0 && (i < rows/2 || i > rows*3/4) {
			changes = append(changes, drop("run", fmt.Sprintf("%08d", i)))
		}
	}
	k.commit(changes...)
	k.check("many rows gone")
}

func memoryOfChanges(k *kit) {
	key, value := []byte("a"), make([]byte, 5000)
	changes := []engine.Change{{Table: "audit", Key: key, Value: value}}
	for i := range 20 {
		key[0] = byte('a' + i)
		for j := range value {
			value[j] = byte(i)
		}
		k.commit(changes...)
	}
	clear(key)
	clear(value)
	changes[0] = engine.Change{Table: "none"}
	k.check("a caller who used the memory of changes again")
}

func memoryOfRows(k *kit) {
	k.commit(put("audit", "a", "1"), put("audit", "b", strings.Repeat("2", 5000)), put("audit", "c", "3"))
	for range 2 {
		if err := k.store.Load(k.Context(), func(r engine.Row) error {
			clear(r.Key)
			clear(r.Value)
			_, _ = append(r.Key, "longer"...), append(r.Value, "longer"...)
			return nil
		}); err != nil {
			k.Fatalf("Load: %v", err)
		}
	}
	k.check("a caller who wrote to the memory of rows")
}

func errorOfRow(k *kit) {
	for i := range 10 {
		k.commit(put([]string{"audit", "meta"}[i%2], fmt.Sprint(i), "1"))
	}
	for after := range 10 {
		wrong, n := errors.New("row's own"), 0
		err := k.store.Load(k.Context(), func(engine.Row) error {
			if n++; n > after {
				return wrong
			}
			return nil
		})
		if !errors.Is(err, wrong) {
			k.Errorf("row failed at row %d, and Load returned the error %v, which is not row's", after+1, err)
		}
		if n != after+1 {
			k.Errorf("row failed at row %d, and was called %d times", after+1, n)
		}
	}
	k.check("rows that nobody wanted")
}

func cancelledLoad(k *kit) {
	for i := range 10 {
		k.commit(put("audit", fmt.Sprint(i), "1"))
	}
	for after := range 10 {
		ctx, cancel := context.WithCancel(k.Context())
		n := 0
		if after == 0 {
			cancel()
		}
		err := k.store.Load(ctx, func(engine.Row) error {
			if n++; n == after {
				cancel()
			}
			return nil
		})
		cancel()
		if err == nil && n != 10 {
			k.Errorf("Load, cancelled after %d of 10 rows, had %d and returned no error", after, n)
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			k.Errorf("Load, cancelled after %d of 10 rows, returned %v, which is not %v", after, err, context.Canceled)
		}
	}
	k.check("loads that were cancelled")
}

func cancelledCommit(k *kit) {
	k.commit(put("audit", "a", "1"), put("audit", "b", "1"))
	before := k.want.Clone()
	ctx, cancel := context.WithCancel(k.Context())
	cancel()
	changes := []engine.Change{put("audit", "a", "2"), drop("audit", "b"), put("meta", "c", "2")}
	k.want.Commit(context.Background(), changes)
	if k.store.Commit(ctx, changes) != nil && !slices.EqualFunc(k.load(), k.want.Rows(), equalRows) {
		k.want = Memory{rows: before.rows} // then it should be none of them
	}
	k.check("a Commit that was cancelled before it began: all or nothing")
}

// faults has calls fail above the Store, as its own would, and wants a restart to find what had been committed, and the call
// that failed whole or not at all.
func faults(k *kit) {
	for i, row := range []struct {
		fault   Fault
		changed bool
	}{{Before, false}, {After, true}, {Panic, false}, {PanicAfter, true}, {Goexit, false}, {GoexitAfter, true}} {
		const nth = 3
		f := &Faults{Store: k.store, OnCommit: func(call int, _ []engine.Change) Fault {
			if call == nth {
				return row.fault
			}
			return None
		}}
		for n := 1; n <= nth+1; n++ {
			changes := []engine.Change{put("audit", fmt.Sprint(i, n), "1"), put("meta", "last", fmt.Sprint(i, n)), drop("audit", fmt.Sprint(i, n-1))}
			err := committed(k.Context(), f, changes)
			if (err == nil) != (n < nth) {
				k.Fatalf("call %d, of which number %d has the fault %d: %v", n, nth, row.fault, err)
			}
			if err == nil || n == nth && row.changed {
				k.want.Commit(context.Background(), changes)
			}
		}
		k.check(fmt.Sprintf("a Commit with the fault %d", row.fault))
	}
}

// committed calls Commit in a goroutine of its own, and returns an error if it ends in whatever way.
func committed(ctx context.Context, s engine.Store, changes []engine.Change) error {
	ended := make(chan error, 1)
	go func() {
		err := errors.New("it did not return")
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("it panicked: %v", p)
			}
			ended <- err
		}()
		err = s.Commit(ctx, changes)
	}()
	return <-ended
}

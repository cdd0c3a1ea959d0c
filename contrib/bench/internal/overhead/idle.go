package overhead

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/fleetaudit/fleetaudit/checks/builtin"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/compare"
	"github.com/fleetaudit/fleetaudit/engine"
)

// newIdleEngines has one Engine for each tenant, with the built-in checks over an inventory of its own, and no audit yet.
func newIdleEngines(size int) (compare.Task, error) {
	return holding(size, func() (*engine.Engine, error) {
		return engine.New(engine.Config{Checks: builtin.All(inventory.New(inventory.Contents{})), EnableAll: true})
	}, (*engine.Engine).Close), nil
}

// newIdleDatabases is the least that an Engine could be: a database with as many tables.
func newIdleDatabases(size int) (compare.Task, error) {
	return holding(size, func() (any, error) {
		return newDatabase("meta", "account", "schedule", "audit", "progress", "suppression")
	}, nil), nil
}

// holding measures what it takes to have some of a thing, and that none of them needs a goroutine.
func holding[T any](size int, make1 func() (T, error), end func(T) error) compare.Task {
	held := 0
	return compare.Task{
		Measure: func() (bytes float64, err error) {
			all := make([]T, size)
			heap, goroutines := inUse(), runtime.NumGoroutine()
			for i := range all {
				if all[i], err = make1(); err != nil {
					return 0, err
				}
			}
			if n := runtime.NumGoroutine() - goroutines; n > 0 {
				return 0, fmt.Errorf("%d goroutines for %d that are idle", n, size)
			}
			bytes = float64(inUse()) - float64(heap)
			held = len(all)
			if end != nil {
				var errs []error
				for _, v := range all {
					errs = append(errs, end(v))
				}
				err = errors.Join(errs...)
			}
			runtime.KeepAlive(all)
			return bytes, err
		},
		Answer: func() any { return held },
	}
}

// inUse returns how many bytes of the heap are reachable.
func inUse() uint64 {
	runtime.GC()
	runtime.GC() // what had a finalizer goes with the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

package scans

import (
	"context"
	"runtime"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/compare"
)

// cores compares an audit with two slots to the same one with one: a check that takes some hundred nanoseconds for a
// resource, as one does that looks at strings, and one that takes next to none. Of fewer resources there are too few shards
// to share out evenly, so there is one size.
func cores() []compare.Work {
	if runtime.NumCPU() < 2 {
		return nil
	}
	var works []compare.Work
	for _, check := range []struct {
		name string
		make func(*checks.Source[device]) checks.Check
	}{
		{"some work", hashing},
		{"next to none", func(src *checks.Source[device]) checks.Check { return ruled("RULE_CHECK", src) }},
	} {
		newTask := func(slots int) func(size int) (compare.Task, error) {
			return func(size int) (compare.Task, error) {
				a, err := newAuditor(slots, check.make(checks.Slice("devices", newFleet(size))))
				if err != nil {
					return compare.Task{}, err
				}
				return compare.Task{
					Do:     func() error { return a.audit() },
					Answer: func() any { return a.task.AuditDetails },
					Close:  a.close,
				}, nil
			}
		}
		works = append(works, compare.Work{
			Name: "two cores/" + check.name, Unit: "resource", Size: 1_000_000,
			Contenders: []compare.Contender{
				{Name: "two slots", New: newTask(2)},
				{Name: "one slot", Target: 1.8, New: newTask(1)},
			},
		})
	}
	return works
}

// hashing is a check that has some work with each device: FNV-1a of its id, again and again.
func hashing(src *checks.Source[device]) checks.Check {
	return checks.Each(spec("HASH_CHECK"), src, func(_ context.Context, pass *checks.Pass, d *device) error {
		h := uint64(14695981039346656037)
		for range 10 {
			for i := range len(d.ID) {
				h = (h ^ uint64(d.ID[i])) * 1099511628211
			}
		}
		if h>>32%100 == 0 {
			report(pass, d)
		}
		return nil
	})
}

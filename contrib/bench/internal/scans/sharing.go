package scans

import (
	"context"
	"fmt"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/compare"
	"github.com/fleetaudit/fleetaudit/model"
)

const sharers = 6

// sharing compares one audit of six checks with six audits of one check, on one core. Of a slice there is nothing to share
// but that its resources are brought from memory once; so no target is set for it.
func sharing() []compare.Work {
	var works []compare.Work
	for _, of := range []struct {
		name   string
		target float64
		source func(size int) *checks.Source[device]
	}{
		{"in memory/resources", 0, func(size int) *checks.Source[device] { return checks.Slice("devices", newFleet(size)) }},
		{"streamed/resources", 2, func(size int) *checks.Source[device] {
			return &checks.Source[device]{Name: "devices", All: stream(size)}
		}},
	} {
		newTask := func(together bool) func(size int) (compare.Task, error) {
			return func(size int) (compare.Task, error) { return newSharing(size, together, of.source(size)) }
		}
		works = append(works, compare.Work{
			Name: "six checks, " + of.name, Unit: "resource", Size: 100_000, Growth: 1_000_000,
			Contenders: []compare.Contender{
				{Name: "one audit", New: newTask(true)},
				{Name: "six audits", Target: of.target, New: newTask(false)},
			},
		})
	}
	return works
}

func newSharing(size int, together bool, src *checks.Source[device]) (compare.Task, error) {
	var all []checks.Check
	for i := range sharers {
		all = append(all, checks.Each(spec(fmt.Sprintf("OLD_FIRMWARE_%d_CHECK", i)), src,
			func(_ context.Context, pass *checks.Pass, d *device) error {
				if d.Firmware <= i && d.Region == "eu" {
					report(pass, d)
				}
				return nil
			}))
	}
	a, err := newAuditor(1, all...)
	if err != nil {
		return compare.Task{}, err
	}
	found := make(map[string]model.AuditCheckDetails)
	return compare.Task{
		Do: func() error {
			if together {
				err := a.audit()
				found = a.task.AuditDetails
				return err
			}
			for _, name := range a.names {
				if err := a.audit(name); err != nil {
					return err
				}
				found[name] = a.task.AuditDetails[name]
			}
			return nil
		},
		Answer: func() any { return found },
		Close:  a.close,
	}, nil
}

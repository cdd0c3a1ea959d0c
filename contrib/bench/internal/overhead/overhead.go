// Package overhead measures what the engine itself costs: a check that does nothing, an engine that is idle, and a
// schedule that is due.
package overhead

import (
	"context"
	"fmt"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/compare"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// Works returns what is measured.
func Works() []compare.Work {
	return []compare.Work{
		{
			Name: "no-op checks", Unit: "check", Size: 1_000, Growth: 10_000,
			Contenders: []compare.Contender{
				{Name: "fleetaudit", New: newAudit},
				{Name: "errgroup, go-memdb", Target: 20, New: newCommits},
			},
		},
		{
			Name: "idle engines", Unit: "engine", Figure: "heap-bytes", Size: 100, Growth: 1_000,
			Contenders: []compare.Contender{
				{Name: "fleetaudit", New: newIdleEngines},
				{Name: "empty go-memdb", New: newIdleDatabases},
			},
		},
		{
			Name: "due schedules", Unit: "schedule", Size: 10_000, Growth: 100_000,
			Contenders: []compare.Contender{{Name: "fleetaudit", New: newSchedules}},
		},
	}
}

// noOps returns n checks that do nothing, and their names.
func noOps(n int) (all []checks.Check, names []string) {
	for i := range n {
		spec := checks.Spec{
			Name:         fmt.Sprintf("NO_OP_%05d_CHECK", i),
			Severity:     model.AuditFindingSeverityLow,
			ResourceType: model.ResourceTypeClientID,
			ReasonCodes:  []checks.ReasonCode{{Code: "NEVER"}},
		}
		all = append(all, checks.New(spec, func(context.Context, *checks.Pass) error { return nil }))
		names = append(names, spec.Name)
	}
	return all, names
}

// newAudit makes one audit of all checks, from the request until it is known how each did. The Engine is as it is by
// itself: with a limit of time and of findings, a time of grace, and every audit kept.
func newAudit(size int) (compare.Task, error) {
	all, names := noOps(size)
	e, err := engine.New(engine.Config{Checks: all, EnableAll: true})
	if err != nil {
		return compare.Task{}, err
	}
	ctx := context.Background()
	compliant := 0
	return compare.Task{
		Do: func() error {
			started, err := e.StartOnDemandAuditTask(ctx, &model.StartOnDemandAuditTaskInput{TargetCheckNames: names})
			if err != nil {
				return err
			}
			ended, err := e.WaitAuditTask(ctx, started.TaskID)
			if err != nil {
				return err
			}
			compliant = 0
			for _, d := range ended.AuditDetails {
				if d.CheckRunStatus == model.AuditCheckRunStatusCompletedCompliant {
					compliant++
				}
			}
			return nil
		},
		Answer: func() any { return compliant },
		Close:  func() { _ = e.Close() }, // nothing is left that it could wait for
	}, nil
}

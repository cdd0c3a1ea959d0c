package policies

import (
	"fmt"
	"slices"

	"github.com/fleetaudit/fleetaudit/checks/policy"
	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/compare"
)

// verdict is what a policy allows broadly: actions of devices, sorted.
type verdict []string

// oursParsed judges documents that are parsed.
func oursParsed(documents []Document) (compare.Task, error) {
	sets := make([]policy.Set, len(documents))
	for i, d := range documents {
		parsed, err := policy.Parse(d.Text)
		if err != nil {
			return compare.Task{}, fmt.Errorf("%s: %w", d.Name, err)
		}
		sets[i] = policy.Set{parsed}
	}
	verdicts := make([]verdict, len(sets))
	return compare.Task{
		Do: func() error {
			for i, s := range sets {
				verdicts[i] = s.BroadDataPlane()
			}
			return nil
		},
		Answer: func() any { return sorted(verdicts) },
	}, nil
}

// oursFromText parses documents, and judges them.
func oursFromText(documents []Document) (compare.Task, error) {
	verdicts := make([]verdict, len(documents))
	return compare.Task{
		Do: func() error {
			for i, d := range documents {
				parsed, err := policy.Parse(d.Text)
				if err != nil {
					return fmt.Errorf("%s: %w", d.Name, err)
				}
				verdicts[i] = policy.Set{parsed}.BroadDataPlane()
			}
			return nil
		},
		Answer: func() any { return sorted(verdicts) },
	}, nil
}

// sorted puts each verdict in order.
func sorted(verdicts []verdict) []verdict {
	all := make([]verdict, len(verdicts))
	for i, v := range verdicts {
		all[i] = slices.Sorted(slices.Values(v))
	}
	return all
}

// Package scans has the comparisons of what scans of an inventory cost: a rule that judges each resource, several
// checks of one source, more than one core, memory, and an audit that is cancelled.
package scans

import "github.com/fleetaudit/fleetaudit/contrib/bench/internal/compare"

// Works returns the comparisons. Those of two cores are not there on a machine that has one.
func Works() []compare.Work {
	works := append([]compare.Work{rules()}, sharing()...)
	works = append(works, cores()...)
	works = append(works, memory())
	return append(works, cancelling()...)
}

package fleet

import (
	"log/slog"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/report"
)

// Attr is a group of attributes that says how much of what is in a fleet.
func Attr(n report.Counts) slog.Attr { return group("fleet", n, report.Counts{}) }

// group is a group of those numbers of n that are not what they are in other.
func group(name string, n, other report.Counts) slog.Attr {
	others := make(map[string]int)
	for kind, n := range other.Kinds() {
		others[kind] = n
	}
	var all []any
	for kind, n := range n.Kinds() {
		if n != others[kind] {
			all = append(all, slog.Int(kind, n))
		}
	}
	return slog.Group(name, all...)
}

// tell logs the problems that were not there before, and of many how many there are.
func tell(log *slog.Logger, now, before []inventory.Problem) {
	known := make(map[inventory.Problem]bool, len(before))
	for _, p := range before {
		known[p] = true
	}
	n := 0
	for _, p := range now {
		if known[p] {
			continue
		}
		if n++; n <= maxTold {
			log.Warn("something in the fleet cannot be read", "file", p.File, "offset", p.Offset, "problem", p.What)
		}
	}
	if more := n - maxTold; more > 0 {
		log.Warn("more in the fleet cannot be read", "count", more)
	}
}

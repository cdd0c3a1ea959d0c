package stores

import "github.com/fleetaudit/fleetaudit/model"

// Number gives a resource its number in a tuned store of slices and maps, as an Append does that waits for the lock.
func Number(s Store, r model.ResourceIdentifier) {
	s.(*slicemaps).keys([]model.AuditFinding{{NonCompliantResource: model.NonCompliantResource{ResourceIdentifier: r}}})
}

// Package certaudit compares audits of certificates: an Engine with the built-in checks, over an inventory that has
// them, against a loop written by hand that parses with crypto/x509; and one audit with six checks against six.
package certaudit

import (
	"sync"

	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/compare"
)

// Works are the comparisons of this package.
func Works() []compare.Work {
	var shared fleets
	six := []string{deviceAge, deviceExpiring, deviceKeyQuality, deviceRevoked, intermediateRevoked, deviceKeySize}
	var apart [][]string
	for i := range six {
		apart = append(apart, six[i:i+1])
	}
	return []compare.Work{
		{
			Name: "audit of certificates/all checks", Unit: "certificate", Size: 100_000, Growth: 1_000_000,
			Contenders: []compare.Contender{
				{Name: "fleetaudit", New: shared.task(func(f *fleet) (compare.Task, error) { return newOurs(f.inventory, certificateChecks) })},
				{Name: "loop", Target: 50, New: shared.task(newLoop)},
			},
		},
		// Over certificates in memory a scan costs next to nothing but the memory that it reads, and so there is little to
		// share; nothing is asked of that.
		{
			Name: "six checks, in memory/certificates", Unit: "certificate", Size: 100_000, Growth: 1_000_000,
			Contenders: []compare.Contender{
				{Name: "one audit", New: shared.task(func(f *fleet) (compare.Task, error) { return newOurs(f.inventory, six) })},
				{Name: "six audits", New: shared.task(func(f *fleet) (compare.Task, error) { return newOurs(f.inventory, apart...) })},
			},
		},
		// Where certificates are parsed on the way, as in a fleet too large for memory, a scan is what costs.
		{
			Name: "six checks, streamed/certificates parsed on the way", Unit: "certificate", Size: 20_000, Growth: 200_000,
			Contenders: []compare.Contender{
				{Name: "one audit", New: shared.task(func(f *fleet) (compare.Task, error) { return newOurs(f.stream, six) })},
				{Name: "six audits", Target: 2, New: shared.task(func(f *fleet) (compare.Task, error) { return newOurs(f.stream, apart...) })},
			},
		},
	}
}

// fleets lends fleets, which take some time and memory to make: contenders of one size share one, and it is dropped
// when the last is done with it.
type fleets struct {
	mu     sync.Mutex
	bySize map[int]*lent
}

type lent struct {
	*fleet
	users int
}

// task makes a New of a function that wants a fleet.
func (s *fleets) task(with func(*fleet) (compare.Task, error)) func(int) (compare.Task, error) {
	return func(size int) (compare.Task, error) {
		f, err := s.take(size)
		if err != nil {
			return compare.Task{}, err
		}
		t, err := with(f)
		if err != nil {
			s.give(size)
			return t, err
		}
		done := t.Close
		t.Close = func() {
			if done != nil {
				done()
			}
			s.give(size)
		}
		return t, nil
	}
}

func (s *fleets) take(size int) (*fleet, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.bySize[size]
	if l == nil {
		f, err := newFleet(size)
		if err != nil {
			return nil, err
		}
		if s.bySize == nil {
			s.bySize = make(map[int]*lent)
		}
		l = &lent{fleet: f}
		s.bySize[size] = l
	}
	l.users++
	return l.fleet, nil
}

func (s *fleets) give(size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.bySize[size]
	if l.users--; l.users == 0 {
		delete(s.bySize, size)
	}
}

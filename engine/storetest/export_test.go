package storetest

import (
	"testing"

	"github.com/fleetaudit/fleetaudit/engine"
)

// RunCase runs one case of Run.
func RunCase(t testing.TB, name string, open func() engine.Store) {
	for _, c := range cases {
		if c.name == name {
			try(t, c, open)
			return
		}
	}
	panic("there is no case " + name)
}

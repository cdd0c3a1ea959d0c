package storetest

import (
	"testing"

	"github.com/fleetaudit/fleetaudit/engine"
)

// RunCase runs one case of Run.
func RunCase(t testing.TB, name string, open func(dir string) engine.Store) {
	for _, c := range cases {
		if c.name == name {
			try(t, c, t.TempDir(), open)
			return
		}
	}
	panic("there is no case " + name)
}

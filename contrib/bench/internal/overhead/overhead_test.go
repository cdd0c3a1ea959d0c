package overhead_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/overhead"
)

// TestWorks does each Work twice at a small size: nothing of the first time is in the way of the second, and both times
// all of it is done.
func TestWorks(t *testing.T) {
	const size = 20
	for _, w := range overhead.Works() {
		for _, c := range w.Contenders {
			t.Run(w.Name+"/"+c.Name, func(t *testing.T) {
				task, err := c.New(size)
				require.NoError(t, err)
				if task.Close != nil {
					defer task.Close()
				}
				for range 2 {
					if w.Figure == "" {
						require.NoError(t, task.Do())
					} else {
						bytes, err := task.Measure()
						require.NoError(t, err)
						require.Positive(t, bytes)
					}
					require.Equal(t, size, task.Answer())
				}
			})
		}
	}
}

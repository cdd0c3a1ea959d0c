package pages_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/pages"
)

func TestSameBytes(t *testing.T) {
	for _, w := range pages.Works() {
		var want any
		for i, c := range w.Contenders {
			task, err := c.New(600)
			require.NoError(t, err)
			require.NoError(t, task.Do())
			if i == 0 {
				want = task.Answer()
			}
			require.Equal(t, want, task.Answer(), c.Name)
		}
	}
}

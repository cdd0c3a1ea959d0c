package load_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/load"
)

// TestRun runs every phase at a small size: whatever is not right is an error.
func TestRun(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the server, and takes eight seconds")
	}
	var progress strings.Builder
	results, err := load.Run(t.Context(), load.Config{
		Fleet:    load.Fleet{Certificates: 300, Policies: 500},
		Workers:  20,
		Duration: 2 * time.Second,
		Attack:   load.Attack{Slow: 50, Large: 2, Deep: 2, Forged: 2},
		Progress: &progress,
	})
	require.NoError(t, err, progress.String())
	for i, phase := range []string{"load", "--throttle", "attack", "signed"} {
		r := results[i]
		if r.Phase != phase || r.Answered == 0 || r.Audits < 0 || r.Highest == 0 || (r.Refused != "") != (phase == "attack" || phase == "signed") {
			t.Errorf("%+v", r)
		}
		if (r.Throttled > 0) != (phase == "--throttle") {
			t.Errorf("%s: %d requests were throttled", phase, r.Throttled)
		}
	}
}

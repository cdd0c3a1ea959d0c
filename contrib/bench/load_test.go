package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/load"
)

func TestLoadTable(t *testing.T) {
	table := loadTable(fullLoad(), []load.Result{
		{Phase: "load", Answered: 120_000, Rate: 2000, Median: 40 * time.Millisecond, P99: 90 * time.Millisecond, Slowest: 1500 * time.Microsecond,
			Audits: 50, Before: 100 << 20, Highest: 150 << 20},
		{Phase: "attack", Answered: 60_000, Throttled: 7, Rate: 1000, Audits: 20, Before: 1 << 20, Highest: 2 << 20, Refused: "all of it"},
	})
	var b strings.Builder
	_, err := table.WriteTo(&b)
	require.NoError(t, err)
	want := `what                        load    attack  ratio  spread  target  met
requests answered           120000  60000   -              -       -
requests throttled          0       7       -              -       -
requests answered a second  2000    1000    -              -       -
median, ms                  40.0    0.00    -              -       -
99 of 100 within, ms        90.0    0.00    -              -       -
slowest, ms                 1.50    0.00    -              -       -
audits that ended           50      20      -              -       -
memory before, MiB          100     1.00    -              -       -
memory at most, MiB         150     2.00    -              -       -

attack: all of it.
200 requests in flight for 1m0s in each phase, over 100000 resources; each answer was looked at, and none was wrong.
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

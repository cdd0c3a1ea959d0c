package connection_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

// verdict is a row of testdata/verdicts.txt.
type verdict struct {
	where                 string // file and line
	since                 time.Time
	connections           []inventory.Connection
	clients, certificates string // that are reported
	why                   string
}

func corpus(t testing.TB) (all []verdict) {
	t.Helper()
	const name = "testdata/verdicts.txt"
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	var since time.Time
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		line = strings.TrimSpace(line)
		if words, ok := strings.CutPrefix(line, "since "); ok {
			if since = (time.Time{}); words != "never" {
				since = parseTime(t, words)
			}
			continue
		}
		if line == "" || line[0] == '#' {
			continue
		}
		columns := strings.Split(line, " | ")
		v := verdict{where: fmt.Sprintf("%s:%d", name, n), since: since}
		require.Len(t, columns, 4, v.where)
		v.connections = parseConnections(t, columns[0])
		v.clients, v.certificates, v.why = strings.Trim(columns[1], "-"), strings.Trim(columns[2], "-"), columns[3]
		all = append(all, v)
	}
	return all
}

// TestVerdicts holds the checks and the oracle against testdata/verdicts.txt.
func TestVerdicts(t *testing.T) {
	for _, v := range corpus(t) {
		clients, certificates := labels(audit(t, now, v.since, v.connections))
		if clients != v.clients || certificates != v.certificates {
			t.Errorf("%s: got %q and %q, want %q and %q: %s", v.where, clients, certificates, v.clients, v.certificates, v.why)
		}
		if c, d := oracle(now, v.since, v.connections); c != v.clients || d != v.certificates {
			t.Errorf("%s: the oracle says %q and %q, want %q and %q: %s", v.where, c, d, v.clients, v.certificates, v.why)
		}
	}
}

// TestWhatDoesNotMatter: the order of connections, and what happens after the audit, make no difference, not even to
// words and related resources.
func TestWhatDoesNotMatter(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, v := range corpus(t) {
		want := audit(t, now, v.since, v.connections)
		for range 4 {
			mixed := slices.Clone(v.connections)
			r.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
			sameFindings(t, v.where+" in another order", want, audit(t, now, v.since, mixed))
		}
		sameFindings(t, v.where+" as is known at the audit", want, audit(t, now, v.since, knownAt(now, v.connections)))
	}
}

func sameFindings(t testing.TB, what string, want, got []checks.Finding) {
	t.Helper()
	if reflect.DeepEqual(want, got) { // which is much faster to say
		return
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(checks.Finding{})); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

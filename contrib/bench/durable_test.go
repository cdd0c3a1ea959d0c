package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/measure"
)

func tinyDurability() durability {
	return durability{findings: 50, audits: 3, raw: 2, callers: 4, duration: 10 * time.Millisecond}
}

func TestDurable(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var out, progress bytes.Buffer
	z := tiny()
	z.durability = tinyDurability()
	require.Equal(t, 0, run(z, []string{"-rounds", "2", "durable"}, &out, &progress), progress.String())
	require.Contains(t, out.String(), "2 rounds")
	require.NotContains(t, out.String(), "NaN")
	require.Contains(t, out.String(), "fleetaudit starts with 3 audits")
}

func TestDurableTable(t *testing.T) {
	table := tinyDurability().table(map[string][]measure.Sample{
		"fleetaudit": {{300, 100}, {2}, {3}, {4}, {5}, {6}, {0.5}},
		"bbolt":      {{100, 50}, {4}, {1}, {2}, {50}, {3}, {500}},
		"SQLite":     {{7}, {7}, {7}, {7}, {7}, {7}, {7}},
	})
	var b strings.Builder
	_, err := table.WriteTo(&b)
	require.NoError(t, err)
	want := `what                                fleetaudit  bbolt  SQLite  ratio  spread        target  met
operations a second, one caller     200         75.0   7.00    2.50   2.00 to 3.00  -       -
operations a second, 4 callers      2.00        4.00   7.00    0.50   0.50 to 0.50  -       -
first audit, findings a second      3.00        1.00   7.00    3.00   3.00 to 3.00  -       -
repeated audits, findings a second  4.00        2.00   7.00    2.00   2.00 to 2.00  -       -
start, ns a finding                 5.00        50.0   7.00    0.10   0.10 to 0.10  -       -
start, ms                           6.00        3.00   7.00    -                    -       -
file, bytes a finding               0.50        500    7.00    0.00   0.00 to 0.00  -       -
`
	rows, _, _ := strings.Cut(b.String(), "\n\n")
	if diff := cmp.Diff(strings.TrimSpace(want), strings.TrimSpace(rows)); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

// leaking is a contender that loses a finding at every start.
type leaking struct{ held int }

func (*leaking) Share(int)               {}
func (*leaking) Open() error             { return nil }
func (f *leaking) Held() (int, error)    { return f.held, nil }
func (*leaking) Operation(int) error     { return nil }
func (f *leaking) Audit() error          { f.held += 50; return nil }
func (f *leaking) Close() (int64, error) { f.held--; return 0, nil }

// refusing is one whose operations fail.
type refusing struct{ leaking }

var errRefused = errors.New("refused")

func (*refusing) Operation(int) error   { return errRefused }
func (*refusing) Close() (int64, error) { return 0, nil }

// What does not keep what it was given is no contender.
func TestDurableForgets(t *testing.T) {
	_, err := tinyDurability().measure(&leaking{}, 3)
	require.ErrorContains(t, err, "149 findings were there after a restart, not 150")
	_, err = tinyDurability().measure(&refusing{}, 3)
	require.ErrorIs(t, err, errRefused)
}

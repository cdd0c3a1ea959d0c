package main

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/stores"
	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// BenchmarkFindings measures what the table of the same name shows, at the same size. Beside each figure
// of a peer stands how many times ours it is.
func BenchmarkFindings(b *testing.B) {
	for e := range full().experiments() {
		r := make(results)
		for _, k := range e.kinds {
			b.Run(e.name+"/"+k.Name, func(b *testing.B) { benchmark(b, e, k, r) })
		}
	}
}

func benchmark(b *testing.B, e *experiment, k stores.Kind, r results) {
	round, err := e.setup(k)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		values, err := round()
		if err != nil {
			b.Fatal(err)
		}
		r.add(e, k.Name, values)
	}
	b.ReportMetric(0, "ns/op") // of rounds, which says nothing
	ours := r[stores.Ours().Name]
	for _, figure := range e.figures {
		v := r[k.Name][figure].Median()
		b.ReportMetric(v, figure)
		if ours != nil && k.Name != stores.Ours().Name {
			b.ReportMetric(v/ours[figure].Median(), figure+"/ours")
		}
	}
}

// tiny is a size at which everything runs, and no figure says anything.
func tiny() sizes {
	return sizes{
		first: 2400, day: 1200, repeat: 2, days: 20, audits: 10, readers: 5 * time.Millisecond,
		depths: depths{findings: 12000, depth: 9000, page: 5, pairs: 2},
	}
}

func TestTable(t *testing.T) {
	var out, progress bytes.Buffer
	require.Equal(t, 0, run(tiny(), []string{"-rounds", "3", "findings"}, &out, &progress), progress.String())
	head, rows, _ := strings.Cut(out.String(), "what ")
	require.Contains(t, head, "3 rounds")
	rows, notes, _ := strings.Cut(rows, "\n\n")
	lines := strings.Split(rows, "\n")
	if diff := cmp.Diff([]string{"findings", "go-memdb", "b-tree", "slice+maps", "ratio", "spread", "target", "met"}, strings.Fields(lines[0])); diff != "" {
		t.Errorf("head (-want +got):\n%s", diff)
	}
	for _, part := range []string{
		"insert a first audit of 2400, ns a finding, go-memdb", "ns a finding, tuned peers", "at least 15.0", "at least 2.00",
		"heap of a repeat, bytes a finding, tuned peers", "heap of 20 daily audits of 1200", "at most 16.0", "at most 1024",
		"(µs): task", "(µs): check", "(µs): period", "(µs): suppressed/alternating", "(µs): active/block", "(µs): suppressed/rare",
		"(µs): many-audits/resource", "pages a second beside a writer",
	} {
		require.Contains(t, rows, part)
	}
	require.NotContains(t, out.String(), "NaN")
	require.NotContains(t, out.String(), "Inf")
	require.Contains(t, notes, "go-memdb/batch=100:")
	require.Contains(t, notes, "takes 64 bytes more")
}

func TestCommandLine(t *testing.T) {
	for _, row := range []struct {
		args []string
		says string
	}{
		{[]string{"unknown"}, `there is no table "unknown"`},
		{[]string{"findings", "findings"}, `"findings" is asked for twice`},
		{[]string{"-rounds", "0", "findings"}, "-rounds 0"},
		{[]string{"-least", "0s", "peers"}, "-least 0s"},
		{[]string{"-rounds", "x"}, `invalid value "x"`},
		{[]string{"-only", "(", "peers"}, "-only: error parsing regexp"},
		{[]string{"-only", "x", "findings"}, "of the table peers, which is not among"},
		{[]string{"-unknown"}, "not defined: -unknown"},
		{[]string{"-o", "no/such/folder", "peers"}, "no such file"},
	} {
		var out, told bytes.Buffer
		require.Equal(t, 1, run(tiny(), row.args, &out, &told), "%q", row.args)
		require.Empty(t, out.String(), "%q", row.args)
		require.Contains(t, told.String(), row.says, "%q", row.args)
	}
}

// forgetful is a store whose pages lack what the last finding says.
type forgetful struct{ stores.Store }

func (f forgetful) Page(q findings.Query) (findings.Page, error) {
	page, err := f.Store.Page(q)
	if n := len(page.Findings); n > 0 {
		page.Findings = slices.Clone(page.Findings)
		page.Findings[n-1].ReasonForNonCompliance = ""
	}
	return page, err
}

func TestOtherAnswersAreAnError(t *testing.T) {
	for _, l := range libraries(tiny().audits) {
		peer := stores.Kinds()[3]
		kinds := []stores.Kind{stores.Ours(), {Name: "forgetful", New: func(n int) stores.Store { return forgetful{peer.New(n)} }}}
		_, err := pages(l, tiny().depths, kinds).run(1, io.Discard)
		d, ok := errors.AsType[differs](err)
		require.True(t, ok, "%v", err)
		require.Equal(t, "forgetful", d.kind)
	}
}

// TestDeepPages looks where the pages that are compared stand in their listings.
func TestDeepPages(t *testing.T) {
	for _, row := range []struct{ depth, page, want int }{
		{9, 5, 9}, {10, 5, 10}, {1, 5, 1}, {995, 5, 995}, {400, 10, 400},
		{2000, 10, 990}, {2000, 7, 987}, {1000, 5, 995}, {996, 5, 996},
	} {
		if got := (depths{depth: row.depth, page: row.page}).place(1000); row.want != got {
			t.Errorf("the page at depth %d has to begin at %d, not %d", row.depth, got, row.want)
		}
		for _, k := range stores.Kinds() {
			s := k.New(0)
			require.NoError(t, stores.Fill(s, 0, stores.Fleet(1000, oneInTen), false))
			all, err := s.Page(findings.Query{Limit: 1001})
			require.NoError(t, err)
			token, err := deepToken(s, findings.Query{}, depths{depth: row.depth, page: row.page})
			require.NoError(t, err)
			page, err := s.Page(findings.Query{Limit: row.page, Token: token})
			require.NoError(t, err)
			at := slices.IndexFunc(all.Findings, func(f model.AuditFinding) bool { return f.FindingID == page.Findings[0].FindingID })
			if row.want != at {
				t.Errorf("%s: the page at depth %d stands at %d, not %d", k.Name, row.depth, at, row.want)
			}
		}
	}
}

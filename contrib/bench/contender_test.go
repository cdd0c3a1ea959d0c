package main

import (
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/measure"
	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/stores"
	"github.com/fleetaudit/fleetaudit/findings"
)

// What a paced store costs. Beside each other, pages take four times as long and findings three times.
const (
	findingCost = time.Microsecond // times the number of audits so far, if it slows down
	firstCost   = 203 * time.Microsecond
	deepCost    = 711 * time.Microsecond
)

// paced is a store whose calls take a known time of a bubble's clock, and which keeps so many bytes more for
// each finding.
type paced struct {
	stores.Store
	slowsDown        bool
	bytes            int
	kept             [][]byte
	audits           time.Duration
	reading, writing atomic.Int32
}

func (p *paced) Begin(a findings.Audit) error {
	p.audits++
	return p.Store.Begin(a)
}

func (p *paced) Append(r findings.Run, fs []findings.Finding) error {
	p.writing.Add(1)
	defer p.writing.Add(-1)
	cost := time.Duration(max(1, len(fs))) * findingCost // time goes on even if nothing is written
	if p.slowsDown {
		cost *= p.audits
	}
	if p.reading.Load() > 0 {
		cost *= 3
	}
	time.Sleep(cost)
	p.kept = append(p.kept, make([]byte, len(fs)*p.bytes))
	return p.Store.Append(r, fs)
}

func (p *paced) Page(q findings.Query) (findings.Page, error) {
	p.reading.Add(1)
	defer p.reading.Add(-1)
	cost := firstCost
	if q.Token != "" {
		cost = deepCost
	}
	if p.writing.Load() > 0 {
		cost *= 4
	}
	time.Sleep(cost)
	return p.Store.Page(q)
}

func pacedKind(name string, slowsDown bool, bytes int) []stores.Kind {
	return []stores.Kind{{Name: name, New: func(int) stores.Store {
		return &paced{Store: findings.New(), slowsDown: slowsDown, bytes: bytes}
	}}}
}

// TestFiguresOfKnownCosts has every experiment measure a store of which the figures are known.
func TestFiguresOfKnownCosts(t *testing.T) {
	const bytes, n = 1 << 14, 1200
	kinds := pacedKind("paced", true, bytes)
	heap := func(what float64) float64 { return 0.03 * what } // what the store itself takes
	for _, row := range []struct {
		experiment *experiment
		figure     string
		want, off  float64
	}{
		{first(n, kinds), nsPerFinding, 1000, 0},
		{first(n, kinds), bytesPerFinding, bytes, heap(bytes)},
		{again(n, 2, kinds), nsPerFinding, 2500, 0}, // the second audit and the third
		{again(n, 2, kinds), bytesPerFinding, bytes, heap(bytes)},
		{daily(n/4, 20, kinds), heapMiB, n / 4 * 20 * bytes >> 20, heap(n / 4 * 20 * bytes >> 20)},
		{daily(n/4, 20, kinds), msPerDay, 0.3 * 11, 1e-9}, // the median of days 2 to 20
		{daily(n/4, 20, kinds), slowestDay, 0.3 * 20, 1e-9},
		{daily(n/4, 20, kinds), dayGrowth, 19.5 / 2.5, 1e-9},
	} {
		synctest.Test(t, func(t *testing.T) {
			r, err := row.experiment.run(1, io.Discard)
			require.NoError(t, err)
			require.InDelta(t, row.want, r["paced"][row.figure].Median(), row.off, "%s, %s", row.experiment.name, row.figure)
		})
	}
}

// TestIDsAreNotCounted measures the same store under the name of ours and under another one.
func TestIDsAreNotCounted(t *testing.T) {
	const n = 20_000
	perFinding := func(name string) float64 {
		r, err := first(n, []stores.Kind{{Name: name, New: stores.Ours().New}}).run(1, io.Discard)
		require.NoError(t, err)
		return r[name][bytesPerFinding].Median()
	}
	require.InDelta(t, stores.IDSize, perFinding("other")-perFinding(stores.Ours().Name), 8)
}

func TestPagesOfKnownCosts(t *testing.T) {
	for _, l := range libraries(tiny().audits) {
		synctest.Test(t, func(t *testing.T) {
			r, err := pages(l, tiny().depths, pacedKind("paced", false, 0)).run(2, io.Discard)
			require.NoError(t, err)
			for _, listing := range l.listings {
				for figure, want := range map[string]float64{listing.first(): 203, listing.deep(): 711, listing.ratio(): 711.0 / 203} {
					require.Equal(t, measure.Sample{want, want}, r["paced"][figure], figure)
				}
			}
		})
	}
}

func TestReadersOfKnownCosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, err := readers(300, 200*time.Millisecond, 5, pacedKind("paced", false, 0)).run(1, io.Discard)
		require.NoError(t, err)
		for figure, want := range map[string]float64{
			pagesAlone: 1e6 / 203, pagesTogether: 1e6 / 203 / 4, pagesRatio: 1.0 / 4,
			writesAlone: 1e6, writesTogether: 1e6 / 3, writesRatio: 1.0 / 3, slowestPage: 4 * 0.203,
		} {
			require.InEpsilon(t, want, r["paced"][figure].Median(), 0.03, figure)
		}
	})
}

// lossy is a store that loses the last finding of a run: in the first audit, or in all others.
type lossy struct {
	stores.Store
	first bool
	run   int
}

func (l lossy) Append(r findings.Run, fs []findings.Finding) error {
	if r.Ordinal == l.run && (r.TaskID == stores.TaskID(0)) == l.first {
		fs = fs[:len(fs)-1]
	}
	return l.Store.Append(r, fs)
}

func TestLossesAreAnError(t *testing.T) {
	z := tiny()
	for _, row := range []struct {
		first bool
		run   int
		says  string
	}{
		{true, 3, "is not what was given"}, {false, 3, "is not what was given"},
		{true, stores.Checks - 1, "were given"}, {false, stores.Checks - 1, "were given"},
	} {
		kinds := []stores.Kind{{Name: "lossy", New: func(int) stores.Store { return lossy{findings.New(), row.first, row.run} }}}
		experiments := []*experiment{
			again(z.day, z.repeat, kinds), daily(z.day, z.days, kinds), readers(z.day, z.readers, 5, kinds),
			pages(libraries(z.audits)[3], z.depths, kinds),
		}
		if row.first {
			experiments = append(experiments, first(z.first, kinds), pages(libraries(z.audits)[0], z.depths, kinds))
		}
		for _, e := range experiments {
			_, err := e.run(1, io.Discard)
			require.ErrorContains(t, err, row.says, e.name)
		}
	}
}

// shallow is a store whose small pages all begin where a listing begins.
type shallow struct{ stores.Store }

func (s shallow) Page(q findings.Query) (findings.Page, error) {
	if q.Limit == tiny().depths.page {
		q.Token = ""
	}
	return s.Store.Page(q)
}

func TestOtherDepthsAreAnError(t *testing.T) {
	kinds := []stores.Kind{{Name: "shallow", New: func(int) stores.Store { return shallow{findings.New()} }}}
	l := libraries(tiny().audits)[0]
	l.listings = l.listings[:1]
	_, err := pages(l, tiny().depths, kinds).run(1, io.Discard)
	require.ErrorContains(t, err, "does not begin at finding 9000 of 12000")
}

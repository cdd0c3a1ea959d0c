package stores_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/stores"
	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// world draws what the stores are given from few values, so that they meet.
type world struct {
	*rand.Rand
	tasks []string
}

// start is when the first audits begin.
var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func (w *world) time() time.Time {
	return start.Add(time.Duration(w.IntN(12)) * time.Hour).Add(time.Duration(w.IntN(3)) * 400 * time.Microsecond)
}

func (w *world) check() string { return fmt.Sprintf("CHECK_%d", w.IntN(3)) }

func (w *world) resource() model.ResourceIdentifier {
	id := fmt.Sprintf("r%d", w.IntN(6))
	switch w.IntN(5) {
	case 0:
		return model.ResourceIdentifier{ClientID: id}
	case 1:
		return model.ResourceIdentifier{PolicyVersionIdentifier: model.PolicyVersionIdentifier{PolicyName: id, PolicyVersionID: "1"}}
	case 2:
		return model.ResourceIdentifier{CACertificateID: id, DeviceCertificateARN: "arn:" + id}
	case 3:
		return model.ResourceIdentifier{IssuerCertificateIdentifier: model.IssuerCertificateIdentifier{
			IssuerCertificateSubject: "2:" + id, IssuerID: id, IssuerCertificateSerialNumber: "1",
		}}
	}
	return model.ResourceIdentifier{DeviceCertificateID: id}
}

// findings returns findings of which no two have the same resource and reason code.
func (w *world) findings() []findings.Finding {
	var fs []findings.Finding
	often := w.IntN(4)
	for i := range w.IntN(2) * w.IntN(60) {
		f := findings.Finding{
			Resource:   model.NonCompliantResource{ResourceType: model.ResourceTypeClientID, ResourceIdentifier: w.resource()},
			Reason:     []string{"", "It is so."}[w.IntN(2)],
			ReasonCode: fmt.Sprint("CODE_", i),
			Suppressed: w.IntN(3) < often,
		}
		if w.IntN(2) == 0 {
			f.Resource.AdditionalInfo = map[string]string{"KEY": fmt.Sprint(w.IntN(3))}
			f.Related = []model.RelatedResource{{ResourceType: model.ResourceTypeIAMRole, ResourceIdentifier: w.resource()}}
		}
		fs = append(fs, f)
	}
	return fs
}

// filters is how many bits of query there are: task, check, resource, from, to, suppressed.
const filters = 6

func (w *world) query(bits int) findings.Query {
	var q findings.Query
	for i, set := range []func(){
		func() { q.TaskID = w.tasks[w.IntN(len(w.tasks))] },
		func() { q.CheckName = w.check() },
		func() { q.Resource = w.resource() },
		func() { q.From = w.time() },
		func() { q.To = w.time() },
		func() { q.Suppressed = new(w.IntN(2) == 0) },
	} {
		if bits&(1<<i) != 0 {
			set()
		}
	}
	return q
}

// pages reads all pages of a listing; sizes are those of its pages, in turns.
func pages(t *testing.T, s stores.Store, q findings.Query, sizes []int) [][]model.AuditFinding {
	var all [][]model.AuditFinding
	for i := 0; ; i++ {
		q.Limit = sizes[i%len(sizes)]
		page, err := s.Page(q)
		require.NoError(t, err)
		all = append(all, page.Findings)
		if page.Next == "" {
			return all
		}
		q.Token = page.Next
	}
}

// kinds returns all kinds, ours first, under names that differ.
func kinds() []stores.Kind {
	all := slices.Concat(stores.Kinds(), stores.Transactions())
	for _, k := range stores.Tuned() {
		k.Name = "tuned/" + k.Name
		all = append(all, k)
	}
	return all
}

// TestSameAnswers gives all stores the same audits, which begin in any order and run at the same time, and
// compares every page under every filter and combination of filters.
func TestSameAnswers(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := &world{Rand: rand.New(rand.NewPCG(seed, 0))}
			kinds := kinds()
			made := make([]stores.Store, len(kinds))
			for i, k := range kinds {
				made[i] = k.New(w.IntN(10))
			}
			each := func(f func(stores.Store) error) {
				for i, s := range made {
					require.NoError(t, f(s), kinds[i].Name)
				}
			}
			type open struct{ audit, run int }
			var runs []open
			for i := range 12 {
				a := findings.Audit{TaskID: fmt.Sprintf("%016x%016x", w.Uint64(), i), StartTime: w.time()}
				w.tasks = append(w.tasks, a.TaskID)
				each(func(s stores.Store) error { return s.Begin(a) })
				for j := range w.IntN(6) {
					runs = append(runs, open{i, j * (1 + w.IntN(5))})
				}
				// Some runs of the audits so far, in any order.
				w.Shuffle(len(runs), func(a, b int) { runs[a], runs[b] = runs[b], runs[a] })
				for len(runs) > 0 && w.IntN(4) > 0 {
					r := findings.Run{
						TaskID: w.tasks[runs[0].audit], Ordinal: runs[0].run, CheckName: w.check(),
						Severity: model.AuditFindingSeverityLow, Time: w.time(),
					}
					fs := w.findings()
					if err := made[0].Append(r, fs); err != nil {
						require.ErrorIs(t, err, findings.ErrRunTaken)
					} else {
						for i, s := range made[1:] {
							require.NoError(t, s.Append(r, fs), kinds[1+i].Name)
						}
					}
					runs = runs[1:]
				}
			}
			total := 0
			for bits := range 1 << filters {
				for range 4 {
					q := w.query(bits)
					sizes := []int{1 + w.IntN(20), 1 + w.IntN(20)}
					want := pages(t, made[0], q, sizes)
					total += len(want)
					for i, s := range made[1:] {
						if got := pages(t, s, q, sizes); !reflect.DeepEqual(want, got) { // much faster than cmp.Diff
							t.Fatalf("%s, %+v (-want +got):\n%s", kinds[1+i].Name, q, cmp.Diff(want, got))
						}
					}
				}
			}
			require.Greater(t, total, 300, "pages that were compared")
		})
	}
}

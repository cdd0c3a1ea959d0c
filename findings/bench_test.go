package findings_test

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// sizes are the numbers of findings that the benchmarks grow through.
var sizes = []int{1e4, 1e5, 1e6}

// fleet returns what one audit of a fleet finds: n certificates, each with one finding.
func fleet(n int) []findings.Finding {
	fs := make([]findings.Finding, n)
	for i := range fs {
		fs[i] = findings.Finding{
			Resource: model.NonCompliantResource{
				ResourceType:       model.ResourceTypeDeviceCertificate,
				ResourceIdentifier: model.ResourceIdentifier{DeviceCertificateID: certificateID(i)},
				AdditionalInfo:     map[string]string{"CERTIFICATE_STATUS": "ACTIVE"},
			},
			Related: []model.RelatedResource{{
				ResourceType:       model.ResourceTypeCACertificate,
				ResourceIdentifier: model.ResourceIdentifier{CACertificateID: certificateID(-1 - i%10)},
			}},
			Reason:     "The certificate expires within 30 days.",
			ReasonCode: "CERTIFICATE_APPROACHING_EXPIRATION",
			Suppressed: i%100 < 10,
		}
	}
	return fs
}

const idLength = 64 // of a certificate's id

func certificateID(i int) string { return fmt.Sprintf("%0*x", idLength, uint64(i)*0x9e3779b97f4a7c15) }

// baseline is the store that one would write first: a slice of findings, and maps into it.
type baseline struct {
	mu         sync.RWMutex
	findings   []model.AuditFinding
	byAudit    map[string][]int
	byCheck    map[string][]int
	byResource map[model.ResourceIdentifier][]int
}

func newBaseline() *baseline {
	return &baseline{
		byAudit: make(map[string][]int), byCheck: make(map[string][]int),
		byResource: make(map[model.ResourceIdentifier][]int),
	}
}

func (b *baseline) append(run findings.Run, fs []findings.Finding) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range fs {
		f := &fs[i]
		n := len(b.findings)
		b.findings = append(b.findings, model.AuditFinding{
			TaskID: run.TaskID, CheckName: run.CheckName, FindingTime: model.At(run.Time), Severity: run.Severity,
			NonCompliantResource: f.Resource, RelatedResources: f.Related,
			ReasonForNonCompliance: f.Reason, ReasonForNonComplianceCode: f.ReasonCode, IsSuppressed: &f.Suppressed,
		})
		b.byAudit[run.TaskID] = append(b.byAudit[run.TaskID], n)
		b.byCheck[run.CheckName] = append(b.byCheck[run.CheckName], n)
		b.byResource[f.Resource.ResourceIdentifier] = append(b.byResource[f.Resource.ResourceIdentifier], n)
	}
}

// checkCount is how many checks the benchmarks' audits have.
const checkCount = 4

var benchStart = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func taskID(i int) string {
	h := uint64(i+1) * 0x9e3779b97f4a7c15
	return fmt.Sprintf("%016x%016x", h, ^h)
}

// runs splits fs over the checks of audit i.
func runs(i int, fs []findings.Finding, each func(findings.Run, []findings.Finding)) {
	for c := range checkCount {
		each(findings.Run{
			TaskID: taskID(i), Ordinal: c, CheckName: fmt.Sprintf("CHECK_%d", c),
			Severity: model.AuditFindingSeverityHigh, Time: benchStart.AddDate(0, 0, i).Add(time.Duration(c) * time.Minute),
		}, fs[len(fs)*c/checkCount:len(fs)*(c+1)/checkCount])
	}
}

func fill(tb testing.TB, s *findings.Store, audit int, fs []findings.Finding) {
	if err := s.Begin(findings.Audit{TaskID: taskID(audit), StartTime: benchStart.AddDate(0, 0, audit)}); err != nil {
		tb.Fatal(err)
	}
	runs(audit, fs, func(r findings.Run, fs []findings.Finding) {
		if err := s.Append(r, fs); err != nil {
			tb.Fatal(err)
		}
	})
}

// BenchmarkInsert appends the first audit; then one more that finds the same, in the same order, in another
// one where checks trade findings, and with another reason each day; and the first to the baseline.
func BenchmarkInsert(b *testing.B) {
	for _, n := range sizes {
		fs := fleet(n)
		perFinding := func(b *testing.B) {
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/finding")
		}
		b.Run(fmt.Sprintf("first/n=%d", n), func(b *testing.B) {
			for b.Loop() {
				fill(b, findings.New(), 0, fs)
			}
			perFinding(b)
		})
		b.Run(fmt.Sprintf("repeat/n=%d", n), func(b *testing.B) {
			s, day := findings.New(), 0
			fill(b, s, 0, fs)
			for b.Loop() {
				day++
				fill(b, s, day, fs)
			}
			perFinding(b)
		})
		b.Run(fmt.Sprintf("shuffled/n=%d", n), func(b *testing.B) {
			s, day := findings.New(), 0
			fill(b, s, 0, fs)
			orders := [][]findings.Finding{fs, shuffled(fs)}
			for b.Loop() {
				day++
				fill(b, s, day, orders[day%2])
			}
			perFinding(b)
		})
		b.Run(fmt.Sprintf("changed/n=%d", n), func(b *testing.B) {
			s, day := findings.New(), 0
			fill(b, s, 0, fs)
			changed := slices.Clone(fs)
			for b.Loop() {
				day++
				reason := fmt.Sprintf("The certificate expires within %d days.", day%30)
				for i := range changed {
					changed[i].Reason = reason
				}
				fill(b, s, day, changed)
			}
			perFinding(b)
		})
		b.Run(fmt.Sprintf("baseline/n=%d", n), func(b *testing.B) {
			for b.Loop() {
				runs(0, fs, newBaseline().append)
			}
			perFinding(b)
		})
	}
}

func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// BenchmarkHeap reports the heap bytes a finding takes: in the first audit without the bytes of the
// resource ids, then in each of ten audits that find the same.
func BenchmarkHeap(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			const repeats = 10
			fs := fleet(n)
			for b.Loop() {
				before := heap()
				s := findings.New()
				fill(b, s, 0, fs)
				first := heap()
				for i := range repeats {
					fill(b, s, 1+i, fs)
				}
				all := heap()
				runtime.KeepAlive(s)
				b.ReportMetric(float64(first-before)/float64(n)-idLength, "first-B/finding")
				b.ReportMetric(float64(all-first)/float64(n*repeats), "repeat-B/finding")
			}
			runtime.KeepAlive(fs)
		})
	}
}

// BenchmarkPage reads a page of 25, or 250, at the beginning of a listing and after 90 percent of it, in a store
// of five audits. If a page had to pass over findings, depth and size would show.
func BenchmarkPage(b *testing.B) {
	const audits = 5
	yes, no := true, false
	for _, n := range sizes {
		s := findings.New()
		fs := fleet(n / audits)
		for i := range audits {
			fill(b, s, i, fs)
		}
		last := benchStart.AddDate(0, 0, audits-1)
		for _, row := range []struct {
			name  string
			query findings.Query
		}{
			{"none", findings.Query{}},
			{"none,250", findings.Query{Limit: 250}},
			{"task", findings.Query{TaskID: taskID(2)}},
			{"check", findings.Query{CheckName: "CHECK_2"}},
			{"task+check", findings.Query{TaskID: taskID(2), CheckName: "CHECK_2"}},
			{"time", findings.Query{From: benchStart.AddDate(0, 0, 1), To: last}},
			{"suppressed", findings.Query{Suppressed: &yes}},
			{"active", findings.Query{Suppressed: &no}},
			{"check+active+time", findings.Query{CheckName: "CHECK_2", Suppressed: &no, From: benchStart, To: last}},
			{"resource", findings.Query{Resource: fs[len(fs)/2].Resource.ResourceIdentifier, Limit: 1}},
			{"resource+check", findings.Query{Resource: fs[len(fs)/2].Resource.ResourceIdentifier, CheckName: "CHECK_2", Limit: 1}},
		} {
			total := 0
			for range s.All(row.query) {
				total++
			}
			for _, depth := range []int{0, 90} {
				b.Run(fmt.Sprintf("%s/n=%d/depth=%d%%", row.name, n, depth), func(b *testing.B) {
					q := row.query
					if depth > 0 {
						q.Limit = min(total*depth/100, total-1)
						page, err := s.Page(q)
						if err != nil {
							b.Fatal(err)
						}
						q.Limit, q.Token = row.query.Limit, page.Next
					}
					b.ReportAllocs()
					for b.Loop() {
						page, err := s.Page(q)
						if err != nil || len(page.Findings) == 0 {
							b.Fatal(len(page.Findings), err)
						}
					}
				})
			}
		}
	}
}

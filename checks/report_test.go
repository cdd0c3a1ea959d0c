package checks_test

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/model"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"
)

// lines is a log that is kept, one message a line.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

func (l *lines) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.text.Len() == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(l.text.String(), "\n"), "\n")
}

// TestLate has a check that is left behind and goes on as if nothing had happened.
func TestLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lines
		check := checks.New(spec("LATE"), func(ctx context.Context, pass *checks.Pass) error {
			pass.Report(finding("in time"))
			pass.Scanned(3)
			<-ctx.Done()
			pass.Report(finding("in the period of grace"))
			time.Sleep(time.Hour)
			for range 10 {
				pass.Report(finding("late"))
				pass.Report(coded("late", "LIE"))
				pass.Scanned(10)
				pass.Scanned(-1)
			}
			if err := checks.Scan(context.Background(), pass, sharded("ints", 100), func(_ context.Context, pass *checks.Pass, n *int) error {
				pass.Report(finding("late"))
				return nil
			}); err != nil {
				return err
			}
			panic("very late")
		})
		type end struct {
			Err                   string
			Scanned, NonCompliant int64
			Clients               []string
		}
		var ends []end
		job := checks.Job{Check: check, Spec: new(check.Spec()), Pass: checks.Pass{TaskID: "task-1", Logger: log.logger()}}
		job.End = func(o checks.Outcome) {
			ends = append(ends, end{o.Err.Error(), o.Scanned, o.NonCompliant, clients(o.Findings)})
		}
		r := checks.Runner{TimeLimit: time.Minute}
		r.Run(t.Context(), []*checks.Job{&job})
		err := r.Wait(timeout(t, time.Minute))
		if want := "1 goroutines of checks have not ended: context deadline exceeded"; err == nil || err.Error() != want {
			t.Errorf("Wait before the check returned: %v, want %s", err, want)
		}
		require.NoError(t, r.Wait(t.Context()))

		want := []end{{"went beyond the time limit of 1m0s", 3, 2, []string{"in time BAD", "in the period of grace BAD"}}}
		if diff := cmp.Diff(want, ends); diff != "" {
			t.Errorf("outcomes (-want +got):\n%s", diff)
		}
		if scanned, non := job.Progress(); scanned != 3 || non != 2 {
			t.Errorf("progress is %d and %d in the end, want 3 and 2", scanned, non)
		}
		wantLog := []string{
			`level=WARN msg="check did not stop when told to, and is left behind" check=LATE task=task-1`,
			`level=WARN msg="check reported after its run had ended; dropped" check=LATE task=task-1`,
		}
		if diff := cmp.Diff(wantLog, log.all()); diff != "" {
			t.Errorf("log (-want +got):\n%s", diff)
		}
	})
}

// TestFlood has 64 goroutines that report at once.
func TestFlood(t *testing.T) {
	const goroutines, each = 64, 100
	flood := func(name string, id func(g, i int) string) checks.Check {
		return checks.New(spec(name), func(_ context.Context, pass *checks.Pass) error {
			var all sync.WaitGroup
			for g := range goroutines {
				all.Go(func() {
					for i := range each {
						pass.Scanned(1)
						pass.Report(finding(id(g, i)))
					}
				})
			}
			all.Wait()
			return nil
		})
	}
	distinct := flood("DISTINCT", func(g, i int) string { return fmt.Sprint(g, "-", i) })
	shared := flood("SHARED", func(_, i int) string { return fmt.Sprint(i) })
	type result struct {
		Err                             string
		Scanned, NonCompliant, Findings int
	}
	for _, row := range []struct {
		max              int
		distinct, shared result
	}{
		{0, result{"<nil>", goroutines * each, goroutines * each, goroutines * each}, result{"<nil>", goroutines * each, each, each}},
		{goroutines * each, result{"<nil>", goroutines * each, goroutines * each, goroutines * each}, result{"<nil>", goroutines * each, each, each}},
		{goroutines*each - 1, result{"the check reported more findings than it may: 6399", goroutines * each, 6399, 6399},
			result{"the check reported more findings than it may: 6399", goroutines * each, each, each}},
		{10, result{"the check reported more findings than it may: 10", goroutines * each, 10, 10}, result{"the check reported more findings than it may: 10", goroutines * each, 0, 0}},
	} {
		r := checks.Runner{MaxFindings: row.max, Grace: time.Hour} // on a busy machine they may take long
		var got []result
		for _, o := range outcomes(&r, t.Context(), distinct, shared) {
			got = append(got, result{fmt.Sprint(o.Err), int(o.Scanned), int(o.NonCompliant), len(o.Findings)})
		}
		if n := got[1].Findings; row.max == 10 && n >= 1 && n <= 10 && got[1].NonCompliant == n {
			got[1].NonCompliant, got[1].Findings = 0, 0 // how many of the first ten are distinct is chance
		}
		if diff := cmp.Diff([]result{row.distinct, row.shared}, got); diff != "" {
			t.Errorf("at most %d findings (-want +got):\n%s", row.max, diff)
		}
	}
}

// TestReportCopies changes everything that can be changed after it was reported.
func TestReportCopies(t *testing.T) {
	whole := func(text string) checks.Finding {
		f := finding("lamp")
		f.Resource.ResourceType = model.ResourceTypeClientID
		f.Resource.AdditionalInfo = map[string]string{"KEY": text}
		f.Related = []model.RelatedResource{
			{ResourceType: model.ResourceTypeIAMRole, AdditionalInfo: map[string]string{"KEY": text}},
			{ResourceType: model.ResourceTypeClientID},
		}
		f.Reason = "Because."
		return f
	}
	check := checks.New(spec("CHANGES"), func(_ context.Context, pass *checks.Pass) error {
		f := whole("before")
		pass.Report(f)
		f.Resource.AdditionalInfo["KEY"] = "after"
		f.Related[0].AdditionalInfo["KEY"] = "after"
		f.Related[1].ResourceType = model.ResourceTypeIAMRole
		return nil
	})
	var r checks.Runner
	out := outcomes(&r, t.Context(), check)[0]
	if diff := cmp.Diff([]checks.Finding{whole("before")}, out.Findings, cmpopts.IgnoreUnexported(checks.Finding{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestFindingsCompare wants findings of every shard to be the same as those that a test writes down.
func TestFindingsCompare(t *testing.T) {
	check := checks.Each(spec("EACH"), sharded("ints", 1, 1), func(_ context.Context, pass *checks.Pass, n *int) error {
		pass.Report(finding(fmt.Sprint(*n)))
		return nil
	})
	want := []checks.Finding{finding("0"), finding("1")}
	for i := range want {
		want[i].Resource.ResourceType = model.ResourceTypeClientID
	}
	if out := outcomes(new(checks.Runner), t.Context(), check)[0]; !reflect.DeepEqual(out.Findings, want) {
		t.Errorf("got %#v\nwant %#v", out.Findings, want)
	}
}

// What a check has started may go by its context, which ends with the run.
func TestContextEndsWithTheRun(t *testing.T) {
	var ctx context.Context
	check := checks.New(spec("STARTS"), func(c context.Context, _ *checks.Pass) error {
		ctx = c
		return c.Err()
	})
	if out := outcomes(new(checks.Runner), t.Context(), check)[0]; out.Err != nil || ctx.Err() == nil {
		t.Errorf("error %v, and that of the context after the run is %v", out.Err, ctx.Err())
	}
}

// TestManyFindings has several shards of findings, of which some are there twice, or of a resource that has another.
func TestManyFindings(t *testing.T) {
	for _, row := range []struct {
		name    string
		reports func(n int) []checks.Finding
	}{
		{"one each", func(n int) []checks.Finding { return []checks.Finding{finding(fmt.Sprint(n))} }},
		{"two for some", func(n int) []checks.Finding {
			return []checks.Finding{finding(fmt.Sprint(n)), coded(fmt.Sprint(n), []string{"BAD", "WORSE"}[n%2])}
		}},
		{"again in another shard", func(n int) []checks.Finding { return []checks.Finding{finding(fmt.Sprint(n % 10_000))} }},
	} {
		ints := make([]int, 30_000)
		var want []string
		seen, resources := make(map[string]bool), make(map[string]bool)
		for i := range ints {
			ints[i] = i
			for _, f := range row.reports(i) {
				if key := clients([]checks.Finding{f})[0]; !seen[key] {
					seen[key] = true
					want = append(want, key)
				}
				resources[f.Resource.ResourceIdentifier.ClientID] = true
			}
		}
		check := checks.Each(spec("MANY"), checks.Slice("ints", ints), func(_ context.Context, pass *checks.Pass, n *int) error {
			for _, f := range row.reports(*n) {
				pass.Report(f)
			}
			return nil
		})
		out := outcomes(new(checks.Runner), t.Context(), check)[0]
		if diff := cmp.Diff(want, clients(out.Findings)); diff != "" || out.Err != nil {
			t.Errorf("%s: error %v (-want +got):\n%s", row.name, out.Err, diff)
		}
		if int(out.NonCompliant) != len(resources) {
			t.Errorf("%s: %d resources are non-compliant, want %d", row.name, out.NonCompliant, len(resources))
		}
	}
}

// TestCounts has findings without counts, counts without findings, and resources with several findings.
func TestCounts(t *testing.T) {
	for _, row := range []struct {
		name                  string
		run                   func(*checks.Pass)
		scanned, nonCompliant int64
		findings              []string
	}{
		{"nothing", func(*checks.Pass) {}, 0, 0, nil},
		{"counts only", func(p *checks.Pass) { p.Scanned(2); p.Scanned(0); p.Scanned(3) }, 5, 0, nil},
		{"findings only", func(p *checks.Pass) { p.Report(finding("a")); p.Report(finding("b")) }, 2, 2, []string{"a BAD", "b BAD"}},
		{"fewer counted than found", func(p *checks.Pass) { p.Scanned(1); p.Report(finding("a")); p.Report(finding("b")) }, 2, 2, []string{"a BAD", "b BAD"}},
		{"two reasons", func(p *checks.Pass) { p.Scanned(9); p.Report(finding("a")); p.Report(coded("a", "WORSE")) }, 9, 1, []string{"a BAD", "a WORSE"}},
		{"twice the same", func(p *checks.Pass) {
			for _, reason := range []string{"first", "second", "third"} {
				f := finding("a")
				f.Reason = reason
				p.Report(f)
				p.Report(coded("b", "WORSE"))
			}
		}, 2, 2, []string{"a BAD: first", "b WORSE"}},
		{"not evaluable", func(p *checks.Pass) { p.Report(coded("a", model.ReasonCodeResourceNotEvaluable)) }, 1, 1, []string{"a RESOURCE_NOT_EVALUABLE"}},
		{"one name, two kinds", func(p *checks.Pass) {
			p.Report(finding("a"))
			f := finding("a")
			f.Resource.ResourceIdentifier = model.ResourceIdentifier{Account: "a"}
			p.Report(f)
		}, 2, 2, []string{"a BAD", " BAD"}},
	} {
		var r checks.Runner
		out := outcomes(&r, t.Context(), checks.New(spec("COUNTS"), func(_ context.Context, pass *checks.Pass) error {
			row.run(pass)
			return nil
		}))[0]
		if out.Err != nil || out.Scanned != row.scanned || out.NonCompliant != row.nonCompliant {
			t.Errorf("%s: scanned %d, non-compliant %d, error %v; want %d, %d", row.name, out.Scanned, out.NonCompliant, out.Err, row.scanned, row.nonCompliant)
		}
		if diff := cmp.Diff(row.findings, clients(out.Findings)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}

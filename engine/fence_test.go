package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// Whatever one check does, it alone is FAILED, and says why: the others complete with everything they
// found, in bounded time; the audits after it go as if nothing had happened, even when there is one slot.
func TestFences(t *testing.T) {
	noLeaks(t)
	for _, f := range fences() {
		for _, concurrency := range []int{1, 3} {
			t.Run(fmt.Sprintf("%s/%d", f.name, concurrency), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { f.test(t, concurrency) })
			})
		}
	}
}

func (f fence) test(t *testing.T, concurrency int) {
	release := make(chan struct{})
	shared := numbers(1000, func(context.Context, int) {})
	book := new(logbook)
	told := make(notes, 10)
	e := openEngine(t, engine.Config{
		Logger: book.logger(), Notifier: told,
		Concurrency: concurrency, CheckTimeLimit: limit, StopGrace: grace, MaxFindings: flood,
		Checks: []checks.Check{
			checks.New(specOf("BEFORE"), func(_ context.Context, p *checks.Pass) error {
				report(p, "1")
				report(p, "2")
				p.Report(checks.Finding{Resource: device("1"), ReasonCode: "WORSE"})
				p.Scanned(5)
				return nil
			}),
			f.check(shared, release),
			checks.Each(specOf("SHARED"), shared, func(_ context.Context, p *checks.Pass, i *int) error {
				if *i%300 == 0 {
					p.Report(checks.Finding{Resource: device(fmt.Sprint(*i)), ReasonCode: "BAD"})
				}
				return nil
			}),
			checks.Each(specOf("OWN"), numbers(300, func(context.Context, int) {}), func(context.Context, *checks.Pass, *int) error { return nil }),
		},
	})
	wantGood := map[string]model.AuditCheckDetails{
		"BEFORE": {CheckRunStatus: "COMPLETED_NON_COMPLIANT", TotalResourcesCount: 7, NonCompliantResourcesCount: 2},
		"SHARED": {CheckRunStatus: "COMPLETED_NON_COMPLIANT", TotalResourcesCount: 1000, NonCompliantResourcesCount: 4},
		"OWN":    {CheckRunStatus: "COMPLETED_COMPLIANT", CheckCompliant: true, TotalResourcesCount: 300},
	}
	wantFound := []string{
		"BEFORE 1 BAD", "BEFORE 2 BAD", "BEFORE 1 WORSE",
		"SHARED 0 BAD", "SHARED 300 BAD", "SHARED 600 BAD", "SHARED 900 BAD",
	}
	code := f.code
	if code == "" {
		code = model.CodeInternal
	}
	alone := f.alone
	if concurrency > 1 {
		alone = 0
	}
	for range 2 {
		begun := time.Now()
		taskID := startAudit(t, e, "OWN", "SHARED", "BROKEN", "BEFORE")
		var out *model.DescribeAuditTaskOutput
		for _, out = range watchAudit(t, t.Context(), e, taskID) {
		}
		took := time.Since(begun)
		if out.TaskStatus != model.AuditTaskStatusCompleted {
			t.Error("the audit is", out.TaskStatus)
		}
		broken := out.AuditDetails["BROKEN"]
		if !strings.Contains(broken.Message, f.message) {
			t.Errorf("message %q, want %q", broken.Message, f.message)
		}
		broken.Message = ""
		if total := broken.TotalResourcesCount; f.total < total && total <= f.upTo {
			broken.TotalResourcesCount = f.total
		}
		if diff := cmp.Diff(model.AuditCheckDetails{
			CheckRunStatus: "FAILED", ErrorCode: code,
			TotalResourcesCount: f.total, NonCompliantResourcesCount: int64(f.found),
		}, broken); diff != "" {
			t.Error("the broken check:", diff)
		}
		delete(out.AuditDetails, "BROKEN")
		if diff := cmp.Diff(wantGood, out.AuditDetails); diff != "" {
			t.Error("the good checks:", diff)
		}
		var found []string
		kept := 0
		for _, s := range foundBy(t, e, taskID) {
			if strings.HasPrefix(s, "BROKEN ") {
				kept++
			} else {
				found = append(found, s)
			}
		}
		if kept != f.found {
			t.Errorf("%d findings of the broken check were kept, want %d", kept, f.found)
		}
		if diff := cmp.Diff(wantFound, found); diff != "" {
			t.Error("the findings of the good checks:", diff)
		}

		begun = time.Now()
		next := runAudit(t, e, "OWN", "SHARED", "BEFORE")
		if then := time.Since(begun); took+then != f.takes+alone || then > alone {
			t.Errorf("the audit took %v and the next one %v, want %v and 0, or up to %v later", took, then, f.takes, alone)
		}
		if diff := cmp.Diff(wantGood, next.AuditDetails); diff != "" {
			t.Error("the next audit:", diff)
		}
	}
	synctest.Wait()
	if len(told) != 4 {
		t.Errorf("%d ends were told of 4 audits", len(told))
	}
	if text := book.String(); !strings.Contains(text, "check failed") || !strings.Contains(text, "check=BROKEN") {
		t.Errorf("the log does not tell which check failed: %s", text)
	}
	close(release)
}

// What a check reports after its run has ended is dropped and logged once; its outcome stays.
func TestLateReport(t *testing.T) {
	noLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		book := new(logbook)
		e := openEngine(t, engine.Config{Logger: book.logger(), Checks: []checks.Check{
			checks.New(specOf("LATE"), func(_ context.Context, p *checks.Pass) error {
				report(p, "in time")
				go func() {
					time.Sleep(time.Second)
					report(p, "late")
					report(p, "later")
				}()
				return nil
			}),
			good("GOOD"),
		}})
		taskID := startAudit(t, e, "LATE", "GOOD")
		time.Sleep(time.Minute)
		want := map[string]model.AuditCheckDetails{
			"LATE": {CheckRunStatus: "COMPLETED_NON_COMPLIANT", TotalResourcesCount: 1, NonCompliantResourcesCount: 1},
			"GOOD": {CheckRunStatus: "COMPLETED_COMPLIANT", CheckCompliant: true},
		}
		if diff := cmp.Diff(want, waitAudit(t, e, taskID).AuditDetails); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"LATE in time BAD"}, foundBy(t, e, taskID)); diff != "" {
			t.Error(diff)
		}
		if n := strings.Count(book.String(), "check reported after its run had ended"); n != 1 {
			t.Errorf("logged %d times: %s", n, book)
		}
	})
}

// Hanging checks of many audits, all at once: each costs its own audit's time and no more, and no slot is
// lost.
func TestManyHangingChecks(t *testing.T) {
	noLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		const audits = 9
		e := openEngine(t, engine.Config{
			Concurrency: 2, CheckTimeLimit: limit, StopGrace: grace,
			Checks: []checks.Check{hanging("HANGING", release), good("GOOD")},
		})
		begun := time.Now()
		var ids []string
		for range audits {
			ids = append(ids, startAudit(t, e, "HANGING", "GOOD"))
		}
		for _, id := range ids {
			out := waitAudit(t, e, id)
			if diff := cmp.Diff(map[string]string{"HANGING": "FAILED", "GOOD": "COMPLETED_COMPLIANT"}, statuses(out)); diff != "" {
				t.Error(diff)
			}
		}
		if took, want := time.Since(begun), (audits+1)/2*(limit+grace); took != want {
			t.Errorf("they took %v, want %v", took, want)
		}
		begun = time.Now()
		runAudit(t, e, "GOOD")
		if took := time.Since(begun); took != 0 {
			t.Errorf("the next audit took %v", took)
		}
		err := e.Close()
		require.ErrorContains(t, err, "9 goroutines of checks have not ended")
		close(release)
	})
}

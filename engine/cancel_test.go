package engine_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// An audit is canceled at every stage of its life: the checks that have ended keep their outcome, the
// others are CANCELED and keep what they found, and the end is told once.
func TestCancel(t *testing.T) {
	noLeaks(t)
	const (
		compliant    = "COMPLETED_COMPLIANT"
		nonCompliant = "COMPLETED_NON_COMPLIANT"
		canceled     = "CANCELED"
	)
	counts := func(status string, total, bad int64) model.AuditCheckDetails {
		return model.AuditCheckDetails{
			CheckRunStatus:             model.AuditCheckRunStatus(status),
			CheckCompliant:             status == compliant,
			TotalResourcesCount:        total,
			NonCompliantResourcesCount: bad,
		}
	}
	rows := []struct {
		name  string
		busy  bool // another audit holds the only slot
		check []checks.Check
		wait  time.Duration // before the cancellation
		want  map[string]model.AuditCheckDetails
		found []string
		after time.Duration // until the audit ends
	}{
		{
			name: "before a check begins",
			busy: true,
			check: []checks.Check{checks.New(specOf("A"), func(context.Context, *checks.Pass) error {
				t.Error("the check began")
				return nil
			})},
			want: map[string]model.AuditCheckDetails{"A": counts(canceled, 0, 0)},
		},
		{
			name: "while all wait for data",
			check: []checks.Check{
				checks.Each(specOf("A"), &checks.Source[int]{
					Name: "never", Ready: func() <-chan struct{} { return make(chan struct{}) },
					All: numbers(1, func(context.Context, int) {}).All,
				}, func(context.Context, *checks.Pass, *int) error { return nil }),
			},
			wait: time.Hour * 1000,
			want: map[string]model.AuditCheckDetails{"A": counts(canceled, 0, 0)},
		},
		{
			name: "while a check works",
			check: []checks.Check{checks.New(specOf("A"), func(ctx context.Context, p *checks.Pass) error {
				report(p, "1")
				p.Scanned(3)
				<-ctx.Done()
				report(p, "2") // it has its grace
				return nil
			})},
			want:  map[string]model.AuditCheckDetails{"A": counts(canceled, 5, 2)},
			found: []string{"A 1 BAD", "A 2 BAD"},
		},
		{
			name: "in the middle of a scan",
			check: []checks.Check{checks.Each(specOf("A"), numbers(2000, func(ctx context.Context, i int) {
				if i == 1024 {
					<-ctx.Done()
				}
			}), func(_ context.Context, p *checks.Pass, i *int) error {
				if *i%500 == 0 {
					p.Report(checks.Finding{Resource: device(fmt.Sprint(*i)), ReasonCode: "BAD"})
				}
				return nil
			})},
			want:  map[string]model.AuditCheckDetails{"A": counts(canceled, 1024, 3)},
			found: []string{"A 0 BAD", "A 500 BAD", "A 1000 BAD"},
		},
		{
			name: "when some have ended",
			check: []checks.Check{
				good("A"),
				checks.New(specOf("B"), func(_ context.Context, p *checks.Pass) error { report(p, "1"); return nil }),
				untilDone("C"),
				checks.New(specOf("D"), func(context.Context, *checks.Pass) error { return errors.New("broken") }),
			},
			want: map[string]model.AuditCheckDetails{
				"A": counts(compliant, 0, 0),
				"B": counts(nonCompliant, 1, 1),
				"C": counts(canceled, 0, 0),
				"D": {CheckRunStatus: "FAILED", ErrorCode: "INTERNAL_FAILURE", Message: "broken"},
			},
			found: []string{"B 1 BAD"},
		},
		{
			name: "and a check does not care",
			check: []checks.Check{good("A"), checks.New(specOf("B"), func(_ context.Context, p *checks.Pass) error {
				report(p, "1")
				time.Sleep(time.Hour)
				report(p, "2") // too late
				return nil
			})},
			wait:  time.Second,
			want:  map[string]model.AuditCheckDetails{"A": counts(compliant, 0, 0), "B": counts(canceled, 1, 1)},
			found: []string{"B 1 BAD"},
			after: 2 * time.Second,
		},
	}
	for _, row := range rows {
		for _, times := range []int{1, 2} {
			t.Run(fmt.Sprintf("%s %d times", row.name, times), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					told := make(notes, 10)
					release := make(chan struct{})
					e := openEngine(t, engine.Config{
						Notifier: told, Concurrency: len(row.check), StopGrace: 2 * time.Second, CheckTimeLimit: 2 * time.Hour,
						Checks: append(row.check, hanging("HANGING", release)),
					})
					if row.busy {
						require.Len(t, row.check, 1)
						startAudit(t, e, "HANGING")
						synctest.Wait()
					}
					var names []string
					for _, c := range row.check {
						names = append(names, c.Spec().Name)
					}
					taskID := startAudit(t, e, names...)
					synctest.Wait()
					time.Sleep(row.wait)
					begun := time.Now()
					cancelAudit(t, e, taskID)
					for range times - 1 { // unless it has ended meanwhile
						_, err := e.CancelAuditTask(t.Context(), &model.CancelAuditTaskInput{TaskID: taskID})
						if err != nil && !strings.Contains(err.Error(), "names an audit that is CANCELED") {
							t.Error(err)
						}
					}
					out := waitAudit(t, e, taskID)
					if took := time.Since(begun); took != row.after {
						t.Errorf("it took %v, want %v", took, row.after)
					}
					if out.TaskStatus != model.AuditTaskStatusCanceled {
						t.Error("the audit is", out.TaskStatus)
					}
					if diff := cmp.Diff(row.want, out.AuditDetails); diff != "" {
						t.Error(diff)
					}
					addsUp(t, out)
					if diff := cmp.Diff(row.found, foundBy(t, e, taskID)); diff != "" {
						t.Error(diff)
					}
					synctest.Wait()
					if n := <-told; len(told) != 0 || n.Audit.TaskID != taskID || n.Audit.TaskStatus != model.AuditTaskStatusCanceled {
						t.Errorf("told of %+v, and %d more", n, len(told))
					}
					_, err := e.CancelAuditTask(t.Context(), &model.CancelAuditTaskInput{TaskID: taskID})
					if _, ok := errors.AsType[*model.InvalidRequestException](err); !ok {
						t.Error("canceled after its end:", err)
					}
					close(release)
					time.Sleep(2 * time.Hour)
					synctest.Wait()
					if after := waitAudit(t, e, taskID); cmp.Diff(out, after) != "" {
						t.Error("it changed after its end:", cmp.Diff(out, after))
					}
				})
			})
		}
	}
}

// A cancellation that comes when every check has ended, but the audit not yet: the checks keep their
// outcomes, and the audit is CANCELED, as the caller was told.
func TestCancelWhileItEnds(t *testing.T) {
	noLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		logged, goOn := make(chan struct{}), make(chan struct{})
		told := make(notes, 10)
		e := openEngine(t, engine.Config{
			Notifier: told,
			// The failure is logged between the end of the check and the end of the audit.
			Logger: slog.New(slog.NewTextHandler(writer(func() { close(logged); <-goOn }), nil)),
			Checks: []checks.Check{checks.New(specOf("A"), func(_ context.Context, p *checks.Pass) error {
				report(p, "1")
				return errors.New("broken")
			})},
		})
		taskID := startAudit(t, e, "A")
		<-logged
		cancelAudit(t, e, taskID)
		cancelAudit(t, e, taskID)
		close(goOn)
		out := waitAudit(t, e, taskID)
		want := &model.DescribeAuditTaskOutput{
			TaskStatus:     model.AuditTaskStatusCanceled,
			TaskType:       model.AuditTaskTypeOnDemand,
			TaskStartTime:  model.At(time.Now()),
			TaskStatistics: model.TaskStatistics{TotalChecks: 1, FailedChecks: 1},
			AuditDetails: map[string]model.AuditCheckDetails{"A": {
				CheckRunStatus: "FAILED", ErrorCode: "INTERNAL_FAILURE", Message: "broken",
				TotalResourcesCount: 1, NonCompliantResourcesCount: 1,
			}},
		}
		if diff := cmp.Diff(want, out); diff != "" {
			t.Error(diff)
		}
		synctest.Wait()
		if n := <-told; n.Audit.TaskStatus != model.AuditTaskStatusCanceled || len(told) != 0 {
			t.Errorf("told of %+v, and %d more", n, len(told))
		}
	})
}

type writer func()

func (f writer) Write(b []byte) (int, error) {
	f()
	return len(b), nil
}

// Whoever sees an audit can cancel it, however early: no cancellation is lost.
func TestCancelAtOnce(t *testing.T) {
	noLeaks(t)
	e := openEngine(t, engine.Config{Checks: []checks.Check{untilDone("UNTIL_DONE")}, CheckTimeLimit: -1})
	const audits = 200
	stop := make(chan struct{})
	var canceler sync.WaitGroup
	canceler.Go(func() {
		period := &model.ListAuditTasksInput{
			StartTime: model.At(time.Now().Add(-time.Minute)), EndTime: model.At(time.Now().Add(time.Hour)),
			TaskStatus: model.AuditTaskStatusInProgress,
		}
		for {
			select {
			case <-stop:
				return
			default:
			}
			list, err := e.ListAuditTasks(context.Background(), period)
			if err != nil {
				t.Error(err)
				return
			}
			for _, task := range list.Tasks {
				e.CancelAuditTask(context.Background(), &model.CancelAuditTaskInput{TaskID: task.TaskID})
			}
		}
	})
	for range audits {
		if out := runAudit(t, e, "UNTIL_DONE"); out.TaskStatus != model.AuditTaskStatusCanceled {
			t.Fatal("the audit is", out.TaskStatus)
		}
	}
	close(stop)
	canceler.Wait()
}

// An error that is the engine's own, but not of this audit, is the check's failure and no cancellation.
func TestForeignErrorIsNoCancellation(t *testing.T) {
	noLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		e := openEngine(t, engine.Config{Checks: []checks.Check{
			checks.New(specOf("A"), func(context.Context, *checks.Pass) error { return fmt.Errorf("another: %w", engine.ErrClosed) }),
			checks.New(specOf("B"), func(context.Context, *checks.Pass) error { return context.Canceled }),
		}})
		out := runAudit(t, e, "A", "B")
		if diff := cmp.Diff(map[string]string{"A": "FAILED", "B": "FAILED"}, statuses(out)); diff != "" {
			t.Error(diff)
		}
		if out.TaskStatus != model.AuditTaskStatusFailed {
			t.Error("the audit is", out.TaskStatus)
		}
	})
}

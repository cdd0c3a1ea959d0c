package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
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

func specOf(name string) checks.Spec {
	return checks.Spec{
		Name:         name,
		Severity:     model.AuditFindingSeverityLow,
		ResourceType: model.ResourceTypeClientID,
		ReasonCodes:  []checks.ReasonCode{{Code: "BAD"}, {Code: "WORSE"}},
	}
}

func device(id string) model.NonCompliantResource {
	return model.NonCompliantResource{ResourceIdentifier: model.ResourceIdentifier{ClientID: id}}
}

// report reports a device as BAD, and counts it.
func report(p *checks.Pass, id string) {
	p.Report(checks.Finding{Resource: device(id), ReasonCode: "BAD"})
	p.Scanned(1)
}

// good is a check that does nothing.
func good(name string) checks.Check {
	return checks.New(specOf(name), func(context.Context, *checks.Pass) error { return nil })
}

// untilDone is a check that does nothing until it is told to stop.
func untilDone(name string) checks.Check {
	return checks.New(specOf(name), func(ctx context.Context, _ *checks.Pass) error {
		<-ctx.Done()
		return context.Cause(ctx)
	})
}

// hanging is a check that does nothing until release is closed, whatever it is told.
func hanging(name string, release <-chan struct{}) checks.Check {
	return checks.New(specOf(name), func(context.Context, *checks.Pass) error {
		<-release
		return nil
	})
}

// openEngine makes an Engine with all its checks enabled, which is closed in the end without an error.
func openEngine(t testing.TB, c engine.Config) *engine.Engine {
	t.Helper()
	c.EnableAll = true
	e, err := engine.New(c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	return e
}

func target(names ...string) *model.StartOnDemandAuditTaskInput {
	return &model.StartOnDemandAuditTaskInput{TargetCheckNames: names}
}

func startAudit(t testing.TB, e *engine.Engine, names ...string) (taskID string) {
	t.Helper()
	task, err := e.StartOnDemandAuditTask(t.Context(), target(names...))
	require.NoError(t, err)
	return task.TaskID
}

func waitAudit(t testing.TB, e *engine.Engine, taskID string) *model.DescribeAuditTaskOutput {
	t.Helper()
	out, err := e.WaitAuditTask(t.Context(), taskID)
	require.NoError(t, err)
	return out
}

func runAudit(t testing.TB, e *engine.Engine, names ...string) *model.DescribeAuditTaskOutput {
	t.Helper()
	return waitAudit(t, e, startAudit(t, e, names...))
}

func cancelAudit(t testing.TB, e *engine.Engine, taskID string) {
	t.Helper()
	_, err := e.CancelAuditTask(t.Context(), &model.CancelAuditTaskInput{TaskID: taskID})
	require.NoError(t, err)
}

// foundBy returns the findings of an audit in order: "CHECK device CODE".
func foundBy(t testing.TB, e *engine.Engine, taskID string) (found []string) {
	t.Helper()
	for f, err := range e.AuditFindings(t.Context(), &model.ListAuditFindingsInput{TaskID: taskID}) {
		require.NoError(t, err)
		found = append(found, fmt.Sprintf("%s %s %s", f.CheckName, f.NonCompliantResource.ResourceIdentifier.ClientID, f.ReasonForNonComplianceCode))
	}
	return found
}

// statuses returns the status of each check of an audit.
func statuses(out *model.DescribeAuditTaskOutput) map[string]string {
	all := make(map[string]string)
	for name, d := range out.AuditDetails {
		all[name] = string(d.CheckRunStatus)
	}
	return all
}

// notify is a Notifier.
type notify func(context.Context, engine.Notification) error

func (f notify) Notify(ctx context.Context, n engine.Notification) error { return f(ctx, n) }

// notes is a Notifier that keeps what it is told.
type notes chan engine.Notification

func (c notes) Notify(_ context.Context, n engine.Notification) error {
	c <- n
	return nil
}

// logbook keeps what is logged.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logbook) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// numbers is a Source of the devices 0 to n-1 in one shard, which calls at before each of them.
func numbers(n int, at func(ctx context.Context, i int)) *checks.Source[int] {
	return &checks.Source[int]{
		Name: "numbers",
		All: func(ctx context.Context) iter.Seq2[int, error] {
			return func(yield func(int, error) bool) {
				for i := range n {
					at(ctx, i)
					if !yield(i, nil) {
						return
					}
				}
			}
		},
	}
}

// The findings of a check are there as soon as its status says that it has ended, and not before.
func TestFindingsAppearWithTheStatus(t *testing.T) {
	noLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		e := openEngine(t, engine.Config{Concurrency: 3, Checks: []checks.Check{
			checks.New(specOf("A"), func(_ context.Context, p *checks.Pass) error {
				time.Sleep(2 * time.Second)
				report(p, "1")
				return nil
			}),
			checks.New(specOf("B"), func(_ context.Context, p *checks.Pass) error {
				report(p, "2")
				time.Sleep(time.Second)
				return nil
			}),
			checks.New(specOf("C"), func(_ context.Context, p *checks.Pass) error {
				time.Sleep(3 * time.Second)
				report(p, "3")
				return errors.New("broken, but what it found is kept")
			}),
		}})
		taskID := startAudit(t, e, "C", "B", "A")
		var seen [][]string
		for _, err := range e.WatchAuditTask(t.Context(), taskID) {
			require.NoError(t, err)
			if now := foundBy(t, e, taskID); len(seen) == 0 || !slices.Equal(now, seen[len(seen)-1]) {
				seen = append(seen, now)
			}
		}
		want := [][]string{nil, {"B 2 BAD"}, {"A 1 BAD", "B 2 BAD"}, {"A 1 BAD", "B 2 BAD", "C 3 BAD"}}
		if diff := cmp.Diff(want, seen); diff != "" {
			t.Error(diff)
		}
	})
}

// An audit is FAILED only when all its checks are.
func TestAuditStatus(t *testing.T) {
	noLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		broken := func(name string) checks.Check {
			return checks.New(specOf(name), func(context.Context, *checks.Pass) error { return errors.New("broken") })
		}
		e := openEngine(t, engine.Config{Checks: []checks.Check{good("GOOD"), broken("BROKEN"), broken("TOO")}})
		for _, row := range []struct {
			names []string
			want  model.AuditTaskStatus
		}{
			{[]string{"GOOD"}, model.AuditTaskStatusCompleted},
			{[]string{"GOOD", "BROKEN", "TOO"}, model.AuditTaskStatusCompleted},
			{[]string{"BROKEN", "TOO"}, model.AuditTaskStatusFailed},
			{[]string{"TOO"}, model.AuditTaskStatusFailed},
		} {
			if got := runAudit(t, e, row.names...).TaskStatus; got != row.want {
				t.Errorf("%v: %s, want %s", row.names, got, row.want)
			}
		}
	})
}

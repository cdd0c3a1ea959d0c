package cli_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/contrib/boltstore"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/cli"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/data"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// TestHistoryInterrupted interrupts an audit. It is kept, and no audit is compared with it.
func TestHistoryInterrupted(t *testing.T) {
	p := newPlant(t)
	p.wrong["gauge"] = "It is too wide."
	first := p.kept(t)
	p.wrong["doorbell"] = "It is too wide."
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	p.judging = func(ctx context.Context) {
		interrupt()
		<-ctx.Done()
	}
	got := runWith(ctx, p.checks(), "audit --format json --data", p.data, p.file)
	var cut keptDocument
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &cut))
	if got.code != cli.ExitError || got.stderr != "fleetaudit: the audit is not complete: it was interrupted\n" || cut.AuditTask.TaskStatus != model.AuditTaskStatusCanceled {
		t.Errorf("exit code %d, stderr %q, status %s", got.code, got.stderr, cut.AuditTask.TaskStatus)
	}
	if cut.Changes.ResolvedFindingsCount != 0 {
		t.Errorf("an interrupted check resolves something: %v", cut.counts())
	}
	p.judging = nil
	if doc := p.kept(t); doc.Changes.Since.TaskID != first.TaskID || doc.counts() != [5]int{2, 0, 2, 0, 0} {
		t.Errorf("since %v, counts %v, want %s and 2 new, 2 unchanged", doc.Changes.Since, doc.counts(), first.TaskID)
	}
}

// TestHistoryKilled kills audits. What they left behind ends with the next one.
func TestHistoryKilled(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "history")
	args := []string{"audit", "testdata/sound", "--data", folder, "--format", "json"}
	audit := func() (doc keptDocument, log string) {
		c := startChild(t, "patient", args...)
		c.stdin.Close()
		code := c.end()
		require.Equal(t, cli.ExitOK, code, c.logged())
		require.NoError(t, json.Unmarshal(c.stdout.Bytes(), &doc))
		return doc, strings.ReplaceAll(c.logged(), "judging\n", "")
	}
	first, log := audit()
	require.Empty(t, log)
	for range 2 {
		c := startChild(t, "patient", args...)
		c.await(t, "judging")
		c.kill()
	}
	second, log := audit()
	want := fmt.Sprintf("fleetaudit: the audit of YYYY-MM-DD 00:00:00 UTC in --data %q was not kept to its end, and counts as canceled\n", folder)
	if got := regexp.MustCompile(`\d\d:\d\d:\d\d`).ReplaceAllString(scrubDates(log), "00:00:00"); got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
	if second.Changes.Since.TaskID != first.TaskID || second.counts() != [5]int{0, 0, 2, 0, 0} {
		t.Errorf("since %v, counts %v, want %s and 2 unchanged", second.Changes.Since, second.counts(), first.TaskID)
	}
	third, log := audit()
	if log != "" || third.Changes.Since.TaskID != second.TaskID {
		t.Errorf("since %v, want %s; it says %q", third.Changes.Since, second.TaskID, log)
	}
	require.Equal(t, map[model.AuditTaskStatus]int{model.AuditTaskStatusCompleted: 3, model.AuditTaskStatusCanceled: 2}, statuses(t, folder))
}

// statuses counts the audits in a folder.
func statuses(t *testing.T, folder string) map[model.AuditTaskStatus]int {
	t.Helper()
	f, err := data.Open(folder)
	require.NoError(t, err)
	defer f.Close()
	none := checks.New(checks.Spec{
		Name: "NONE_CHECK", Severity: model.AuditFindingSeverityLow, ResourceType: model.ResourceTypeClientID, ReasonCodes: []checks.ReasonCode{{Code: "NONE"}},
	}, func(context.Context, *checks.Pass) error { return nil })
	e, err := engine.New(engine.Config{Checks: []checks.Check{none}, Region: data.HistoryRegion, Store: f.Store})
	require.NoError(t, err)
	defer e.Close()
	list, err := e.ListAuditTasks(t.Context(), &model.ListAuditTasksInput{
		StartTime: model.At(time.Now().Add(-time.Hour)), EndTime: model.At(time.Now().Add(time.Hour)),
	})
	require.NoError(t, err)
	counts := make(map[model.AuditTaskStatus]int)
	for _, task := range list.Tasks {
		counts[task.TaskStatus]++
	}
	return counts
}

// TestHistoryExitCodes: they are what they are without a history.
func TestHistoryExitCodes(t *testing.T) {
	p := newPlant(t)
	p.wrong["gauge"] = "It is too wide."
	for _, row := range []struct {
		args string
		code int
	}{
		{"", cli.ExitOK}, {"--fail-on HIGH", cli.ExitFindings}, {"--fail-on CRITICAL", cli.ExitOK}, {"--fail-on HIGH --check NARROW_CHECK", cli.ExitOK},
	} {
		if got := p.audit(t, words(row.args)...); got.code != row.code || got.stderr != "" {
			t.Errorf("%s: exit code %d, stderr %q, want %d", row.args, got.code, got.stderr, row.code)
		}
	}
	p.fault = errors.New("it is broken")
	if got := p.audit(t, "--fail-on", "LOW"); got.code != cli.ExitError || got.stderr != "fleetaudit: the audit is not complete: a check failed\n" {
		t.Errorf("exit code %d, stderr %q", got.code, got.stderr)
	}
}

// TestHistoryLocked: one program at a time uses a folder, and it is free when that has ended, however it did.
func TestHistoryLocked(t *testing.T) {
	p := newPlant(t)
	require.NoError(t, os.Mkdir(p.data, 0o700))
	file := filepath.Join(p.data, "fleetaudit.db")
	s, err := boltstore.Open(file, boltstore.Options{})
	require.NoError(t, err)
	want := result{code: cli.ExitError, stderr: fmt.Sprintf("fleetaudit: --data %q: %s is in use by another fleetaudit: wait until that has ended, or name another folder\n", p.data, file)}
	if diff := cmp.Diff(want, p.audit(t), cmp.AllowUnexported(result{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	require.NoError(t, s.Close())
	require.Equal(t, cli.ExitError, runWith(t.Context(), p.checks(), "audit testdata/none --data", p.data).code)
	require.Equal(t, cli.ExitOK, p.audit(t).code)
	require.NoError(t, os.Truncate(file, 10_000))
	if got := p.audit(t); got.code != cli.ExitError || got.stdout != "" || !strings.Contains(got.stderr, file+" is damaged: ") {
		t.Errorf("exit code %d, stderr %q", got.code, got.stderr)
	}
}

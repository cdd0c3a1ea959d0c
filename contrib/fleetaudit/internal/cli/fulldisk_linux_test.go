package cli_test

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/cli"
	"github.com/fleetaudit/fleetaudit/model"
)

// fill leaves a program no room in files for anything more, as a full disk would.
func (c *child) fill(t *testing.T) {
	t.Helper()
	require.NoError(t, unix.Prlimit(c.Process.Pid, unix.RLIMIT_FSIZE, &unix.Rlimit{}, nil))
}

// TestHistoryDiskFull has an audit during which the disk becomes full. Its result is whole.
func TestHistoryDiskFull(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "history")
	audit := func(during func(*child)) (int, string, keptDocument) {
		c := startChild(t, "patient", "audit", "testdata/sound", "--data", folder, "--format", "json")
		c.await(t, "judging")
		during(c)
		c.stdin.Close()
		code := c.end()
		var doc keptDocument
		require.NoError(t, json.Unmarshal(c.stdout.Bytes(), &doc), c.logged())
		return code, strings.ReplaceAll(c.logged(), "judging\n", ""), doc
	}
	code, log, first := audit(func(*child) {})
	if code != cli.ExitOK || log != "" {
		t.Errorf("exit code %d: %s", code, log)
	}
	code, log, second := audit(func(c *child) { c.fill(t) })
	want := `fleetaudit: --data "` + folder + `": the audit is not kept: `
	if code != cli.ExitError || !strings.HasPrefix(log, want) || !strings.HasSuffix(log, "file too large\n") || strings.Count(log, folder) != 2 {
		t.Errorf("exit code %d: %s\nwant %s...", code, log, want)
	}
	if second.AuditTask.TaskStatus != model.AuditTaskStatusCompleted || second.counts() != [5]int{0, 0, 2, 0, 0} || second.Changes.Kept {
		t.Errorf("the audit is %s, kept %v, with %v", second.AuditTask.TaskStatus, second.Changes.Kept, second.counts())
	}
	code, log, third := audit(func(*child) {})
	if code != cli.ExitOK || !strings.Contains(log, "was not kept to its end") || third.Changes.Since.TaskID != first.TaskID {
		t.Errorf("exit code %d, since %v: %s", code, third.Changes.Since, log)
	}
}

// TestServeDiskFull fills the disk below a program that serves. It answers, says why it cannot go on, and ends; the next
// one has what was acknowledged.
func TestServeDiskFull(t *testing.T) {
	defer http.DefaultClient.CloseIdleConnections()
	folder := filepath.Join(t.TempDir(), "data")
	serve := func() *child {
		return startChild(t, "patient", "serve", "testdata/sound", "--listen", "127.0.0.1:0", "--data", folder).serving(t)
	}
	c := serve()
	const configure = `{"roleArn": "arn:aws:iam::123456789012:role/audit", "auditCheckConfigurations": {"QUICK_CHECK": {"enabled": true}}}`
	c.call(t, 200, "PATCH", "/audit/configuration", configure)
	task := c.start(t, "QUICK_CHECK")
	c.ended(t, task)
	c.fill(t)
	answer := c.call(t, 500, "POST", "/audit/tasks", `{"targetCheckNames": ["QUICK_CHECK"]}`)
	require.Contains(t, answer, "something went wrong here")
	require.NotContains(t, answer, folder, "why is not for clients")
	if code := c.end(); code != cli.ExitError {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{"level=ERROR msg=\"the store has failed", "level=ERROR msg=stopped error=\"starting scheduled audits: engine: the store has failed: ", folder + "/fleetaudit.db", "file too large"} {
		if !strings.Contains(c.logged(), want) {
			t.Errorf("the log lacks %s:\n%s", want, c.logged())
		}
	}
	c = serve()
	if ended := c.ended(t, task); ended.TaskStatus != model.AuditTaskStatusCompleted {
		t.Errorf("the audit is %s", ended.TaskStatus)
	}
	require.Contains(t, c.call(t, 200, "GET", "/audit/configuration", ""), `"QUICK_CHECK":{"enabled":true`)
}

package cli_test

import (
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks/builtin"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/cli"
	"github.com/fleetaudit/fleetaudit/model"
)

// dump asks for everything that a server holds.
func (c *child) dump(t *testing.T, schedule string, taskIDs ...string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	ask := func(method, path, body string) { all[method+" "+path+" "+body] = c.call(t, 200, method, path, body) }
	ask("GET", "/audit/configuration", "")
	ask("GET", "/audit/scheduledaudits", "")
	ask("GET", "/audit/scheduledaudits/"+schedule, "")
	ask("GET", "/tags?resourceArn=arn:aws:iot:us-east-1:123456789012:scheduledaudit/"+schedule, "")
	ask("POST", "/audit/suppressions/list", "{}")
	day := func(days int) string { return time.Now().AddDate(0, 0, days).Format(time.DateOnly) }
	ask("GET", "/audit/tasks?startTime="+day(-2)+"&endTime="+day(2), "")
	for _, taskID := range taskIDs {
		ask("GET", "/audit/tasks/"+taskID, "")
		ask("POST", "/audit/findings", `{"taskId": "`+taskID+`"}`)
	}
	return all
}

// TestServeData tells the program many things, kills it, and asks the next one what it knows.
func TestServeData(t *testing.T) {
	program, folder := build(t), filepath.Join(t.TempDir(), "data")
	serve := func() *child {
		return begin(t, exec.Command(program, "serve", example, "--listen", "127.0.0.1:0", "--account", "123456789012", "--data", folder)).serving(t)
	}
	defer http.DefaultClient.CloseIdleConnections()
	c := serve()
	require.Contains(t, c.logged(), " data="+folder+"/fleetaudit.db resumed=0\n")
	c.call(t, 200, "PATCH", "/audit/configuration", `{"roleArn": "arn:aws:iam::123456789012:role/audit", "auditCheckConfigurations": {
		"LOGGING_DISABLED_CHECK": {"enabled": true},
		"DEVICE_CERTIFICATE_AGE_CHECK": {"enabled": true, "configuration": {"CERT_AGE_THRESHOLD_IN_DAYS": "40"}}}}`)
	c.call(t, 200, "POST", "/audit/scheduledaudits/mondays", `{"frequency": "WEEKLY", "dayOfWeek": "MON",
		"targetCheckNames": ["LOGGING_DISABLED_CHECK"], "tags": [{"Key": "team", "Value": "plant"}]}`)
	c.call(t, 200, "POST", "/audit/suppressions/create", `{"checkName": "LOGGING_DISABLED_CHECK", "resourceIdentifier": {"account": "123456789012"},
		"suppressIndefinitely": true, "clientRequestToken": "one"}`)
	once := []string{"Amz-Sdk-Invocation-Id", "b7a5b0a4-0f7c-4e0e-8c0e-3b3f6f0f0c11"}
	task := c.start(t, "DEVICE_CERTIFICATE_AGE_CHECK", once...)
	if ended := c.ended(t, task); ended.TaskStatus != model.AuditTaskStatusCompleted || ended.AuditDetails["DEVICE_CERTIFICATE_AGE_CHECK"].NonCompliantResourcesCount == 0 {
		t.Errorf("the audit is %+v", ended)
	}
	suppressed := c.start(t, "LOGGING_DISABLED_CHECK")
	c.ended(t, suppressed)
	want := c.dump(t, "mondays", task, suppressed)
	require.Contains(t, want[`POST /audit/findings {"taskId": "`+suppressed+`"}`], `"isSuppressed":true`)

	second := begin(t, exec.Command(program, "serve", example, "--listen", "127.0.0.1:0", "--data", folder))
	if code, log := second.end(), second.logged(); code != cli.ExitError || log != fmt.Sprintf("fleetaudit: --data %q: %s/fleetaudit.db is in use by "+
		"another fleetaudit: wait until that has ended, or name another folder\n", folder, folder) {
		t.Errorf("a second program exits with %d: %s", code, log)
	}

	for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGKILL} {
		require.NoError(t, c.Process.Signal(signal))
		if code := c.end(); signal == syscall.SIGTERM && (code != cli.ExitOK || !strings.Contains(c.logged(), "msg=stopped left=0\n")) {
			t.Errorf("exit code %d:\n%s", code, c.logged())
		}
		c = serve()
		if diff := cmp.Diff(want, c.dump(t, "mondays", task, suppressed)); diff != "" {
			t.Errorf("after %v (-before +after):\n%s", signal, diff)
		}
	}
	if again := c.start(t, "DEVICE_CERTIFICATE_AGE_CHECK", once...); again != task {
		t.Errorf("a call that is sent again starts %s, after %s", again, task)
	}
	// What was acknowledged just before it is killed is there, too.
	c.call(t, 200, "DELETE", "/audit/scheduledaudits/mondays", "")
	c.kill()
	c = serve()
	require.Equal(t, `{"scheduledAudits":[]}`, c.call(t, 200, "GET", "/audit/scheduledaudits", ""))
}

// TestServeGoesOn ends a program while an audit runs. The next one goes on with it.
func TestServeGoesOn(t *testing.T) {
	defer http.DefaultClient.CloseIdleConnections()
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		folder := filepath.Join(t.TempDir(), "data")
		serve := func() *child {
			return startChild(t, "patient", "serve", "testdata/sound", "--listen", "127.0.0.1:0", "--data", folder).serving(t)
		}
		c := serve()
		c.call(t, 200, "PATCH", "/audit/configuration", `{"roleArn": "arn:aws:iam::123456789012:role/audit", "auditCheckConfigurations": {
			"QUICK_CHECK": {"enabled": true}, "PATIENT_CHECK": {"enabled": true}}}`)
		task := c.start(t, `QUICK_CHECK", "PATIENT_CHECK`)
		c.await(t, "judging")
		require.NoError(t, c.Process.Signal(signal))
		if code := c.end(); signal == syscall.SIGTERM && (code != cli.ExitOK || !strings.Contains(c.logged(), "msg=stopped left=1\n")) {
			t.Errorf("exit code %d:\n%s", code, c.logged())
		}

		c = serve()
		require.Contains(t, c.logged(), " resumed=1\n")
		c.stdin.Close()
		ended := c.ended(t, task)
		want := model.TaskStatistics{TotalChecks: 2, NonCompliantChecks: 2}
		if diff := cmp.Diff(want, ended.TaskStatistics); diff != "" || ended.TaskStatus != model.AuditTaskStatusCompleted {
			t.Errorf("after %v the audit is %s (-want +got):\n%s", signal, ended.TaskStatus, diff)
		}
		findings := c.call(t, 200, "POST", "/audit/findings", `{"taskId": "`+task+`"}`)
		if n := strings.Count(findings, `"findingId"`); n != 2 {
			t.Errorf("%d findings, want 2: %s", n, findings)
		}
		require.NoError(t, c.Process.Signal(syscall.SIGTERM))
		if code := c.end(); code != cli.ExitOK {
			t.Errorf("exit code %d:\n%s", code, c.logged())
		}
	}
}

// TestServeDataOfAnotherAccount has a fleet that names another account than the folder has.
func TestServeDataOfAnotherAccount(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data")
	s := start(t, builtin.All, "testdata/sound", "--data", folder, "--account", "123456789012", "--region", "eu-west-1")
	require.Equal(t, cli.ExitOK, s.stop())
	file := folder + "/fleetaudit.db"
	for _, row := range []struct{ args, want string }{
		{"serve testdata/sound --listen 127.0.0.1:0 --data " + folder, file + " is of the account 123456789012 in eu-west-1, and not of 000000000000 " +
			"in us-east-1: give --account 123456789012 --region eu-west-1, or name another folder"},
		{"audit testdata/sound --data " + folder, file + " holds what fleetaudit serve keeps: name another folder for audit"},
	} {
		want := result{code: cli.ExitError, stderr: fmt.Sprintf("fleetaudit: --data %q: %s\n", folder, row.want)}
		if diff := cmp.Diff(want, run(t, words(row.args)...), cmp.AllowUnexported(result{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.args, diff)
		}
	}
}

package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/builtin"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/cli"
	"github.com/fleetaudit/fleetaudit/model"
)

// wait is how long a test waits at most for what must happen.
const wait = 30 * time.Second

// until asks again and again, until something is so.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(wait); !is(); runtime.Gosched() {
		require.True(t, time.Now().Before(deadline), what)
	}
}

// server is the program, serving.
type server struct {
	client http.Client
	url    string // from the log
	ended  chan int
	cancel context.CancelCauseFunc

	mu    sync.Mutex
	log   bytes.Buffer
	lines chan string // of the log, for who waits for one
}

func (s *server) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log.Write(b)
	s.lines <- string(b) // a logger writes line by line
	return len(b), nil
}

// logged returns the log so far.
func (s *server) logged() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// await waits for a line in the log with a text in it.
func (s *server) await(t *testing.T, text string) string {
	t.Helper()
	for {
		select {
		case line := <-s.lines:
			if strings.Contains(line, text) {
				return line
			}
		case code := <-s.ended:
			t.Fatalf("exit code %d, and nothing says %s:\n%s", code, text, s.logged())
		}
	}
}

// stop tells the program to stop, and returns what it exited with.
func (s *server) stop() int {
	s.cancel(errors.New("told to"))
	code := <-s.ended
	s.ended <- code
	return code
}

// start starts the program with args and some checks, and waits until it serves.
func start(t *testing.T, all func(*inventory.Inventory) []checks.Check, args ...string) *server {
	t.Helper()
	noLeaks(t)
	s := &server{ended: make(chan int, 1), lines: make(chan string, 10_000)}
	s.client.Transport = &http.Transport{}
	ctx, cancel := context.WithCancelCause(context.Background())
	s.cancel = cancel
	var stdout bytes.Buffer
	go func() {
		s.ended <- cli.RunWith(ctx, all, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...), nil, &stdout, s)
	}()
	t.Cleanup(func() {
		s.stop()
		s.client.CloseIdleConnections()
		if stdout.Len() > 0 {
			t.Errorf("stdout %q", stdout.String())
		}
	})
	line := s.await(t, `serving`)
	s.url = regexp.MustCompile(`http://[^ "]+`).FindString(line)
	require.NotEmpty(t, s.url, "%s", line)
	return s
}

// noLeaks fails the test if, when everything else in it is over, there is a goroutine of this module that was
// not there before.
func noLeaks(t *testing.T) {
	before := goroutines()
	t.Cleanup(func() {
		var left []string
		for deadline := time.Now().Add(wait); time.Now().Before(deadline); runtime.Gosched() {
			now := goroutines()
			maps.DeleteFunc(now, func(id, _ string) bool { _, old := before[id]; return old })
			if left = slices.Collect(maps.Values(now)); len(left) == 0 {
				return
			}
		}
		t.Errorf("goroutines are left:\n%s", strings.Join(left, "\n\n"))
	})
}

// goroutines returns the stacks of this module's goroutines, by their ids.
func goroutines() map[string]string {
	buf := make([]byte, 1<<22)
	buf = buf[:runtime.Stack(buf, true)]
	all := make(map[string]string)
	for stack := range strings.SplitSeq(string(buf), "\n\n") {
		id, _, _ := strings.Cut(stack, " [")
		if strings.Contains(stack, "fleetaudit") {
			all[id] = stack
		}
	}
	return all
}

// call sends a request, and returns the status and the body of its answer.
func (s *server) call(t *testing.T, method, path, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
	require.NoError(t, err)
	return s.do(t, r)
}

func (s *server) do(t *testing.T, r *http.Request) (int, string) {
	t.Helper()
	answer, err := s.client.Do(r)
	require.NoError(t, err)
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer.StatusCode, string(data)
}

// must is call, of what succeeds.
func (s *server) must(t *testing.T, method, path, body string) string {
	t.Helper()
	status, answer := s.call(t, method, path, body)
	require.Equal(t, 200, status, "%s %s: %s", method, path, answer)
	return answer
}

// audit enables a check, and starts an audit of it.
func (s *server) audit(t *testing.T, check string) (taskID string) {
	t.Helper()
	s.must(t, "PATCH", "/audit/configuration", `{"roleArn": "arn:aws:iam::123456789012:role/audit", "auditCheckConfigurations": {"`+check+`": {"enabled": true}}}`)
	var started model.StartOnDemandAuditTaskOutput
	require.NoError(t, json.Unmarshal([]byte(s.must(t, "POST", "/audit/tasks", `{"targetCheckNames": ["`+check+`"]}`)), &started))
	return started.TaskID
}

// describe waits until an audit has ended, and returns it.
func (s *server) describe(t *testing.T, taskID string) (task model.DescribeAuditTaskOutput) {
	t.Helper()
	until(t, "the audit ends", func() bool {
		require.NoError(t, json.Unmarshal([]byte(s.must(t, "GET", "/audit/tasks/"+taskID, "")), &task))
		return task.TaskStatus != model.AuditTaskStatusInProgress
	})
	return task
}

// scrubbed is a log without what differs from run to run.
func scrubbed(log string) string {
	log = regexp.MustCompile(`(?m)^time=\S+ `).ReplaceAllString(log, "")
	return regexp.MustCompile(`127\.0\.0\.1:\d+`).ReplaceAllString(log, "127.0.0.1:PORT")
}

func TestServe(t *testing.T) {
	s := start(t, builtin.All, example, "--account", "123456789012", "--region", "eu-west-1", "--metrics-listen", "127.0.0.1:0")
	task := s.describe(t, s.audit(t, "LOGGING_DISABLED_CHECK"))
	if task.TaskStatus != model.AuditTaskStatusCompleted || task.AuditDetails["LOGGING_DISABLED_CHECK"].NonCompliantResourcesCount != 1 {
		t.Errorf("audit %+v", task)
	}
	created := s.must(t, "POST", "/audit/scheduledaudits/daily", `{"frequency": "DAILY", "targetCheckNames": ["LOGGING_DISABLED_CHECK"]}`)
	if want := `{"scheduledAuditArn":"arn:aws:iot:eu-west-1:123456789012:scheduledaudit/daily"}`; strings.TrimSpace(created) != want {
		t.Errorf("%s, want %s", created, want)
	}
	s.must(t, "GET", "/healthz", "")
	page := s.must(t, "GET", "/metrics", "")
	for _, want := range []string{
		`fleetaudit_audits_ended_total{status="COMPLETED",type="ON_DEMAND_AUDIT_TASK"} 1`,
		`fleetaudit_check_findings{check="LOGGING_DISABLED_CHECK",severity="LOW"} 1`,
		`fleetaudit_schedule_overdue_seconds{schedule="daily"} 0`,
		`fleetaudit_fleet_resources{kind="deviceCertificates"} 12`,
	} {
		if !strings.Contains(page, want+"\n") {
			t.Errorf("the metrics do not say %s:\n%s", want, page)
		}
	}
	if code := s.stop(); code != cli.ExitOK {
		t.Errorf("exit code %d", code)
	}
	golden(t, "golden/serve.txt", scrubbed(s.logged()))
}

// TestServeLogsJSON looks at each line of a log.
func TestServeLogsJSON(t *testing.T) {
	s := start(t, builtin.All, example, "--log-format", "json", "--log-level", "DEBUG")
	s.call(t, "GET", "/audit/nothing", "")
	s.must(t, "GET", "/audit/configuration", "")
	s.stop()
	messages := make(map[string]int)
	for line := range strings.Lines(s.logged()) {
		var record struct {
			Time       time.Time
			Level, Msg string
		}
		if err := json.Unmarshal([]byte(line), &record); err != nil || record.Time.IsZero() || record.Level == "" || record.Msg == "" {
			t.Errorf("%v: %s", err, line)
		}
		messages[record.Msg]++
	}
	if messages["request"] != 2 || messages["serving"] != 1 || messages["stopped"] != 1 {
		t.Errorf("messages %v", messages)
	}
}

func TestServePortTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	taken := l.Addr().String()
	for _, args := range [][]string{{"--listen", taken}, {"--listen", "127.0.0.1:0", "--metrics-listen", taken}} {
		got := run(t, append([]string{"serve", "testdata/sound"}, args...)...)
		want := result{code: cli.ExitError, stderr: "fleetaudit: " + args[len(args)-2] + ` "` + taken + "\": address already in use\n"}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(result{})); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestServeStoppedWhileReading(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("told to"))
	var stdout, stderr bytes.Buffer
	code := cli.Run(ctx, []string{"serve", example, "--listen", "127.0.0.1:0"}, nil, &stdout, &stderr)
	const want = "level=INFO msg=\"stopped while reading, nothing was served\" why=\"told to\"\n"
	if log := scrubbed(stderr.String()); code != cli.ExitOK || log != want {
		t.Errorf("exit code %d, log %s, want 0 and %s", code, log, want)
	}
}

// TestServeAccount looks at which account is served.
func TestServeAccount(t *testing.T) {
	for _, row := range []struct {
		files   string
		args    []string
		account string
		warned  bool
	}{
		{connected, nil, "000000000000", false},
		{`{"accounts": [` + anAccount + `]}`, nil, "123456789012", false},
		{`{"accounts": [` + anAccount + `]}`, []string{"--account", "000011112222"}, "000011112222", false},
		{`{"accounts": [` + anAccount + `, {"account": "000011112222"}]}`, nil, "000000000000", true},
	} {
		name := filepath.Join(t.TempDir(), "fleet.json")
		require.NoError(t, os.WriteFile(name, []byte(row.files), 0o600))
		s := start(t, builtin.All, append([]string{name}, row.args...)...)
		s.stop()
		if log := s.logged(); !strings.Contains(log, " account="+row.account+" ") || strings.Contains(log, "several accounts") != row.warned {
			t.Errorf("%s %v: want %s, warned %v:\n%s", row.files, row.args, row.account, row.warned, log)
		}
	}
}

// TestServeSideBySide has two programs in one process, neither of which knows of the other.
func TestServeSideBySide(t *testing.T) {
	a, b := start(t, builtin.All, example), start(t, builtin.All, "testdata/sound")
	a.audit(t, "LOGGING_DISABLED_CHECK")
	enabled := func(s *server) bool {
		return strings.Contains(s.must(t, "GET", "/audit/configuration", ""), `"enabled":true`)
	}
	if !enabled(a) || enabled(b) {
		t.Error("what one is told, the other knows")
	}
	if code := a.stop(); code != cli.ExitOK {
		t.Errorf("exit code %d", code)
	}
	b.must(t, "GET", "/healthz", "")
}

// TestServeThrottles calls until it is told that this is too often.
func TestServeThrottles(t *testing.T) {
	s := start(t, builtin.All, example, "--throttle")
	until(t, "it throttles", func() bool {
		status, body := s.call(t, "GET", "/audit/configuration", "")
		return status == http.StatusTooManyRequests && strings.Contains(body, "more often than 5 times a second")
	})
}

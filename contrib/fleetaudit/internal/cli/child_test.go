package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/cli"
	"github.com/fleetaudit/fleetaudit/model"
)

// childVariable names what this test program is when it is started as a child.
const childVariable = "FLEETAUDIT_TEST_CHILD"

// children are programs as main is one, with checks of their own. Each check of theirs finds something about everything.
var children = map[string]func(*inventory.Inventory) []checks.Check{
	// waits until nothing more comes from standard input, or it is told to stop
	"patient": func(inv *inventory.Inventory) []checks.Check {
		return []checks.Check{
			check("QUICK_CHECK", model.AuditFindingSeverityLow, func(_ context.Context, pass *checks.Pass, c *inventory.Certificate) error {
				report(pass, c)
				return nil
			})(inv),
			check("PATIENT_CHECK", model.AuditFindingSeverityHigh, func(ctx context.Context, pass *checks.Pass, c *inventory.Certificate) error {
				report(pass, c)
				io.WriteString(os.Stderr, "judging\n")
				end := make(chan struct{})
				go func() {
					io.Copy(io.Discard, os.Stdin)
					close(end)
				}()
				select {
				case <-end:
				case <-ctx.Done():
				}
				return ctx.Err()
			})(inv),
		}
	},
}

func TestMain(m *testing.M) {
	all, ok := children[os.Getenv(childVariable)]
	if !ok {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(cli.RunWith(ctx, all, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// child is a program that runs.
type child struct {
	*exec.Cmd
	stdin  io.WriteCloser
	url    string // if it serves
	stdout bytes.Buffer

	lines chan string // of standard error
	mu    sync.Mutex
	log   bytes.Buffer
}

// build builds the program as it is, and returns its name.
func build(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "fleetaudit")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", name, "../..").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return name
}

// startChild starts this program as one of the children, with args.
func startChild(t *testing.T, which string, args ...string) *child {
	t.Helper()
	program, err := os.Executable()
	require.NoError(t, err)
	c := exec.Command(program, args...)
	c.Env = append(os.Environ(), childVariable+"="+which)
	return begin(t, c)
}

// begin starts a program. When the test is over it is killed, if it still runs.
func begin(t *testing.T, cmd *exec.Cmd) *child {
	t.Helper()
	c := &child{Cmd: cmd, lines: make(chan string, 10_000)}
	var err error
	c.stdin, err = c.StdinPipe()
	require.NoError(t, err)
	stderr, err := c.StderrPipe()
	require.NoError(t, err)
	c.Stdout = &c.stdout
	require.NoError(t, c.Start())
	go func() {
		defer close(c.lines)
		for s := bufio.NewScanner(stderr); s.Scan(); {
			c.mu.Lock()
			c.log.WriteString(s.Text() + "\n")
			c.mu.Unlock()
			c.lines <- s.Text()
		}
	}()
	t.Cleanup(func() { c.kill() })
	return c
}

// logged returns what it has written to standard error.
func (c *child) logged() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.log.String()
}

// await waits for a line of standard error that has a text in it.
func (c *child) await(t *testing.T, text string) string {
	t.Helper()
	for line := range c.lines {
		if strings.Contains(line, text) {
			return line
		}
	}
	t.Fatalf("it has ended, and nothing says %s:\n%s", text, c.logged())
	return ""
}

// kill ends it at once.
func (c *child) kill() {
	if c.ProcessState == nil {
		c.Process.Kill()
		c.end()
	}
}

// end waits for its end, and returns what it exits with; -1: it was killed.
func (c *child) end() int {
	for range c.lines { // standard error is to be read before
	}
	c.Wait() // the error is that of the exit code
	return c.ProcessState.ExitCode()
}

// serving waits until it serves.
func (c *child) serving(t *testing.T) *child {
	t.Helper()
	line := c.await(t, "msg=serving")
	_, rest, ok := strings.Cut(line, " url=")
	require.True(t, ok, line)
	c.url, _, _ = strings.Cut(rest, " ")
	return c
}

// call sends a request of which the answer is wanted, with a status.
func (c *child) call(t *testing.T, status int, method, path, body string, headers ...string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, c.url+path, strings.NewReader(body))
	require.NoError(t, err)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, status, answer.StatusCode, "%s %s: %s", method, path, data)
	return strings.TrimSpace(string(data))
}

// start starts an audit, and returns its task id.
func (c *child) start(t *testing.T, check string, headers ...string) string {
	t.Helper()
	var out model.StartOnDemandAuditTaskOutput
	answer := c.call(t, 200, "POST", "/audit/tasks", `{"targetCheckNames": ["`+check+`"]}`, headers...)
	require.NoError(t, json.Unmarshal([]byte(answer), &out))
	return out.TaskID
}

// ended waits until an audit has ended, and returns it.
func (c *child) ended(t *testing.T, taskID string) (task model.DescribeAuditTaskOutput) {
	t.Helper()
	until(t, "the audit ends", func() bool {
		require.NoError(t, json.Unmarshal([]byte(c.call(t, 200, "GET", "/audit/tasks/"+taskID, "")), &task))
		return task.TaskStatus != model.AuditTaskStatusInProgress
	})
	return task
}

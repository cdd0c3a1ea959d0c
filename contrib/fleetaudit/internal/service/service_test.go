package service_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/fleet"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/service"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// wait is how long a test waits at most for what must happen.
const wait = 30 * time.Second

const (
	checkName = "SLOW_CHECK"
	connect   = `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iot:Connect", "Resource": "x"}}`
)

// running is a Service, and what its check waits for.
type running struct {
	*service.Service
	folder string
	judged chan struct{} // the check has a resource before it
	goOn   chan struct{} // closed: it may go on

	cancel context.CancelCauseFunc
	ended  chan error

	mu  sync.Mutex
	log bytes.Buffer
}

func (r *running) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(b)
}

func (r *running) logged() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.String()
}

// end waits until the Service has ended, and returns what Run did.
func (r *running) end() error {
	err := <-r.ended
	r.ended <- err
	return err
}

// newService makes a Service of one policy and one check, which judges when it is told to, with an API of its own.
func newService(t *testing.T, api http.Handler) *running {
	t.Helper()
	return newStoredService(t, api, nil)
}

// newStoredService is newService with a Store.
func newStoredService(t *testing.T, api http.Handler, store engine.Store) *running {
	t.Helper()
	r := &running{folder: t.TempDir(), judged: make(chan struct{}, 100), goOn: make(chan struct{}), ended: make(chan error, 1)}
	r.write(t, "a.json")
	log := slog.New(slog.NewTextHandler(r, nil))
	live, err := fleet.Open(t.Context(), []string{r.folder}, false, log)
	require.NoError(t, err)
	live.Rest = time.Millisecond
	spec := checks.Spec{
		Name: checkName, Severity: model.AuditFindingSeverityLow, ResourceType: model.ResourceTypeIoTPolicy,
		ReasonCodes: []checks.ReasonCode{{Code: "SLOW"}},
	}
	check := checks.Each(spec, live.Inventory.PolicyVersions, func(ctx context.Context, _ *checks.Pass, _ *inventory.PolicyVersion) error {
		r.judged <- struct{}{}
		select {
		case <-r.goOn:
		case <-ctx.Done():
		}
		return ctx.Err()
	})
	e, err := engine.New(engine.Config{Checks: []checks.Check{check}, EnableAll: true, Logger: log, Store: store})
	require.NoError(t, err)
	r.Service = &service.Service{Engine: e, Fleet: live, API: api, Log: log, Listener: listen(t), Metrics: listen(t)}
	return r
}

// start starts the Service.
func (r *running) start(t *testing.T) *running {
	ctx, cancel := context.WithCancelCause(context.Background())
	r.cancel = cancel
	go func() { r.ended <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel(errors.New("the test is over"))
		r.end()
		http.DefaultClient.CloseIdleConnections()
	})
	return r
}

func listen(t *testing.T) net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return l
}

func (r *running) write(t *testing.T, name string) {
	require.NoError(t, os.WriteFile(filepath.Join(r.folder, name), []byte(connect), 0o600))
}

// get asks for a page of a listener.
func get(t *testing.T, l net.Listener, path string, header ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", fmt.Sprintf("http://%v%s", l.Addr(), path), nil)
	require.NoError(t, err)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if host := r.Header.Get("Host"); host != "" {
		r.Host = host
	}
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer.StatusCode, string(data)
}

// TestFleetChangesWhileAnAuditRuns changes the files while a check is in the middle of them.
func TestFleetChangesWhileAnAuditRuns(t *testing.T) {
	r := newService(t, http.NotFoundHandler()).start(t)
	audit := func() string {
		out, err := r.Engine.StartOnDemandAuditTask(t.Context(), &model.StartOnDemandAuditTaskInput{TargetCheckNames: []string{checkName}})
		require.NoError(t, err)
		return out.TaskID
	}
	total := func(taskID string) int64 {
		task, err := r.Engine.WaitAuditTask(t.Context(), taskID)
		require.NoError(t, err)
		require.Equal(t, model.AuditTaskStatusCompleted, task.TaskStatus)
		return task.AuditDetails[checkName].TotalResourcesCount
	}
	before := audit()
	<-r.judged
	r.write(t, "b.json")
	require.Eventually(t, func() bool { return r.Fleet.Status().Resources.PolicyVersions == 2 }, wait, time.Millisecond)
	close(r.goOn)
	if n := total(before); n != 1 {
		t.Errorf("the audit that ran looked at %d policies, want 1", n)
	}
	if n := total(audit()); n != 2 {
		t.Errorf("the next audit looked at %d policies, want 2", n)
	}
	_, page := get(t, r.Metrics, "/metrics")
	for _, want := range []string{`fleetaudit_fleet_resources{kind="policyVersions"} 2`, `fleetaudit_audits_ended_total{status="COMPLETED",type="ON_DEMAND_AUDIT_TASK"} 2`} {
		if !strings.Contains(page, want+"\n") {
			t.Errorf("the metrics do not say %s:\n%s", want, page)
		}
	}
}

// TestWhatMustNotEnd ends what must not, and looks at what becomes of the rest.
func TestWhatMustNotEnd(t *testing.T) {
	for _, row := range []struct {
		name string
		end  func(*running)
		want string
	}{
		{"the engine", func(r *running) { r.Engine.Close() }, "starting scheduled audits: " + engine.ErrClosed.Error()},
		{"the listener", func(r *running) { r.Listener.Close() }, "use of closed network connection"},
		{"the listener for metrics", func(r *running) { r.Metrics.Close() }, "use of closed network connection"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newService(t, http.NotFoundHandler()).start(t)
			get(t, r.Listener, "/healthz")
			row.end(r)
			if err := r.end(); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("error %v, want %s", err, row.want)
			}
			for _, l := range []net.Listener{r.Listener, r.Metrics} {
				if c, err := net.Dial("tcp", l.Addr().String()); err == nil {
					c.Close()
					t.Errorf("%v still listens", l.Addr())
				}
			}
			if _, err := r.Engine.StartOnDemandAuditTask(t.Context(), &model.StartOnDemandAuditTaskInput{TargetCheckNames: []string{checkName}}); !errors.Is(err, engine.ErrClosed) {
				t.Errorf("the engine goes on: %v", err)
			}
		})
	}
}

// TestRequestsThatDoNotEnd has one that is cut off.
func TestRequestsThatDoNotEnd(t *testing.T) {
	there, gone := make(chan struct{}), make(chan struct{})
	r := newService(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(there)
		<-r.Context().Done()
		close(gone)
	}))
	r.Grace = time.Millisecond
	r.start(t)
	var client sync.WaitGroup
	defer client.Wait()
	client.Go(func() {
		if answer, err := http.Get("http://" + r.Listener.Addr().String() + "/audit"); err == nil {
			answer.Body.Close()
			t.Error("the request was answered")
		}
	})
	<-there
	r.cancel(errors.New("told to"))
	if err := r.end(); err != nil {
		t.Errorf("error %v", err)
	}
	<-gone
	if log := r.logged(); !strings.Contains(log, `level=WARN msg="requests were cut off" after=1ms`) || !strings.Contains(log, `msg=stopping why="told to"`) {
		t.Errorf("log:\n%s", log)
	}
}

// TestGrace has a request that does not end, for which a Service waits ten seconds if nothing else is said.
func TestGrace(t *testing.T) {
	for _, row := range []struct{ grace, want time.Duration }{{0, 10 * time.Second}, {time.Minute, time.Minute}} {
		synctest.Test(t, func(t *testing.T) {
			there := make(chan struct{})
			r := newService(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				close(there)
				<-r.Context().Done()
			}))
			r.Listener.Close()
			r.Metrics.Close()
			pipes := newPipeListener()
			r.Listener, r.Metrics, r.Grace = pipes, nil, row.grace
			r.start(t)
			conn := pipes.dial()
			defer conn.Close()
			_, err := io.WriteString(conn, "GET /audit HTTP/1.1\r\nHost: localhost\r\n\r\n")
			require.NoError(t, err)
			<-there
			began := time.Now()
			r.cancel(errors.New("told to"))
			if err := r.end(); err != nil {
				t.Errorf("error %v", err)
			}
			if took := time.Since(began); took != row.want {
				t.Errorf("grace %v: it stopped after %v, want %v", row.grace, took, row.want)
			}
		})
	}
}

// pipeListener listens within a program.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	close  sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

// dial waits until somebody accepts.
func (l *pipeListener) dial() net.Conn {
	client, server := net.Pipe()
	l.conns <- server
	return client
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.close.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }

// TestPages asks for the service's own pages.
func TestPages(t *testing.T) {
	r := newService(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "AWS ", r.URL.Path) })).start(t)
	refused := func(why string) string {
		return "metrics are served to this machine only, and this request is not of it: " + why + ". --metrics-listen serves them to others\n"
	}
	host := func(h string) string {
		return refused("its Host \"" + h + "\" is neither localhost nor a loopback address")
	}
	proxy := func(h string) string {
		return refused("its header \"" + h + "\" says that a proxy asks for somebody else")
	}
	for _, row := range []struct {
		at     net.Listener
		path   string
		header []string
		status int
		body   string // empty: whatever it is
	}{
		{r.Listener, "/healthz", nil, 200, `{"status":"ok"}` + "\n"},
		{r.Listener, "/healthz?x", nil, 200, `{"status":"ok"}` + "\n"},
		{r.Listener, "/healthz/", nil, 200, "AWS /healthz/"},
		{r.Listener, "/", nil, 200, "AWS /"},
		{r.Listener, "//metrics", nil, 200, "AWS //metrics"},
		{r.Listener, "/audit/../metrics", nil, 200, "AWS /audit/../metrics"},
		{r.Listener, "/metrics", nil, 200, ""},
		{r.Listener, "/metrics", []string{"Host", "localhost"}, 200, ""},
		{r.Listener, "/metrics", []string{"Host", "LOCALHOST:8080"}, 200, ""},
		{r.Listener, "/metrics", []string{"Host", "[::1]"}, 200, ""},
		{r.Listener, "/metrics", []string{"Host", "[::1]:80"}, 200, ""},
		{r.Listener, "/metrics", []string{"Host", "127.0.0.1"}, 200, ""},
		{r.Listener, "/metrics", []string{"Host", "fleet.example"}, 403, host("fleet.example")},
		{r.Listener, "/metrics", []string{"Host", "192.0.2.1:80"}, 403, host("192.0.2.1:80")},
		{r.Listener, "/metrics", []string{"Host", "localhost.example"}, 403, host("localhost.example")},
		{r.Listener, "/metrics", []string{"X-Forwarded-For", "192.0.2.1"}, 403, proxy("X-Forwarded-For")},
		{r.Listener, "/metrics", []string{"Forwarded", "for=192.0.2.1"}, 403, proxy("Forwarded")},
		{r.Listener, "/healthz", []string{"X-Forwarded-For", "192.0.2.1"}, 200, ""},
		{r.Metrics, "/healthz", nil, 200, `{"status":"ok"}` + "\n"},
		{r.Metrics, "/metrics", []string{"X-Forwarded-For", "192.0.2.1", "Host", "fleet.example"}, 200, ""},
		{r.Metrics, "/audit/configuration", nil, 404, ""},
		{r.Metrics, "/", nil, 404, ""},
	} {
		status, body := get(t, row.at, row.path, row.header...)
		if status != row.status || row.body != "" && body != row.body {
			t.Errorf("%s %v: %d %q, want %d %q", row.path, row.header, status, body, row.status, row.body)
		}
	}
	answer, err := http.Get("http://" + r.Listener.Addr().String() + "/healthz")
	require.NoError(t, err)
	answer.Body.Close()
	if kind, cache := answer.Header.Get("Content-Type"), answer.Header.Get("Cache-Control"); kind != "application/json" || cache != "no-store" {
		t.Errorf("/healthz: Content-Type %q, Cache-Control %q", kind, cache)
	}
	for _, path := range []string{"/healthz", "/metrics"} {
		answer, err := http.Post("http://"+r.Listener.Addr().String()+path, "", nil)
		require.NoError(t, err)
		answer.Body.Close()
		if allow := answer.Header.Get("Allow"); answer.StatusCode != http.StatusMethodNotAllowed || allow != "GET, HEAD" {
			t.Errorf("POST %s: %s, allowed %s", path, answer.Status, allow)
		}
	}
}

// TestPathsAreNotAWS looks for an operation that the service's own pages would hide.
func TestPathsAreNotAWS(t *testing.T) {
	for _, op := range engine.Operations() {
		for _, path := range service.Paths {
			if first, _, _ := strings.Cut(strings.TrimPrefix(op.Path, "/"), "/"); "/"+first == path || strings.HasPrefix(first, "{") {
				t.Errorf("%s is at %s, which hides %s", path, op.Path, op.Name)
			}
		}
	}
}

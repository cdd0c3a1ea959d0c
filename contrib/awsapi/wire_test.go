package awsapi_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/contrib/awsapi"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// newAccount makes an Engine with OK_CHECK, which finds nothing, and DEVICE_CHECK, which finds three pumps.
func newAccount(t testing.TB) *engine.Engine {
	spec := func(name string) checks.Spec {
		return checks.Spec{Name: name, Severity: model.AuditFindingSeverityLow, ResourceType: model.ResourceTypeClientID,
			ReasonCodes: []checks.ReasonCode{{Code: "WEAK"}}}
	}
	pumps := checks.Slice("pumps", []string{"pump-1", "pümpe-2", `"pump"<3>`})
	e, err := engine.New(engine.Config{
		EnableAll: true, MaxScheduledAudits: 2,
		Checks: []checks.Check{
			checks.New(spec("OK_CHECK"), func(context.Context, *checks.Pass) error { return nil }),
			checks.Each(spec("DEVICE_CHECK"), pumps, func(_ context.Context, pass *checks.Pass, id *string) error {
				pump := model.NonCompliantResource{ResourceIdentifier: model.ResourceIdentifier{ClientID: *id}}
				pass.Report(checks.Finding{Resource: pump, ReasonCode: "WEAK"})
				return nil
			}),
		},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	return e
}

// wire is a connection to a server, as bytes.
type wire struct {
	net.Conn
	answers *bufio.Reader
}

// serve starts a server with the limits of awsapi.Server, and returns its address.
func serve(t testing.TB, c awsapi.Config) string {
	h, err := awsapi.Handler(c)
	require.NoError(t, err)
	s := httptest.NewUnstartedServer(nil)
	s.Config = awsapi.Server(h)
	s.Start()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func dial(t testing.TB, addr string) wire {
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return wire{conn, bufio.NewReader(conn)}
}

// pipes are connections in memory, which a bubble can wait for.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes"} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.conns <- far:
		return near, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

var uuid = regexp.MustCompile(`\A[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\z`)

// answer reads an answer to a request of that method, and wants it to be such as every answer has to be.
func (w wire) answer(t testing.TB, method string) (*http.Response, string) {
	t.Helper()
	a, err := http.ReadResponse(w.answers, &http.Request{Method: method})
	require.NoError(t, err)
	body, err := io.ReadAll(a.Body)
	require.NoError(t, err)
	shown := string(body)
	if method == http.MethodHead { // whose answers have none
		require.Empty(t, shown)
		shown = `{"message":"none"}`
	}
	requireShape(t, a.StatusCode, a.Header, shown)
	return a, string(body)
}

// requireShape wants what all answers have in common.
func requireShape(t testing.TB, status int, header http.Header, body string) {
	t.Helper()
	require.Regexp(t, uuid, header.Get("x-amzn-RequestId"))
	require.Equal(t, "application/json", header.Get("Content-Type"))
	code := header.Get("x-amzn-ErrorType")
	if status == http.StatusOK {
		require.Empty(t, code)
		return
	}
	require.GreaterOrEqual(t, status, 400)
	require.Regexp(t, `\A[A-Za-z]+Exception\z`, code)
	require.Regexp(t, `\A\{"message":".+"`, body)
}

// script runs a case of testdata/wire.txt, line by line.
type script struct {
	t     *testing.T
	wire  wire
	names map[string]string

	method  string // of the last request
	request []string
	body    string
	got     *http.Response // to it; nil: it is not sent yet
}

func (s *script) line(line string) {
	for name, value := range s.names {
		line = strings.ReplaceAll(line, "<"+name+">", value)
	}
	want, expects := strings.CutPrefix(line, "  ")
	switch {
	case expects && s.got == nil:
		s.send()
		a, body := s.wire.answer(s.t, s.method)
		s.got = a
		s.answered(want, fmt.Sprintf("%d %s", a.StatusCode, body))
	case expects:
		name, value, _ := strings.Cut(want, ": ")
		if diff := cmp.Diff(value, s.got.Header.Get(name)); diff != "" {
			s.t.Errorf("%s: %s (-want +got):\n%s", s.request[0], name, diff)
		}
	case s.request == nil || s.got != nil:
		s.method, _, _ = strings.Cut(line, " ")
		s.request, s.body, s.got = []string{line + " HTTP/1.1", "Host: localhost"}, "", nil
	case strings.HasPrefix(line, `"`):
		body, err := strconv.Unquote(line)
		require.NoError(s.t, err, line)
		s.body = body
	case regexp.MustCompile(`\A[A-Z][A-Za-z-]+: `).MatchString(line):
		s.request = append(s.request, line)
	default:
		s.body = line
	}
}

func (s *script) send() {
	if s.body != "" {
		s.request = append(s.request, fmt.Sprint("Content-Length: ", len(s.body)))
	}
	_, err := io.WriteString(s.wire, strings.Join(s.request, "\r\n")+"\r\n\r\n"+s.body)
	require.NoError(s.t, err)
}

var placeholder = regexp.MustCompile(`<[a-z]+>`)

func (s *script) answered(want, got string) {
	pattern := placeholder.ReplaceAllStringFunc(regexp.QuoteMeta(want), func(name string) string {
		return "(?P" + name + `([^"\\]|\\.)+)`
	})
	re := regexp.MustCompile(`\A` + pattern + `\z`)
	match := re.FindStringSubmatch(got)
	if match == nil {
		s.t.Errorf("%s (-want +got):\n%s", s.request[0], cmp.Diff(want, got))
		return
	}
	for i, name := range re.SubexpNames() {
		if name != "" {
			s.names[name] = match[i]
		}
	}
}

// TestWire sends what clients send, and wants what they understand.
func TestWire(t *testing.T) {
	text, err := os.ReadFile("testdata/wire.txt")
	require.NoError(t, err)
	cases := strings.Split("\n"+string(text), "\n== ")[1:]
	require.Greater(t, len(cases), 15)
	for _, c := range cases {
		lines := strings.Split(strings.TrimSpace(c), "\n")
		t.Run(lines[0], func(t *testing.T) {
			s := script{t: t, wire: dial(t, serve(t, awsapi.Config{Engine: newAccount(t)})), names: make(map[string]string)}
			for _, line := range lines[1:] {
				s.line(line)
			}
			require.NotNil(t, s.got, "the last request has no answer")
		})
	}
}

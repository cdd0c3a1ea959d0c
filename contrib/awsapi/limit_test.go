package awsapi_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/awsapi"
	"github.com/fleetaudit/fleetaudit/engine"
)

// counted is a listener that counts what its connections read.
type counted struct {
	net.Listener
	read *atomic.Int64
}

func (l counted) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return countedConn{c, l.read}, err
}

type countedConn struct {
	net.Conn
	read *atomic.Int64
}

func (c countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.read.Add(int64(n))
	return n, err
}

// TestLargeBodies: what is larger than it may be is refused, and little of it is read.
func TestLargeBodies(t *testing.T) {
	h, err := awsapi.Handler(awsapi.Config{Engine: newAccount(t), MaxBody: 100_000})
	require.NoError(t, err)
	const huge = 100_000_000
	chunk := strings.Repeat("[", 1<<16)
	for _, row := range []struct {
		name, line, length string
		chunked            bool
		status             int
		code               string
		slack              int64 // what is read beyond the limit
	}{
		{"length", findings, fmt.Sprint("Content-Length: ", huge), false, 413, "RequestEntityTooLargeException", -100_000 + 4096},
		{"chunks", findings, "Transfer-Encoding: chunked", true, 413, "RequestEntityTooLargeException", 8192},
		{"no operation", "POST /nowhere HTTP/1.1", "Transfer-Encoding: chunked", true, 404, "UnknownOperationException", 600_000},
		{"headers", findings, "X-Large: " + strings.Repeat("x", huge/100), false, 431, "", 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel() // the server waits a little before it closes a connection on somebody who still sends
			var read atomic.Int64
			s := httptest.NewUnstartedServer(nil)
			s.Config = awsapi.Server(h)
			s.Listener = counted{s.Listener, &read}
			s.Start()
			t.Cleanup(s.Close)
			w := dial(t, s.Listener.Addr().String())
			sent := make(chan struct{})
			go func() { // until the server has had enough
				defer close(sent)
				_, err := io.WriteString(w, row.line+"\r\nHost: localhost\r\n"+row.length+"\r\n\r\n")
				for n := 0; n < huge && err == nil; n += len(chunk) {
					body := chunk
					if row.chunked {
						body = fmt.Sprintf("%x\r\n%s\r\n", len(chunk), chunk)
					}
					_, err = io.WriteString(w, body)
				}
			}()
			a, err := http.ReadResponse(w.answers, nil)
			require.NoError(t, err)
			require.Equal(t, row.status, a.StatusCode)
			require.Equal(t, row.code, a.Header.Get("x-amzn-ErrorType"))
			require.True(t, a.Close)
			w.Close()
			<-sent
			require.LessOrEqual(t, read.Load(), 100_000+row.slack)
		})
	}
}

// TestBodyLimit: a body may be as large as the limit, and no larger, however it comes.
func TestBodyLimit(t *testing.T) {
	addr := serve(t, awsapi.Config{Engine: newAccount(t), MaxBody: 1000})
	for _, size := range []int{1000, 1001} {
		body := "{}" + strings.Repeat(" ", size-2)
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		io.WriteString(z, body)
		require.NoError(t, z.Close())
		for _, row := range []struct {
			body  string
			lines []string
		}{
			{body, []string{fmt.Sprint("Content-Length: ", size)}},
			{fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", size, body), []string{"Transfer-Encoding: chunked"}},
			{b.String(), []string{fmt.Sprint("Content-Length: ", b.Len()), "Content-Encoding: gzip"}},
		} {
			w := dial(t, addr)
			w.write(t, row.body, append([]string{"POST /audit/suppressions/list HTTP/1.1", "Host: localhost"}, row.lines...)...)
			a, text := w.answer(t, "POST")
			if size == 1000 {
				require.Equal(t, 200, a.StatusCode, "%v %s", row.lines, text)
			} else {
				require.Equal(t, 413, a.StatusCode, "%v %s", row.lines, text)
				require.Contains(t, text, "the body may have 1000 bytes, and has ")
			}
		}
	}
}

// TestCheapRefusals: what unpacks to eight megabytes, and what is nested a million deep, takes little memory.
func TestCheapRefusals(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	zeros := make([]byte, 1<<20)
	for range 8 {
		z.Write(zeros)
	}
	require.NoError(t, z.Close())
	deep := `{"x":` + strings.Repeat("[", 1<<20-5)
	for _, row := range []struct {
		body, encoding string
		status         int
		most           uint64 // bytes
	}{
		{bomb.String(), "gzip", 413, 10 << 20},
		{deep, "", 400, 10 << 20},
		{strings.Repeat(`{"x":`, 1<<17), "", 400, 10 << 20},
		{`{"targetCheckNames":[` + strings.Repeat(`"",`, 300_000) + `""]}`, "", 400, 10 << 20},
		{`{"targetCheckNames":[` + strings.Repeat(`1,`, 500_000) + `""]}`, "", 400, 10 << 20},
	} {
		h, err := awsapi.Handler(awsapi.Config{Engine: newAccount(t)})
		require.NoError(t, err)
		r := here("POST", "/audit/tasks", strings.NewReader(row.body))
		r.Header.Set("Content-Encoding", row.encoding)
		a := httptest.NewRecorder()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		h.ServeHTTP(a, r)
		runtime.ReadMemStats(&after)
		require.Equal(t, row.status, a.Code, a.Body)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, row.most, "%.20s", row.body)
	}
}

// hiding gives h a ResponseWriter that has no Unwrap method.
func hiding(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(struct{ http.ResponseWriter }{w}, r)
	})
}

// inMemory is a server in a bubble, for one connection.
type inMemory struct {
	config     awsapi.Config // without Credentials
	operations []engine.Operation
	wrap       func(http.Handler) http.Handler // nil: nothing is before the handler
	limit      func(*http.Server)              // nil: as awsapi.Server has it
}

func (m inMemory) serve(t *testing.T, use func(t *testing.T, conn net.Conn)) {
	synctest.Test(t, func(t *testing.T) {
		account := awsapi.Credential{SecretAccessKey: "hunter2", Engine: newAccount(t)}
		m.config.Credentials = func(context.Context, string) (awsapi.Credential, error) { return account, nil }
		h, err := awsapi.HandlerOf(m.config, m.operations...)
		require.NoError(t, err)
		if m.wrap != nil {
			h = m.wrap(h)
		}
		s, p := awsapi.Server(h), newPipes()
		if m.limit != nil {
			m.limit(s)
		}
		go s.Serve(p)
		defer s.Close()
		conn, err := p.dial(t.Context(), "", "")
		require.NoError(t, err)
		use(t, conn)
	})
}

// signedHead is the head of a request that is signed for an empty body, with a line that says how long the body is.
func signedHead(t *testing.T, length string) string {
	r := signed(t, "AKID", "hunter2")
	return fmt.Sprintf("GET %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: %s\r\nX-Amz-Date: %s\r\n%s\r\n\r\n",
		r.URL.RequestURI(), r.Header.Get("Authorization"), r.Header.Get("X-Amz-Date"), length)
}

// TestSlowClients: who sends or reads a byte a second is cut off, wherever it dawdles.
func TestSlowClients(t *testing.T) {
	const head = "POST /audit/suppressions/list HTTP/1.1\r\nHost: localhost\r\n"
	const unread = "POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"
	const late = `408 {"message":"the body did not arrive within `
	five := awsapi.Config{BodyTimeout: 5 * time.Second}
	for _, row := range []struct {
		name   string
		config awsapi.Config
		hidden bool   // the connection, from the handler
		at     string // one byte, and after a second the rest; then bytes, one a second; empty: a signed request, but its body
		want   string // what the answer begins with; empty: none
		within time.Duration
	}{
		{"in the header", five, false, head + "X-Slow: ", "", 10 * time.Second},
		{"in the body", five, false, "", late + `5s"}`, 6 * time.Second},
		{"in the body, by default", awsapi.Config{}, false, "", late + `10s"}`, 11 * time.Second},
		{"in the body, behind a wrapper", five, true, "", late + `the server's time"}`, time.Minute},
		{"in a body that nobody reads", five, false, unread, "404 ", 6 * time.Second},
		{"in a body that nobody reads, behind a wrapper", five, true, unread, "404 ", time.Minute},
		{"before its next request", five, false, "GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n", "404 ", 15 * time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := inMemory{config: row.config, operations: engine.Operations()}
			if row.hidden {
				m.wrap = hiding
			}
			m.serve(t, func(t *testing.T, conn net.Conn) {
				start := time.Now()
				if row.at == "" {
					row.at = signedHead(t, "Content-Length: 1000")
				}
				answered := make(chan string, 1)
				go func() {
					if a, err := http.ReadResponse(bufio.NewReader(conn), nil); err == nil {
						body, _ := io.ReadAll(a.Body)
						answered <- fmt.Sprint(a.StatusCode, " ", string(body))
					}
					close(answered)
					io.Copy(io.Discard, conn)
				}()
				_, err := io.WriteString(conn, row.at[:1])
				for rest := row.at[1:]; err == nil; rest = "x" {
					time.Sleep(time.Second)
					_, err = io.WriteString(conn, rest)
				}
				got := <-answered
				require.True(t, strings.HasPrefix(got, row.want) && (row.want == "") == (got == ""), got)
				took := time.Since(start)
				require.GreaterOrEqual(t, took, row.within-time.Second)
				require.LessOrEqual(t, took, row.within+2*time.Second)
			})
		})
	}
}

// TestHiddenConnection: that bodies have the server's time only is told once, when the first comes.
func TestHiddenConnection(t *testing.T) {
	unwrapping := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(&statusWriter{w, func(int) {}}, r) })
	}
	for _, row := range []struct {
		wrap  func(http.Handler) http.Handler
		times int
	}{{hiding, 1}, {unwrapping, 0}} {
		var log bytes.Buffer
		h := newHandler(t, awsapi.Config{Engine: newAccount(t), Logger: slog.New(slog.NewTextHandler(&log, nil))})
		url := listen(t, row.wrap(h))
		answer, err := http.Get(url + "/audit/scheduledaudits")
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Empty(t, log.String(), "there was no body yet")
		for range 2 {
			answer, err := http.Post(url+"/audit/suppressions/list", "", strings.NewReader("{}"))
			require.NoError(t, err)
			require.NoError(t, answer.Body.Close())
			require.Equal(t, 200, answer.StatusCode)
		}
		require.Equal(t, row.times, strings.Count(log.String(), `level=WARN msg="Config.BodyTimeout has no effect`), log.String())
		require.Equal(t, row.times, strings.Count(log.String(), "\n"), log.String())
	}
}

// TestSlowReader: a client that takes a large answer byte by byte is cut off, and one that says nothing more is, too.
func TestSlowReader(t *testing.T) {
	large := broken(func(context.Context) (any, error) { return strings.Repeat("x", 1<<20), nil })
	for _, n := range []int64{1, 1 << 30} {
		inMemory{operations: []engine.Operation{large}}.serve(t, func(t *testing.T, conn net.Conn) {
			start := time.Now()
			require.NoError(t, signed(t, "AKID", "hunter2").Write(conn))
			var err error
			for err == nil {
				_, err = io.CopyN(io.Discard, conn, n)
				time.Sleep(time.Second)
			}
			require.LessOrEqual(t, time.Since(start), 2*time.Minute+2*time.Second)
		})
	}
}

// TestLongCall: the time that a body may take, the handler's or the server's, is not that of the call, also when the host
// reads the body ahead.
func TestLongCall(t *testing.T) {
	long := broken(func(ctx context.Context) (any, error) {
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(30 * time.Second):
			return struct{}{}, nil
		}
	})
	ahead := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err == nil {
				r.Body = io.NopCloser(bytes.NewReader(body))
				h.ServeHTTP(w, r)
			}
		})
	}
	for _, wrap := range []func(http.Handler) http.Handler{nil, ahead, hiding} {
		inMemory{
			config:     awsapi.Config{BodyTimeout: 5 * time.Second},
			operations: []engine.Operation{long},
			wrap:       wrap,
			limit:      func(s *http.Server) { s.ReadTimeout = 10 * time.Second },
		}.serve(t, func(t *testing.T, conn net.Conn) {
			w := wire{conn, nil}
			w.answers = bufio.NewReader(w)
			for range 2 {
				_, err := io.WriteString(w, signedHead(t, "Transfer-Encoding: chunked")+"0\r\n\r\n")
				require.NoError(t, err)
				a, body := w.answer(t, "GET")
				require.Equal(t, 200, a.StatusCode, body)
			}
			w.Close()
		})
	}
}

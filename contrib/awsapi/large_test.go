package awsapi_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks/builtin"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/contrib/awsapi"
	"github.com/fleetaudit/fleetaudit/engine"
)

// TestManyLargeBodies has as many large bodies on their way as may be. One more is refused, small ones are not.
func TestManyLargeBodies(t *testing.T) {
	const small, most = 64 << 10, 32
	e, err := engine.New(engine.Config{Checks: builtin.All(inventory.New(inventory.Contents{}))})
	require.NoError(t, err)
	defer e.Close()
	h, err := awsapi.Handler(awsapi.Config{Engine: e, BodyTimeout: time.Hour})
	require.NoError(t, err)
	s := httptest.NewServer(h)
	defer s.Close()
	post := func(size int) int {
		body := "{" + strings.Repeat(" ", size-2) + "}"
		answer, err := s.Client().Post(s.URL+"/audit/suppressions/list", "application/json", strings.NewReader(body))
		require.NoError(t, err)
		defer answer.Body.Close()
		told, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		if answer.StatusCode == http.StatusServiceUnavailable {
			require.Equal(t, `{"message":"32 requests with bodies of more than 65536 bytes are being served: try again"}`, string(told))
		}
		return answer.StatusCode
	}
	// One that is large only when it is unpacked.
	packed := func() int {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, err := io.WriteString(w, "{"+strings.Repeat(" ", small)+"}")
		require.NoError(t, err)
		require.NoError(t, w.Close())
		r, err := http.NewRequest("POST", s.URL+"/audit/suppressions/list", &b)
		require.NoError(t, err)
		r.Header.Set("Content-Encoding", "gzip")
		answer, err := s.Client().Do(r)
		require.NoError(t, err)
		defer answer.Body.Close()
		return answer.StatusCode
	}
	for range most + 1 { // one after the other
		require.Equal(t, http.StatusOK, post(small+1))
		require.Equal(t, http.StatusOK, packed())
	}

	// One more than there may be at once: whichever comes last is refused, while the others are on their way.
	type answer struct {
		conn   int
		status int
	}
	var slow []net.Conn
	answers := make(chan answer, most+1)
	for i := range most + 1 {
		conn, err := net.Dial("tcp", s.Listener.Addr().String())
		require.NoError(t, err)
		defer conn.Close()
		_, err = fmt.Fprintf(conn, "POST /audit/suppressions/list HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n{%s",
			small+10, strings.Repeat(" ", small))
		require.NoError(t, err)
		slow = append(slow, conn)
		go func() {
			r, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				answers <- answer{i, 0}
				return
			}
			answers <- answer{i, r.StatusCode}
		}()
	}
	refused := <-answers
	require.Equal(t, http.StatusServiceUnavailable, refused.status)
	require.Equal(t, http.StatusServiceUnavailable, post(small+1))
	require.Equal(t, http.StatusServiceUnavailable, packed())
	require.Equal(t, http.StatusOK, post(small))
	for i, conn := range slow {
		if i != refused.conn {
			_, err := io.WriteString(conn, strings.Repeat(" ", 8)+"}")
			require.NoError(t, err)
		}
	}
	for range most {
		require.Equal(t, http.StatusOK, (<-answers).status)
	}
	require.Equal(t, http.StatusOK, post(small+1))
}

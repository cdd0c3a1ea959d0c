package cli_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/builtin"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/cli"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

var slowSpec = checks.Spec{
	Name: "SLOW_CHECK", Severity: model.AuditFindingSeverityLow, ResourceType: model.ResourceTypeDeviceCertificate,
	ReasonCodes: []checks.ReasonCode{{Code: "SLOW"}},
}

// TestServeAnswersWhatIsInFlight tells a program to stop while half of a request is there.
func TestServeAnswersWhatIsInFlight(t *testing.T) {
	s := start(t, builtin.All, example, "--metrics-listen", "127.0.0.1:0")
	const body = `{"roleArn": "arn:aws:iam::123456789012:role/audit", "auditCheckConfigurations": {"LOGGING_DISABLED_CHECK": {"enabled": true}}}`
	host := strings.TrimPrefix(s.url, "http://")
	conn, err := net.Dial("tcp", host)
	require.NoError(t, err)
	defer conn.Close()
	// Who waits for the word to go on has been seen.
	_, err = fmt.Fprintf(conn, "PATCH /audit/configuration HTTP/1.1\r\nHost: %s\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", host, len(body))
	require.NoError(t, err)
	answers := bufio.NewReader(conn)
	first, err := http.ReadResponse(answers, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusContinue, first.StatusCode)

	s.cancel(errors.New("told to"))
	s.await(t, "msg=stopping")
	pages := "http://" + strings.TrimSuffix(s.metrics(t), "/metrics")
	until(t, "it says that it stops", func() bool {
		answer, err := s.client.Get(pages + "/healthz")
		require.NoError(t, err)
		defer answer.Body.Close()
		data, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		return answer.StatusCode == http.StatusServiceUnavailable && string(data) == `{"status":"stopping"}`+"\n"
	})
	until(t, "it accepts no more", func() bool {
		c, err := net.Dial("tcp", host)
		if err == nil {
			c.Close()
		}
		return err != nil
	})

	_, err = io.WriteString(conn, body)
	require.NoError(t, err)
	answer, err := http.ReadResponse(answers, nil)
	require.NoError(t, err)
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("answer %s", answer.Status)
	}
	if code := s.stop(); code != cli.ExitOK {
		t.Errorf("exit code %d:\n%s", code, s.logged())
	}
}

// metrics returns where a program's metrics are, as its log says.
func (s *server) metrics(t *testing.T) string {
	_, rest, ok := strings.Cut(s.logged(), " metrics=http://")
	require.True(t, ok, s.logged())
	at, _, _ := strings.Cut(rest, "\n")
	return at
}

// TestServeCancelsWhatRuns tells a program to stop while a check runs.
func TestServeCancelsWhatRuns(t *testing.T) {
	running, cause := make(chan struct{}), make(chan error, 1)
	s := start(t, func(*inventory.Inventory) []checks.Check {
		return []checks.Check{checks.New(slowSpec, func(ctx context.Context, _ *checks.Pass) error {
			close(running)
			<-ctx.Done()
			cause <- context.Cause(ctx)
			return ctx.Err()
		})}
	}, example)
	s.audit(t, slowSpec.Name)
	<-running
	if code := s.stop(); code != cli.ExitOK {
		t.Errorf("exit code %d:\n%s", code, s.logged())
	}
	if err := <-cause; !errors.Is(err, engine.ErrClosed) {
		t.Errorf("the check ended because of %v, want %v", err, engine.ErrClosed)
	}
}

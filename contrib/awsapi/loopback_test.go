package awsapi_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks/builtin"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/contrib/awsapi"
	"github.com/fleetaudit/fleetaudit/engine"
)

func TestLocal(t *testing.T) {
	tcp := func(ip string) net.Addr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: 8080} }
	const fromPage = "it is of a web page: cross-origin request detected"
	host := func(h string) string { return "its Host " + h + " is neither localhost nor a loopback address" }
	proxy := func(h string) string { return `its header "` + h + `" says that a proxy asks for somebody else` }
	for _, row := range []struct {
		name    string
		remote  string   // empty: 127.0.0.1:50000
		local   net.Addr // nil: 127.0.0.1:8080
		host    string   // empty: localhost:8080
		headers []string // names and values
		why     string   // empty: it is local
	}{
		{name: "localhost"},
		{name: "other loopback addresses", remote: "127.9.9.9:1", local: tcp("127.1.2.3"), host: "127.8.8.8:8080"},
		{name: "IPv6", remote: "[::1]:50000", local: tcp("::1"), host: "[::1]:8080"},
		{name: "IPv6 without a port", remote: "[::1]:50000", local: tcp("::1"), host: "[::1]"},
		{name: "IPv6 with a zone", remote: "[::1%lo]:50000", local: &net.TCPAddr{IP: net.IPv6loopback, Zone: "lo"}},
		{name: "IPv4 in IPv6", remote: "[::ffff:127.0.0.1]:1", local: tcp("::ffff:127.0.0.1"), host: "[::ffff:127.0.0.1]:1"},
		{name: "no port", host: "localhost"},
		{name: "a dot", host: "localhost.:8080"},
		{name: "capitals", host: "LocalHost:8080"},
		{name: "below localhost", host: "iot.eu-west-1.localhost:8080"},
		{name: "an address without a port", host: "127.0.0.1"},
		{name: "a socket of Unix", remote: "@", local: &net.UnixAddr{Name: "/run/audit.sock", Net: "unix"}},
		{name: "a socket of Unix without a peer's name", remote: "", local: &net.UnixAddr{Net: "unix"}},
		{name: "what clients send", headers: []string{"Authorization", "x", "X-Amz-Date", "x", "User-Agent", "x"}},
		{name: "a page of its own", headers: []string{"Sec-Fetch-Site", "same-origin", "Origin", "http://localhost:8080"}},
		{name: "typed into a browser", headers: []string{"Sec-Fetch-Site", "none"}},
		{name: "an older browser's page of its own", headers: []string{"Origin", "http://localhost:8080"}},

		{name: "from elsewhere", remote: "192.0.2.1:50000", why: `it comes from "192.0.2.1:50000"`},
		{name: "from elsewhere over IPv6", remote: "[2001:db8::1]:50000", why: `it comes from "[2001:db8::1]:50000"`},
		{name: "from a private network", remote: "10.0.0.1:50000", why: `it comes from "10.0.0.1:50000"`},
		{name: "from a link-local address", remote: "[fe80::1%eth0]:50000", why: `it comes from "[fe80::1%eth0]:50000"`},
		{name: "from elsewhere in IPv6", remote: "[::ffff:192.0.2.1]:1", why: `it comes from "[::ffff:192.0.2.1]:1"`},
		{name: "from a name", remote: "localhost:50000", why: `it comes from "localhost:50000"`},
		{name: "from an address without a port", remote: "127.0.0.1", why: `it comes from "127.0.0.1"`},
		{name: "from nowhere", remote: "@", why: `it comes from "@"`},
		{name: "to an address that others reach", local: tcp("192.0.2.2"), why: "it did not come in at a loopback address"},
		{name: "to any address", local: tcp("0.0.0.0"), why: "it did not come in at a loopback address"},
		{name: "another name", host: "evil.example:8080", why: host(`"evil.example:8080"`)},
		{name: "this machine's name on its network", host: "192.0.2.2:8080", why: host(`"192.0.2.2:8080"`)},
		{name: "any address as a name", host: "0.0.0.0:8080", why: host(`"0.0.0.0:8080"`)},
		{name: "a name that ends in localhost", host: "evillocalhost", why: host(`"evillocalhost"`)},
		{name: "a name that begins with localhost", host: "localhost.evil.example", why: host(`"localhost.evil.example"`)},
		{name: "a name that begins as an address", host: "127.0.0.1.nip.io", why: host(`"127.0.0.1.nip.io"`)},
		{name: "two dots", host: "localhost..", why: host(`"localhost.."`)},
		{name: "an address in decimal", host: "2130706433", why: host(`"2130706433"`)},
		{name: "a user", host: "localhost@evil.example", why: host(`"localhost@evil.example"`)},
		{name: "no name", host: "-", why: "it has no Host"},
		{name: "X-Forwarded-For", headers: []string{"X-Forwarded-For", "192.0.2.1"}, why: proxy("X-Forwarded-For")},
		{name: "X-Forwarded-Host, empty", headers: []string{"X-Forwarded-Host", ""}, why: proxy("X-Forwarded-Host")},
		{name: "Forwarded", headers: []string{"Forwarded", "for=192.0.2.1"}, why: proxy("Forwarded")},
		{name: "X-Real-IP", headers: []string{"X-Real-IP", "127.0.0.1"}, why: proxy("X-Real-Ip")},
		{name: "Via", headers: []string{"Via", "1.1 proxy"}, why: proxy("Via")},
		{name: "another page", headers: []string{"Sec-Fetch-Site", "cross-site"},
			why: fromPage + " from Sec-Fetch-Site header"},
		{name: "a page at another port", headers: []string{"Sec-Fetch-Site", "same-site"},
			why: fromPage + " from Sec-Fetch-Site header"},
		{name: "an older browser's page", headers: []string{"Origin", "http://localhost:3000"},
			why: fromPage + ", and/or browser is out of date: Sec-Fetch-Site is missing, and Origin does not match Host"},
		{name: "a file", headers: []string{"Origin", "null"},
			why: fromPage + ", and/or browser is out of date: Sec-Fetch-Site is missing, and Origin does not match Host"},
		{name: "a proxy in front of a socket of Unix", local: &net.UnixAddr{Net: "unix"},
			headers: []string{"X-Forwarded-For", "192.0.2.1"}, why: proxy("X-Forwarded-For")},
	} {
		t.Run(row.name, func(t *testing.T) {
			r, err := http.NewRequest("GET", "/", nil)
			require.NoError(t, err)
			r.RemoteAddr, r.Host = "127.0.0.1:50000", "localhost:8080"
			if _, unix := row.local.(*net.UnixAddr); unix || row.remote != "" {
				r.RemoteAddr = row.remote
			}
			if row.host != "" {
				r.Host = row.host
			}
			if row.host == "-" {
				r.Host = ""
			}
			if row.local == nil {
				row.local = tcp("127.0.0.1")
			}
			for i := 0; i < len(row.headers); i += 2 {
				r.Header.Set(row.headers[i], row.headers[i+1])
			}
			err = awsapi.Local(r.WithContext(context.WithValue(t.Context(), http.LocalAddrContextKey, row.local)))
			if row.why == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, row.why)
		})
	}
}

// What did not come over a connection is from nobody knows where.
func TestLocalWithoutConnection(t *testing.T) {
	r := httptest.NewRequest("GET", "http://localhost/", nil)
	r.RemoteAddr = "127.0.0.1:50000"
	require.ErrorContains(t, awsapi.Local(r), "it did not come in at a loopback address")
}

// Connections are what net/http says they are.
func TestLocalConnections(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			address := "127.0.0.1:0"
			if network == "unix" {
				t.Chdir(t.TempDir()) // whose path may be longer than the address of a socket
				address = "s"
			}
			l, err := net.Listen(network, address)
			require.NoError(t, err)
			outcome := make(chan error, 1)
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				outcome <- awsapi.Local(r)
			}))
			s.Listener.Close()
			s.Listener = l
			s.Start()
			defer s.Close()
			dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, l.Addr().String())
			}
			client := http.Client{Transport: &http.Transport{DialContext: dial}}
			defer client.CloseIdleConnections()
			response, err := client.Get("http://localhost/")
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			require.NoError(t, <-outcome)
		})
	}
}

// What a handler without credentials answers to others.
func TestAccessDenied(t *testing.T) {
	e, err := engine.New(engine.Config{Checks: builtin.All(inventory.New(inventory.Contents{}))})
	require.NoError(t, err)
	defer e.Close()
	h, err := awsapi.Handler(awsapi.Config{Engine: e})
	require.NoError(t, err)
	s := httptest.NewServer(h)
	defer s.Close()
	r, err := http.NewRequest("GET", s.URL+"/audit/configuration", nil)
	require.NoError(t, err)
	r.Host = "fleet.example"
	answer, err := s.Client().Do(r)
	require.NoError(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	want := `403 AccessDeniedException {"message":"no credentials are configured here, so that only requests from this machine are served, ` +
		`and this is none: its Host \"fleet.example\" is neither localhost nor a loopback address. ` +
		`Configure credentials, or ask from this machine without a proxy"}`
	require.Equal(t, want, fmt.Sprint(answer.StatusCode, " ", answer.Header.Get("X-Amzn-Errortype"), " ", string(body)))
}

package awsapi

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/fleetaudit/fleetaudit/model"
)

// Local returns nil if r comes from a program on this machine that means to ask it, or else an error that says why not:
// it comes from elsewhere, through a proxy that says so, or from a web page that somebody looks at on this machine, which
// could otherwise reach any port here. It cannot see a proxy or a tunnel on this machine that keeps quiet about whom it asks
// for. r must be as the server got it.
func Local(r *http.Request) error {
	addr, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if _, unix := addr.(*net.UnixAddr); !unix { // whose peers are here, and have no address
		if !loopback(r.RemoteAddr) {
			return fmt.Errorf("it comes from %s", model.Quote(r.RemoteAddr))
		}
		if addr == nil || !loopback(addr.String()) {
			return errors.New("it did not come in at a loopback address")
		}
	}
	for name := range r.Header {
		if name == "Forwarded" || name == "Via" || name == "X-Real-Ip" || strings.HasPrefix(name, "X-Forwarded-") {
			return fmt.Errorf("its header %s says that a proxy asks for somebody else", model.Quote(name))
		}
	}
	// A page can have its own name resolve to this machine, but has to send that name.
	switch {
	case r.Host == "":
		return errors.New("it has no Host")
	case !localHost(r.Host):
		return fmt.Errorf("its Host %s is neither localhost nor a loopback address", model.Quote(r.Host))
	}
	// A page can also send to other origins, without being shown the answer. Of a GET, the check would think no harm;
	// here no page has a reason to ask.
	var pages http.CrossOriginProtection
	if err := pages.Check(&http.Request{Method: http.MethodPost, Host: r.Host, Header: r.Header}); err != nil {
		return fmt.Errorf("it is of a web page: %w", err)
	}
	return nil
}

func loopback(addrPort string) bool {
	a, err := netip.ParseAddrPort(addrPort)
	return err == nil && a.Addr().IsLoopback()
}

// localHost tells whether a Host header names this machine as every machine names itself.
func localHost(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil { // it has no port
		name = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	}
	if a, err := netip.ParseAddr(name); err == nil {
		return a.IsLoopback()
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}

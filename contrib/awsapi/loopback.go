package awsapi

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/fleetaudit/fleetaudit/model"
)

// local tells whether r comes from a program on this machine that meant to ask this service: otherwise whoever reaches
// the port could read and change the account, and so could any web page that somebody looks at on this machine. It
// cannot see a proxy or a tunnel on this machine that keeps quiet about whom it asks for.
func local(r *http.Request) error {
	addr, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if _, unix := addr.(*net.UnixAddr); !unix { // whose peers are here, and have no address
		if !loopback(r.RemoteAddr) {
			return notLocal("it comes from " + model.Quote(r.RemoteAddr))
		}
		if addr == nil || !loopback(addr.String()) {
			return notLocal("it did not come in at a loopback address")
		}
	}
	for name := range r.Header {
		if name == "Forwarded" || name == "Via" || name == "X-Real-Ip" || strings.HasPrefix(name, "X-Forwarded-") {
			return notLocal("its header " + model.Quote(name) + " says that a proxy asks for somebody else")
		}
	}
	// A page can have its own name resolve to this machine, but has to send that name.
	if !localHost(r.Host) {
		return notLocal("its Host " + model.Quote(r.Host) + " is neither localhost nor a loopback address")
	}
	// A page can also send to other origins, without being shown the answer. Of a GET, the check would think no harm;
	// here no page has a reason to ask.
	var pages http.CrossOriginProtection
	if err := pages.Check(&http.Request{Method: http.MethodPost, Host: r.Host, Header: r.Header}); err != nil {
		return notLocal("it is of a web page: " + err.Error())
	}
	return nil
}

func notLocal(why string) error {
	return forbidden("AccessDeniedException", "no credentials are configured here, so that only requests from this "+
		"machine are served, and this is none: %s. Configure credentials, or ask from this machine without a proxy", why)
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

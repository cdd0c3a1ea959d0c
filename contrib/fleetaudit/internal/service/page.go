package service

import (
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Paths of the service's own pages. No operation of AWS's begins so.
const (
	healthPath  = "/healthz"
	metricsPath = "/metrics"
)

// front serves the service's own pages, metrics only to whom may sees fit, and everything else by next. A
// ServeMux would redirect requests that next has an answer for.
func (s *Service) front(next, metrics http.Handler, may func(*http.Request) bool) http.Handler {
	pages := map[string]http.HandlerFunc{
		healthPath: s.health,
		metricsPath: func(w http.ResponseWriter, r *http.Request) {
			if !may(r) {
				http.Error(w, "metrics are served to this machine only; --metrics-listen serves them to others", http.StatusForbidden)
				return
			}
			metrics.ServeHTTP(w, r)
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page := pages[r.URL.Path]
		switch {
		case page == nil:
			next.ServeHTTP(w, r)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "want GET or HEAD", http.StatusMethodNotAllowed)
		default:
			page(w, r)
		}
	})
}

// health says whether the service goes on.
func (s *Service) health(w http.ResponseWriter, _ *http.Request) {
	status, code := "ok", http.StatusOK
	if s.stopping.Load() {
		status, code = "stopping", http.StatusServiceUnavailable
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	io.WriteString(w, `{"status":"`+status+`"}`+"\n")
}

func anybody(*http.Request) bool { return true }

// forwarded are headers of requests that a proxy on this machine may hand on from elsewhere.
var forwarded = []string{"Forwarded", "Via", "X-Forwarded-For", "X-Real-Ip"}

// onlyHere tells whether a request comes from this machine, and not through a proxy, or a page in its browser that has
// a name of its own for this machine.
func onlyHere(r *http.Request) bool {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !from.Addr().Unmap().IsLoopback() {
		return false
	}
	if slices.ContainsFunc(forwarded, func(name string) bool { return r.Header.Get(name) != "" }) {
		return false
	}
	host := r.Host
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		host = host[:i]
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	to, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && to.Unmap().IsLoopback()
}

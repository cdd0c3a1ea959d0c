package service

import (
	"io"
	"net/http"
	"time"
)

// Paths of the service's own pages. No operation of AWS's begins so.
const (
	healthPath  = "/healthz"
	metricsPath = "/metrics"
)

// bodyTimeout is how long a request for a page may take to send what is no use.
const bodyTimeout = 10 * time.Second

// front serves the service's own pages, metrics only where refuse has no error, and everything else by next. A
// ServeMux would redirect requests that next has an answer for.
func (s *Service) front(next, metrics http.Handler, refuse func(*http.Request) error) http.Handler {
	pages := map[string]http.HandlerFunc{
		healthPath: s.health,
		metricsPath: func(w http.ResponseWriter, r *http.Request) {
			if err := refuse(r); err != nil {
				http.Error(w, "metrics are served to this machine only, and this request is not of it: "+err.Error()+
					". --metrics-listen serves them to others", http.StatusForbidden)
				return
			}
			metrics.ServeHTTP(w, r)
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page := pages[r.URL.Path]
		if page == nil {
			next.ServeHTTP(w, r)
			return
		}
		// The server waits for a body that nobody asked for before it answers.
		http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout))
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "want GET or HEAD", http.StatusMethodNotAllowed)
			return
		}
		page(w, r)
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

func anybody(*http.Request) error { return nil }

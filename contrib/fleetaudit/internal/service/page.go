package service

import (
	"encoding/json"
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

// healthPage is what a page says of the service.
type healthPage struct {
	Status string `json:"status"`           // ok, stopping, or failed
	Reason string `json:"reason,omitempty"` // why it has failed
}

// health says whether the service goes on.
func (s *Service) health(w http.ResponseWriter, _ *http.Request) {
	page, code := healthPage{Status: "ok"}, http.StatusOK
	if s.stopping.Load() {
		page.Status, code = "stopping", http.StatusServiceUnavailable
	}
	if err := s.Engine.Err(); err != nil {
		page, code = healthPage{"failed", err.Error()}, http.StatusServiceUnavailable
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(page)
}

func anybody(*http.Request) error { return nil }

// Package metrics tells Prometheus how an engine and its fleet are doing.
package metrics

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/fleet"
	"github.com/fleetaudit/fleetaudit/engine"
)

// maxScrapes is how many scrapes are answered at once. Each goes through all that there is; who asks too often is turned
// away, and slows nobody down.
const maxScrapes = 4

// Handler serves the metrics of an engine, of its fleet, and of the process.
func Handler(statistics func(now time.Time) engine.Statistics, status func() fleet.Status, log *slog.Logger) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		NewCollector(statistics, status),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(log.Handler(), slog.LevelError),
		MaxRequestsInFlight: maxScrapes,
	})
}

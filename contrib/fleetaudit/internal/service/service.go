// Package service runs an engine, the fleet that it audits, and those who listen for its clients.
package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/net/netutil"
	"golang.org/x/sync/errgroup"

	"github.com/fleetaudit/fleetaudit/contrib/awsapi"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/fleet"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/metrics"
	"github.com/fleetaudit/fleetaudit/engine"
)

// maxConnections is how many clients may be connected at once to one listener; more wait. What they send is limited
// for each, so that this limits the memory that all of them can take.
const maxConnections = 2048

// Service is a program that serves until it is told to stop.
type Service struct {
	Engine *engine.Engine
	Fleet  *fleet.Live
	API    http.Handler // of AWS's operations
	Log    *slog.Logger
	// Grace is how long requests may take to their end once the Service is told to stop. Zero: 10 seconds.
	Grace time.Duration

	// Listener is where the API is served, and the service's own pages: /metrics only to this machine.
	Listener net.Listener
	// Metrics is where the service's own pages are served to everybody. Nil: nowhere.
	Metrics net.Listener

	stopping atomic.Bool
}

// Run serves until ctx ends, or something ends that must not. It owns both listeners and the Engine, all of which are
// closed when it returns: requests in flight are served to their end, then running audits are cancelled, or with a Store
// left to the next Engine. The error is nil if it was ctx that ended, and everything else ended in time.
func (s *Service) Run(ctx context.Context) error {
	own := metrics.Handler(s.Engine.Statistics, s.Fleet.Status, s.Log)
	servers := []*http.Server{s.serve(s.front(s.API, own, awsapi.Local))}
	listeners := []net.Listener{s.Listener}
	if s.Metrics != nil {
		servers = append(servers, s.serve(s.front(http.NotFoundHandler(), own, anybody)))
		listeners = append(listeners, s.Metrics)
	}

	group, ctx := errgroup.WithContext(ctx)
	for i, server := range servers {
		group.Go(func() error {
			err := server.Serve(netutil.LimitListener(listeners[i], maxConnections))
			if errors.Is(err, http.ErrServerClosed) {
				return nil
			}
			return fmt.Errorf("serving %v: %w", listeners[i].Addr(), err)
		})
	}
	for what, work := range map[string]func(context.Context) error{
		"starting scheduled audits": s.schedule,
		"following the fleet":       s.Fleet.Follow,
	} {
		group.Go(func() error {
			if err := work(ctx); ctx.Err() == nil {
				return fmt.Errorf("%s: %w", what, err)
			}
			return nil
		})
	}
	var closed error
	group.Go(func() error {
		<-ctx.Done()
		s.Log.Info("stopping", "why", context.Cause(ctx).Error())
		s.stopping.Store(true)
		s.shutdown(servers[0])
		closed = s.Engine.Close()
		// Whoever watches sees to the end what becomes of it.
		for _, server := range servers[1:] {
			s.shutdown(server)
		}
		return nil
	})
	err := group.Wait()
	return errors.Join(err, closed)
}

// schedule starts scheduled audits. It ends, too, when the Store has failed.
func (s *Service) schedule(ctx context.Context) error {
	err := s.Engine.Run(ctx)
	return cmp.Or(s.Engine.Err(), err)
}

// serve makes a server.
func (s *Service) serve(h http.Handler) *http.Server {
	server := awsapi.Server(h)
	server.ErrorLog = slog.NewLogLogger(s.Log.Handler(), slog.LevelWarn)
	return server
}

// shutdown closes the listener of a server at once, and its connections when their requests have ended, or must end.
func (s *Service) shutdown(server *http.Server) {
	grace := cmp.Or(s.Grace, 10*time.Second)
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if server.Shutdown(ctx) != nil {
		s.Log.Warn("requests were cut off", "after", grace)
		server.Close()
	}
}

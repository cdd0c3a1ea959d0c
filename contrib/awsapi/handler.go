package awsapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/klauspost/compress/gzhttp"

	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// Handler returns a handler that serves every operation of [engine.Operations] as AWS does. The error names everything
// that is wrong with the Config. The handler starts no goroutine and is safe for concurrent use; it closes no Engine.
//
// It goes by the whole path of a request: a host that mounts it elsewhere than at the root strips the prefix.
func Handler(c Config) (http.Handler, error) { return newHandler(c, engine.Operations()) }

func newHandler(c Config, operations []engine.Operation) (http.Handler, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("awsapi: %w", err)
	}
	compress, err := gzhttp.NewWrapper(gzhttp.EnableZstd(false))
	if err != nil {
		return nil, fmt.Errorf("awsapi: %w", err)
	}
	return &handler{config: c, routes: newRoutes(operations), throttle: newThrottle(), compress: compress,
		large: make(chan struct{}, maxLarge)}, nil
}

type handler struct {
	config   Config // with defaults
	routes   *routes
	throttle *throttle
	compress func(http.Handler) http.HandlerFunc // answers, for clients that want it
	hidden   sync.Once                           // tells of connections that something hides
	large    chan struct{}                       // holds one for each large body in memory
	answers  sync.Pool                           // of *[]byte, to write answers to
}

// maxKept is how large the memory of an answer may be for later ones to use it. A page of findings has a few hundred
// kilobytes.
const maxKept = 1 << 20

// ServeHTTP serves one request.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	id := newRequestID()
	w.Header().Set("X-Amzn-Requestid", id)
	op, out, err := h.serve(w, r)
	space, ok := h.answers.Get().(*[]byte)
	if !ok {
		space = new([]byte)
	}
	a, fault := answerTo((*space)[:0], op, out, err, id)

	level := slog.LevelDebug
	attrs := []slog.Attr{slog.String("requestId", id), slog.Int("status", a.status), slog.Duration("took", time.Since(start))}
	if op != nil {
		attrs = append(attrs, slog.String("operation", op.Name))
	}
	attrs = append(attrs, slog.String("client", r.RemoteAddr))
	if a.code != "" {
		attrs = append(attrs, slog.String("code", a.code))
	}
	left := fault != nil && errors.Is(r.Context().Err(), context.Canceled)
	if fault != nil {
		attrs = append(attrs, slog.Any("error", fault))
		if !left || !errors.Is(fault, context.Canceled) {
			level = slog.LevelError
		}
	}
	h.config.Logger.LogAttrs(r.Context(), level, "request", attrs...)
	if left {
		panic(http.ErrAbortHandler) // to return without an answer would be to answer 200
	}
	h.compress(a).ServeHTTP(w, r)
	if cap(a.body) > cap(*space) && cap(a.body) <= maxKept {
		*space = a.body
	}
	h.answers.Put(space) // a Writer keeps nothing of what it was given
}

// serve does what r asks for. The operation is returned as soon as it is known, also with an error.
func (h *handler) serve(w http.ResponseWriter, r *http.Request) (op *engine.Operation, out any, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	limit := newBodyLimit(w, r, h.config, h.large)
	defer limit.done()
	if limit.hidden {
		h.hidden.Do(func() {
			h.config.Logger.WarnContext(r.Context(), "Config.BodyTimeout has no effect, only the server's ReadTimeout has: "+
				"a handler before this one wraps the ResponseWriter in one that has no Unwrap method")
		})
	}
	op, err = h.routes.find(w.Header(), r)
	if err != nil {
		return nil, nil, err
	}
	who, err := h.enter(r)
	if err != nil {
		return op, nil, err
	}
	body, err := limit.read()
	if err != nil {
		return op, nil, err
	}
	if who.signature != nil {
		if err := who.signature.verify(r, who.Credential, body); err != nil {
			return op, nil, err
		}
	}
	if h.config.Throttle && !h.throttle.allow(who.Engine, op) {
		often := fmt.Sprintf("%s is called more often than %d times a second", op.Name, op.Rate)
		return op, nil, &model.ThrottlingException{Message: often}
	}
	if body, err = limit.unpack(body, r.Header); err != nil {
		return op, nil, err
	}
	in, err := bind(op, r, body)
	if err != nil {
		return op, nil, err
	}
	out, err = op.Call(idempotent(r, who), who.Engine, in)
	return op, out, err
}

// caller is whose request it is.
type caller struct {
	Credential            // only its Engine counts when there is no signature
	signature  *signature // nil: nobody needs to sign
}

// enter says whose request r is, or why it is refused, as far as that can be said without its body.
func (h *handler) enter(r *http.Request) (caller, error) {
	if h.config.Credentials == nil {
		if err := Local(r); err != nil {
			return caller{}, forbidden("AccessDeniedException", "no credentials are configured here, so that only requests from "+
				"this machine are served, and this is none: %v. Configure credentials, or ask from this machine without a proxy", err)
		}
		return caller{Credential: Credential{Engine: h.config.Engine}}, nil
	}
	s, err := parseSignature(r, time.Now())
	if err != nil {
		return caller{}, err
	}
	c, err := h.config.Credentials(r.Context(), s.accessKeyID)
	switch {
	case errors.Is(err, ErrUnknownAccessKey):
		return caller{}, errUnrecognized()
	case err != nil:
		return caller{}, fmt.Errorf("looking up access key %s: %w", model.Quote(s.accessKeyID), err)
	case c.Engine == nil:
		return caller{}, fmt.Errorf("the credential of access key %s has no Engine", model.Quote(s.accessKeyID))
	}
	return caller{c, s}, s.admits(c)
}

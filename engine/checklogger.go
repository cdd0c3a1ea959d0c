package engine

import (
	"context"
	"log/slog"
	"sync"
)

// checkLogger is the handler of one check run's Logger: that of the Config, which says of which check and audit. Most
// checks log nothing, so that it is made when one does, and then never in a transaction: it is the host's.
type checkLogger struct {
	task *checkJob
	log  slog.Logger // with this handler
	mu   sync.Mutex
	made slog.Handler
}

// logger returns the Logger of a check run, which costs no allocation of its own.
func (h *checkLogger) logger(j *checkJob) *slog.Logger {
	h.task, h.log = j, *slog.New(h)
	return &h.log
}

func (h *checkLogger) make() slog.Handler {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.made == nil {
		j := h.task
		h.made = j.audit.engine.config.Logger.With("check", j.Spec.Name, "task", j.audit.taskID).Handler()
	}
	return h.made
}

func (h *checkLogger) Enabled(ctx context.Context, l slog.Level) bool {
	return h.make().Enabled(ctx, l)
}

func (h *checkLogger) Handle(ctx context.Context, r slog.Record) error {
	return h.make().Handle(ctx, r)
}

func (h *checkLogger) WithAttrs(attrs []slog.Attr) slog.Handler { return h.make().WithAttrs(attrs) }

func (h *checkLogger) WithGroup(name string) slog.Handler { return h.make().WithGroup(name) }

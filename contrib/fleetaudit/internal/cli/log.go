package cli

import (
	"io"
	"log/slog"
	"strings"
)

// logFormat is how the log is written.
type logFormat string

const (
	logText logFormat = "text"
	logJSON logFormat = "json"
)

func (logFormat) Values() []logFormat { return []logFormat{logText, logJSON} }

// logLevel is what is logged: what is at least that.
type logLevel string

const logInfo logLevel = "info"

func (logLevel) Values() []logLevel { return []logLevel{"debug", logInfo, "warn", "error"} }

// newLog makes the log of a program that serves.
func newLog(w io.Writer, format logFormat, level logLevel) *slog.Logger {
	var options slog.HandlerOptions
	var at slog.Level
	_ = at.UnmarshalText([]byte(strings.ToUpper(string(level)))) // each of the Values is one of slog's
	options.Level = at
	if format == logJSON {
		return slog.New(slog.NewJSONHandler(w, &options))
	}
	return slog.New(slog.NewTextHandler(w, &options))
}

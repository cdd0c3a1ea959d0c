package awsapi

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/fleetaudit/fleetaudit/engine"
)

// Config says whom a handler serves, and how much it takes from them. Either Engine or Credentials must be set.
type Config struct {
	// Engine serves every request that comes from this machine, whoever signed it, and none from elsewhere. Nil:
	// Credentials says who may enter.
	Engine *engine.Engine
	// Credentials looks up the access key that a request is signed with, at each request, from many goroutines at
	// once. Its error is [ErrUnknownAccessKey], or whatever keeps it from knowing: the caller gets an
	// InternalFailureException then, and the Logger the error. Nil: nobody needs to sign, see Engine.
	Credentials func(ctx context.Context, accessKeyID string) (Credential, error)

	// Throttle holds each account to the calls a second that AWS takes of each operation ([engine.Operation]),
	// with bursts of one second's calls. False: callers may call as often as they can.
	Throttle bool
	// MaxBody is how many bytes the body of a request may have, and how many when it is unpacked. Zero: 1 MiB.
	MaxBody int64
	// BodyTimeout is how long a body may take to arrive. Zero: 10 seconds.
	BodyTimeout time.Duration
	// Logger is told of each request at level debug, and at level error of what is no caller's fault. Nil:
	// nothing is logged.
	Logger *slog.Logger
}

// Credential is what belongs to an access key.
type Credential struct {
	SecretAccessKey string
	SessionToken    string         // that requests must carry; empty: none
	Region          string         // that signatures must be for; empty: any
	Engine          *engine.Engine // the account whose key it is
}

// ErrUnknownAccessKey says that nobody has an access key.
var ErrUnknownAccessKey = errors.New("awsapi: unknown access key")

package awsapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/fleetaudit/fleetaudit/engine"
)

// Config says whom a handler serves, and how much it takes from them. Either Engine or Credentials must be set, not
// both.
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
	// MaxBody is how many bytes the body of a request may have, and how many when it is unpacked. Zero: 1 MiB. Of bodies
	// with more than 64 KiB only 32 are read at once; the others get a ServiceUnavailableException, which clients retry.
	MaxBody int64
	// BodyTimeout is how long a body may take to arrive, counted from its header. Zero: 10 seconds. It is part of what a
	// server's WriteTimeout allows for a request, which is a minute in a [Server]. Behind middleware whose ResponseWriter
	// has no Unwrap method ([http.ResponseController]) it has no effect: only the server's ReadTimeout counts then, which
	// is a minute in a [Server], too.
	BodyTimeout time.Duration
	// Logger is told of each request at level debug, or at level error when its answer is an InternalFailureException,
	// which tells the caller no more than the request's id; and once, at level warn, if BodyTimeout has no effect. Nil:
	// nothing is logged.
	Logger *slog.Logger
}

// Credential is what belongs to an access key. Package fmt and package log/slog print it without its secret and its
// session token, but for a Credential in an unexported field of something else, of which fmt prints every field.
type Credential struct {
	SecretAccessKey string
	SessionToken    string         // that requests must carry; empty: none
	Region          string         // that signatures must be for; empty: any
	Engine          *engine.Engine // the account whose key it is
}

// String tells of the secret and of the session token only whether they are set.
func (c Credential) String() string {
	word := map[bool]string{false: "empty", true: "set"}
	return fmt.Sprintf("awsapi.Credential{SecretAccessKey: %s, SessionToken: %s, Region: %q, Engine: %s}",
		word[c.SecretAccessKey != ""], word[c.SessionToken != ""], c.Region, word[c.Engine != nil])
}

// Format writes String, whatever the verb: else %#v and %d would print every field.
func (c Credential) Format(s fmt.State, _ rune) { io.WriteString(s, c.String()) }

// LogValue is String, for handlers that write their own format.
func (c Credential) LogValue() slog.Value { return slog.StringValue(c.String()) }

// withDefaults returns c with every zero replaced by what it stands for, or everything that is wrong with c.
func (c Config) withDefaults() (Config, error) {
	var all []error
	if c.Engine == nil && c.Credentials == nil {
		all = append(all, errors.New("Config.Engine or Config.Credentials must be set"))
	}
	if c.Engine != nil && c.Credentials != nil {
		all = append(all, errors.New("Config.Engine and Config.Credentials must not both be set"))
	}
	if c.MaxBody < 0 {
		all = append(all, fmt.Errorf("Config.MaxBody %d must not be negative", c.MaxBody))
	}
	if c.BodyTimeout < 0 {
		all = append(all, fmt.Errorf("Config.BodyTimeout %v must not be negative", c.BodyTimeout))
	}
	c.MaxBody = cmp.Or(c.MaxBody, 1<<20)
	c.BodyTimeout = cmp.Or(c.BodyTimeout, 10*time.Second)
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	return c, errors.Join(all...)
}

// ErrUnknownAccessKey says that nobody has an access key.
var ErrUnknownAccessKey = errors.New("awsapi: unknown access key")

package engine_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"strings"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/model"
)

const (
	limit = time.Minute // of a check's work, in the tests of fences
	grace = 2 * time.Second
	flood = 100 // findings that a check may report
)

// fence is one way in which a check, or a source, breaks.
type fence struct {
	name string
	// run is the check's, unless source or judge is given.
	run func(ctx context.Context, p *checks.Pass, release <-chan struct{}) error
	// source makes what the check scans; without it the check scans what the good ones do.
	source func(release <-chan struct{}) *checks.Source[int]
	judge  func(ctx context.Context, p *checks.Pass, i int, release <-chan struct{}) error

	code    string // of the error; empty: INTERNAL_FAILURE
	message string // what its message contains
	total   int64  // resources that are counted
	upTo    int64  // if more may be, before the scan notices that the check is out
	found   int    // findings that are kept
	takes   time.Duration
	alone   time.Duration // more, of this audit or the next, if there is one slot, which others get after the grace
}

func fences() []fence {
	type pass = checks.Pass
	const (
		timeLimit = "went beyond the time limit of 1m0s"
		tooMany   = "the check reported more findings than it may: 100"
	)
	fails := func(f func()) func(context.Context, *pass, <-chan struct{}) error {
		return func(_ context.Context, p *pass, _ <-chan struct{}) error {
			report(p, "found")
			f()
			return nil
		}
	}
	stream := func(at func(ctx context.Context, i int)) func(<-chan struct{}) *checks.Source[int] {
		return func(<-chan struct{}) *checks.Source[int] { return numbers(1000, at) }
	}
	at600 := func(f func()) func(context.Context, int) {
		return func(_ context.Context, i int) {
			if i == 600 {
				f()
			}
		}
	}
	var none *int
	return []fence{
		{name: "panics", run: fails(func() { panic("boom") }), message: "panic: boom", total: 1, found: 1},
		{name: "panics with an error", run: fails(func() { panic(errors.New("boom")) }), message: "panic: boom", total: 1, found: 1},
		{name: "panics with nil", run: fails(func() { panic(nil) }), message: "panic", total: 1, found: 1},
		{name: "reads through nil", run: fails(func() { _ = *none }), message: "nil pointer dereference", total: 1, found: 1},
		{name: "exits its goroutine", run: fails(runtime.Goexit), message: "runtime.Goexit was called", total: 1, found: 1},
		{
			name: "cannot check",
			run: func(_ context.Context, p *pass, _ <-chan struct{}) error {
				report(p, "found")
				return errors.New("no route to the registry")
			},
			message: "no route to the registry", total: 1, found: 1,
		},
		{
			name: "may not check",
			run: func(context.Context, *pass, <-chan struct{}) error {
				return fmt.Errorf("registry: %w", checks.ErrInsufficientPermissions)
			},
			code: "INSUFFICIENT_PERMISSIONS", message: "registry: insufficient permissions",
		},
		{
			name: "has too much to say",
			run: func(context.Context, *pass, <-chan struct{}) error {
				return errors.New(strings.Repeat("ö", 5000))
			},
			message: strings.Repeat("ö", 2045) + "...",
		},
		{
			name: "works too long, and stops",
			run: func(ctx context.Context, p *pass, _ <-chan struct{}) error {
				report(p, "found")
				<-ctx.Done()
				return ctx.Err()
			},
			message: timeLimit, total: 1, found: 1, takes: limit,
		},
		{
			name: "works too long, and claims to have completed",
			run: func(ctx context.Context, p *pass, _ <-chan struct{}) error {
				<-ctx.Done()
				report(p, "found")
				return nil
			},
			message: timeLimit, total: 1, found: 1, takes: limit,
		},
		{
			name: "hangs",
			run: func(_ context.Context, p *pass, release <-chan struct{}) error {
				report(p, "found")
				<-release
				report(p, "late")
				return nil
			},
			message: timeLimit, total: 1, found: 1, takes: limit + grace,
		},
		{
			name: "floods",
			run: func(ctx context.Context, p *pass, _ <-chan struct{}) error {
				for i := 0; ctx.Err() == nil; i++ {
					report(p, fmt.Sprint(i))
				}
				return nil
			},
			message: tooMany, total: flood + 1, found: flood,
		},
		{
			name: "floods, and does not stop",
			run: func(_ context.Context, p *pass, release <-chan struct{}) error {
				for i := 0; ; i++ {
					p.Report(checks.Finding{Resource: device(fmt.Sprint(i)), ReasonCode: "BAD"})
					select {
					case <-release:
						return nil
					case <-time.After(time.Millisecond):
					}
				}
			},
			message: tooMany, total: flood, found: flood, takes: flood*time.Millisecond + grace,
		},
		{
			name: "reports a code that it did not declare",
			run: func(_ context.Context, p *pass, _ <-chan struct{}) error {
				report(p, "found")
				p.Report(checks.Finding{Resource: device("lie"), ReasonCode: "NEW"})
				return nil
			},
			message: `reason code "NEW", which its Spec does not declare`, total: 1, found: 1,
		},
		{
			name: "reports another type of resource",
			run: func(_ context.Context, p *pass, _ <-chan struct{}) error {
				lie := device("lie")
				lie.ResourceType = model.ResourceTypeIoTPolicy
				p.Report(checks.Finding{Resource: lie, ReasonCode: "BAD"})
				return nil
			},
			message: `a resource of type "IOT_POLICY", its Spec says "CLIENT_ID"`,
		},
		{
			name: "reports no resource",
			run: func(_ context.Context, p *pass, _ <-chan struct{}) error {
				p.Report(checks.Finding{ReasonCode: "BAD"})
				return nil
			},
			message: "names no resource",
		},
		{
			name:    "counts backwards",
			run:     func(_ context.Context, p *pass, _ <-chan struct{}) error { p.Scanned(-1); return nil },
			message: "counted -1 resources",
		},
		{
			name:    "asks for a parameter that it does not have",
			run:     func(_ context.Context, p *pass, _ <-chan struct{}) error { p.Config.Int("DAYS"); return nil },
			message: `declares no parameter "DAYS"`,
		},
		{
			name: "its judgement panics",
			judge: func(_ context.Context, p *pass, i int, _ <-chan struct{}) error {
				if i == 600 {
					panic("boom")
				}
				return nil
			},
			message: "panic: boom", total: 600,
		},
		{
			name: "its judgement exits its goroutine",
			judge: func(_ context.Context, p *pass, i int, _ <-chan struct{}) error {
				if i == 600 {
					runtime.Goexit()
				}
				return nil
			},
			message: "runtime.Goexit was called", total: 600,
		},
		{
			name: "its judgement fails",
			judge: func(_ context.Context, p *pass, i int, _ <-chan struct{}) error {
				if i == 600 {
					return errors.New("no route to the registry")
				}
				return nil
			},
			message: "no route to the registry", total: 600,
		},
		{
			name: "its judgement takes too long, and stops",
			judge: func(ctx context.Context, p *pass, i int, _ <-chan struct{}) error {
				if i == 600 {
					<-ctx.Done()
				}
				return nil
			},
			message: timeLimit, total: 601, upTo: 1000, takes: limit,
		},
		{
			name: "its judgement hangs",
			judge: func(ctx context.Context, p *pass, i int, release <-chan struct{}) error {
				if i == 600 {
					<-release
				}
				return nil
			},
			message: timeLimit, total: 512, takes: limit + grace,
		},
		{
			name: "its judgement floods",
			judge: func(_ context.Context, p *pass, i int, _ <-chan struct{}) error {
				p.Report(checks.Finding{Resource: device(fmt.Sprint(i)), ReasonCode: "BAD"})
				return nil
			},
			message: tooMany, total: flood + 1, upTo: 1000, found: flood,
		},
		{
			name: "its source fails",
			source: func(<-chan struct{}) *checks.Source[int] {
				return &checks.Source[int]{Name: "numbers", All: func(context.Context) iter.Seq2[int, error] {
					return func(yield func(int, error) bool) {
						for i := range 600 {
							if !yield(i, nil) {
								return
							}
						}
						yield(0, errors.New("connection lost"))
					}
				}}
			},
			message: `source "numbers": connection lost`, total: 600,
		},
		{
			name:   "its source panics",
			source: stream(at600(func() { panic("boom") })), message: `source "numbers": panic: boom`, total: 512,
		},
		{
			name:   "its source exits its goroutine",
			source: stream(at600(runtime.Goexit)), message: `source "numbers": runtime.Goexit was called`, total: 512,
		},
		{
			name: "its source takes too long, and stops",
			source: stream(func(ctx context.Context, i int) {
				if i == 600 {
					<-ctx.Done()
					runtime.Goexit()
				}
			}),
			message: `source "numbers": ` + timeLimit, total: 512, takes: limit,
		},
		{
			name: "its source hangs",
			source: func(release <-chan struct{}) *checks.Source[int] {
				return numbers(1000, at600(func() { <-release }))
			},
			message: `source "numbers": ` + timeLimit, total: 512, takes: limit, alone: grace,
		},
		{
			name: "its source has no shards",
			source: func(<-chan struct{}) *checks.Source[int] {
				return &checks.Source[int]{Name: "numbers", Shards: func(context.Context) ([]checks.Shard[int], error) {
					return nil, errors.New("no route to the registry")
				}}
			},
			message: `source "numbers": no route to the registry`,
		},
		{
			name: "its source panics when asked for shards",
			source: func(<-chan struct{}) *checks.Source[int] {
				return &checks.Source[int]{Name: "numbers", Shards: func(context.Context) ([]checks.Shard[int], error) { panic("boom") }}
			},
			message: `source "numbers": panic: boom`,
		},
		{
			name: "its source hangs when asked for shards",
			source: func(release <-chan struct{}) *checks.Source[int] {
				return &checks.Source[int]{Name: "numbers", Shards: func(context.Context) ([]checks.Shard[int], error) {
					<-release
					return nil, nil
				}}
			},
			message: `source "numbers": ` + timeLimit, takes: limit, alone: grace,
		},
		{
			name: "its source panics when asked whether there is data",
			source: func(<-chan struct{}) *checks.Source[int] {
				s := numbers(1, func(context.Context, int) {})
				s.Ready = func() <-chan struct{} { panic("boom") }
				return s
			},
			message: "panic: boom",
		},
	}
}

// check makes the broken check.
func (f fence) check(shared *checks.Source[int], release <-chan struct{}) checks.Check {
	if f.run != nil {
		return checks.New(specOf("BROKEN"), func(ctx context.Context, p *checks.Pass) error { return f.run(ctx, p, release) })
	}
	if f.source != nil {
		shared = f.source(release)
	}
	return checks.Each(specOf("BROKEN"), shared, func(ctx context.Context, p *checks.Pass, i *int) error {
		if f.judge == nil {
			return nil
		}
		return f.judge(ctx, p, *i, release)
	})
}

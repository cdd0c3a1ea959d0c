package checks_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/stretchr/testify/require"
)

type typedNil struct{ text string }

func (e *typedNil) Error() string { return e.text }

// evil is an error, and something to panic with, whose methods misbehave.
type evil struct{ do func() }

func (e evil) Error() string  { e.do(); return "evil" }
func (e evil) Is(error) bool  { e.do(); return false }
func (e evil) As(any) bool    { e.do(); return false }
func (e evil) String() string { e.do(); return "evil" }

// The methods of an error, and of what a check panics with, are the check's own code: they run behind its
// fence, and nobody calls them afterwards.
func TestErrorsBehindTheFence(t *testing.T) {
	for name, fail := range map[string]func(hang func()) error{
		"typed nil":            func(func()) error { var e *typedNil; return e },
		"Error panics":         func(func()) error { return evil{func() { panic("Error") }} },
		"Error exits":          func(func()) error { return evil{runtime.Goexit} },
		"Error hangs":          func(hang func()) error { return evil{hang} },
		"panic value panics":   func(func()) error { panic(evil{func() { panic("again") }}) },
		"panic value exits":    func(func()) error { panic(evil{runtime.Goexit}) },
		"panic value hangs":    func(hang func()) error { panic(evil{hang}) },
		"wrapped, Error hangs": func(hang func()) error { return errors.Join(evil{hang}) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				f := func() error { return fail(func() { <-release }) }
				src := checks.Slice("numbers", []int{1, 2, 3})
				outcomes := make([]checks.Outcome, 3)
				var jobs []*checks.Job
				for i, c := range []checks.Check{
					checks.New(spec("PLAIN"), func(context.Context, *checks.Pass) error { return f() }),
					checks.Each(spec("JUDGING"), src, func(context.Context, *checks.Pass, *int) error { return f() }),
					checks.Each(spec("GOOD"), src, func(context.Context, *checks.Pass, *int) error { return nil }),
				} {
					jobs = append(jobs, &checks.Job{Check: c, Spec: new(c.Spec()), End: func(o checks.Outcome) { outcomes[i] = o }})
				}
				r := checks.Runner{TimeLimit: time.Minute}
				r.Run(t.Context(), jobs)
				close(release)
				require.NoError(t, r.Wait(t.Context()))
				for _, out := range outcomes[:2] {
					if out.Err == nil || out.Message == "" {
						t.Errorf("the error is nil: %t, its message %q", out.Err == nil, out.Message)
					}
				}
				if good := outcomes[2]; good.Err != nil || good.Scanned != 3 {
					t.Errorf("the good check: %v, %d scanned", good.Err, good.Scanned)
				}
			})
		})
	}
}

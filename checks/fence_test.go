package checks_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/model"
	"github.com/google/go-cmp/cmp"
)

var errBroken = errors.New("disk on fire")

// A deed is something a check should not do. It is tried where a check runs, and where it judges.
type deed struct {
	name string
	do   func(ctx context.Context, pass *checks.Pass) error
	// What comes of it: the error's text has want in it, the error is is, and the audit takes took.
	want string
	is   error
	took time.Duration
}

var deeds = []deed{
	{name: "error", want: "disk on fire", is: errBroken,
		do: func(context.Context, *checks.Pass) error { return errBroken }},
	{name: "no permissions", want: "list things: insufficient permissions", is: checks.ErrInsufficientPermissions,
		do: func(context.Context, *checks.Pass) error {
			return fmt.Errorf("list things: %w", checks.ErrInsufficientPermissions)
		}},
	{name: "panic", want: "panic: oh no",
		do: func(context.Context, *checks.Pass) error { panic("oh no") }},
	{name: "panic with an error", want: "panic: disk on fire", is: errBroken,
		do: func(context.Context, *checks.Pass) error { panic(errBroken) }},
	{name: "panic with nil", want: "panic: panic called with nil argument",
		do: func(context.Context, *checks.Pass) error { panic(nil) }},
	{name: "runtime error", want: "panic: runtime error: integer divide by zero",
		do: func(_ context.Context, pass *checks.Pass) error {
			pass.Scanned(1 / len(pass.TaskID))
			return nil
		}},
	{name: "undeclared parameter", want: `panic: checks: the Spec declares no parameter "DAYS"`,
		do: func(_ context.Context, pass *checks.Pass) error { pass.Config.Days("DAYS"); return nil }},
	{name: "Goexit", want: "runtime.Goexit was called",
		do: func(context.Context, *checks.Pass) error { runtime.Goexit(); return nil }},
	{name: "undeclared reason code", want: `the check reported reason code "ODD", which its Spec does not declare`,
		do: func(_ context.Context, pass *checks.Pass) error { pass.Report(coded("lie", "ODD")); return nil }},
	{name: "wrong resource type", want: `the check reported a resource of type "IAM_ROLE", its Spec says "CLIENT_ID"`,
		do: func(_ context.Context, pass *checks.Pass) error {
			f := finding("lie")
			f.Resource.ResourceType = model.ResourceTypeIAMRole
			pass.Report(f)
			return nil
		}},
	{name: "no resource", want: "the check reported a finding that names no resource",
		do: func(_ context.Context, pass *checks.Pass) error { pass.Report(finding("")); return nil }},
	{name: "negative count", want: "the check counted -5 resources",
		do: func(_ context.Context, pass *checks.Pass) error { pass.Scanned(-5); return nil }},
	{name: "a lie, then an error", want: "disk on fire", is: errBroken,
		do: func(_ context.Context, pass *checks.Pass) error { pass.Scanned(-1); return errBroken }},
	{name: "hang until the context ends", want: "went beyond the time limit of 1m0s", is: checks.ErrTimeLimit, took: time.Minute,
		do: func(ctx context.Context, _ *checks.Pass) error { <-ctx.Done(); return nil }},
	{name: "hang, then an error of its own", want: "went beyond the time limit of 1m0s", is: checks.ErrTimeLimit, took: time.Minute,
		do: func(ctx context.Context, _ *checks.Pass) error { <-ctx.Done(); return errBroken }},
	{name: "hang and ignore the context", want: "went beyond the time limit of 1m0s", is: checks.ErrTimeLimit, took: time.Minute + 2*time.Second,
		do: func(ctx context.Context, _ *checks.Pass) error { <-ctx.Value(never{}).(chan struct{}); return nil }},
	{name: "hang, then panic", want: "went beyond the time limit of 1m0s", is: checks.ErrTimeLimit, took: time.Minute,
		do: func(ctx context.Context, _ *checks.Pass) error { <-ctx.Done(); panic("late") }},
	{name: "flood", want: "the check reported more findings than it may: 10", is: checks.ErrTooManyFindings,
		do: func(_ context.Context, pass *checks.Pass) error {
			for i := range 100 {
				pass.Report(finding(fmt.Sprint("flood-", i)))
			}
			return nil
		}},
}

// meddler is a check around another whose Report does a deed.
type meddler struct {
	checks.Check
	do func(context.Context, *checks.Pass) error
}

func (m meddler) Run(ctx context.Context, pass *checks.Pass) error {
	inner := *pass
	inner.Report = func(checks.Finding) {
		if err := m.do(ctx, pass); err != nil {
			panic(err)
		}
	}
	return m.Check.Run(ctx, &inner)
}

// never is the key of a channel that is not closed before the audit has ended.
type never struct{}

// TestFence has a check that does a deed, two that share its source, and one that shares nothing. The
// deed decides its own check's outcome, and nobody else's.
func TestFence(t *testing.T) {
	const resources = 900 // several batches in each of three shards
	places := []struct {
		name    string
		hostile func(deed, *checks.Source[int]) checks.Check
	}{
		{"Run", func(d deed, _ *checks.Source[int]) checks.Check {
			return checks.New(spec("HOSTILE"), d.do)
		}},
		{"Run of a check that others wait for", func(d deed, src *checks.Source[int]) checks.Check {
			s := spec("HOSTILE")
			s.Source = src
			return checks.New(s, d.do)
		}},
		{"judge, once", func(d deed, src *checks.Source[int]) checks.Check {
			return checks.Each(spec("HOSTILE"), src, func(ctx context.Context, pass *checks.Pass, n *int) error {
				if *n == 400 {
					return d.do(ctx, pass)
				}
				return nil
			})
		}},
		{"judge, always", func(d deed, src *checks.Source[int]) checks.Check {
			return checks.Each(spec("HOSTILE"), src, func(ctx context.Context, pass *checks.Pass, _ *int) error {
				return d.do(ctx, pass)
			})
		}},
		{"Report of a wrapper", func(d deed, src *checks.Source[int]) checks.Check {
			inner := checks.Each(spec("HOSTILE"), src, func(_ context.Context, pass *checks.Pass, n *int) error {
				if *n == 400 {
					pass.Report(finding("400"))
				}
				return nil
			})
			return meddler{inner, d.do}
		}},
	}
	for _, place := range places {
		for _, d := range deeds {
			for _, n := range limits {
				t.Run(place.name+"/"+d.name+"/"+slotted(n), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						src := sharded("ints", 300, 300, 300)
						limiter, back := slots(t, n)
						r := checks.Runner{Slots: limiter, TimeLimit: time.Minute, Grace: 2 * time.Second, MaxFindings: 10}
						stop := make(chan struct{})
						ctx := context.WithValue(t.Context(), never{}, stop)
						begin := time.Now()
						outs := outcomes(&r, ctx,
							quiet("FIRST", src), place.hostile(d, src), quiet("THIRD", src),
							checks.New(spec("PLAIN"), func(_ context.Context, pass *checks.Pass) error {
								pass.Scanned(7)
								return nil
							}))
						if err := outs[1].Err; err == nil || !strings.Contains(err.Error(), d.want) || !errors.Is(err, d.is) && d.is != nil {
							t.Errorf("error is %v, want %s", err, d.want)
						}
						if got := time.Since(begin); got != d.took {
							t.Errorf("audit took %v, want %v", got, d.took)
						}
						type result struct {
							Scanned int64
							Err     error
						}
						want := []result{{resources, nil}, {resources, nil}, {7, nil}}
						var got []result
						for _, i := range []int{0, 2, 3} {
							got = append(got, result{outs[i].Scanned, outs[i].Err})
						}
						if diff := cmp.Diff(want, got); diff != "" {
							t.Errorf("the others (-want +got):\n%s", diff)
						}
						back()
						close(stop)
						if err := r.Wait(t.Context()); err != nil {
							t.Error(err)
						}
					})
				})
			}
		}
	}
}

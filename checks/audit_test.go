package checks_test

import (
	"context"
	"fmt"
	"iter"
	"testing"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/model"
	"golang.org/x/sync/semaphore"
)

// spec is a valid Spec with the reason codes BAD and WORSE, of client IDs.
func spec(name string) checks.Spec {
	return checks.Spec{
		Name:         name,
		Severity:     model.AuditFindingSeverityLow,
		ResourceType: model.ResourceTypeClientID,
		ReasonCodes:  []checks.ReasonCode{{Code: "BAD"}, {Code: "WORSE"}},
	}
}

func finding(client string) checks.Finding { return coded(client, "BAD") }

func coded(client, code string) checks.Finding {
	var f checks.Finding
	f.Resource.ResourceIdentifier.ClientID = client
	f.ReasonCode = code
	return f
}

// clients lists findings as "client code", with the reason if there is one.
func clients(all []checks.Finding) []string {
	var s []string
	for _, f := range all {
		text := f.Resource.ResourceIdentifier.ClientID + " " + f.ReasonCode
		if f.Reason != "" {
			text += ": " + f.Reason
		}
		s = append(s, text)
	}
	return s
}

// wrapped is a check that puts itself between another and its Report.
type wrapped struct {
	checks.Check
	report func(next func(checks.Finding), f checks.Finding)
}

func (w wrapped) Run(ctx context.Context, pass *checks.Pass) error {
	inner := *pass
	inner.Report = func(f checks.Finding) { w.report(pass.Report, f) }
	return w.Check.Run(ctx, &inner)
}

// sequence streams items without errors.
func sequence[T any](items ...T) func(context.Context) iter.Seq2[T, error] {
	return func(context.Context) iter.Seq2[T, error] {
		return func(yield func(T, error) bool) {
			for _, v := range items {
				if !yield(v, nil) {
					return
				}
			}
		}
	}
}

// sharded is a Source of the ints from 0, in shards of the sizes that are given.
func sharded(name string, sizes ...int) *checks.Source[int] {
	return &checks.Source[int]{Name: name, Shards: func(context.Context) ([]checks.Shard[int], error) {
		var shards []checks.Shard[int]
		next := 0
		for _, size := range sizes {
			items := make([]int, size)
			for i := range items {
				items[i] = next
				next++
			}
			shards = append(shards, sequence(items...))
		}
		return shards, nil
	}}
}

// quiet is a check that judges every resource and finds nothing.
func quiet[T any](name string, src *checks.Source[T]) checks.Check {
	return checks.Each(spec(name), src, func(context.Context, *checks.Pass, *T) error { return nil })
}

// outcomes runs an audit.
func outcomes(r *checks.Runner, ctx context.Context, all ...checks.Check) []checks.Outcome {
	outs := make([]checks.Outcome, len(all))
	jobs := make([]*checks.Job, len(all))
	for i, c := range all {
		jobs[i] = &checks.Job{Check: c, Spec: new(c.Spec()), End: func(o checks.Outcome) { outs[i] = o }}
	}
	r.Run(ctx, jobs)
	return outs
}

// limits are the numbers of slots with which what matters is tried; 0 is none.
var limits = []int64{0, 1, 3}

// slots makes a Limiter, and a function that fails the test unless all slots have come back.
func slots(t *testing.T, n int64) (checks.Limiter, func()) {
	if n == 0 {
		return nil, func() {}
	}
	s := semaphore.NewWeighted(n)
	return s, func() {
		t.Helper()
		if !s.TryAcquire(n) {
			t.Error("slots were not given back")
		}
	}
}

func slotted(n int64) string { return fmt.Sprintf("%d slots", n) }

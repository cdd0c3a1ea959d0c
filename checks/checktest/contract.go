package checktest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
)

// patience is how long a check may take to stop when it is told to. It is long, so that a busy machine
// does not fail a test; only a check that does not stop makes anybody wait for it.
const patience = 5 * time.Second

// timeLimit is for a check that hangs in a trial without being told to stop.
const timeLimit = time.Minute

// Contract runs a check as [Run] does, and then tries whether it keeps the contract of [checks.Check]:
//
//   - It changes none of the resources that it is given, and its Spec is valid and always the same.
//   - Its findings are ones that its Spec declares, and stay the same when the resources come in shards
//     that are scanned at the same time, or in another order, and when several audits run it at once.
//     (Run the test with -race.)
//   - If a source fails, wherever in its stream, it fails too, with an error that wraps the source's.
//   - It returns soon when its context ends, before it has begun or in the middle of a source.
//
// build makes the check. It is called for every trial, and passes each source of the check through
// [Source]; it must not keep what Source returns for the next call. The check should find something in
// the resources: one that finds nothing would find the same in any order. If c.Want is nil, whatever the
// check finds undisturbed is what it should find. c may not want an error.
//
//	checktest.Contract(t, checktest.Case{}, func(k *checktest.Kit) checks.Check {
//		return DefaultPassword(checktest.Source(k, fleet))
//	})
func Contract(t testing.TB, c Case, build func(*Kit) checks.Check) {
	t.Helper()
	if c.fails() {
		t.Fatal("Case.WantErr and WantErrText must be empty: a check that fails has no contract to keep")
	}
	con := &contract{TB: t, c: c, build: build}
	names := con.undisturbed()
	con.sharded()
	con.severalTimes()
	for seed := range uint64(4) {
		if !con.shuffled(seed + 1) {
			break // the others would say the same
		}
	}
	con.cancelledBefore()
	for i, name := range names {
		for _, p := range []point{listing, atFirst, halfway, atEnd} {
			con.faulty(i, name, p)
		}
		for _, p := range []point{listing, atFirst, halfway} {
			con.cancelled(i, name, p)
		}
	}
}

// contract is a call of Contract.
type contract struct {
	testing.TB
	c     Case
	build func(*Kit) checks.Check
	spec  checks.Spec    // without its sources
	want  checks.Outcome // what the check comes to undisturbed
}

// attempt is one run of a check in a trial.
type attempt struct {
	checks.Check
	kit      *Kit
	job      *checks.Job
	begun    func()
	returned atomic.Bool
}

// Run implements [checks.Check].
func (a *attempt) Run(ctx context.Context, pass *checks.Pass) error {
	defer a.returned.Store(true)
	if a.begun != nil {
		a.begun()
	}
	return a.Check.Run(ctx, pass)
}

// begin builds the check for a trial.
func (con *contract) begin(tr trial) *attempt {
	con.Helper()
	k := &Kit{t: con.TB, trial: tr, over: make(chan struct{})}
	a := &attempt{Check: con.build(k), kit: k}
	if len(k.names) == 0 {
		con.Fatal("the function that makes the check calls checktest.Source for none of its sources")
	}
	a.job = con.c.job(con.TB, a.Check)
	a.job.Check = a
	return a
}

// run runs the check of an attempt, and ends the trial.
func (con *contract) run(ctx context.Context, a *attempt) checks.Outcome {
	con.Helper()
	r := checks.Runner{TimeLimit: timeLimit, Grace: patience}
	out := run(ctx, &r, a.job)
	close(a.kit.over)
	if !a.returned.Load() {
		con.broken(a, "the check did not return within %v after its context had ended", patience)
		return out
	}
	if err := r.Wait(con.Context()); err != nil {
		con.Fatal(err)
	}
	con.constant(a)
	return out
}

// constant wants the Spec that the check had when it was made first.
func (con *contract) constant(a *attempt) {
	con.Helper()
	if s := fixed(a.Check.Spec()); !reflect.DeepEqual(s, con.spec) {
		con.broken(a, "the Spec was %+v, and is %+v", con.spec, s)
		con.FailNow()
	}
}

// broken says that the contract was broken.
func (con *contract) broken(a *attempt, format string, args ...any) {
	con.Helper()
	con.Errorf("%s, %s: %s", a.job.Spec.Name, a.kit.trial.name, fmt.Sprintf(format, args...))
}

// fixed returns what should be constant of a Spec: all but the sources, which each trial has anew.
func fixed(s checks.Spec) checks.Spec {
	s.Params, s.ReasonCodes, s.References = slices.Clone(s.Params), slices.Clone(s.ReasonCodes), slices.Clone(s.References)
	s.Source, s.Needs = nil, nil
	return s
}

// undisturbed finds out what the check comes to, and the names of its sources.
func (con *contract) undisturbed() []string {
	con.Helper()
	a := con.begin(trial{name: "undisturbed", inPlace: true})
	con.spec = fixed(*a.job.Spec)
	con.want = con.run(con.Context(), a)
	name := con.spec.Name
	if !con.c.compare(con, name, con.want) {
		con.FailNow()
	}
	if con.c.Want != nil {
		con.c.compareFindings(con, name, con.want)
	}
	for _, changed := range a.kit.changed {
		if what := changed(); what != "" {
			con.broken(a, "the check changed %s, which it shares with other checks", what)
			con.FailNow() // it may do so in all the trials, and for audits that run at once that is a race
		}
	}
	if !a.kit.read.Load() {
		con.Fatalf("%s reads none of the sources that checktest.Source made", name)
	}
	if len(con.want.Findings) == 0 {
		con.Fatalf("%s finds nothing, so nothing can be tried: give it a resource that is not as it should be", name)
	}
	return a.kit.names
}

// same wants the outcome of the undisturbed run, findings written as line says.
func (con *contract) same(a *attempt, out checks.Outcome, line func(checks.Finding) string) bool {
	con.Helper()
	d := diff(lines(con.want.Findings, line), lines(out.Findings, line))
	switch {
	case out.Err != nil:
		con.broken(a, "the check failed: %s", explain(out.Err))
	case d != "":
		con.broken(a, "findings (- only undisturbed, + only now):\n%s", d)
	case out.Scanned != con.want.Scanned:
		con.broken(a, "the check counted %d resources, undisturbed %d", out.Scanned, con.want.Scanned)
	default:
		return true
	}
	return false
}

func (con *contract) whole(f checks.Finding) string { return whole(con.spec, f) }

func (con *contract) sharded() {
	con.Helper()
	a := con.begin(trial{name: "resources in shards"})
	con.same(a, con.run(con.Context(), a), con.whole)
}

func (con *contract) severalTimes() {
	con.Helper()
	a := con.begin(trial{name: "several times at once"})
	r := checks.Runner{TimeLimit: timeLimit}
	var outs [4]checks.Outcome
	var audits sync.WaitGroup
	for i := range outs {
		job := con.c.job(con, a.Check)
		audits.Go(func() { outs[i] = run(con.Context(), &r, job) })
	}
	audits.Wait()
	for _, out := range outs {
		if !con.same(a, out, con.whole) {
			break
		}
	}
	con.constant(a)
}

func (con *contract) shuffled(seed uint64) bool {
	con.Helper()
	a := con.begin(trial{name: fmt.Sprint("resources in another order, number ", seed), seed: seed})
	return con.same(a, con.run(con.Context(), a), identity)
}

func (con *contract) faulty(source int, name string, p point) {
	con.Helper()
	a := con.begin(trial{
		name:   fmt.Sprintf("source %q fails %v", name, p),
		source: source, point: p,
		trouble: func(context.Context, *Kit) error { return errFault },
	})
	out := con.run(con.Context(), a)
	switch {
	case !a.kit.reached.Load(): // it does not need that source, or not all of it
	case out.Err == nil:
		con.broken(a, "the check completed; it must return the error")
	case !errors.Is(out.Err, errFault):
		con.broken(a, "the check's error does not wrap the source's: %s", explain(out.Err))
	}
}

func (con *contract) cancelledBefore() {
	con.Helper()
	ctx, cancel := context.WithCancel(con.Context())
	a := con.begin(trial{name: "cancelled before it begins"})
	a.begun = cancel
	con.run(ctx, a)
}

func (con *contract) cancelled(source int, name string, p point) {
	con.Helper()
	ctx, cancel := context.WithCancel(con.Context())
	defer cancel()
	a := con.begin(trial{
		name:   fmt.Sprintf("cancelled in source %q %v", name, p),
		source: source, point: p,
		// The source stops when it is told to, as a database does.
		trouble: func(ctx context.Context, k *Kit) error {
			cancel()
			select {
			case <-ctx.Done():
			case <-k.over:
			}
			return context.Canceled
		},
	})
	con.run(ctx, a)
}

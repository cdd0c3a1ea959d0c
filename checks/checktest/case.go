package checktest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/model"
)

// Case is a situation in which a check is tried, and what should come of it. The zero Case wants a check
// that completes and finds nothing.
type Case struct {
	Time   time.Time         // as of when the check judges; zero: 1 January 2026, midnight in UTC
	Since  time.Time         // when the same schedule ran before; zero: this is the first time
	Config map[string]string // the check's parameters, as an account's configuration has them; nil: the defaults

	Want        []Finding // all that it should find, in any order
	WantScanned int64     // how many resources it should count as checked; zero: is not compared

	// WantErr and WantErrText say that the check should fail: with an error that is WantErr, as errors.Is
	// has it, and whose message has WantErrText in it. What it found before is compared only if Want is
	// not nil.
	WantErr     error
	WantErrText string
}

// Finding is what makes two findings of a check the same.
type Finding struct {
	Resource   model.ResourceIdentifier
	ReasonCode string
}

// Run runs a check, and fails the test with a list of what is missing and what is unexpected if it does
// not find what c wants. It returns the outcome, for a test that looks at more: reasons and related
// resources. There is no time limit but the test's own.
func Run(t testing.TB, check checks.Check, c Case) checks.Outcome {
	t.Helper()
	var r checks.Runner
	job := c.job(t, check)
	job.Pass.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	out := run(t.Context(), &r, job)
	if c.compare(t, job.Spec.Name, out) && (c.Want != nil || !c.fails()) {
		c.compareFindings(t, job.Spec.Name, out)
	}
	return out
}

// job makes the Job of a check. It stops the test if the check's Spec or the Case is not valid.
func (c Case) job(t testing.TB, check checks.Check) *checks.Job {
	t.Helper()
	if err := checks.Validate(check); err != nil {
		t.Fatalf("the Spec is not valid: %v", err)
	}
	if c.Time.IsZero() {
		c.Time = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	spec := check.Spec()
	var p model.Problems
	pass := checks.Pass{TaskID: "checktest", Time: c.Time, Since: c.Since, Config: spec.Configure(&p, "Config", c.Config)}
	for _, q := range p {
		t.Errorf("%s: Case.%s", spec.Name, q)
	}
	if len(p) > 0 {
		t.FailNow()
	}
	return &checks.Job{Check: check, Spec: &spec, Pass: pass}
}

func run(ctx context.Context, r *checks.Runner, job *checks.Job) (out checks.Outcome) {
	job.End = func(o checks.Outcome) { out = o }
	r.Run(ctx, []*checks.Job{job})
	return out
}

func (c Case) fails() bool { return c.WantErr != nil || c.WantErrText != "" }

// compare fails the test if a run did not end as c wants. It tells whether its findings count.
func (c Case) compare(t testing.TB, name string, out checks.Outcome) bool {
	t.Helper()
	if c.WantScanned != 0 && out.Scanned != c.WantScanned {
		t.Errorf("%s counted %d resources as checked, want %d", name, out.Scanned, c.WantScanned)
	}
	err := out.Err
	switch {
	case !c.fails() && err == nil:
		return true
	case !c.fails():
		t.Errorf("%s failed: %s", name, explain(err))
	case err == nil:
		t.Errorf("%s completed, want %s", name, c.wantedError())
	case c.WantErr != nil && !errors.Is(err, c.WantErr), !strings.Contains(err.Error(), c.WantErrText):
		t.Errorf("%s failed: %s\nwant %s", name, explain(err), c.wantedError())
	default:
		return true
	}
	return false
}

func (c Case) compareFindings(t testing.TB, name string, out checks.Outcome) {
	t.Helper()
	if d := diff(lines(c.Want, Finding.String), lines(out.Findings, identity)); d != "" {
		t.Errorf("%s: findings (- missing, + unexpected):\n%s", name, d)
	}
}

func (c Case) wantedError() string {
	var words []string
	if c.WantErr != nil {
		words = append(words, fmt.Sprintf("an error that is %q", c.WantErr))
	}
	if c.WantErrText != "" {
		words = append(words, fmt.Sprintf("an error that says %q", c.WantErrText))
	}
	return strings.Join(words, " and ")
}

// explain is the text of an error, with the stack if it comes from a panic.
func explain(err error) string {
	if p, ok := errors.AsType[*checks.PanicError](err); ok {
		return err.Error() + "\n" + string(p.Stack)
	}
	return err.Error()
}

// String is a Finding as a line: the reason code, and the resource in JSON.
func (f Finding) String() string { return f.ReasonCode + " " + toJSON(f.Resource) }

// identity is a reported finding as the line of the Finding that it is.
func identity(f checks.Finding) string {
	return Finding{f.Resource.ResourceIdentifier, f.ReasonCode}.String()
}

func toJSON(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // for people to read
	if err := e.Encode(v); err != nil {
		return err.Error()
	}
	return strings.TrimSuffix(b.String(), "\n")
}

package engine

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// ForecastInput says what to forecast.
type ForecastInput struct {
	To               time.Time // after From
	From             time.Time // zero: now
	TargetCheckNames []string  // nil: every check that is enabled
}

// Forecast is what checks find at one time, and would find at a later one if nothing in the fleet changed until then.
type Forecast struct {
	From, To time.Time
	Checks   []CheckForecast          // in the order of the Engine's checks
	Reasons  []ReasonForecast         // in that order too; those of which the number of findings that count changes
	Lapsed   []model.AuditSuppression // that hold at From, and no longer at To, soonest first

	changes iter.Seq[findings.Change]
}

// CheckForecast is what became of the two runs of one check. One whose data is not there yet did not run: it is
// WAITING_FOR_DATA_COLLECTION in both. A Retrospective check judges as of From in both, since nobody knows what will happen
// until To; only its suppressions lapse.
type CheckForecast struct {
	CheckName string
	Severity  model.AuditFindingSeverity
	From, To  model.AuditCheckDetails
}

// ReasonForecast counts the findings of one check with one reason code.
type ReasonForecast struct {
	CheckName    string
	Severity     model.AuditFindingSeverity
	ReasonCode   string
	New          int // that are not there at From, and not suppressed at To
	Resolved     int // that were not suppressed at From, and are not there at To
	Unsuppressed int // that are there at both, and whose suppression lapses
}

// Changes yields what differs between the two times, as a [findings.Store.Diff] of two audits would: also what stays
// the same.
func (f *Forecast) Changes() iter.Seq[findings.Change] {
	if f.changes == nil {
		return func(func(findings.Change) bool) {}
	}
	return f.changes
}

// String is a line for people: "by 2025-03-01: 212 CERTIFICATE_APPROACHING_EXPIRATION, 3 suppressions lapsed".
func (f *Forecast) String() string {
	var codes []string
	counts := make(map[string]int) // of what counts at To and does not at From, by reason code
	for _, r := range f.Reasons {
		if n := r.New + r.Unsuppressed; n > 0 {
			if counts[r.ReasonCode] == 0 {
				codes = append(codes, r.ReasonCode)
			}
			counts[r.ReasonCode] += n
		}
	}
	var parts []string
	for _, code := range codes {
		parts = append(parts, fmt.Sprint(counts[code], " ", code))
	}
	left := 0
	for _, c := range f.Checks {
		if !c.compared() {
			left++
		}
	}
	parts = appendCount(parts, len(f.Lapsed), "suppression lapsed", "suppressions lapsed")
	parts = appendCount(parts, left, "check not forecast", "checks not forecast")
	if len(parts) == 0 {
		parts = []string{"nothing new"}
	}
	date := f.To.UTC().Format(time.DateOnly)
	if to := f.To.UTC(); !to.Truncate(day).Equal(to) {
		date = instantText(to)
	}
	return "by " + date + ": " + strings.Join(parts, ", ")
}

func appendCount(parts []string, n int, one, many string) []string {
	switch n {
	case 0:
		return parts
	case 1:
		many = one
	}
	return append(parts, fmt.Sprint(n, " ", many))
}

// compared tells whether both runs of the check completed.
func (c *CheckForecast) compared() bool {
	return completed(c.From.CheckRunStatus) && completed(c.To.CheckRunStatus)
}

// Forecast runs checks as of two times over the fleet as it is, and compares what they find. What checks scan together
// ([checks.Each], [checks.Scan]) they scan once for both times; what they read by themselves they read for each, so that
// a fleet that is changed meanwhile may differ between the two. Suppressions are as they are now.
//
// It is no audit: nothing of it is kept or listed, no history knows it, nobody is notified, and no quota counts it. It
// shares Config.Concurrency with audits, and returns when each check has ended or ctx has.
//
// Errors: InvalidRequestException; the cause of ctx; [ErrClosed].
func (e *Engine) Forecast(ctx context.Context, in ForecastInput) (*Forecast, error) {
	release, err := e.reserve()
	if err != nil {
		return nil, err
	}
	defer release()
	e.count(&e.forecasting, 1)
	defer e.count(&e.forecasting, -1)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(e.ctx, func() { cancel(ErrClosed) })()
	if in.From.IsZero() {
		in.From = time.Now()
	}
	txn := e.state.Txn(false)
	account := e.account(txn)
	p := in.problems()
	e.wantEnabled(&p, account, in.TargetCheckNames)
	if err := p.Err(); err != nil {
		return nil, err
	}
	var looks []*look // two of each check
	var jobs []*checks.Job
	for i, s := range e.specs {
		if !account.enabled(s.Name) || in.TargetCheckNames != nil && !slices.Contains(in.TargetCheckNames, s.Name) {
			continue
		}
		suppressions := findings.NewSuppressions(e.suppressions(txn, s.Name))
		from := &look{spec: s, accept: acceptance{suppressions: suppressions, at: in.From}}
		to := &look{spec: s, accept: acceptance{suppressions: suppressions, at: in.To}}
		looks = append(looks, from, to)
		set := account.checks[s.Name].Configuration
		e.plan(from, i, set)
		jobs = append(jobs, from.job)
		if s.Retrospective {
			to.outcome = from.outcome
		} else {
			e.plan(to, i, set)
			jobs = append(jobs, to.job)
		}
	}
	if len(looks) == 0 {
		p.Add("targetCheckNames", nil, "leave nothing to forecast: no check is enabled")
		return nil, p.Err()
	}
	e.runner.Run(ctx, jobs)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	for _, l := range looks {
		if l.job != nil && l.outcome.Err != nil && !l.outcome.NoData {
			logFailure(l.job.Pass.Logger, l.outcome)
		}
	}
	f, err := compare(in, looks)
	if err != nil {
		return nil, err
	}
	for r := range rows[suppressionRow](txn, suppressionTable, "expiry", nil) {
		ran := slices.ContainsFunc(f.Checks, func(c CheckForecast) bool { return c.CheckName == r.check })
		if s := r.suppression(); ran && findings.Active(s, in.From) && !findings.Active(s, in.To) {
			f.Lapsed = append(f.Lapsed, s)
		}
	}
	return f, nil
}

// look is one run of a check for a forecast.
type look struct {
	spec    checks.Spec
	accept  acceptance
	job     *checks.Job // nil: it has the outcome of another look
	outcome *checks.Outcome
}

// plan gives a look a job of its own.
func (e *Engine) plan(l *look, i int, set map[string]string) {
	l.outcome = new(checks.Outcome)
	l.job = &checks.Job{
		Check: e.config.Checks[i],
		Spec:  &l.spec,
		Pass: checks.Pass{
			TaskID: newTaskID(),
			Time:   l.accept.at,
			Config: configured(&l.spec, set),
			Logger: e.config.Logger.With("check", l.spec.Name, "forecast", l.accept.at),
		},
		NoWait: true,
		End:    func(out checks.Outcome) { *l.outcome = out },
	}
}

// problems says what is wrong with the input by itself.
func (in *ForecastInput) problems() model.Problems {
	p := model.Check(&model.StartOnDemandAuditTaskInput{TargetCheckNames: in.TargetCheckNames})
	if in.TargetCheckNames == nil {
		p = nil // every check
	}
	for _, t := range []struct {
		field string
		value time.Time
	}{{"From", in.From}, {"To", in.To}} {
		if year := t.value.UTC().Year(); year < 1 || year > 9999 {
			p.Add(t.field, instantText(t.value), "must be of year 1 to 9999")
		}
	}
	switch {
	case in.To.IsZero():
		p.Add("To", nil, "is required")
	case !in.To.After(in.From):
		p.Add("To", instantText(in.To), "must be after "+instantText(in.From))
	}
	return p
}

// compare makes a Forecast of looks, which come in pairs.
func compare(in ForecastInput, looks []*look) (*Forecast, error) {
	const from, to = "from", "to"
	store := findings.New()
	f := &Forecast{From: in.From, To: in.To}
	err := errors.Join(
		store.Begin(findings.Audit{TaskID: from, StartTime: in.From}),
		store.Begin(findings.Audit{TaskID: to, StartTime: in.To, Hypothetical: true}))
	for pair := range slices.Chunk(looks, 2) {
		c := CheckForecast{CheckName: pair[0].spec.Name, Severity: pair[0].spec.Severity}
		var found [2][]findings.Finding
		for i, details := range []*model.AuditCheckDetails{&c.From, &c.To} {
			out, accept := pair[i].outcome, pair[i].accept
			if pair[0].outcome.NoData || pair[1].outcome.NoData {
				details.CheckRunStatus = model.AuditCheckRunStatusWaitingForDataCollection
				continue
			}
			marked := accept.mark(c.CheckName, out)
			for f := range marked.all {
				found[i] = append(found[i], *f)
			}
			*details = ended(out, marked.resources, false)
		}
		f.Checks = append(f.Checks, c)
		if !c.compared() {
			continue
		}
		for i, task := range []string{from, to} {
			run := findings.Run{TaskID: task, Ordinal: len(f.Checks) - 1, CheckName: c.CheckName, Severity: c.Severity, Time: pair[i].accept.at}
			err = errors.Join(err, store.Append(run, found[i]))
		}
	}
	if err != nil {
		return nil, err
	}
	changes, err := store.Diff(from, to)
	if err != nil {
		return nil, err
	}
	f.changes = func(yield func(findings.Change) bool) {
		for c := range changes {
			c.Finding.FindingID, c.Finding.TaskID = "", "" // no operation knows them
			if !yield(c) {
				return
			}
		}
	}
	f.count()
	return f, nil
}

// count makes Reasons of the changes.
func (f *Forecast) count() {
	type key struct{ check, code string }
	at := make(map[key]int)
	for c := range f.changes {
		var add ReasonForecast
		suppressed := *c.Finding.IsSuppressed
		switch c.State {
		case findings.StateNew:
			add.New = one(!suppressed)
		case findings.StateResolved:
			add.Resolved = one(!c.WasSuppressed)
		case findings.StateUnchanged:
			add.Unsuppressed = one(c.WasSuppressed && !suppressed)
		}
		if add == (ReasonForecast{}) {
			continue
		}
		k := key{c.Finding.CheckName, c.Finding.ReasonForNonComplianceCode}
		i, ok := at[k]
		if !ok {
			i = len(f.Reasons)
			at[k] = i
			f.Reasons = append(f.Reasons, ReasonForecast{CheckName: k.check, Severity: c.Finding.Severity, ReasonCode: k.code})
		}
		f.Reasons[i].New += add.New
		f.Reasons[i].Resolved += add.Resolved
		f.Reasons[i].Unsuppressed += add.Unsuppressed
	}
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

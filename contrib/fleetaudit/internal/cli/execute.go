package cli

import (
	"context"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/report"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/terminal"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// execution is what to run, and as of when.
type execution struct {
	checks       []checks.Check               // all that there are
	specs        []checks.Spec                // of those to run, in order
	params       map[string]map[string]string // by the names of the checks
	suppressions []model.AuditSuppression     // nil: those of the history
	asOf         time.Time
	forecast     time.Time // zero: none
	history      *history  // nil: the audit is not kept
	progress     *terminal.Progress
}

// run audits, and puts what became of the checks into r. If ctx ends, the audit is cancelled, and that is what
// became of them.
func (x execution) run(ctx context.Context, r *report.Report) error {
	// From here on an end of ctx cancels the audit, and what it has found is still read.
	inner := context.WithoutCancel(ctx)
	// The fleet is in memory and somebody can interrupt: that is limit enough.
	e, err := x.history.engine(inner, engine.Config{
		Checks: x.checks, EnableAll: true, MaxFindings: -1, CheckTimeLimit: -1, Suppressions: x.suppressions,
	})
	if err != nil {
		return err
	}
	defer e.Close()
	r.Specs = x.specs
	start := &model.StartOnDemandAuditTaskInput{}
	configure := &model.UpdateAccountAuditConfigurationInput{AuditCheckConfigurations: map[string]model.AuditCheckConfiguration{}}
	for _, s := range x.specs {
		start.TargetCheckNames = append(start.TargetCheckNames, s.Name)
		params := x.params[s.Name]
		if params == nil {
			params = map[string]string{} // else those of the audit before would stay
		}
		configure.AuditCheckConfigurations[s.Name] = model.AuditCheckConfiguration{Enabled: true, Configuration: params}
	}
	if _, err := e.UpdateAccountAuditConfiguration(inner, configure); err != nil {
		return err
	}
	asOf := x.asOf
	if x.history != nil && !x.history.reads {
		asOf = time.Time{} // an audit of now has a history
	}
	task, err := e.StartAuditAsOf(inner, start, asOf)
	if err != nil {
		return err
	}
	r.TaskID = task.TaskID
	if err := x.wait(ctx, r, e); err != nil {
		return err
	}
	if asOf.IsZero() {
		r.AsOf = r.AuditTask.TaskStartTime
	}
	if err := x.history.compare(inner, r, e); err != nil || x.forecast.IsZero() {
		return err
	}
	return x.lookAhead(ctx, r, e)
}

// wait puts into r what becomes of its audit. If ctx ends, that is cancelled.
func (x execution) wait(ctx context.Context, r *report.Report, e *engine.Engine) (err error) {
	inner := context.WithoutCancel(ctx)
	stop := context.AfterFunc(ctx, func() {
		// It fails only if the audit has ended.
		_, _ = e.CancelAuditTask(inner, &model.CancelAuditTaskInput{TaskID: r.TaskID})
	})
	defer stop()
	defer watch(x.progress, e, x.specs, r.TaskID)()
	if r.AuditTask, err = e.WaitAuditTask(inner, r.TaskID); err != nil {
		return err
	}
	for f, err := range e.AuditFindings(inner, &model.ListAuditFindingsInput{TaskID: r.TaskID}) {
		if err != nil {
			return err
		}
		r.Findings = append(r.Findings, report.Finding{AuditFinding: f})
	}
	return nil
}

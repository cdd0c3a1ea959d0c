package scans

import (
	"context"
	"fmt"
	"slices"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// auditor is an Engine, and what its last audit said.
type auditor struct {
	engine *engine.Engine
	names  []string
	taskID string
	task   *model.DescribeAuditTaskOutput
}

// newAuditor makes an Engine for checks that find as much as they like, on so many cores.
func newAuditor(cores int, all ...checks.Check) (*auditor, error) {
	e, err := engine.New(engine.Config{
		Checks: all, EnableAll: true, Concurrency: cores, MaxFindings: -1,
		Retention: -1, // thousands of audits in one benchmark
	})
	if err != nil {
		return nil, err
	}
	a := &auditor{engine: e}
	for _, c := range all {
		a.names = append(a.names, c.Spec().Name)
	}
	return a, nil
}

func (a *auditor) start(names ...string) error {
	out, err := a.engine.StartOnDemandAuditTask(context.Background(), &model.StartOnDemandAuditTaskInput{TargetCheckNames: names})
	if err != nil {
		return err
	}
	a.taskID = out.TaskID
	return nil
}

// wait returns when the audit has ended that was started last.
func (a *auditor) wait() (err error) {
	a.task, err = a.engine.WaitAuditTask(context.Background(), a.taskID)
	return err
}

// audit runs the checks of these names, all of them if there are none.
func (a *auditor) audit(names ...string) error {
	if len(names) == 0 {
		names = a.names
	}
	if err := a.start(names...); err != nil {
		return err
	}
	if err := a.wait(); err != nil {
		return err
	}
	for _, d := range a.task.AuditDetails {
		if d.ErrorCode != "" {
			return fmt.Errorf("%s: %s", d.ErrorCode, d.Message)
		}
	}
	return nil
}

// clients lists the client ids of its findings, sorted.
func (a *auditor) clients() any {
	ids := []string{}
	for f, err := range a.engine.AuditFindings(context.Background(), &model.ListAuditFindingsInput{TaskID: a.taskID}) {
		if err != nil {
			return err.Error()
		}
		ids = append(ids, f.NonCompliantResource.ResourceIdentifier.ClientID)
	}
	slices.Sort(ids)
	return ids
}

func (a *auditor) close() { a.engine.Close() }

// spec is that of a check of devices.
func spec(name string) checks.Spec {
	return checks.Spec{
		Name: name, Severity: model.AuditFindingSeverityLow, ResourceType: model.ResourceTypeClientID,
		ReasonCodes: []checks.ReasonCode{{Code: "DEVICE_VIOLATES_RULE"}},
	}
}

// report reports a device.
func report(pass *checks.Pass, d *device) {
	var f checks.Finding
	f.Resource.ResourceIdentifier.ClientID = d.ID
	f.ReasonCode = "DEVICE_VIOLATES_RULE"
	pass.Report(f)
}

// ruled is the check that has the rule.
func ruled(name string, src *checks.Source[device]) checks.Check {
	return checks.Each(spec(name), src, func(_ context.Context, pass *checks.Pass, d *device) error {
		if d.violates() {
			report(pass, d)
		}
		return nil
	})
}

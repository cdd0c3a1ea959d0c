package fleetaudit_test

import (
	"context"
	"fmt"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// An engine, a check of your own over a slice, an audit on demand, and what it found.
func Example() {
	type Device struct{ ID, Password string }
	fleet := checks.Slice("devices", []Device{{"pump-1", "7fK!x"}, {"pump-2", "admin"}})
	spec := checks.Spec{Name: "DEFAULT_PASSWORD_CHECK", Severity: model.AuditFindingSeverityCritical,
		ResourceType: model.ResourceTypeClientID, ReasonCodes: []checks.ReasonCode{{Code: "DEFAULT_PASSWORD"}}}
	check := checks.Each(spec, fleet, func(_ context.Context, pass *checks.Pass, d *Device) error {
		if d.Password == "admin" {
			pump := model.NonCompliantResource{ResourceIdentifier: model.ResourceIdentifier{ClientID: d.ID}}
			pass.Report(checks.Finding{Resource: pump, ReasonCode: "DEFAULT_PASSWORD"})
		}
		return nil
	})
	e, err := engine.New(engine.Config{Checks: []checks.Check{check}, EnableAll: true})
	ok(err)
	defer e.Close()
	ctx := context.Background()
	task, err := e.StartOnDemandAuditTask(ctx, &model.StartOnDemandAuditTaskInput{TargetCheckNames: []string{spec.Name}})
	ok(err)
	audit, err := e.WaitAuditTask(ctx, task.TaskID)
	ok(err)
	fmt.Println(audit.TaskStatus, audit.AuditDetails[spec.Name].CheckRunStatus)
	for f, err := range e.AuditFindings(ctx, &model.ListAuditFindingsInput{TaskID: task.TaskID}) {
		fmt.Println(f.Severity, f.NonCompliantResource.ResourceIdentifier, f.ReasonForNonComplianceCode, err)
	}
	// Output:
	// COMPLETED COMPLETED_NON_COMPLIANT
	// CRITICAL pump-2 DEFAULT_PASSWORD <nil>
}

func ok(err error) {
	if err != nil {
		panic(err)
	}
}

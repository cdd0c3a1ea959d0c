package fleetaudit_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/builtin"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/findings"
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

// One finding of the example fleet is accepted, another is fixed; then what an audit says of them, and what half a year
// will bring.
func Example_findings() {
	ctx := context.Background()
	loaded, err := inventory.Load(ctx, "checks/inventory/testdata/fleet")
	ok(err)
	fleet := inventory.New(loaded.Contents)
	e, err := engine.New(engine.Config{Checks: builtin.All(fleet), EnableAll: true})
	ok(err)
	defer e.Close()
	const check = "IOT_POLICY_OVERLY_PERMISSIVE_CHECK"
	audit := func() (taskID string) {
		task, err := e.StartOnDemandAuditTask(ctx, &model.StartOnDemandAuditTaskInput{TargetCheckNames: []string{check}})
		ok(err)
		_, err = e.WaitAuditTask(ctx, task.TaskID)
		ok(err)
		return task.TaskID
	}
	doorbell := model.ResourceIdentifier{PolicyVersionIdentifier: model.PolicyVersionIdentifier{PolicyName: "doorbell", PolicyVersionID: "1"}}
	withoutCamera := loaded.Contents
	withoutCamera.PolicyVersions = slices.DeleteFunc(slices.Clone(withoutCamera.PolicyVersions), func(v inventory.PolicyVersion) bool {
		return v.Name == "camera"
	})
	june, december := time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC), time.Date(2024, 12, 1, 0, 0, 0, 0, time.UTC)

	accept := model.CreateAuditSuppressionInput{CheckName: check, ResourceIdentifier: doorbell, SuppressIndefinitely: new(true),
		Description: "a prototype that stays in the laboratory", ClientRequestToken: "doorbell"}

	before := audit()
	_, err = e.CreateAuditSuppression(ctx, &accept) // doorbell:1, "a prototype that stays in the laboratory"
	ok(err)
	fleet.Replace(withoutCamera) // camera:1 is no more
	for c, err := range e.DiffAudits(ctx, before, audit()) {
		history, _ := e.FindingHistory(ctx, findings.FingerprintOf(c.Finding))
		fmt.Println(c.State, c.Finding.NonCompliantResource.ResourceIdentifier, *c.Finding.IsSuppressed, history.State, err)
	}
	fmt.Println(e.Forecast(ctx, engine.ForecastInput{From: june, To: december}))
	// Output:
	// UNCHANGED lock-pilot:1 false OPEN <nil>
	// UNCHANGED doorbell:1 true OPEN <nil>
	// RESOLVED camera:1 false RESOLVED <nil>
	// by 2024-12-01: 2 CERTIFICATE_PAST_EXPIRATION, 1 CERTIFICATE_PAST_AGE_THRESHOLD <nil>
}

func ok(err error) {
	if err != nil {
		panic(err)
	}
}

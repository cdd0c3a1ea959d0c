package engine_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

func TestSuppressions(t *testing.T) { runScript(t, "suppression.txt") }

// The host wants to know why a finding is accepted, and that somebody looks at it again.
func ExampleSuppressionPolicy() {
	e, err := engine.New(engine.Config{
		Checks:            []checks.Check{newStock().checks["DEVICE_CHECK"]},
		SuppressionPolicy: engine.SuppressionPolicy{DescriptionRequired: true, MaxLifetime: 90 * 24 * time.Hour},
	})
	if err != nil {
		panic(err)
	}
	defer e.Close()
	_, err = e.CreateAuditSuppression(context.Background(), &model.CreateAuditSuppressionInput{
		CheckName: "DEVICE_CHECK", ResourceIdentifier: model.ResourceIdentifier{ClientID: "pump-2"},
		SuppressIndefinitely: new(true), ClientRequestToken: "pump-2",
	})
	fmt.Println(err)
	// Output:
	// InvalidRequestException: suppressIndefinitely true is not allowed: a suppression must expire within 2160h0m0s; description "" is required: say why the finding is accepted
}

func ExampleEngine_SuppressionReport() {
	ctx := context.Background()
	accept := func(check, device string) model.AuditSuppression {
		return model.AuditSuppression{
			CheckName: check, ResourceIdentifier: model.ResourceIdentifier{ClientID: device},
			ExpirationDate: model.At(time.Now().AddDate(0, 0, 7)),
		}
	}
	e, err := engine.New(engine.Config{
		Checks: []checks.Check{newStock().checks["DEVICE_CHECK"]}, EnableAll: true,
		Suppressions: []model.AuditSuppression{accept("DEVICE_CHECK", "pump-2"), accept("DEVICE_CHECK", "scrapped")},
	})
	if err != nil {
		panic(err)
	}
	defer e.Close()
	task, err := e.StartOnDemandAuditTask(ctx, &model.StartOnDemandAuditTaskInput{TargetCheckNames: []string{"DEVICE_CHECK"}})
	if err != nil {
		panic(err)
	}
	if _, err := e.WaitAuditTask(ctx, task.TaskID); err != nil {
		panic(err)
	}
	report, err := e.SuppressionReport(ctx, 30*24*time.Hour)
	fmt.Println(len(report.Expired), "expired,", len(report.Expiring), "expire within 30 days", err)
	for _, s := range report.Unmatched {
		fmt.Println("matched nothing:", s.CheckName, s.ResourceIdentifier)
	}
	// Output:
	// 0 expired, 2 expire within 30 days <nil>
	// matched nothing: DEVICE_CHECK scrapped
}

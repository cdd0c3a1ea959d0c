package engine_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// TestSuppressionsAreThoseOfNow has audits before and after each change of a suppression: each goes by what holds when it
// runs.
func TestSuppressionsAreThoseOfNow(t *testing.T) {
	id := model.ResourceIdentifier{ClientID: "device"}
	report := func(_ context.Context, pass *checks.Pass) error {
		pass.Report(checks.Finding{Resource: model.NonCompliantResource{ResourceIdentifier: id}, ReasonCode: "BAD"})
		return nil
	}
	spec := specOf("BAD_CHECK")
	spec.ReasonCodes = []checks.ReasonCode{{Code: "BAD"}}
	e := openEngine(t, engine.Config{Checks: []checks.Check{checks.New(spec, report), good("OTHER_CHECK")}})
	yes := true
	create := func(check, token string) {
		_, err := e.CreateAuditSuppression(t.Context(), &model.CreateAuditSuppressionInput{
			CheckName: check, ResourceIdentifier: id, SuppressIndefinitely: &yes, ClientRequestToken: token,
		})
		require.NoError(t, err)
	}
	remove := func(check string) {
		in := &model.DeleteAuditSuppressionInput{CheckName: check, ResourceIdentifier: id}
		_, err := e.DeleteAuditSuppression(t.Context(), in)
		require.NoError(t, err)
	}
	for i, step := range []struct {
		change func()
		want   int64
	}{
		{func() {}, 0},
		{func() { create("OTHER_CHECK", "token-of-the-other-check-0000000000000") }, 0},
		{func() { create("BAD_CHECK", "token-of-the-bad-check-000000000000000") }, 1},
		{func() { remove("OTHER_CHECK") }, 1},
		{func() { remove("BAD_CHECK") }, 0},
		{func() { create("BAD_CHECK", "token-of-the-bad-check-000000000000001") }, 1},
	} {
		step.change()
		for range 2 { // the second time nothing has changed
			out := runAudit(t, e, "BAD_CHECK", "OTHER_CHECK")
			require.Equal(t, step.want, out.AuditDetails["BAD_CHECK"].SuppressedNonCompliantResourcesCount, "step %d", i)
		}
	}
}

package permission_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/checks/permission"
)

const broadDataPlane = "ALLOWS_BROAD_ACCESS_TO_IOT_DATA_PLANE_ACTIONS"

func TestIoTPolicyOverlyPermissive(t *testing.T) {
	iotPolicyContract(t, permission.IoTPolicyOverlyPermissive, "allow iot:Publish on topic/*", broadDataPlane)
}

// TestIoTPolicyOverlyPermissiveWords: the lists of the first three stand so in samples of AWS's findings.
func TestIoTPolicyOverlyPermissiveWords(t *testing.T) {
	for _, row := range []struct{ document, actions string }{
		{"allow iot:Connect,iot:Publish,iot:Receive,iot:Subscribe on *", "iot:Subscribe, iot:Connect, iot:Publish"},
		{"allow iot:Connect,iot:DeleteThingShadow,iot:GetThingShadow,iot:Publish,iot:Receive,iot:Subscribe,iot:UpdateThingShadow on *",
			"iot:Subscribe, iot:Connect, iot:GetThingShadow, iot:DeleteThingShadow, iot:UpdateThingShadow, iot:Publish"},
		{"allow iot:Connect on client/*; allow iot:Publish on topic/lamp-1", "iot:Connect"},
		{"allow IOT:PUBLISH,iot:publish on topic/*", "iot:Publish"},
	} {
		want := map[string]string{broadDataPlane: "Policy allows broad access to IoT data plane actions: [" + row.actions + "]."}
		got := policyReasons(t, permission.IoTPolicyOverlyPermissive, policyVersion(t, "p", row.document))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.document, diff)
		}
	}
}

func TestIoTPolicyNotEvaluable(t *testing.T) {
	broken := inventory.NewPolicyVersion("p", "1", damaged)
	for _, row := range []struct {
		v    inventory.PolicyVersion
		want string
	}{
		{broken, "Policy document cannot be parsed: " + broken.ParseError},
		{inventory.PolicyVersion{Name: "p", VersionID: "1"}, "Policy document is missing"},
	} {
		got := policyReasons(t, permission.IoTPolicyOverlyPermissive, row.v)
		if diff := cmp.Diff(map[string]string{notEvaluable: row.want}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	if broken.ParseError == "" {
		t.Error("the damaged document parses")
	}
}

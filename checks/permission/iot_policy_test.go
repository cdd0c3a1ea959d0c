package permission_test

import (
	"testing"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/checktest"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/model"
)

const notEvaluable = model.ReasonCodeResourceNotEvaluable

// damaged is no policy document.
var damaged = []byte(`{"Statement": 1}`)

// policyVersion makes version 1 of an IoT policy, in the notation of the verdicts.
func policyVersion(t testing.TB, name, document string) inventory.PolicyVersion {
	t.Helper()
	return inventory.NewPolicyVersion(name, "1", parseDocument(t, document).text(t))
}

func iotPolicy(name, code string) checktest.Finding {
	id := model.PolicyVersionIdentifier{PolicyName: name, PolicyVersionID: "1"}
	return checktest.Finding{Resource: model.ResourceIdentifier{PolicyVersionIdentifier: id}, ReasonCode: code}
}

// iotPolicyContract tries a check of IoT policies in every situation, with policies in every state. The document
// breaks its rule.
func iotPolicyContract(t *testing.T, check func(*inventory.Inventory) checks.Check, document, code string) {
	t.Helper()
	other := policyVersion(t, "other", document)
	other.NotDefault = true
	attached := policyVersion(t, "attached", document)
	attached.Targets = []string{"arn:aws:iot:us-east-1:123456789012:cert/0123"}
	otherDamaged := inventory.NewPolicyVersion("other damaged", "1", damaged)
	otherDamaged.NotDefault = true
	contents := inventory.Contents{PolicyVersions: []inventory.PolicyVersion{
		policyVersion(t, "bad", document), other, attached, policyVersion(t, "sound", "allow iot:Connect on client/lamp-1"),
		inventory.NewPolicyVersion("blank", "1", []byte(`{"Version":"2012-10-17","Statement":[]}`)),
		inventory.NewPolicyVersion("damaged", "1", damaged), otherDamaged, {Name: "by hand", VersionID: "1"},
	}}
	checktest.Contract(t, checktest.Case{Time: now, WantScanned: 6, Want: []checktest.Finding{
		iotPolicy("bad", code), iotPolicy("attached", code),
		iotPolicy("damaged", notEvaluable), iotPolicy("by hand", notEvaluable),
	}}, func(k *checktest.Kit) checks.Check {
		inv := inventory.New(contents)
		inv.PolicyVersions = checktest.Source(k, inv.PolicyVersions)
		return check(inv)
	})
}

// policyReasons returns the reasons of what a check finds in one IoT policy, by their codes.
func policyReasons(t *testing.T, check func(*inventory.Inventory) checks.Check, v inventory.PolicyVersion) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for _, f := range run(t, check(inventory.New(inventory.Contents{PolicyVersions: []inventory.PolicyVersion{v}}))) {
		all[f.ReasonCode] = f.Reason
		if f.Resource.ResourceIdentifier != iotPolicy(v.Name, "").Resource || len(f.Resource.AdditionalInfo)+len(f.Related) > 0 {
			t.Errorf("finding %+v", f)
		}
	}
	return all
}

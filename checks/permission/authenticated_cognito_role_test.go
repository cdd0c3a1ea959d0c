package permission_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/checks/permission"
)

const (
	broadRead     = "ALLOWS_BROAD_ACCESS_TO_IOT_THING_ADMIN_READ_ACTIONS"
	nonThingAdmin = "ALLOWS_ACCESS_TO_IOT_NON_THING_ADMIN_ACTIONS"
	adminWrite    = "ALLOWS_ACCESS_TO_IOT_THING_ADMIN_WRITE_ACTIONS"
)

var authenticated = cognitoCheck{permission.AuthenticatedCognitoRole, users, guests}

func TestAuthenticatedCognitoRole(t *testing.T) {
	authenticated.contract(t, "allow iot:DescribeThing on thing/*", broadRead)
}

// TestAuthenticatedCognitoRoleWords: broad access to the data plane is reported of the roles that no other code
// is reported of.
func TestAuthenticatedCognitoRoleWords(t *testing.T) {
	broad := func(actions string, roles ...string) said {
		return said{"Role allows broad access to IoT data plane actions: [" + actions + "].", arns(roles...)}
	}
	policies := said{"Role allows access to IoT non-thing admin actions: [iot:CreatePolicy].", arns("a")}
	for _, row := range []struct {
		roles []inventory.Role
		want  map[string]said
	}{
		{[]inventory.Role{namedRole(t, "a", "allow iot:Publish,iot:Subscribe on *")},
			map[string]said{broadDataPlane: broad("iot:Subscribe, iot:Publish", "a")}},
		{[]inventory.Role{namedRole(t, "a", "allow iot:Publish,iot:CreatePolicy on *")},
			map[string]said{nonThingAdmin: policies}},
		{[]inventory.Role{
			namedRole(t, "a", "allow iot:Publish,iot:CreatePolicy on *"), namedRole(t, "b", "allow iot:Connect on *"),
		}, map[string]said{nonThingAdmin: policies, broadDataPlane: broad("iot:Connect", "b")}},
		{[]inventory.Role{namedRole(t, "a", "allow iot:UpdateThing on thing/lamp-1", "allow iot:DescribeThing on thing/*")},
			map[string]said{
				adminWrite: {"Role allows access to IoT thing admin write actions: [iot:UpdateThing].", arns("a")},
				broadRead:  {"Role allows broad access to IoT thing admin read actions: [iot:DescribeThing].", arns("a")},
			}},
	} {
		if diff := cmp.Diff(row.want, authenticated.says(t, row.roles...)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// TestAuthenticatedCognitoRoleCutsLists: nobody wants to read the names of all actions of AWS IoT.
func TestAuthenticatedCognitoRoleCutsLists(t *testing.T) {
	got := authenticated.says(t, namedRole(t, "a", "allow iot:* on *"))
	if reason := got[nonThingAdmin].Reason; len(reason) > 1000 || !more.MatchString(reason) {
		t.Errorf("reason %q", reason)
	}
}

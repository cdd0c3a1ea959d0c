package permission_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/checks/permission"
)

const adminActions = "ALLOWS_ACCESS_TO_IOT_ADMIN_ACTIONS"

var unauthenticated = cognitoCheck{permission.UnauthenticatedCognitoRole, guests, users}

func TestUnauthenticatedCognitoRole(t *testing.T) {
	unauthenticated.contract(t, "allow iot:DescribeThing on thing/lamp-1", adminActions)
}

// TestUnauthenticatedCognitoRoleWords: a pool has one finding for each code, which names the actions and the roles.
func TestUnauthenticatedCognitoRoleWords(t *testing.T) {
	const (
		admin = "Role allows access to IoT admin actions: "
		broad = "Role allows broad access to IoT data plane actions: "
	)
	for _, row := range []struct {
		roles []inventory.Role
		want  map[string]said
	}{
		{[]inventory.Role{namedRole(t, "a", "allow iot:CreatePolicy,iot:DescribeThing,iot:DeleteThing on *")},
			map[string]said{adminActions: {admin + "[iot:DeleteThing, iot:DescribeThing, iot:CreatePolicy].", arns("a")}}},
		{[]inventory.Role{
			namedRole(t, "a", "allow iot:CreateThing,iot:Connect on *"), namedRole(t, "b", "allow iot:Connect on client/lamp-1"),
			namedRole(t, "c", "allow iot:DeleteThing,iot:CreateThing,iot:Publish on *"),
		}, map[string]said{
			adminActions:   {admin + "[iot:CreateThing, iot:DeleteThing].", arns("a", "c")},
			broadDataPlane: {broad + "[iot:Connect, iot:Publish].", arns("a", "c")},
		}},
		{[]inventory.Role{namedRole(t, "", "allow iot:CreateThing on *")},
			map[string]said{adminActions: {admin + "[iot:CreateThing].", nil}}},
		// A Deny of one role does not bind another.
		{[]inventory.Role{namedRole(t, "a", "deny * on *", "allow iot:Connect on *"), namedRole(t, "b", "allow iot:Connect on *")},
			map[string]said{broadDataPlane: {broad + "[iot:Connect].", arns("b")}}},
	} {
		if diff := cmp.Diff(row.want, unauthenticated.says(t, row.roles...)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

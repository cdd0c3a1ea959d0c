package permission_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/checks/permission"
)

const unusedServices = "ALLOWS_ACCESS_TO_UNUSED_SERVICES"

func TestIoTRoleAliasUnusedServices(t *testing.T) {
	aliasContract(t, permission.IoTRoleAliasUnusedServices, "allow s3:* on *", roleAlias("unused", unusedServices))
}

func TestIoTRoleAliasUnusedServicesWords(t *testing.T) {
	const (
		unused  = "Role allows access to services that it did not use in the last 365 days: "
		unknown = "Role allows access to services, and it is not known which ones it used in the last 365 days: "
	)
	words := inventory.NewRolePolicy("1", damaged).ParseError
	for _, row := range []struct {
		alias inventory.RoleAlias
		want  map[string]string
	}{
		{alias("a", namedRole(t, "r", "allow SQS:SendMessage,s3:*,dynamodb:* on *"), ago(day)), map[string]string{unusedServices: unused + "[dynamodb, sqs]."}},
		{alias("a", namedRole(t, "", "allow * on *"), ago(day)), map[string]string{unusedServices: unused + "[*]."}},
		{alias("a", namedRole(t, "r", "allow s3:*,sqs:* on *"), nil), map[string]string{notEvaluable: unknown + "[s3, sqs]."}},
		{alias("a", namedRole(t, "r", "allow s3:*,sq*:* on *", "damaged"), nil), map[string]string{
			unusedServices: unused + "[sq*].",
			notEvaluable:   `Document of policy "2" of role arn:aws:iam::123456789012:role/r cannot be parsed: ` + words + "; " + unknown + "[s3].",
		}},
	} {
		if diff := cmp.Diff(row.want, aliasSays(t, permission.IoTRoleAliasUnusedServices, row.alias)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestIoTRoleAliasUnusedServicesUse(t *testing.T) {
	for _, row := range usedRows {
		got := aliasSays(t, permission.IoTRoleAliasUnusedServices, alias("a", namedRole(t, "r", "allow s3:GetObject on *"), row.last))
		if _, found := got[unusedServices]; found == row.used || len(got) > 1 {
			t.Errorf("used %v: got %v", row.last, got)
		}
	}
}

package permission_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/checks/permission"
)

const (
	allOfUsed = "ALLOWS_BROAD_ACCESS_TO_USED_SERVICES"
	auditing  = "ALLOWS_ACCESS_TO_SECURITY_AUDITING_SERVICES"
)

func TestIoTRoleAliasOverlyPermissive(t *testing.T) {
	aliasContract(t, permission.IoTRoleAliasOverlyPermissive, "allow iam:GetRole,s3:* on *",
		roleAlias("used", allOfUsed), roleAlias("used", auditing), roleAlias("unused", auditing),
		roleAlias("unknown", auditing), roleAlias("damaged, unknown", auditing))
}

func TestIoTRoleAliasOverlyPermissiveWords(t *testing.T) {
	const (
		all     = "Role allows all actions of services that it used in the last 365 days: "
		unknown = "Role allows all actions of services, and it is not known which ones it used in the last 365 days: "
	)
	used := map[string]time.Time{"s3": now, "dynamodb": now, "sqs": now}
	words := inventory.NewRolePolicy("1", damaged).ParseError
	const unread = `Document of policy "1" of role arn:aws:iam::123456789012:role/r cannot be parsed: `
	for _, row := range []struct {
		alias inventory.RoleAlias
		want  map[string]string
	}{
		{alias("a", namedRole(t, "r", "allow s3:*,dynamodb:*,kinesis:*,sqs:SendMessage on *"), used), map[string]string{allOfUsed: all + "[dynamodb, s3]."}},
		{alias("a", namedRole(t, "", "allow s3:* on *"), used), map[string]string{allOfUsed: all + "[s3]."}},
		{alias("a", namedRole(t, "r", "allow trustedadvisor:*,iam:GetRole on *"), used),
			map[string]string{auditing: "Role allows access to security auditing services: [iam, trustedadvisor]."}},
		{alias("a", namedRole(t, "r", "allow s3:*,d?namo*:*,sqs:SendMessage on *"), nil), map[string]string{notEvaluable: unknown + "[d?namo*, s3]."}},
		{alias("a", namedRole(t, "r", "damaged", "allow s3:* on *"), nil),
			map[string]string{notEvaluable: unread + words + "; " + unknown + "[s3]."}},
		{alias("a", namedRole(t, "r", "damaged", "allow s3:* on *"), used),
			map[string]string{notEvaluable: unread + words, allOfUsed: all + "[s3]."}},
		{alias("a", namedRole(t, "r", "allow iot:DescribeThing,iot:UpdateThing,iot:CreatePolicy,iot:Publish on *"), used), map[string]string{
			broadRead:      "Role allows broad access to IoT thing admin read actions: [iot:DescribeThing].",
			nonThingAdmin:  "Role allows access to IoT non-thing admin actions: [iot:CreatePolicy].",
			adminWrite:     "Role allows access to IoT thing admin write actions: [iot:UpdateThing].",
			broadDataPlane: "Role allows broad access to IoT data plane actions: [iot:Publish].",
		}},
	} {
		if diff := cmp.Diff(row.want, aliasSays(t, permission.IoTRoleAliasOverlyPermissive, row.alias)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestIoTRoleAliasOverlyPermissiveUse(t *testing.T) {
	for _, row := range usedRows {
		got := aliasSays(t, permission.IoTRoleAliasOverlyPermissive, alias("a", namedRole(t, "r", "allow s3:* on *"), row.last))
		if _, found := got[allOfUsed]; found != row.used || len(got) > 1 {
			t.Errorf("used %v: got %v", row.last, got)
		}
	}
}

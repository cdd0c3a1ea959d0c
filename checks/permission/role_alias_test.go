package permission_test

import (
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/checktest"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/model"
)

// more is the end of a list that is cut.
var more = regexp.MustCompile(`, and \d+ more\]\.$`)

func alias(name string, role inventory.Role, used map[string]time.Time) inventory.RoleAlias {
	return inventory.RoleAlias{ARN: iotPrefix + "rolealias/" + name, Role: role, LastUsed: used}
}

func roleAlias(name, code string) checktest.Finding {
	return checktest.Finding{Resource: model.ResourceIdentifier{RoleAliasARN: iotPrefix + "rolealias/" + name}, ReasonCode: code}
}

// ago is when a role used S3.
func ago(d time.Duration) map[string]time.Time { return map[string]time.Time{"s3": now.Add(-d)} }

// aliasContract tries a check of role aliases in every situation, with aliases in every state. The document breaks
// its rule, and allows all of S3, which the alias called used alone has used.
func aliasContract(t *testing.T, check func(*inventory.Inventory) checks.Check, document string, want ...checktest.Finding) {
	t.Helper()
	bad := namedRole(t, "bad", document)
	aliases := []inventory.RoleAlias{
		alias("unused", bad, ago(366*day)), alias("used", bad, ago(day)), alias("unknown", bad, nil),
		alias("damaged", namedRole(t, "d", "damaged"), ago(day)), alias("damaged, unknown", namedRole(t, "d", document, "damaged"), nil),
		alias("nothing", namedRole(t, "n"), nil), alias("none", inventory.Role{}, nil),
		alias("by hand", inventory.Role{Policies: []inventory.RolePolicy{{Name: "1"}}}, ago(day)),
	}
	c := checktest.Case{Time: now, WantScanned: int64(len(aliases)), Want: append(want,
		roleAlias("unknown", notEvaluable), roleAlias("damaged", notEvaluable), roleAlias("damaged, unknown", notEvaluable),
		roleAlias("by hand", notEvaluable))}
	checktest.Contract(t, c, func(k *checktest.Kit) checks.Check {
		inv := inventory.New(inventory.Contents{RoleAliases: aliases})
		inv.RoleAliases = checktest.Source(k, inv.RoleAliases)
		return check(inv)
	})
}

// aliasSays returns the reasons that a check has about one role alias, by their codes.
func aliasSays(t *testing.T, check func(*inventory.Inventory) checks.Check, a inventory.RoleAlias) map[string]string {
	t.Helper()
	var related []model.RelatedResource
	if a.Role.ARN != "" {
		related = []model.RelatedResource{{
			ResourceType: model.ResourceTypeIAMRole, ResourceIdentifier: model.ResourceIdentifier{IAMRoleARN: a.Role.ARN},
		}}
	}
	all := make(map[string]string)
	for _, f := range run(t, check(inventory.New(inventory.Contents{RoleAliases: []inventory.RoleAlias{a}}))) {
		all[f.ReasonCode] = f.Reason
		if diff := cmp.Diff(related, f.Related); diff != "" || len(f.Resource.AdditionalInfo) > 0 {
			t.Errorf("additional information %v, related resources (-want +got):\n%s", f.Resource.AdditionalInfo, diff)
		}
	}
	return all
}

// usedRows say which last use of S3 lies in the last year.
var usedRows = []struct {
	last map[string]time.Time
	used bool
}{
	{ago(0), true}, {ago(day), true}, {ago(365 * day), true}, {ago(365*day + 1), false}, {ago(400 * day), false},
	{ago(-time.Hour), true}, // after the audit's time
	{map[string]time.Time{}, false},
	{map[string]time.Time{"s3": {}}, false},
	{map[string]time.Time{"sqs": now}, false},
	{map[string]time.Time{"S3": now}, true},
	{map[string]time.Time{"S3": now, "s3": now.AddDate(-2, 0, 0)}, true},
}

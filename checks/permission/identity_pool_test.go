package permission_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/checktest"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/checks/permission"
	"github.com/fleetaudit/fleetaudit/model"
)

const day = 24 * time.Hour

// namedRole makes a role with one policy for each document, in the notation of the verdicts. "damaged" is one
// that does not parse.
func namedRole(t testing.TB, name string, documents ...string) inventory.Role {
	t.Helper()
	var all [][]byte
	for _, d := range documents {
		data := damaged
		if d != "damaged" {
			data = parseDocument(t, d).text(t)
		}
		all = append(all, data)
	}
	r := role(all...)
	if r.ARN = ""; name != "" {
		r.ARN = "arn:aws:iam::123456789012:role/" + name
	}
	return r
}

func pool(id, code string) checktest.Finding {
	return checktest.Finding{Resource: model.ResourceIdentifier{CognitoIdentityPoolID: id}, ReasonCode: code}
}

// cognitoCheck is one of the two checks of identity pools: with puts roles where it looks.
type cognitoCheck struct {
	check func(*inventory.Inventory) checks.Check
	with  func(id string, roles ...inventory.Role) inventory.IdentityPool
	other func(id string, roles ...inventory.Role) inventory.IdentityPool // where it does not look
}

func guests(id string, roles ...inventory.Role) inventory.IdentityPool {
	return inventory.IdentityPool{ID: id, Unauthenticated: roles}
}

func users(id string, roles ...inventory.Role) inventory.IdentityPool {
	return inventory.IdentityPool{ID: id, Authenticated: roles}
}

// contract tries the check in every situation, with pools in every state. The document breaks its rule.
func (c cognitoCheck) contract(t *testing.T, document, code string) {
	t.Helper()
	bad, sound := namedRole(t, "bad", document), namedRole(t, "sound", "allow iot:Connect on client/lamp-1")
	connected := func(ago time.Duration, p inventory.IdentityPool) inventory.IdentityPool {
		p.LastConnectedAt = now.Add(-ago)
		return p
	}
	pools := []inventory.IdentityPool{
		c.with("bad", bad), c.with("sound", sound), c.with("none"), c.other("other", bad),
		c.with("second", sound, bad), c.with("twice", bad, bad), c.with("damaged", namedRole(t, "d", "damaged")),
		c.with("both", namedRole(t, "b", "damaged", document)), c.with("no policies", namedRole(t, "n")),
		c.with("by hand", inventory.Role{Policies: []inventory.RolePolicy{{Name: "1"}}}),
		connected(0, c.with("now", bad)), connected(-day, c.with("later", bad)), connected(31*day, c.with("31 days", bad)),
		connected(31*day+1, c.with("longer", bad)), connected(40*day, c.with("longer, damaged", namedRole(t, "d", "damaged"))),
	}
	want := []checktest.Finding{
		pool("bad", code), pool("second", code), pool("twice", code), pool("damaged", notEvaluable),
		pool("both", notEvaluable), pool("both", code), pool("by hand", notEvaluable),
		pool("now", code), pool("later", code), pool("31 days", code),
	}
	checktest.Contract(t, checktest.Case{Time: now, WantScanned: 13, Want: want}, func(k *checktest.Kit) checks.Check {
		inv := inventory.New(inventory.Contents{IdentityPools: pools})
		inv.IdentityPools = checktest.Source(k, inv.IdentityPools)
		return c.check(inv)
	})
}

// said is what a finding says beside its resource and code.
type said struct {
	Reason string
	Info   map[string]string
}

// says returns what the check says about one pool with roles, by reason codes.
func (c cognitoCheck) says(t *testing.T, roles ...inventory.Role) map[string]said {
	t.Helper()
	all := make(map[string]said)
	inv := inventory.New(inventory.Contents{IdentityPools: []inventory.IdentityPool{c.with("p", roles...)}})
	for _, f := range run(t, c.check(inv)) {
		if _, twice := all[f.ReasonCode]; twice || len(f.Related) > 0 {
			t.Errorf("finding %+v", f)
		}
		all[f.ReasonCode] = said{f.Reason, f.Resource.AdditionalInfo}
	}
	return all
}

// arns is the additional information that names roles.
func arns(names ...string) map[string]string {
	for i, n := range names {
		names[i] = "arn:aws:iam::123456789012:role/" + n
	}
	return map[string]string{"ROLE_ARNS": strings.Join(names, ", ")}
}

// TestIdentityPoolNotEvaluable has the words about policies that cannot be read, of several roles.
func TestIdentityPoolNotEvaluable(t *testing.T) {
	c := cognitoCheck{permission.UnauthenticatedCognitoRole, guests, users}
	words := inventory.NewRolePolicy("1", damaged).ParseError
	const arn = "arn:aws:iam::123456789012:role/"
	var many []inventory.Role
	var names []string
	for i := range 22 {
		names = append(names, fmt.Sprint(i))
		many = append(many, namedRole(t, names[i], "damaged"))
	}
	all := arns(names...)
	long := namedRole(t, "long", "damaged")
	long.Policies[0].Name = strings.Repeat("x", 300)
	for _, row := range []struct {
		roles []inventory.Role
		want  said
	}{
		{[]inventory.Role{namedRole(t, "a", "allow s3:* on *", "damaged"), namedRole(t, "b", "allow s3:* on *")},
			said{`Document of policy "2" of role ` + arn + "a cannot be parsed: " + words, arns("a")}},
		{[]inventory.Role{namedRole(t, "a", "damaged"), namedRole(t, "b", "damaged")},
			said{`Document of policy "1" of role ` + arn + "a cannot be parsed: " + words +
				`; Document of policy "1" of role ` + arn + "b cannot be parsed: " + words, arns("a", "b")}},
		{many, said{fmt.Sprintf(`Document of policy "1" of role %s0 cannot be parsed: %s; Document of policy "1" of role %[1]s1 `+
			`cannot be parsed: %[2]s; Document of policy "1" of role %[1]s2 cannot be parsed: %[2]s; and 19 more`, arn, words),
			map[string]string{"ROLE_ARNS": strings.Split(all["ROLE_ARNS"], ", "+arn+"20")[0] + ", and 2 more"}}},
		{[]inventory.Role{{Policies: []inventory.RolePolicy{{Name: "p"}}}}, said{`Document of policy "p" of role  is missing`, nil}},
		{[]inventory.Role{long}, said{`Document of policy "` + strings.Repeat("x", 256) + `..." of role ` + arn + "long cannot be parsed: " + words, arns("long")}},
	} {
		if diff := cmp.Diff(map[string]said{notEvaluable: row.want}, c.says(t, row.roles...)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

package permission_test

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/checks/permission"
)

// now is the time of every audit in these tests, but for those about time itself.
var now = time.Date(2024, 6, 1, 12, 0, 0, 0, time.UTC)

// principal is whom policies are given to: a device, a role of a pool, the role of a role alias.
type principal struct {
	name     string
	policies [][]byte
	used     map[string]time.Time // nil: not known
}

// subject is one of the checks, with a way to give it principals to judge.
type subject struct {
	file  string // of its verdicts
	check func(*inventory.Inventory) checks.Check
	add   func(*inventory.Contents, principal)
}

// empty makes the check over nothing.
func (s subject) empty() checks.Check { return s.check(inventory.New(inventory.Contents{})) }

// several tells whether a principal of the check can have several policies.
func (s subject) several() bool { return !strings.HasPrefix(s.file, "iot_policy_") }

func subjects() []subject {
	policyVersion := func(c *inventory.Contents, p principal) {
		for _, data := range p.policies { // one, since each is judged by itself
			c.PolicyVersions = append(c.PolicyVersions, inventory.NewPolicyVersion(p.name, "1", data))
		}
	}
	alias := func(c *inventory.Contents, p principal) {
		c.RoleAliases = append(c.RoleAliases, inventory.RoleAlias{ARN: p.name, Role: role(p.policies...), LastUsed: p.used})
	}
	return []subject{
		{"iot_policy_overly_permissive", permission.IoTPolicyOverlyPermissive, policyVersion},
		{"iot_policy_potential_misconfiguration", permission.IoTPolicyPotentialMisconfiguration, policyVersion},
		{"unauthenticated_cognito_role", permission.UnauthenticatedCognitoRole, func(c *inventory.Contents, p principal) {
			c.IdentityPools = append(c.IdentityPools, inventory.IdentityPool{ID: p.name, Unauthenticated: []inventory.Role{role(p.policies...)}})
		}},
		{"authenticated_cognito_role", permission.AuthenticatedCognitoRole, func(c *inventory.Contents, p principal) {
			c.IdentityPools = append(c.IdentityPools, inventory.IdentityPool{ID: p.name, Authenticated: []inventory.Role{role(p.policies...)}})
		}},
		{"iot_role_alias_overly_permissive", permission.IoTRoleAliasOverlyPermissive, alias},
		{"iot_role_alias_unused_services", permission.IoTRoleAliasUnusedServices, alias},
	}
}

// role makes a role of documents, which are its policies 1, 2 and so on.
func role(documents ...[]byte) inventory.Role {
	r := inventory.Role{ARN: "arn:aws:iam::123456789012:role/r"}
	for i, d := range documents {
		r.Policies = append(r.Policies, inventory.NewRolePolicy(strconv.Itoa(i+1), d))
	}
	return r
}

// findings returns what a check finds about each principal, sorted by reason codes.
func (s subject) findings(t testing.TB, principals []principal) [][]checks.Finding {
	t.Helper()
	var contents inventory.Contents
	for i, p := range principals {
		p.name = strconv.Itoa(i)
		s.add(&contents, p)
	}
	all := make([][]checks.Finding, len(principals))
	for _, f := range run(t, s.check(inventory.New(contents))) {
		id := f.Resource.ResourceIdentifier
		i, err := strconv.Atoi(cmp.Or(id.PolicyVersionIdentifier.PolicyName, id.CognitoIdentityPoolID, id.RoleAliasARN))
		require.NoError(t, err)
		all[i] = append(all[i], f)
	}
	for _, list := range all {
		slices.SortFunc(list, func(a, b checks.Finding) int { return cmp.Compare(a.ReasonCode, b.ReasonCode) })
	}
	return all
}

// verdicts returns the reason codes that a check has for each principal, sorted, and joined with spaces.
func (s subject) verdicts(t testing.TB, principals []principal) []string {
	t.Helper()
	all := make([]string, len(principals))
	for i, found := range s.findings(t, principals) {
		all[i] = verdictOf(found)
	}
	return all
}

// verdictOf joins the reason codes of findings.
func verdictOf(found []checks.Finding) string {
	codes := make([]string, len(found))
	for i, f := range found {
		codes[i] = f.ReasonCode
	}
	return strings.Join(codes, " ")
}

// wordsOf joins the reasons of findings, and what else they say.
func wordsOf(found []checks.Finding) string {
	words := make([]string, len(found))
	for i, f := range found {
		words[i] = fmt.Sprintf("%s: %s %v", f.ReasonCode, f.Reason, f.Resource.AdditionalInfo)
	}
	return strings.Join(words, "\n")
}

// run runs a check as of now, and returns all that it reports. It does without a Runner, which would say the same
// more slowly, and would keep to itself what is reported twice.
func run(t testing.TB, check checks.Check) (all []checks.Finding) {
	t.Helper()
	report := func(f checks.Finding) { all = append(all, f) }
	require.NoError(t, check.Run(t.Context(), &checks.Pass{Time: now, Report: report}))
	return all
}

// verdict is a row of testdata/verdicts.
type verdict struct {
	where     string // file and line
	grade     string
	documents []document
	used      map[string]time.Time
	want      string // reason codes, sorted; empty: compliant
	why       string
}

func (s subject) corpus(t testing.TB) (all []verdict) {
	t.Helper()
	name := "testdata/verdicts/" + s.file + ".txt"
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	used, want, n := map[string]time.Time{}, "none", 0
	for line := range strings.Lines(string(data)) {
		n++
		line = strings.TrimSpace(line)
		first, rest, _ := strings.Cut(line, " ")
		switch first {
		case "", "#":
		case "used":
			used = map[string]time.Time{}
			for service := range strings.SplitSeq(rest, ",") {
				if service != "" {
					used[service] = now.Add(-100 * day)
				}
			}
			if rest == "?" {
				used = nil
			}
		case "want":
			words := strings.Fields(rest)
			slices.Sort(words)
			want = strings.TrimPrefix(strings.Join(words, " "), "COMPLIANT")
		default:
			columns := strings.Split(line, " | ")
			v := verdict{where: fmt.Sprintf("%s:%d", name, n), grade: first, used: used, want: want}
			require.Len(t, columns, 3, v.where)
			v.documents, v.why = parseRole(t, columns[1]), columns[2]
			require.True(t, s.several() || len(v.documents) == 1, v.where)
			all = append(all, v)
		}
	}
	return all
}

// TestVerdicts holds the checks against testdata/verdicts, in every spelling of the policies.
func TestVerdicts(t *testing.T) {
	grades := make(map[string]int)
	for _, s := range subjects() {
		t.Run(s.file, func(t *testing.T) {
			corpus := s.corpus(t)
			declared := make(map[string]bool) // and not seen in a row
			for _, code := range s.codes() {
				declared[code] = true
			}
			wrong := make(map[int]bool)
			for _, spelling := range spellings() {
				principals := make([]principal, len(corpus))
				for i, v := range corpus {
					principals[i] = principal{policies: v.spell(t, spelling), used: v.used}
				}
				for i, got := range s.verdicts(t, principals) {
					if v := corpus[i]; got != v.want && !wrong[i] {
						wrong[i] = true
						t.Errorf("%s (%s, %s): got %q, want %q: %s\n%s", v.where, v.grade, spelling.name, got, v.want, v.why,
							principals[i].policies)
					}
				}
			}
			for _, v := range corpus {
				grades[v.grade]++
				for code := range strings.FieldsSeq(v.want) {
					delete(declared, code)
				}
			}
			if len(declared) > 0 {
				t.Errorf("no row has reason code %v", declared)
			}
		})
	}
	for _, grade := range []string{"published", "inferred", "rule"} {
		t.Logf("%d rows are %s", grades[grade], grade)
		if grades[grade] == 0 {
			t.Errorf("no row is %s", grade)
		}
	}
}

// spell writes the policies of a row in one way.
func (v verdict) spell(t testing.TB, s spelling) (all [][]byte) {
	t.Helper()
	for _, d := range v.documents {
		all = append(all, s.write(t, d))
	}
	return all
}

// TestVerdictsOfSplitPolicies: it does not matter how the statements of a role are spread over policies.
func TestVerdictsOfSplitPolicies(t *testing.T) {
	for _, s := range subjects() {
		if !s.several() {
			continue
		}
		corpus := s.corpus(t)
		split, joined := make([]principal, len(corpus)), make([]principal, len(corpus))
		for i, v := range corpus {
			split[i].used, joined[i].used = v.used, v.used
			all := document{Version: v.documents[0].Version}
			for _, d := range v.documents {
				require.Equal(t, all.Version, d.Version, v.where)
				all.Statement = append(all.Statement, d.Statement...)
				for _, st := range d.Statement {
					one := document{Version: d.Version, Statement: []statement{st}}
					split[i].policies = append([][]byte{one.text(t)}, split[i].policies...)
				}
			}
			joined[i].policies = [][]byte{all.text(t)}
		}
		for i, got := range s.verdicts(t, split) {
			if got != corpus[i].want {
				t.Errorf("%s: a policy for each statement gives %q, not %q", corpus[i].where, got, corpus[i].want)
			}
		}
		for i, got := range s.verdicts(t, joined) {
			if got != corpus[i].want {
				t.Errorf("%s: all statements in one policy give %q, not %q", corpus[i].where, got, corpus[i].want)
			}
		}
	}
}

// TestVerdictsWithMoreAllowed: a row that is not compliant stays so when the policy of any other row is allowed
// beside it, whatever that allows.
func TestVerdictsWithMoreAllowed(t *testing.T) {
	for _, s := range subjects() {
		corpus := s.corpus(t)
		var more []statement
		for _, v := range corpus {
			for _, d := range v.documents {
				for _, st := range d.Statement {
					if st.Effect == "Allow" && d.Version == "2012-10-17" && !slices.ContainsFunc(more, func(m statement) bool { return fmt.Sprint(m) == fmt.Sprint(st) }) {
						more = append(more, st)
					}
				}
			}
		}
		var principals []principal
		var rows []verdict
		for i, v := range corpus {
			if v.want == "" || v.documents[0].Version != "2012-10-17" {
				continue
			}
			for j := i % 7; j < len(more); j += 7 { // all of them take seconds
				p := principal{policies: v.spell(t, spellings()[0]), used: v.used}
				first := v.documents[0]
				first.Statement = append(slices.Clone(first.Statement), more[j])
				p.policies[0] = first.text(t)
				principals, rows = append(principals, p), append(rows, v)
			}
		}
		for i, got := range s.verdicts(t, principals) {
			if got == "" {
				t.Errorf("%s: compliant with more allowed\n%s", rows[i].where, principals[i].policies)
			}
		}
	}
}

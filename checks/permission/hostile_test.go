package permission_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks/policy"
)

// hostile returns documents of up to size bytes that are dear to judge: with n of something and n of something else,
// and perhaps n of a third, of which all pairs or triples seem to need a look.
func hostile(t testing.TB, size int) map[string][]byte {
	t.Helper()
	const filter, topic = iotPrefix + "topicfilter/", iotPrefix + "topic/"
	each := func(n int, format string) (all []string) {
		for i := range n {
			all = append(all, fmt.Sprintf(format, i))
		}
		return all
	}
	stars := func(n int) string { return strings.Repeat("*a", n) }
	one := func(list ...string) []string { return list }
	is := func(operator, key string, values []string) map[string]map[string][]string {
		return map[string]map[string][]string{operator: {key: values}}
	}
	allow := func(actions, resources []string) statement {
		return statement{Effect: "Allow", Action: actions, Resource: resources}
	}
	deny := func(actions, resources []string) statement {
		return statement{Effect: "Deny", Action: actions, Resource: resources}
	}
	turns := func(action string, resource func(i int) string) func(n int) []statement {
		return func(n int) (all []statement) {
			for i := range n {
				st := allow(one(action), one(resource(i)))
				st.Effect = []string{"Allow", "Deny"}[i%2]
				all = append(all, st)
			}
			return all
		}
	}
	documents := map[string]func(n int) []statement{
		"filters": turns("iot:*", func(i int) string { return fmt.Sprintf("%s*%d", filter, i) }),
		"levels":  turns("iot:Subscribe", func(i int) string { return fmt.Sprintf("%sa/*/%d/*", filter, i) }),
		"stars":   turns("iot:*", func(i int) string { return fmt.Sprint(filter, stars(size/400), i) }),
		"long stars": func(n int) []statement {
			return turns("iot:*", func(i int) string { return fmt.Sprint(filter, stars(size/20), i) })(min(n, 8))
		},
		"two": func(n int) []statement {
			return turns("iot:*", func(i int) string { return filter + stars(size / 6)[i%2:] })(min(n, 2))
		},
		"one denied": func(int) []statement {
			return []statement{allow(one("iot:*"), one("*")), deny(one("iot:Subscribe"), one(filter+strings.Repeat("a/", size/3)))}
		},
		"questions": func(n int) []statement {
			return turns("iot:Subscribe", func(i int) string { return fmt.Sprint(filter, strings.Repeat("?", size/5), i) })(min(n, 4))
		},
		"actions": func(n int) (all []statement) {
			for i := range n {
				all = append(all, allow(one(fmt.Sprint("iot:", stars(5), i)), one("*")), deny(one(fmt.Sprint("iot:", stars(5), i, "*")), one("*")))
			}
			return all
		},
		"unknown actions": func(n int) []statement {
			return []statement{allow(each(n, "iot:a%da"), one("*")), deny(each(n, "iot:*b?%d*a"), one("*"))}
		},
		"services": func(n int) []statement { return []statement{allow(each(n, "s%d:*"), one("*"))} },
		"services denied": func(n int) (all []statement) {
			for i := range n {
				all = append(all, allow(one(fmt.Sprintf("*%d:*", i)), one("arn:*")), deny(one(fmt.Sprintf("*%d:*", i)), one("arn:*")))
			}
			return all
		},
		"any services": func(n int) (all []statement) {
			for i := range n {
				pattern := one(fmt.Sprintf("*%s*:%s*", stars(i%7), stars(i%5)))
				all = append(all, allow(pattern, one("*")), deny(pattern, one("*")))
			}
			return all
		},
		"services on resources": func(n int) []statement {
			return []statement{
				allow(each(n, "s%d:x"), each(n, "arn:::::%d")), deny(one("*"), append(each(n, "arn:x::::%d"), "arn:::*")),
				deny(one("*"), one("*")),
			}
		},
		"services denied on no resource": func(n int) (all []statement) {
			all = []statement{allow(each(n*28/100+1, "%d:x"), each(n*44/100+1, "arn:%d"))}
			for range n * 13 / 100 { // of as many the steps suffice to compare the actions
				all = append(all, deny(one("*"), one("x")))
			}
			return append(all, deny(one("*"), one("*")))
		},
		"conditions": func(n int) (all []statement) {
			all = []statement{allow(one("iot:Subscribe"), one("*"))}
			asked := deny(one("iot:Subscribe"), each(n, filter+"%d"))
			asked.Condition = is("StringLike", "a", each(n, "%d"))
			for i := range n {
				received := deny(one("iot:Receive"), one("*"))
				received.Condition = is("StringLike", "a", one(fmt.Sprint(i)))
				all = append(all, received)
			}
			return append(all, asked)
		},
		"same conditions": func(n int) (all []statement) {
			all = []statement{allow(one("iot:Subscribe"), one("*"))}
			for i := range n / 20 {
				asked, received := deny(one("iot:Subscribe"), one(fmt.Sprint(filter, i))), deny(one("iot:Receive"), one(fmt.Sprint(topic, i, "a")))
				asked.Condition = is("StringLike", "a", one("b"))
				for j := range 20 {
					asked.Condition["StringLike"][fmt.Sprint(j)] = one("c")
				}
				received.Condition = asked.Condition
				all = append(all, asked, received)
			}
			return all
		},
		"spared": func(n int) []statement {
			spares := deny(one("iot:*"), nil)
			spares.NotResource = each(n, "arn:aws:iot:::topic/*?*?*?*?*?*?*%d")
			return []statement{allow(one("iot:Publish"), each(n, "arn:aws:iot:::topic/*?*?*?*?*?%d")), spares}
		},
		"spared filters": func(n int) []statement {
			spares := deny(one("iot:Receive"), nil)
			spares.NotResource = each(n, topic+"a%d")
			return []statement{allow(one("iot:Subscribe"), one("*")), deny(one("iot:Subscribe"), each(n, filter+"b%d")), spares}
		},
		"bans": func(n int) (all []statement) {
			all = []statement{allow(one("iot:*"), each(n, iotPrefix+"%d")), deny(one("iot:*"), one("*"))}
			for range n / 2 {
				all = append(all, deny(one("iot:C*"), one("*")))
			}
			return all
		},
		"reserved": func(n int) []statement {
			return []statement{allow(one("iot:Subscribe"), each(n, "arn:aws:iot::%d:topicfilter/#")), deny(one("iot:Subscribe"), each(n, filter+"$a%d"))}
		},
		"variables": func(n int) []statement {
			return []statement{allow(one("iot:Publish"), one(topic+strings.Repeat("${", size/3)))}
		},
	}
	all := make(map[string][]byte)
	for name, of := range documents {
		for n := size / 20; all[name] == nil; n = n * 9 / 10 {
			require.Positive(t, n, name)
			data := document{Version: "2012-10-17", Statement: of(n)}.text(t)
			if n = min(n, n*size/len(data)); len(data) > size {
				continue
			}
			if _, err := policy.Parse(data); err == nil { // it has few enough patterns
				all[name] = data
			}
		}
	}
	return all
}

// hang is many times what the dearest document takes one check, whatever else the machine does. What takes a minute takes
// several with the race detector.
const hang = 2 * time.Minute

func TestHostileDocuments(t *testing.T) {
	for name, data := range hostile(t, 3_000) {
		t.Run(name, func(t *testing.T) {
			if took := judge(t, data); took > hang {
				t.Errorf("%v", took)
			}
		})
	}
}

// TestLongHostileDocuments has long documents judged by the check that they are dearest for. Looking at all pairs or
// triples of what they hold would take minutes.
func TestLongHostileDocuments(t *testing.T) {
	dearest := map[string]string{
		"unknown actions": "authenticated_cognito_role", "bans": "authenticated_cognito_role",
		"services": "iot_role_alias_overly_permissive", "services on resources": "iot_role_alias_unused_services",
		"services denied on no resource": "iot_role_alias_unused_services",
		"spared":                         "iot_policy_overly_permissive", "variables": "iot_policy_overly_permissive",
		"conditions": "iot_policy_potential_misconfiguration", "same conditions": "iot_policy_potential_misconfiguration",
		"spared filters": "iot_policy_potential_misconfiguration", "reserved": "iot_policy_potential_misconfiguration",
		"levels": "iot_policy_potential_misconfiguration",
	}
	documents := hostile(t, 200_000)
	for name, file := range dearest {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := subjects()
			s := all[slices.IndexFunc(all, func(s subject) bool { return s.file == file })]
			begin := time.Now()
			s.findings(t, []principal{{policies: [][]byte{documents[name]}, used: map[string]time.Time{}}})
			if took := time.Since(begin); took > hang {
				t.Errorf("%v", took)
			}
		})
	}
}

// TestManyPolicies has a role with as many statements as there are actions in them. Looking for each action in each of
// the statements would take a minute.
func TestManyPolicies(t *testing.T) {
	var policies [][]byte
	for i := range 12 {
		d := document{Version: "2012-10-17"}
		for j := range policy.MaxPatterns / 2 {
			d.Statement = append(d.Statement, statement{
				Effect: "Allow", Action: []string{fmt.Sprintf("iot:a%d", i*policy.MaxPatterns+j)}, Resource: []string{"x"},
			})
		}
		policies = append(policies, d.text(t))
	}
	all := subjects()
	s := all[slices.IndexFunc(all, func(s subject) bool { return s.file == "unauthenticated_cognito_role" })]
	begin := time.Now()
	found := s.findings(t, []principal{{policies: policies}})
	if took := time.Since(begin); took > hang {
		t.Errorf("%v", took)
	}
	if len(found[0]) > 0 {
		t.Errorf("%+v", found[0])
	}
}

package strictjson_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/fleetaudit/fleetaudit/checks/internal/strictjson"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

const fleet = `{
	"policies": [
		{"policyName": "a", "isDefault": true, "n": 7},
		{"policyName": 8, "isDefault": "true", "targets": {}, "a b": null}
	]
}`

func TestValue(t *testing.T) {
	root, err := strictjson.Parse([]byte(fleet))
	require.NoError(t, err)
	policies, err := root.Need("policies")
	require.NoError(t, err)
	list, err := policies.AsList()
	require.NoError(t, err)
	first, second := &list[0], &list[1]
	say := func(v any, err error) string {
		if err != nil {
			return err.Error()
		}
		switch v := v.(type) {
		case []strictjson.Value:
			return fmt.Sprint(len(v), " values")
		case []strictjson.Member:
			return fmt.Sprint(len(v), " members")
		case *strictjson.Value:
			return v.Text
		}
		return fmt.Sprintf("%#v", v)
	}
	ask := func(a any, err error) func(want string) {
		return func(want string) {
			t.Helper()
			if diff := cmp.Diff(want, say(a, err)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		}
	}
	ask(first.Find("policyName").AsString())(`"a"`)
	ask(first.Find("PolicyName").AsString())(`""`)
	ask(second.Find("policyName").AsString())("line 4, column 18: policies[1].policyName 8 must be a string")
	ask(first.Find("isDefault").AsBool())("true")
	ask(first.Find("is").AsBool())("false")
	ask(second.Find("isDefault").AsBool())(`line 4, column 34: policies[1].isDefault "true" must be a boolean`)
	ask(first.Find("targets").AsList())("0 values")
	ask(second.Find("targets").AsList())("line 4, column 53: policies[1].targets must be a list, is an object")
	ask(policies.AsList())("2 values")
	ask(second.Find("targets").AsObject("x"))("0 members")
	ask(first.Find("targets").AsObject("x"))("0 members")
	ask(first.AsObject())("3 members")
	ask(first.AsObject("policyName", "n", "isDefault"))("3 members")
	ask(first.AsObject("n"))("line 3, column 4: policies[0].policyName is unknown; the members are n")
	ask(second.AsObject("policyName", "isDefault", "targets"))(`line 4, column 57: policies[1]["a b"] is unknown; the members are policyName, isDefault, targets`)
	ask(second.Find("a b").AsObject())(`line 4, column 64: policies[1]["a b"] must be an object, is null`)
	ask(first.Need("n"))("7")
	ask(first.Need("N"))("line 3, column 3: policies[0] has no N")
	ask(policies.Need("n"))("line 2, column 14: policies must be an object, is a list")
	ask(root.Need("n"))("line 1, column 1: the document has no n")
	ask(nil, second.Find("policyName").Wrong("must be a name"))("line 4, column 18: policies[1].policyName 8 must be a name")
	ask(nil, second.Find("isDefault").Wrong("must be a boolean"))(`line 4, column 34: policies[1].isDefault "true" must be a boolean`)
	ask(nil, second.Find("a b").Wrong("must be something"))(`line 4, column 64: policies[1]["a b"] null must be something`)
	if v := first.Find("policyName").Find("a"); v != nil {
		t.Errorf("a string has a member %v", v)
	}
}

// TestWrong wants what is long to be shortened.
func TestWrong(t *testing.T) {
	for document, want := range map[string]string{
		`"` + strings.Repeat("é", 90) + `"`: `"` + strings.Repeat("é", 80) + `"... (90 characters)`,
		`"\n"`:                              `"\n"`,
		"1" + strings.Repeat("0", 90):       "1" + strings.Repeat("0", 79),
	} {
		v, err := strictjson.Parse([]byte(document))
		require.NoError(t, err)
		if diff := cmp.Diff("line 1, column 1: the document "+want+" is wrong", v.Wrong("is wrong").Error()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestKinds(t *testing.T) {
	var got []string
	for k := strictjson.Null; k <= strictjson.Object+1; k++ {
		got = append(got, k.String())
	}
	if diff := cmp.Diff([]string{"null", "a boolean", "a number", "a string", "a list", "an object", "Kind(6)"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestConcurrentErrors is for the race detector: positions are looked up in what is made when it is first needed.
func TestConcurrentErrors(t *testing.T) {
	v, err := strictjson.Parse([]byte(fleet))
	require.NoError(t, err)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := v.Find("policies").Errorf("is here"); err.Error() != "line 2, column 14: policies is here" {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

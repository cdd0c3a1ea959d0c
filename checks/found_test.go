package checks_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/model"
	"github.com/google/go-cmp/cmp"
)

// packed runs a check as a Job that is Packed, and as one that is not.
func packed(t *testing.T, check checks.Check) (is, isNot checks.Outcome) {
	t.Helper()
	is, isNot = checks.Outcome{}, outcomes(new(checks.Runner), t.Context(), check)[0]
	job := checks.Job{Check: check, Spec: new(check.Spec()), Packed: true, End: func(o checks.Outcome) { is = o }}
	new(checks.Runner).Run(t.Context(), []*checks.Job{&job})
	return is, isNot
}

// listed copies what All yields.
func listed(o *checks.Outcome) []checks.Finding {
	var all []checks.Finding
	for f := range o.All() {
		all = append(all, *f)
	}
	return all
}

// eachString hands on each string that v consists of.
func eachString(v reflect.Value, do func(reflect.Value)) {
	if v.Kind() == reflect.String {
		do(v)
		return
	}
	for i := range v.NumField() {
		eachString(v.Field(i), do)
	}
}

// TestIdentifiers reports resources that have one text in different members, and in two.
func TestIdentifiers(t *testing.T) {
	var want []checks.Finding
	report := func(id model.ResourceIdentifier) {
		f := coded("", "WORSE")
		f.Resource.ResourceType, f.Resource.ResourceIdentifier = model.ResourceTypeClientID, id
		want = append(want, f)
	}
	var id model.ResourceIdentifier
	eachString(reflect.ValueOf(&id).Elem(), func(first reflect.Value) {
		first.SetString("x")
		report(id)
		before := true
		eachString(reflect.ValueOf(&id).Elem(), func(second reflect.Value) {
			if before = before && second != first; before {
				second.SetString("x")
				report(id)
				second.SetString("")
			}
		})
		first.SetString("")
	})
	if len(want) < 13+13*12/2 {
		t.Fatalf("only %d identifiers", len(want))
	}
	check := checks.New(spec("IDENTIFIERS"), func(_ context.Context, pass *checks.Pass) error {
		for range 2 {
			for _, f := range want {
				pass.Report(f)
			}
		}
		return nil
	})
	is, isNot := packed(t, check)
	for name, got := range map[string][]checks.Finding{"packed": listed(&is), "a slice": isNot.Findings} {
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %d findings, want %d:\n%v\n%v", name, len(got), len(want), got, want)
		}
	}
	if n := int64(len(want)); is.NonCompliant != n || isNot.NonCompliant != n {
		t.Errorf("%d and %d resources are non-compliant, want %d", is.NonCompliant, isNot.NonCompliant, n)
	}
}

// TestPacked has random findings in several shards, some of them twice. What one has, the next one must not.
func TestPacked(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 0))
		var all []checks.Finding
		for range random.IntN(3000) {
			f := coded(fmt.Sprint(random.IntN(2000)), []string{"BAD", "WORSE", model.ReasonCodeResourceNotEvaluable}[random.IntN(3)])
			if random.IntN(3) == 0 {
				f.Resource.ResourceIdentifier.PolicyVersionIdentifier.PolicyName = "p"
			}
			f.Reason = []string{"", "Because.", "So."}[random.IntN(3)]
			f.Resource.AdditionalInfo = []map[string]string{nil, {}, {"KEY": "value"}}[random.IntN(3)]
			f.Related = [][]model.RelatedResource{nil, {}, {{ResourceType: model.ResourceTypeIAMRole}}}[random.IntN(3)]
			all = append(all, f)
		}
		src := sharded("ints", len(all)/2, len(all)-len(all)/2)
		var want []checks.Finding
		type key struct {
			id   model.ResourceIdentifier
			code string
		}
		seen := make(map[key]bool)
		for _, f := range all {
			f.Resource.ResourceType = model.ResourceTypeClientID
			if k := (key{f.Resource.ResourceIdentifier, f.ReasonCode}); !seen[k] {
				seen[k] = true
				want = append(want, f)
			}
		}
		is, isNot := packed(t, checks.Each(spec("PACKED"), src, func(_ context.Context, pass *checks.Pass, n *int) error {
			pass.Report(all[*n])
			return nil
		}))
		if is.Findings != nil || is.Len() != len(want) || isNot.Len() != len(want) {
			t.Fatalf("seed %d: %d findings in a slice, %d packed, %d not packed, want 0 and %d", seed, len(is.Findings), is.Len(), isNot.Len(), len(want))
		}
		for name, got := range map[string][]checks.Finding{
			"packed": listed(&is), "again": listed(&is), "not packed": listed(&isNot), "in a slice": isNot.Findings,
		} {
			if len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
				t.Errorf("seed %d, %s: not what was reported", seed, name)
			}
		}
		for _, o := range []*checks.Outcome{&is, &isNot} {
			n := 0
			for range o.All() {
				n++
				break
			}
			if diff := cmp.Diff(min(len(want), 1), n); diff != "" {
				t.Errorf("seed %d: stopped after (-want +got):\n%s", seed, diff)
			}
		}
	}
}

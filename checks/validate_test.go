package checks_test

import (
	"context"
	"strings"
	"testing"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/model"
	"github.com/google/go-cmp/cmp"
)

// spoiled is a valid Spec with a change.
func spoiled(change func(*checks.Spec)) checks.Check {
	s := spec("SPOILED")
	s.URL = "https://example.com/why"
	s.Params = []checks.Param{{Name: "DAYS", Default: 30, Min: 1, Max: 90}}
	s.References = []checks.Reference{{Standard: "S", Section: "1"}, {URL: "https://example.com/baseline#1"}}
	s.Source = checks.Slice("ints", []int{1})
	change(&s)
	return checks.New(s, func(context.Context, *checks.Pass) error { return nil })
}

type brokenSpec struct{ v any }

func (b brokenSpec) Spec() checks.Spec                     { panic(b.v) }
func (brokenSpec) Run(context.Context, *checks.Pass) error { return nil }

type pointerCheck struct{ name string }

func (c *pointerCheck) Spec() checks.Spec                     { return spec(c.name) }
func (*pointerCheck) Run(context.Context, *checks.Pass) error { return nil }

func TestValidate(t *testing.T) {
	long := strings.Repeat("A", 128)
	name := func(v string) checks.Check { return spoiled(func(s *checks.Spec) { s.Name = v }) }
	const word = " must be a capital letter and up to 127 capital letters, digits, _ and -"
	for _, row := range []struct {
		name   string
		checks []checks.Check
		want   []string
	}{
		{"none", nil, nil},
		{"valid", []checks.Check{spoiled(func(*checks.Spec) {})}, nil},
		{"valid names", []checks.Check{name("A"), name(long), name("CVE-2008-0166_CHECK"), name("X9")}, nil},
		{"names", []checks.Check{name("lower"), name("1ST"), name("_A"), name("A B"), name("A\n"), name("Ä"), name(long + "A")}, []string{
			`check 0: Name "lower"` + word,
			`check 1: Name "1ST"` + word,
			`check 2: Name "_A"` + word,
			`check 3: Name "A B"` + word,
			`check 4: Name "A\n"` + word,
			`check 5: Name "Ä"` + word,
			`check 6: Name "` + long + `A"` + word,
		}},
		{"names of several", []checks.Check{name("A"), name("B"), name("A"), name("A"), name(""), name("")}, []string{
			`check 2: Name "A" is that of check 0 too`,
			`check 3: Name "A" is that of check 0 too`,
			`check 4: Name ""` + word,
			`check 5: Name ""` + word,
		}},
		{"no check", []checks.Check{nil, (*pointerCheck)(nil), brokenSpec{"oh no"}, brokenSpec{nil}, brokenSpec{errBroken}, &pointerCheck{"FINE"}}, []string{
			`check 0: is nil`,
			`check 1: its Spec method panicked: runtime error: invalid memory address or nil pointer dereference`,
			`check 2: its Spec method panicked: oh no`,
			`check 3: its Spec method panicked: panic called with nil argument`,
			`check 4: its Spec method panicked: disk on fire`,
		}},
		{"zero Spec", []checks.Check{checks.New(checks.Spec{}, nil)}, []string{
			`check 0: Name ""` + word,
			`check 0: Severity "" must be one of CRITICAL, HIGH, MEDIUM, LOW`,
			`check 0: ResourceType "" must be one of DEVICE_CERTIFICATE, CA_CERTIFICATE, IOT_POLICY, COGNITO_IDENTITY_POOL, CLIENT_ID, ACCOUNT_SETTINGS, ROLE_ALIAS, IAM_ROLE, ISSUER_CERTIFICATE`,
			`check 0: ReasonCodes must have at least one`,
		}},
		{"enums", []checks.Check{spoiled(func(s *checks.Spec) { s.Severity, s.ResourceType = "low", "THING" })}, []string{
			`check 0 (SPOILED): Severity "low" must be one of CRITICAL, HIGH, MEDIUM, LOW`,
			`check 0 (SPOILED): ResourceType "THING" must be one of DEVICE_CERTIFICATE, CA_CERTIFICATE, IOT_POLICY, COGNITO_IDENTITY_POOL, CLIENT_ID, ACCOUNT_SETTINGS, ROLE_ALIAS, IAM_ROLE, ISSUER_CERTIFICATE`,
		}},
		{"reason codes", []checks.Check{spoiled(func(s *checks.Spec) {
			s.ReasonCodes = []checks.ReasonCode{{Code: "A"}, {Code: "b"}, {Code: "A"}, {}, {}, {Code: model.ReasonCodeResourceNotEvaluable}, {Code: model.ReasonCodeResourceNotEvaluable}}
		})}, []string{
			`check 0 (SPOILED): ReasonCodes[1].Code "b"` + word,
			`check 0 (SPOILED): ReasonCodes[2].Code "A" is there twice`,
			`check 0 (SPOILED): ReasonCodes[3].Code ""` + word,
			`check 0 (SPOILED): ReasonCodes[4].Code ""` + word,
			`check 0 (SPOILED): ReasonCodes[5].Code "RESOURCE_NOT_EVALUABLE" belongs to every check and must not be declared`,
			`check 0 (SPOILED): ReasonCodes[6].Code "RESOURCE_NOT_EVALUABLE" belongs to every check and must not be declared`,
		}},
		{"parameters", []checks.Check{spoiled(func(s *checks.Spec) {
			s.Params = []checks.Param{{Name: "A"}, {Name: "A", Default: 5, Max: 5}, {Name: "b"}, {}, {}, {Name: "C", Default: 1}, {Name: "D", Min: 1}, {Name: "E", Min: 3, Default: 2, Max: 1}}
		})}, []string{
			`check 0 (SPOILED): Params[1].Name "A" is there twice`,
			`check 0 (SPOILED): Params[2].Name "b"` + word,
			`check 0 (SPOILED): Params[3].Name ""` + word,
			`check 0 (SPOILED): Params[4].Name ""` + word,
			`check 0 (SPOILED): Params[5] must have Min <= Default <= Max, not 0, 1, 0`,
			`check 0 (SPOILED): Params[6] must have Min <= Default <= Max, not 1, 0, 0`,
			`check 0 (SPOILED): Params[7] must have Min <= Default <= Max, not 3, 2, 1`,
		}},
		{"sources", []checks.Check{
			quiet("A", (*checks.Source[int])(nil)),
			quiet("B", &checks.Source[int]{Name: "db"}),
			quiet("C", checks.Snapshot[int]("cache", nil)),
			quiet("D", checks.Slice[int]("empty", nil)),
		}, []string{
			`check 0 (A): the Source is nil`,
			`check 1 (B): source "db": it has neither All nor Shards`,
			`check 2 (C): source "cache": it has neither All nor Shards`,
		}},
		{"needs", []checks.Check{spoiled(func(s *checks.Spec) {
			s.Needs = []checks.Handle{checks.Slice("fine", []int{1}), nil, &checks.Source[int]{Name: "db"}}
		})}, []string{
			`check 0 (SPOILED): Needs[1] is nil`,
			`check 0 (SPOILED): source "db": it has neither All nor Shards`,
		}},
		{"addresses", []checks.Check{spoiled(func(s *checks.Spec) {
			s.URL = "http://example.com"
			s.References = []checks.Reference{{URL: "https://example.com"}, {URL: "example.com"}, {URL: "https:///path"}, {URL: "https://a b"}, {URL: ":"}, {}}
		})}, []string{
			`check 0 (SPOILED): URL "http://example.com" must be an https address`,
			`check 0 (SPOILED): References[1].URL "example.com" must be an https address`,
			`check 0 (SPOILED): References[2].URL "https:///path" must be an https address`,
			`check 0 (SPOILED): References[3].URL "https://a b" must be an https address`,
			`check 0 (SPOILED): References[4].URL ":" must be an https address`,
		}},
	} {
		var got []string
		if err := checks.Validate(row.checks...); err != nil {
			got = strings.Split(err.Error(), "\n")
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}

// asked counts how often it is asked for its Spec.
type asked struct {
	checks.Check
	times *int
}

func (a asked) Spec() checks.Spec { *a.times++; return a.Check.Spec() }

func TestSpecs(t *testing.T) {
	times := 0
	specs, err := checks.Specs(asked{&pointerCheck{"A"}, &times}, nil, asked{&pointerCheck{"B"}, &times})
	if err == nil || err.Error() != "check 1: is nil" {
		t.Errorf("error is %v", err)
	}
	if diff := cmp.Diff([]checks.Spec{spec("A"), {}, spec("B")}, specs); diff != "" || times != 2 {
		t.Errorf("asked %d times for two Specs (-want +got):\n%s", times, diff)
	}
}

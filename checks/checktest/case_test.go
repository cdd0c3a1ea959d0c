package checktest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/checktest"
	"github.com/fleetaudit/fleetaudit/model"
	"github.com/google/go-cmp/cmp"
)

var errLost = errors.New("connection lost")

func TestRun(t *testing.T) {
	sees := func(see func(*checks.Pass) error) checks.Check {
		return checks.New(spec(), func(_ context.Context, pass *checks.Pass) error { return see(pass) })
	}
	good := passwords(checks.Slice("devices", fleet()))
	fails := sees(func(pass *checks.Pass) error {
		pass.Report(bad("lamp"))
		return fmt.Errorf("list devices: %w", errLost)
	})
	invalid := spec()
	invalid.Severity = "BAD"
	march := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for _, row := range []struct {
		name  string
		check checks.Check
		c     checktest.Case
		want  []string
	}{
		{"as wanted", good, checktest.Case{Want: found}, nil},
		{"in another order", good, checktest.Case{Want: []checktest.Finding{wanted("oven"), wanted("bell"), wanted("lamp")}, WantScanned: 5}, nil},
		{"nothing wanted", sees(func(*checks.Pass) error { return nil }), checktest.Case{}, nil},
		{"missing", good, checktest.Case{Want: append(found[:3:3], wanted("lock"))},
			[]string{"PASSWORD_CHECK: findings (- missing, + unexpected):\n- DEFAULT_PASSWORD {\"clientId\":\"lock\"}\n"}},
		{"unexpected", good, checktest.Case{Want: found[1:]},
			[]string{"PASSWORD_CHECK: findings (- missing, + unexpected):\n+ DEFAULT_PASSWORD {\"clientId\":\"bell\"}\n"}},
		{"all unexpected", good, checktest.Case{},
			[]string{"PASSWORD_CHECK: findings (- missing, + unexpected):\n+ DEFAULT_PASSWORD {\"clientId\":\"bell\"}\n+ DEFAULT_PASSWORD {\"clientId\":\"lamp\"}\n+ DEFAULT_PASSWORD {\"clientId\":\"oven\"}\n"}},
		{"another kind of name, another reason, twice", good, checktest.Case{Want: []checktest.Finding{
			wanted("bell"), wanted("bell"),
			{Resource: model.ResourceIdentifier{Account: "lamp"}, ReasonCode: "DEFAULT_PASSWORD"},
			{Resource: model.ResourceIdentifier{ClientID: "oven"}, ReasonCode: "PASSWORD"},
		}}, []string{"PASSWORD_CHECK: findings (- missing, + unexpected):\n" +
			"- DEFAULT_PASSWORD {\"account\":\"lamp\"}\n" +
			"- DEFAULT_PASSWORD {\"clientId\":\"bell\"}\n" +
			"+ DEFAULT_PASSWORD {\"clientId\":\"lamp\"}\n" +
			"+ DEFAULT_PASSWORD {\"clientId\":\"oven\"}\n" +
			"- PASSWORD {\"clientId\":\"oven\"}\n"}},
		{"count", good, checktest.Case{Want: found, WantScanned: 4}, []string{"PASSWORD_CHECK counted 5 resources as checked, want 4"}},
		{"an error", fails, checktest.Case{Want: []checktest.Finding{wanted("lamp")}}, []string{"PASSWORD_CHECK failed: list devices: connection lost"}},
		{"a wanted error", fails, checktest.Case{WantErr: errLost}, nil},
		{"a wanted text", fails, checktest.Case{WantErrText: "list devices"}, nil},
		{"both", fails, checktest.Case{WantErr: errLost, WantErrText: "list devices", Want: []checktest.Finding{wanted("lamp")}}, nil},
		{"findings before a wanted error", fails, checktest.Case{WantErr: errLost, Want: []checktest.Finding{}},
			[]string{"PASSWORD_CHECK: findings (- missing, + unexpected):\n+ DEFAULT_PASSWORD {\"clientId\":\"lamp\"}\n"}},
		{"another error", fails, checktest.Case{WantErr: checks.ErrInsufficientPermissions},
			[]string{"PASSWORD_CHECK failed: list devices: connection lost\nwant an error that is \"insufficient permissions\""}},
		{"another text", fails, checktest.Case{WantErr: errLost, WantErrText: "list certificates"},
			[]string{"PASSWORD_CHECK failed: list devices: connection lost\nwant an error that is \"connection lost\" and an error that says \"list certificates\""}},
		{"no error", good, checktest.Case{WantErrText: "lost"}, []string{`PASSWORD_CHECK completed, want an error that says "lost"`}},
		{"invalid Spec", checks.New(invalid, nil), checktest.Case{},
			[]string{`the Spec is not valid: check 0 (PASSWORD_CHECK): Severity "BAD" must be one of CRITICAL, HIGH, MEDIUM, LOW`}},
		{"no check", nil, checktest.Case{}, []string{"the Spec is not valid: check 0: is nil"}},
		{"undeclared reason code", sees(func(pass *checks.Pass) error { f := bad("lamp"); f.ReasonCode = "X"; pass.Report(f); return nil }), checktest.Case{},
			[]string{`PASSWORD_CHECK failed: the check reported reason code "X", which its Spec does not declare`}},
		{"wrong configuration", good, checktest.Case{Config: map[string]string{"LENGTH": "10", "WIDTH": "1"}}, []string{
			`PASSWORD_CHECK: Case.Config.LENGTH "10" must be a whole number from 1 to 9`,
			`PASSWORD_CHECK: Case.Config "WIDTH" is not a parameter of the check, which has LENGTH`,
		}},
		{"what a check sees", sees(func(p *checks.Pass) error {
			return fmt.Errorf("%v %v %d %t", p.Time, p.Since, p.Config.Int("LENGTH"), p.Logger != nil)
		}), checktest.Case{Time: march, Since: march.AddDate(0, 0, -7), Config: map[string]string{"LENGTH": "3"}, WantErrText: "2026-03-01 00:00:00 +0000 UTC 2026-02-22 00:00:00 +0000 UTC 3 true"}, nil},
		{"what it sees by default", sees(func(p *checks.Pass) error {
			return fmt.Errorf("%v %v %d %t", p.Time, p.Since.IsZero(), p.Config.Int("LENGTH"), p.Logger != nil)
		}), checktest.Case{WantErrText: "2026-01-01 00:00:00 +0000 UTC true 5 true"}, nil},
	} {
		got, _ := record(t, func(t testing.TB) { checktest.Run(t, row.check, row.c) })
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s: failures (-want +got):\n%s", row.name, diff)
		}
	}
}

func TestRunShowsWhereACheckPanicked(t *testing.T) {
	check := checks.Each(spec(), checks.Slice("devices", fleet()), func(_ context.Context, _ *checks.Pass, d *device) error {
		return panics(d)
	})
	got, _ := record(t, func(t testing.TB) { checktest.Run(t, check, checktest.Case{}) })
	if len(got) != 1 || !strings.HasPrefix(got[0], "PASSWORD_CHECK failed: panic: assignment to entry in nil map\n") || !strings.Contains(got[0], "checktest_test.panics(") {
		t.Errorf("failures: %q", got)
	}
}

func panics(d *device) error {
	d = &device{id: d.id}
	d.tags["seen"] = "true"
	return nil
}

func TestRunReturnsTheOutcome(t *testing.T) {
	out := checktest.Run(t, passwords(checks.Slice("devices", fleet())), checktest.Case{Want: found})
	if out.Scanned != 5 || len(out.Findings) != 3 || out.Findings[0].Reason != "Its password is <admin>." {
		t.Errorf("outcome is %+v", out)
	}
}

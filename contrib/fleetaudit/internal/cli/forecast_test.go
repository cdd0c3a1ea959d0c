package cli_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/cli"
	"github.com/fleetaudit/fleetaudit/model"
)

// TestForecastOfFailedCheck has a check that fails as of a later time, and one that fails at any.
func TestForecastOfFailedCheck(t *testing.T) {
	later := check("LATER_CHECK", model.AuditFindingSeverityLow, func(_ context.Context, pass *checks.Pass, c *inventory.Certificate) error {
		if pass.Time.Year() > 2030 {
			return errors.New("the calendar\n\x1b[31mends")
		}
		return nil
	})
	seen := check("SEEN_CHECK", model.AuditFindingSeverityHigh, func(_ context.Context, pass *checks.Pass, c *inventory.Certificate) error {
		if pass.Time.Year() > 2030 {
			report(pass, c)
		}
		return nil
	})
	never := check("NEVER_CHECK", model.AuditFindingSeverityLow, func(context.Context, *checks.Pass, *inventory.Certificate) error { return errors.New("never") })
	for _, row := range []struct {
		name   string
		makers []func(*inventory.Inventory) checks.Check
		stderr string
		want   []string
	}{
		{"later", []func(*inventory.Inventory) checks.Check{later, seen},
			`the forecast is not complete: LATER_CHECK failed: INTERNAL_FAILURE: the calendar; \x1b[31mends`,
			[]string{"Not forecast (1)", "    LATER_CHECK\n      INTERNAL_FAILURE: the calendar; \\x1b[31mends\n", "SEEN_CHECK\nBy 2031-01-01\n", "By 2031-01-01: 1 SEEN, 1 check not forecast\n"}},
		{"always", []func(*inventory.Inventory) checks.Check{never, seen}, "the audit is not complete: a check failed",
			[]string{"Not forecast (1)", "    NEVER_CHECK\n      INTERNAL_FAILURE: never\n", "By 2031-01-01: 1 SEEN, 1 check not forecast\n"}},
		{"never", []func(*inventory.Inventory) checks.Check{seen}, "", []string{"By 2031-01-01: 1 SEEN\n"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			// What is forecast is no reason to exit with 1.
			got := runWith(t.Context(), row.makers, "audit testdata/sound --as-of 2030-01-01 --forecast 2031-01-01 --fail-on LOW --width 80")
			code, stderr := cli.ExitOK, ""
			if row.stderr != "" {
				code, stderr = cli.ExitError, "fleetaudit: "+row.stderr+"\n"
			}
			if got.code != code || got.stderr != stderr {
				t.Errorf("exit code %d, stderr %q, want %d, %q", got.code, got.stderr, code, stderr)
			}
			for _, words := range row.want {
				if !strings.Contains(got.stdout, words) {
					t.Errorf("the report lacks %q:\n%s", words, got.stdout)
				}
			}
			if not := strings.Contains(got.stdout, "Not forecast"); not != (row.stderr != "") {
				t.Errorf("some checks are not forecast: %v:\n%s", not, got.stdout)
			}
		})
	}
}

// TestForecastInterrupted looks ahead until it is interrupted. The audit is there all the same.
func TestForecastInterrupted(t *testing.T) {
	for _, format := range []string{"table", "json"} {
		ctx, interrupt := context.WithCancel(t.Context())
		defer interrupt()
		got := runWith(ctx, []func(*inventory.Inventory) checks.Check{
			check("SLOW_CHECK", model.AuditFindingSeverityHigh, func(ctx context.Context, pass *checks.Pass, c *inventory.Certificate) error {
				report(pass, c)
				if pass.Time.Year() > 2030 {
					interrupt()
					<-ctx.Done()
				}
				return context.Cause(ctx)
			}),
		}, "audit testdata/sound --as-of 2030-01-01 --forecast 2031-01-01 --width 80 --format "+format)
		if want := "fleetaudit: the forecast is not complete: it was interrupted\n"; got.code != cli.ExitError || got.stderr != want {
			t.Errorf("exit code %d, stderr %q, want 2, %q", got.code, got.stderr, want)
		}
		if format == "json" {
			doc := decode(t, got.stdout)
			if doc.AuditTask.TaskStatus != model.AuditTaskStatusCompleted || len(doc.Findings) != 1 || doc.Forecast != nil {
				t.Errorf("the audit is %s and has %d findings, its forecast is %v", doc.AuditTask.TaskStatus, len(doc.Findings), doc.Forecast)
			}
		} else if !strings.HasSuffix(got.stdout, "\n1 finding: 1 HIGH\n1 check ran\n") {
			t.Errorf("the report is\n%s", got.stdout)
		}
	}
}

// TestForecastOfNothing asks for more than there can be.
func TestForecastOfNothing(t *testing.T) {
	got := run(t, "audit", "testdata/sound/root.crl", "--as-of", asOf, "--forecast", "2031-01-01", "--format", "json")
	if got.stderr != "fleetaudit: the audit is not complete: no check had anything to look at\n" || decode(t, got.stdout).Forecast != nil {
		t.Errorf("stderr %q, stdout\n%s", got.stderr, got.stdout)
	}
}

// TestForecastTimes looks at the times as of which checks run.
func TestForecastTimes(t *testing.T) {
	times := make(chan time.Time, 9)
	note := func(retrospective bool) func(*inventory.Inventory) checks.Check {
		return func(inv *inventory.Inventory) checks.Check {
			spec := check("NOTE_CHECK", model.AuditFindingSeverityLow, fine)(inv).Spec()
			spec.Retrospective = retrospective
			return checks.Each(spec, inv.DeviceCertificates, func(_ context.Context, pass *checks.Pass, _ *inventory.Certificate) error {
				times <- pass.Time
				return nil
			})
		}
	}
	from, to := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2031, 1, 1, 11, 0, 0, 0, time.UTC)
	for _, row := range []struct {
		retrospective bool
		want          map[time.Time]int
	}{
		{false, map[time.Time]int{from: 2, to: 1}},
		{true, map[time.Time]int{from: 2}},
	} {
		got := runWith(t.Context(), []func(*inventory.Inventory) checks.Check{note(row.retrospective)},
			"audit testdata/sound --as-of 2030-01-01 --forecast 2031-01-01T12:00:00+01:00")
		if got.code != cli.ExitOK || !strings.Contains(got.stdout, "By 2031-01-01 11:00 UTC\n") {
			t.Errorf("exit code %d, and the report is\n%s", got.code, got.stdout)
		}
		ran := make(map[time.Time]int)
		for len(times) > 0 {
			ran[(<-times).UTC()]++
		}
		if diff := cmp.Diff(row.want, ran); diff != "" {
			t.Errorf("retrospective %v: times (-want +got):\n%s", row.retrospective, diff)
		}
	}
}

package engine_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

var newYear = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// Both runs of all checks share one scan of what they look at, and an audit is not in the way.
func TestForecastScansOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		scans := 0
		devices := &checks.Source[pump]{Name: "pumps", All: func(context.Context) iter.Seq2[pump, error] {
			scans++
			return func(yield func(pump, error) bool) {
				for _, p := range fleet {
					if !yield(p, nil) {
						return
					}
				}
			}
		}}
		e := openEngine(t, engine.Config{Checks: []checks.Check{
			checks.Each(judgingSpec("A_CHECK"), devices, judge), checks.Each(judgingSpec("B_CHECK"), devices, judge),
		}})
		f, err := e.Forecast(t.Context(), engine.ForecastInput{To: newYear.AddDate(0, 6, 0).In(time.FixedZone("Berlin", 3600))})
		require.NoError(t, err)
		require.Equal(t, 1, scans)
		require.Equal(t, "by 2000-07-01: 2 OLD", f.String())
		f, err = e.Forecast(t.Context(), engine.ForecastInput{
			From: newYear.AddDate(1, 0, 0), To: newYear.AddDate(1, 0, 1), TargetCheckNames: []string{"B_CHECK"},
		})
		require.NoError(t, err)
		require.Equal(t, "by 2001-01-02: nothing new", f.String())
		require.Equal(t, []string{"B_CHECK"}, []string{f.Checks[0].CheckName})
		require.NoError(t, e.Close())
	})
}

func TestForecastRefuses(t *testing.T) {
	e := openEngine(t, engine.Config{Checks: []checks.Check{good("GOOD")}})
	for _, row := range []struct {
		name string
		in   engine.ForecastInput
		want string
	}{
		{"nothing", engine.ForecastInput{From: newYear}, "InvalidRequestException: To is required"},
		{"no time between", engine.ForecastInput{From: newYear, To: newYear}, `InvalidRequestException: To "2000-01-01T00:00:00Z" must be after 2000-01-01T00:00:00Z`},
		{"no year", engine.ForecastInput{From: newYear.AddDate(-2001, 0, 0), To: newYear.AddDate(8000, 0, 0)},
			`InvalidRequestException: From "-0001-01-01T00:00:00Z" must be of year 1 to 9999; To "10000-01-01T00:00:00Z" must be of year 1 to 9999`},
		{"wrong names", engine.ForecastInput{To: newYear, From: newYear.Add(-1), TargetCheckNames: []string{"", "GOOD", "GOOD"}},
			`InvalidRequestException: targetCheckNames[0] "" must not be empty; targetCheckNames[2] "GOOD" must not be named twice`},
		{"no names", engine.ForecastInput{To: newYear, From: newYear.Add(-1), TargetCheckNames: []string{}}, "InvalidRequestException: targetCheckNames must name at least one check"},
		{"other names", engine.ForecastInput{To: newYear, From: newYear.Add(-1), TargetCheckNames: []string{"BAD"}},
			`InvalidRequestException: targetCheckNames[0] "BAD" is not a check of this account, which has GOOD`},
	} {
		if f, err := e.Forecast(t.Context(), row.in); f != nil || err == nil || err.Error() != row.want {
			t.Errorf("%s: got %v, %v; want %s", row.name, f, err, row.want)
		}
	}
	_, err := e.DeleteAccountAuditConfiguration(t.Context(), nil)
	require.NoError(t, err)
	_, err = e.Forecast(t.Context(), engine.ForecastInput{To: newYear, From: newYear.Add(-1)})
	require.EqualError(t, err, "InvalidRequestException: targetCheckNames leave nothing to forecast: no check is enabled")
	for range new(engine.Forecast).Changes() {
		t.Error("a Forecast of nobody has a change")
	}

	gone := errors.New("the caller has left")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gone)
	_, err = e.Forecast(ctx, engine.ForecastInput{To: time.Now().Add(day)})
	require.Equal(t, gone, err)
	require.NoError(t, e.Close())
	_, err = e.Forecast(t.Context(), engine.ForecastInput{To: time.Now().Add(day)})
	require.Equal(t, engine.ErrClosed, err)
}

// A forecast ends when its context or the Engine does, whatever its checks do, and leaves nothing behind.
func TestForecastStops(t *testing.T) {
	gone := errors.New("the caller has left")
	for _, row := range []struct {
		name string
		stop func(e *engine.Engine, cancel context.CancelCauseFunc)
		want error
	}{
		{"context", func(_ *engine.Engine, cancel context.CancelCauseFunc) { cancel(gone) }, gone},
		{"Close", func(e *engine.Engine, _ context.CancelCauseFunc) { _ = e.Close() }, engine.ErrClosed},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := openEngine(t, engine.Config{Checks: []checks.Check{untilDone("UNTIL_DONE"), good("GOOD")}, CheckTimeLimit: -1})
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(time.Minute, func() { row.stop(e, cancel) })
				f, err := e.Forecast(ctx, engine.ForecastInput{To: newYear.AddDate(1, 0, 0)})
				if f != nil || err != row.want {
					t.Errorf("got %v, %v; want %v", f, err, row.want)
				}
				if took := time.Since(newYear); took != time.Minute {
					t.Error("it took", took)
				}
				require.NoError(t, e.Close())
			})
		})
	}
}

// A check that breaks at one of the two times is not compared; the others are.
func TestForecastFences(t *testing.T) { synctest.Test(t, testForecastFences) }

func testForecastFences(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	later := func(name string, do func()) checks.Check {
		return checks.New(specOf(name), func(_ context.Context, p *checks.Pass) error {
			report(p, "1")
			if p.Time.After(time.Now().Add(time.Hour)) {
				do()
				report(p, "2")
			}
			return nil
		})
	}
	var log logbook
	suppressed := device("2").ResourceIdentifier
	e := openEngine(t, engine.Config{CheckTimeLimit: 10 * time.Millisecond, StopGrace: time.Millisecond, Logger: log.logger(), Suppressions: []model.AuditSuppression{
		{CheckName: "GOES", ResourceIdentifier: suppressed, SuppressIndefinitely: new(true)},
	}, Checks: []checks.Check{
		checks.New(specOf("GOES"), func(_ context.Context, p *checks.Pass) error {
			if p.Time.Before(time.Now().Add(time.Hour)) {
				report(p, "1")
				report(p, "2")
			}
			return nil
		}),
		checks.New(specOf("WAITS"), func(ctx context.Context, p *checks.Pass) error {
			never := &checks.Source[int]{Name: "never", All: numbers(1, nil).All, Ready: func() <-chan struct{} { return make(chan struct{}) }}
			for _, err := range never.Read(ctx, p) {
				return fmt.Errorf("reading: %w", err)
			}
			return nil
		}),
		checks.New(specOf("LIES"), func(context.Context, *checks.Pass) error { return fmt.Errorf("mine: %w", checks.ErrNoData) }),
		later("PANICS", func() { panic("boom") }), hanging("HANGING", release), later("GOOD", func() {}),
		checks.New(specOf("FAILS"), func(_ context.Context, p *checks.Pass) error {
			report(p, "1")
			return errors.New("the registry does not answer")
		}),
	}})
	f, err := e.Forecast(t.Context(), engine.ForecastInput{To: time.Now().AddDate(1, 0, 0)})
	require.NoError(t, err)
	var got []string
	for _, c := range f.Checks {
		got = append(got, fmt.Sprint(c.CheckName, " ", c.From.CheckRunStatus, " ", c.To.CheckRunStatus, " ", c.To.ErrorCode))
	}
	for c := range f.Changes() {
		got = append(got, change(c))
		require.Empty(t, c.Finding.TaskID+c.Finding.FindingID)
	}
	want := []string{
		"GOES COMPLETED_NON_COMPLIANT COMPLETED_COMPLIANT ",
		"WAITS WAITING_FOR_DATA_COLLECTION WAITING_FOR_DATA_COLLECTION ",
		"LIES FAILED FAILED INTERNAL_FAILURE",
		"PANICS COMPLETED_NON_COMPLIANT FAILED INTERNAL_FAILURE",
		"HANGING FAILED FAILED INTERNAL_FAILURE",
		"GOOD COMPLETED_NON_COMPLIANT COMPLETED_NON_COMPLIANT ",
		"FAILS FAILED FAILED INTERNAL_FAILURE",
		"RESOLVED GOES 1 BAD",
		"RESOLVED GOES 2 BAD was suppressed suppressed",
		"UNCHANGED GOOD 1 BAD",
		"NEW GOOD 2 BAD",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	severity := f.Checks[0].Severity
	reasons := []engine.ReasonForecast{
		{CheckName: "GOES", Severity: severity, ReasonCode: "BAD", Resolved: 1},
		{CheckName: "GOOD", Severity: severity, ReasonCode: "BAD", New: 1},
	}
	if diff := cmp.Diff(reasons, f.Reasons); diff != "" {
		t.Error(diff)
	}
	for check, want := range map[string]int{"FAILS": 2, "LIES": 2, "PANICS": 1, "WAITS": 0, "GOOD": 0} {
		if n := strings.Count(log.String(), "check="+check+" "); n != want {
			t.Errorf("%s is logged %d times, want %d:\n%s", check, n, want, log.String())
		}
	}
}

// What will be wrong with two pumps in a month, and in two.
func ExampleEngine_Forecast() {
	pumps := checks.Slice("pumps", []pump{{"pump-1", 10, "7fK!x"}, {"pump-2", 20, "7fK!x"}})
	e, err := engine.New(engine.Config{
		Checks: []checks.Check{checks.Each(judgingSpec("PUMP_CHECK"), pumps, judge)}, EnableAll: true,
		Suppressions: []model.AuditSuppression{{
			CheckName: "PUMP_CHECK", ResourceIdentifier: model.ResourceIdentifier{ClientID: "pump-2"},
			ExpirationDate: model.At(newYear.AddDate(0, 2, 0)), Description: "gets replaced in February",
		}},
	})
	if err != nil {
		panic(err)
	}
	defer e.Close()
	for _, to := range []time.Time{newYear.AddDate(0, 1, 0), newYear.AddDate(0, 2, 0)} {
		f, err := e.Forecast(context.Background(), engine.ForecastInput{From: newYear, To: to})
		fmt.Println(f, err)
	}
	// Output:
	// by 2000-02-01: 1 OLD <nil>
	// by 2000-03-01: 2 OLD, 1 suppression lapsed <nil>
}

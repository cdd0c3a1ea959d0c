package engine_test

import (
	"log/slog"
	"math"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

func TestConfig(t *testing.T) {
	ok := newStock().checks["OK_CHECK"]
	unnamed := deviceSpec("")
	for _, row := range []struct {
		name   string
		change func(*engine.Config)
		want   []string // problems
	}{
		{"only Checks", func(c *engine.Config) {}, nil},
		{"no Checks", func(c *engine.Config) { c.Checks = nil }, []string{"Config.Checks must hold at least one check"}},
		{"nil check", func(c *engine.Config) { c.Checks = []checks.Check{nil} }, []string{"Config.Checks: check 0: is nil"}},
		{"check twice", func(c *engine.Config) { c.Checks = []checks.Check{ok, ok} }, []string{`Config.Checks: check 1: Name "OK_CHECK" is that of check 0 too`}},
		{"check without a name", func(c *engine.Config) { c.Checks = []checks.Check{checks.New(unnamed, nil)} }, []string{
			`Config.Checks: check 0: Name "" must be a capital letter and up to 127 capital letters, digits, _ and -`,
		}},
		{"AccountID", func(c *engine.Config) { c.AccountID = "12345678901" }, []string{`Config.AccountID "12345678901" must be 12 digits`}},
		{"AccountID", func(c *engine.Config) { c.AccountID = "12345678901x" }, []string{`Config.AccountID "12345678901x" must be 12 digits`}},
		{"AccountID", func(c *engine.Config) { c.AccountID = "123456789012" }, nil},
		{"Region", func(c *engine.Config) { c.Region = "us east" }, []string{`Config.Region "us east" must be lower-case letters, digits and hyphens`}},
		{"Region", func(c *engine.Config) { c.Region = "us-gov-east-1" }, nil},
		{"NotifyTimeout", func(c *engine.Config) { c.NotifyTimeout = -time.Second }, []string{"Config.NotifyTimeout -1s must not be negative"}},
		{"Concurrency", func(c *engine.Config) { c.Concurrency = -1 }, []string{"Config.Concurrency -1 must not be negative"}},
		{"StopGrace", func(c *engine.Config) { c.StopGrace = -1 }, []string{"Config.StopGrace -1ns must not be negative"}},
		{"MissedAfter", func(c *engine.Config) { c.MissedAfter = -time.Hour }, []string{"Config.MissedAfter -1h0m0s must not be negative"}},
		{"TimeOfDay", func(c *engine.Config) { c.TimeOfDay = -1 }, []string{"Config.TimeOfDay -1ns must be from 0 to less than 24h"}},
		{"TimeOfDay", func(c *engine.Config) { c.TimeOfDay = 24 * time.Hour }, []string{"Config.TimeOfDay 24h0m0s must be from 0 to less than 24h"}},
		{"TimeOfDay", func(c *engine.Config) { c.TimeOfDay = 24*time.Hour - 1 }, nil},
		{"Spread", func(c *engine.Config) { c.Spread = 24*time.Hour + 1 }, []string{"Config.TimeOfDay 0s plus Spread 24h0m0.000000001s must be at most 24h"}},
		{"Spread", func(c *engine.Config) { c.TimeOfDay, c.Spread = time.Hour, 23*time.Hour }, nil},
		{"Spread", func(c *engine.Config) { c.TimeOfDay, c.Spread = time.Hour, 24*time.Hour }, []string{"Config.TimeOfDay 1h0m0s plus Spread 24h0m0s must be at most 24h"}},
		{"Spread", func(c *engine.Config) { c.TimeOfDay, c.Spread = 1, math.MaxInt64 }, []string{"Config.TimeOfDay 1ns plus Spread 2562047h47m16.854775807s must be at most 24h"}},
		{"MissedRuns", func(c *engine.Config) { c.MissedRuns = -1 }, []string{"Config.MissedRuns -1 must be RunOnce or SkipMissed"}},
		{"MissedRuns", func(c *engine.Config) { c.MissedRuns = 2 }, []string{"Config.MissedRuns 2 must be RunOnce or SkipMissed"}},
		{"MissedRuns", func(c *engine.Config) { c.MissedRuns = engine.SkipMissed }, nil},
		{"MaxLifetime", func(c *engine.Config) { c.SuppressionPolicy.MaxLifetime = -time.Hour }, []string{"Config.SuppressionPolicy.MaxLifetime -1h0m0s must not be negative"}},
		{"Suppressions", func(c *engine.Config) {
			indefinitely := model.AuditSuppression{CheckName: "OK_CHECK", ResourceIdentifier: device("1").ResourceIdentifier, SuppressIndefinitely: new(true)}
			c.Suppressions = []model.AuditSuppression{indefinitely, {}, indefinitely, {CheckName: "NO_CHECK", ResourceIdentifier: indefinitely.ResourceIdentifier}}
		}, []string{
			"Config.Suppressions[1]: InvalidRequestException: checkName is required; resourceIdentifier is required; expirationDate is required, or else suppressIndefinitely true",
			`Config.Suppressions[3]: InvalidRequestException: expirationDate is required, or else suppressIndefinitely true; checkName "NO_CHECK" is not a check of this account, which has OK_CHECK`,
		}},
		{"everything at once", func(c *engine.Config) {
			*c = engine.Config{
				Checks: []checks.Check{ok, nil}, AccountID: "1", Region: "EU", NotifyTimeout: -1, Concurrency: -2, StopGrace: -3,
				TimeOfDay: 25 * time.Hour, Spread: time.Hour, MissedRuns: 7, MissedAfter: -4,
			}
		}, []string{
			"Config.Checks: check 1: is nil",
			`Config.AccountID "1" must be 12 digits`,
			`Config.Region "EU" must be lower-case letters, digits and hyphens`,
			"Config.NotifyTimeout -1ns must not be negative",
			"Config.Concurrency -2 must not be negative",
			"Config.StopGrace -3ns must not be negative",
			"Config.MissedAfter -4ns must not be negative",
			"Config.TimeOfDay 25h0m0s must be from 0 to less than 24h",
			"Config.TimeOfDay 25h0m0s plus Spread 1h0m0s must be at most 24h",
			"Config.MissedRuns 7 must be RunOnce or SkipMissed",
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := engine.Config{Checks: []checks.Check{ok}}
			row.change(&c)
			e, err := engine.New(c)
			if len(row.want) == 0 {
				require.NoError(t, err)
				require.NoError(t, e.Close())
				return
			}
			if e != nil || err == nil {
				t.Fatalf("got %v, %v; want no engine and an error", e, err)
			}
			if diff := cmp.Diff("engine: "+strings.Join(row.want, "\n"), err.Error()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// What zero and negative values mean, as the comments of Config say it.
func TestConfigDefaults(t *testing.T) {
	const day = 24 * time.Hour
	berlin := time.FixedZone("Berlin", 3600)
	for _, row := range []struct {
		name     string
		in, want engine.Config
	}{
		{"zero", engine.Config{}, engine.Config{
			AccountID: "000000000000", Region: "us-east-1", NotifyTimeout: 30 * time.Second, Concurrency: runtime.GOMAXPROCS(0),
			CheckTimeLimit: time.Hour, StopGrace: time.Second, MaxFindings: 1_000_000, Retention: 90 * day,
			MaxScheduledAudits: 5, MaxOnDemandAudits: 10, Location: time.UTC, Spread: day,
			MissedRuns: engine.RunOnce, MissedAfter: time.Hour,
		}},
		{"negative", engine.Config{
			CheckTimeLimit: -1, MaxFindings: -1, Retention: -time.Hour, MaxScheduledAudits: -1, MaxOnDemandAudits: -7,
			TimeOfDay: 5 * time.Hour, Spread: -time.Hour,
		}, engine.Config{
			AccountID: "000000000000", Region: "us-east-1", NotifyTimeout: 30 * time.Second, Concurrency: runtime.GOMAXPROCS(0),
			StopGrace: time.Second, Location: time.UTC, TimeOfDay: 5 * time.Hour, MissedAfter: time.Hour,
		}},
		{"everything given", engine.Config{
			EnableAll: true, AccountID: "123456789012", Region: "eu-west-3", NotifyTimeout: 1, Concurrency: 2, CheckTimeLimit: 3,
			StopGrace: 4, MaxFindings: 5, Retention: 6, MaxScheduledAudits: 7, MaxOnDemandAudits: 8, Location: berlin,
			TimeOfDay: 9, Spread: 10, MissedRuns: engine.SkipMissed, MissedAfter: 11,
			SuppressionPolicy: engine.SuppressionPolicy{MaxLifetime: 13},
		}, engine.Config{
			EnableAll: true, AccountID: "123456789012", Region: "eu-west-3", NotifyTimeout: 1, Concurrency: 2, CheckTimeLimit: 3,
			StopGrace: 4, MaxFindings: 5, Retention: 6, MaxScheduledAudits: 7, MaxOnDemandAudits: 8, Location: berlin,
			TimeOfDay: 9, Spread: 10, MissedRuns: engine.SkipMissed, MissedAfter: 11,
			SuppressionPolicy: engine.SuppressionPolicy{MaxLifetime: 13},
		}},
		{"zero Spread ends at midnight", engine.Config{TimeOfDay: 20 * time.Hour}, engine.Config{
			AccountID: "000000000000", Region: "us-east-1", NotifyTimeout: 30 * time.Second, Concurrency: runtime.GOMAXPROCS(0),
			CheckTimeLimit: time.Hour, StopGrace: time.Second, MaxFindings: 1_000_000, Retention: 90 * day,
			MaxScheduledAudits: 5, MaxOnDemandAudits: 10, Location: time.UTC, TimeOfDay: 20 * time.Hour, Spread: 4 * time.Hour,
			MissedAfter: time.Hour,
		}},
	} {
		row.in.Checks = []checks.Check{newStock().checks["OK_CHECK"]}
		got, err := row.in.WithDefaults()
		require.NoError(t, err)
		if got.Logger.Enabled(t.Context(), slog.LevelError) {
			t.Errorf("%s: a Logger that nobody gave logs", row.name)
		}
		same := cmp.Comparer(func(a, b *time.Location) bool { return a == b })
		if diff := cmp.Diff(row.want, got, same, cmpopts.IgnoreFields(engine.Config{}, "Checks", "Logger")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}

// A bubble whose test returns while a goroutine of it is left fails.
func TestNewStartsNoGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := runtime.NumGoroutine()
		_, err := engine.New(engine.Config{Checks: []checks.Check{newStock().checks["OK_CHECK"]}, EnableAll: true})
		require.NoError(t, err)
		synctest.Wait()
		if after := runtime.NumGoroutine(); after > before {
			t.Errorf("%d goroutines before New, %d after", before, after)
		}
	})
}

// The Engine keeps nothing that is the caller's, nor gives out what is its own.
func TestConfigIsTheCallers(t *testing.T) {
	all := []checks.Check{newStock().checks["DEVICE_CHECK"], newStock().checks["OK_CHECK"]}
	bubble(t, engine.Config{Checks: all}, nil, func(t *testing.T, _ *stock, e *engine.Engine) {
		clear(all)
		before := e.Checks()
		given := e.Checks()
		for i := range given {
			clear(given[i].Params)
			clear(given[i].ReasonCodes)
			given[i] = checks.Spec{}
		}
		if diff := cmp.Diff(before, e.Checks(), cmpopts.IgnoreFields(checks.Spec{}, "Source")); diff != "" {
			t.Errorf("who changes the Specs changes the Engine's (-before +after):\n%s", diff)
		}
		out, err := e.WaitAuditTask(t.Context(), begin(t, e, "DEVICE_CHECK", "OK_CHECK"))
		require.NoError(t, err)
		require.Equal(t, 1, out.TaskStatistics.CompliantChecks)
		require.Equal(t, 1, out.TaskStatistics.NonCompliantChecks)
	})
}

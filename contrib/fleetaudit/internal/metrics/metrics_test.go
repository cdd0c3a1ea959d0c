package metrics_test

import (
	"bytes"
	"flag"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/fleet"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/metrics"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/report"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

var update = flag.Bool("update", false, "write the files in testdata anew")

var june = time.Date(2024, time.June, 1, 0, 0, 0, 0, time.UTC)

// statistics has one of everything.
func statistics(time.Time) engine.Statistics {
	return engine.Statistics{
		Audits: []engine.AuditStatistics{
			{Type: model.AuditTaskTypeOnDemand, Status: model.AuditTaskStatusInProgress, Count: 2},
			{Type: model.AuditTaskTypeOnDemand, Status: model.AuditTaskStatusCompleted, Count: 40},
			{Type: model.AuditTaskTypeScheduled, Status: model.AuditTaskStatusCanceled, Count: 1},
		},
		Checks: []engine.CheckStatistics{
			{
				CheckName: "BATTERY_CHECK", Severity: model.AuditFindingSeverityHigh,
				Runs: []engine.RunStatistics{
					{Status: model.AuditCheckRunStatusCompletedNonCompliant, Count: 3, Duration: 4500 * time.Millisecond},
					{Status: model.AuditCheckRunStatusFailed, Count: 1, Duration: time.Hour},
				},
				Findings: 12, Suppressed: 5, LastCompleted: june.Add(time.Millisecond),
			},
			{CheckName: "NEVER_RUN_CHECK", Severity: model.AuditFindingSeverityLow},
			{
				CheckName: "CLEAN_CHECK", Severity: model.AuditFindingSeverityCritical,
				Runs:          []engine.RunStatistics{{Status: model.AuditCheckRunStatusCompletedCompliant, Count: 1}},
				LastCompleted: june,
			},
		},
		Schedules: []engine.ScheduleStatistics{
			{
				Name: "daily", Overdue: 90 * time.Second,
				ScheduleStatus: engine.ScheduleStatus{
					Next: june, LastSlot: june.AddDate(0, 0, -1), LastStart: june.AddDate(0, 0, -1).Add(1500 * time.Millisecond),
					LastCompleted: june.AddDate(0, 0, -1).Add(time.Hour), MissedSlots: 3, SkippedSlots: 4,
				},
			},
			{Name: "new", ScheduleStatus: engine.ScheduleStatus{Next: june.AddDate(0, 1, 0)}},
		},
	}
}

func status() fleet.Status {
	return fleet.Status{
		Resources: report.Counts{DeviceCertificates: 7, ClientIDs: 3, WeakKeys: 1_000_000},
		Problems:  2, ReadAt: june, Readings: 8, Failures: 9,
	}
}

func scrape(t *testing.T, statistics func(time.Time) engine.Statistics, status func() fleet.Status) string {
	t.Helper()
	answer := httptest.NewRecorder()
	var log bytes.Buffer
	metrics.Handler(statistics, status, slog.New(slog.NewTextHandler(&log, nil))).
		ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	require.Equal(t, 200, answer.Code)
	require.Empty(t, log.String())
	return answer.Body.String()
}

// ours are the metrics that are not of any process.
var ours = regexp.MustCompile(`(?m)^(# (HELP|TYPE) )?fleetaudit_.*\n`)

func TestMetrics(t *testing.T) {
	const name = "testdata/metrics.txt"
	all := scrape(t, statistics, status)
	got := strings.Join(ours.FindAllString(all, -1), "")
	if *update {
		require.NoError(t, os.WriteFile(name, []byte(got), 0o644))
	}
	want, err := os.ReadFile(name)
	require.NoError(t, err, "-update writes it")
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
	if !strings.Contains(all, "\ngo_goroutines ") {
		t.Error("there is nothing about the process")
	}
}

// TestScrapesAtOnce has more scrapes at once than are answered: the others are turned away, and do not wait.
func TestScrapesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		goOn := make(chan struct{})
		handler := metrics.Handler(func(now time.Time) engine.Statistics {
			<-goOn
			return statistics(now)
		}, status, slog.New(slog.DiscardHandler))
		codes := make(chan int, 10)
		ask := func() {
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
			codes <- answer.Code
		}
		told := func() map[int]int {
			synctest.Wait()
			count := make(map[int]int)
			for range len(codes) {
				count[<-codes]++
			}
			return count
		}
		for range 7 {
			go ask()
		}
		if diff := cmp.Diff(map[int]int{http.StatusServiceUnavailable: 3}, told()); diff != "" {
			t.Errorf("turned away (-want +got):\n%s", diff)
		}
		close(goOn)
		if diff := cmp.Diff(map[int]int{http.StatusOK: 4}, told()); diff != "" {
			t.Errorf("answered (-want +got):\n%s", diff)
		}
		go ask()
		if diff := cmp.Diff(map[int]int{http.StatusOK: 1}, told()); diff != "" {
			t.Errorf("answered later (-want +got):\n%s", diff)
		}
	})
}

// TestNothingHasHappened has an engine that was just made: nothing says 0 that nobody knows.
func TestNothingHasHappened(t *testing.T) {
	all := scrape(t, func(time.Time) engine.Statistics {
		return engine.Statistics{Checks: []engine.CheckStatistics{{CheckName: "BATTERY_CHECK"}}}
	}, func() fleet.Status { return fleet.Status{} })
	for _, absent := range []string{"check", "timestamp", "schedule"} {
		if regexp.MustCompile(`(?m)^fleetaudit_\S*` + absent).MatchString(all) {
			t.Errorf("there is something about %s:\n%s", absent, all)
		}
	}
	for _, there := range []string{`fleetaudit_audits_running{type="ON_DEMAND_AUDIT_TASK"} 0`, `fleetaudit_fleet_resources{kind="crls"} 0`, "fleetaudit_fleet_read_failures_total 0"} {
		if !strings.Contains(all, there+"\n") {
			t.Errorf("%s is missing", there)
		}
	}
}

func TestLint(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	require.NoError(t, registry.Register(metrics.NewCollector(statistics, status)))
	problems, err := testutil.GatherAndLint(registry)
	require.NoError(t, err)
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

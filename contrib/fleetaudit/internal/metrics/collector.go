package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/fleet"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// collector asks the engine and the fleet at each scrape.
type collector struct {
	statistics func(now time.Time) engine.Statistics
	status     func() fleet.Status

	auditsEnded, auditsRunning                             *prometheus.Desc
	checkRun, checkFindings, checkSuppressed, checkEnded   *prometheus.Desc
	scheduleNext, scheduleOverdue, scheduleLag             *prometheus.Desc
	scheduleEnded, scheduleMissed, scheduleSkipped         *prometheus.Desc
	resources, problems, readAt, readings, readingFailures *prometheus.Desc
}

// NewCollector makes a Collector of what statistics and status return at each scrape.
func NewCollector(statistics func(now time.Time) engine.Statistics, status func() fleet.Status) prometheus.Collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("fleetaudit_"+name, help, labels, nil)
	}
	return &collector{
		statistics: statistics,
		status:     status,

		auditsEnded:   desc("audits_ended_total", "Audits that have ended, by AWS's type and status.", "type", "status"),
		auditsRunning: desc("audits_running", "Audits that are in progress.", "type"),

		checkRun:        desc("check_run_duration_seconds", "How long check runs worked, by AWS's status in which they ended.", "check", "status"),
		checkFindings:   desc("check_findings", "Findings of the last completed run of a check that are not suppressed.", "check", "severity"),
		checkSuppressed: desc("check_findings_suppressed", "Findings of the last completed run of a check that are suppressed.", "check", "severity"),
		checkEnded:      desc("check_last_completed_timestamp_seconds", "When the last completed run of a check ended.", "check"),

		scheduleNext:    desc("schedule_next_timestamp_seconds", "When a scheduled audit is due next.", "schedule"),
		scheduleOverdue: desc("schedule_overdue_seconds", "For how long a scheduled audit has been due and not started.", "schedule"),
		scheduleLag:     desc("schedule_lag_seconds", "How late the last audit of a schedule started.", "schedule"),
		scheduleEnded:   desc("schedule_last_completed_timestamp_seconds", "When the last completed audit of a schedule ended.", "schedule"),
		scheduleMissed:  desc("schedule_missed_total", "Times at which a scheduled audit was due while nothing ran schedules.", "schedule"),
		scheduleSkipped: desc("schedule_skipped_total", "Times at which a scheduled audit was due while the one before was in progress.", "schedule"),

		resources:       desc("fleet_resources", "What is in the fleet.", "kind"),
		problems:        desc("fleet_problems", "What in the files of the fleet could not be read."),
		readAt:          desc("fleet_last_read_timestamp_seconds", "When the fleet that is audited was read."),
		readings:        desc("fleet_reads_total", "How often the files of the fleet were read."),
		readingFailures: desc("fleet_read_failures_total", "How often they could not be read, so that the fleet stayed as it was."),
	}
}

// Describe implements [prometheus.Collector].
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		c.auditsEnded, c.auditsRunning, c.checkRun, c.checkFindings, c.checkSuppressed, c.checkEnded, c.scheduleNext, c.scheduleOverdue,
		c.scheduleLag, c.scheduleEnded, c.scheduleMissed, c.scheduleSkipped, c.resources, c.problems, c.readAt, c.readings, c.readingFailures,
	} {
		ch <- d
	}
}

// Collect implements [prometheus.Collector].
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	counter := func(d *prometheus.Desc, value int, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value), labels...)
	}
	// What has not happened yet has no time: 0 would be one.
	at := func(d *prometheus.Desc, t time.Time, labels ...string) {
		if !t.IsZero() {
			gauge(d, float64(t.UnixMilli())/1000, labels...)
		}
	}

	st := c.statistics(time.Now())
	running := make(map[model.AuditTaskType]int)
	for _, a := range st.Audits {
		if a.Status == model.AuditTaskStatusInProgress {
			running[a.Type] = a.Count
			continue
		}
		counter(c.auditsEnded, a.Count, string(a.Type), string(a.Status))
	}
	for _, kind := range model.AuditTaskType("").Values() {
		gauge(c.auditsRunning, float64(running[kind]), string(kind))
	}
	for _, s := range st.Checks {
		for _, r := range s.Runs {
			ch <- prometheus.MustNewConstSummary(c.checkRun, uint64(r.Count), r.Duration.Seconds(), nil, s.CheckName, string(r.Status))
		}
		if s.LastCompleted.IsZero() {
			continue // nobody knows how many findings there are
		}
		gauge(c.checkFindings, float64(s.Findings), s.CheckName, string(s.Severity))
		gauge(c.checkSuppressed, float64(s.Suppressed), s.CheckName, string(s.Severity))
		at(c.checkEnded, s.LastCompleted, s.CheckName)
	}
	for _, s := range st.Schedules {
		at(c.scheduleNext, s.Next, s.Name)
		gauge(c.scheduleOverdue, s.Overdue.Seconds(), s.Name)
		if !s.LastStart.IsZero() {
			gauge(c.scheduleLag, s.LastStart.Sub(s.LastSlot).Seconds(), s.Name)
		}
		at(c.scheduleEnded, s.LastCompleted, s.Name)
		counter(c.scheduleMissed, s.MissedSlots, s.Name)
		counter(c.scheduleSkipped, s.SkippedSlots, s.Name)
	}

	f := c.status()
	for kind, n := range f.Resources.Kinds() {
		gauge(c.resources, float64(n), kind)
	}
	gauge(c.problems, float64(f.Problems))
	at(c.readAt, f.ReadAt)
	counter(c.readings, f.Readings)
	counter(c.readingFailures, f.Failures)
}

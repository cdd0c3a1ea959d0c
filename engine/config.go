package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"runtime"
	"slices"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/model"
)

// Config says what an Engine audits with. Only Checks must be set.
type Config struct {
	// Checks are the checks that the account may enable. Their order is the order of findings.
	Checks []checks.Check
	// EnableAll lets an account begin with every check enabled and without a role, so that it can audit
	// at once. False: it begins as an account of AWS does, with none, until
	// UpdateAccountAuditConfiguration brings a role and enables some. An account that a Store holds has begun.
	EnableAll bool

	// Store keeps what the Engine holds, so that a new Engine goes on where this one ended: see [Store]. It belongs to
	// one Engine, and the host closes it after the Engine. Nil: everything is in memory only.
	Store Store

	// AccountID is the AWS account number in ARNs and notifications. Empty: 000000000000.
	AccountID string
	// Region is the AWS region in ARNs. Empty: us-east-1.
	Region string
	// Logger is told what nobody else is: faults of checks, notifiers and the Store. Its handler may use the Engine, but not
	// Close it, which waits for the handler. Nil: nothing is logged.
	Logger *slog.Logger

	// Notifier is handed a notification when an audit has ended, unless the account's SNS target is there
	// and disabled. Nil: nobody is told.
	Notifier Notifier
	// NotifyTimeout is how long the Notifier may take for one notification. Zero: 30 seconds.
	NotifyTimeout time.Duration

	// Concurrency is how many checks, and shards of sources, work at once in the whole Engine. Zero:
	// GOMAXPROCS.
	Concurrency int
	// CheckTimeLimit is how long one check run may work. Zero: an hour. Negative: no limit.
	CheckTimeLimit time.Duration
	// StopGrace is how long a check may go on after it was told to stop before it is left behind. Zero:
	// one second.
	StopGrace time.Duration
	// MaxFindings is how many findings one check run may report; one more, and it fails. Zero: a
	// million. Negative: no limit.
	MaxFindings int

	// Retention is how long audits and their findings are kept, by the audit's start. They are dropped by
	// the schedule loop, and when an audit is started on demand. Zero: 90 days, as AWS. Negative: for ever.
	Retention time.Duration
	// MaxScheduledAudits is how many scheduled audits the account may have. Zero: 5, as AWS. Negative:
	// no limit.
	MaxScheduledAudits int
	// MaxOnDemandAudits is how many on-demand audits may be in progress at once. Zero: 10, as AWS.
	// Negative: no limit.
	MaxOnDemandAudits int

	// Suppressions are those that the account begins with, in place of those that a Store holds. They may have expired,
	// SuppressionPolicy is not asked about them, and the last of several with the same check and resource counts. Nil:
	// none, or those of the Store.
	Suppressions []model.AuditSuppression
	// SuppressionPolicy is what suppressions must be like. Zero: as AWS takes them.
	SuppressionPolicy SuppressionPolicy

	// Location is the time zone of schedules. Nil: UTC.
	Location *time.Location
	// TimeOfDay is when the window begins in which scheduled audits start, as the clock on the wall
	// shows it, since midnight. Zero: midnight.
	TimeOfDay time.Duration
	// Spread is how long that window is. Each schedule has a fixed place in it, by its name, so that
	// many do not start together. TimeOfDay plus Spread may be at most 24 hours. Zero: until midnight.
	// Negative: every schedule starts at TimeOfDay.
	Spread time.Duration
	// MissedRuns says what becomes of slots that passed while nothing ran schedules. Zero: RunOnce.
	MissedRuns MissedRuns
	// MissedAfter is how late a slot may start before SkipMissed counts it as missed. Zero: an hour.
	MissedAfter time.Duration
}

// MissedRuns is a policy for slots that passed while nothing ran schedules.
type MissedRuns int

const (
	// RunOnce starts one audit for all slots that a schedule missed.
	RunOnce MissedRuns = iota
	// SkipMissed lets them go, and waits for the next slot.
	SkipMissed
)

// Notifier tells the world that an audit has ended.
type Notifier interface {
	// Notify is called once for each audit that has ended, unless the account's SNS target is there and disabled: on a
	// goroutine of its own, after the audit's last change is visible. ctx ends after Config.NotifyTimeout, or nine
	// seconds after Close was called. Whatever it does, the audit is not affected; an error is logged, and not retried.
	// With a Store, Notify is called again after a restart if the process ended before Notify had returned, or Close
	// ended its ctx and it failed; the Notification then has the same ID. Until Notify has returned its audit is kept, also
	// beyond retention.
	Notify(ctx context.Context, n Notification) error
}

// Notification is what a [Notifier] is handed.
type Notification struct {
	ID        string // the same whenever this notification is delivered, and no other's; that is the task id
	TargetARN string // the account's SNS target; empty when it has none
	RoleARN   string // the role that the account gives for sending
	Audit     model.AuditNotification
}

const day = 24 * time.Hour

var (
	accountID = regexp.MustCompile(`\A[0-9]{12}\z`)
	region    = regexp.MustCompile(`\A[a-z0-9-]+\z`)
)

// withDefaults returns c with every zero replaced by what it stands for, and negative limits by none (0), and
// the Specs of its checks; or everything that is wrong with c.
func (c Config) withDefaults() (Config, []checks.Spec, error) {
	var all []error
	c.Checks = slices.Clone(c.Checks)
	if len(c.Checks) == 0 {
		all = append(all, errors.New("Config.Checks must hold at least one check"))
	}
	specs, err := checks.Specs(c.Checks...)
	if err != nil {
		all = append(all, fmt.Errorf("Config.Checks: %w", err))
	}
	zero(&c.AccountID, "000000000000")
	if !accountID.MatchString(c.AccountID) {
		all = append(all, fmt.Errorf("Config.AccountID %q must be 12 digits", c.AccountID))
	}
	zero(&c.Region, "us-east-1")
	if !region.MatchString(c.Region) {
		all = append(all, fmt.Errorf("Config.Region %q must be lower-case letters, digits and hyphens", c.Region))
	}
	zero(&c.Logger, slog.New(slog.DiscardHandler))
	zero(&c.NotifyTimeout, 30*time.Second)
	zero(&c.Concurrency, runtime.GOMAXPROCS(0))
	zero(&c.StopGrace, time.Second)
	zero(&c.MissedAfter, time.Hour)
	for _, v := range []struct {
		name     string
		value    any
		negative bool
	}{
		{"Config.NotifyTimeout", c.NotifyTimeout, c.NotifyTimeout < 0},
		{"Config.Concurrency", c.Concurrency, c.Concurrency < 0},
		{"Config.StopGrace", c.StopGrace, c.StopGrace < 0},
		{"Config.MissedAfter", c.MissedAfter, c.MissedAfter < 0},
		{"Config.SuppressionPolicy.MaxLifetime", c.SuppressionPolicy.MaxLifetime, c.SuppressionPolicy.MaxLifetime < 0},
	} {
		if v.negative {
			all = append(all, fmt.Errorf("%s %v must not be negative", v.name, v.value))
		}
	}
	limit(&c.CheckTimeLimit, time.Hour)
	limit(&c.MaxFindings, 1_000_000)
	limit(&c.Retention, 90*day)
	limit(&c.MaxScheduledAudits, 5)
	limit(&c.MaxOnDemandAudits, 10)
	zero(&c.Location, time.UTC)
	if c.TimeOfDay < 0 || c.TimeOfDay >= day {
		all = append(all, fmt.Errorf("Config.TimeOfDay %v must be from 0 to less than 24h", c.TimeOfDay))
	}
	limit(&c.Spread, day-c.TimeOfDay)
	if c.Spread > day-c.TimeOfDay { // the sum may overflow
		all = append(all, fmt.Errorf("Config.TimeOfDay %v plus Spread %v must be at most 24h", c.TimeOfDay, c.Spread))
	}
	if c.MissedRuns != RunOnce && c.MissedRuns != SkipMissed {
		all = append(all, fmt.Errorf("Config.MissedRuns %d must be RunOnce or SkipMissed", c.MissedRuns))
	}
	return c, specs, errors.Join(all...)
}

func zero[T comparable](v *T, instead T) {
	var none T
	if *v == none {
		*v = instead
	}
}

// limit turns a user's limit (0: the default, negative: none) into the Engine's (0: none).
func limit[T int | time.Duration](v *T, standard T) {
	if *v == 0 {
		*v = standard
	} else if *v < 0 {
		*v = 0
	}
}

package cli

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/fleet"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/report"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/terminal"
	"github.com/fleetaudit/fleetaudit/model"
)

// failOn is the severity from which on findings make the program exit with 1.
type failOn string

const failOnNone failOn = "NONE"

func (failOn) Values() []failOn {
	var all []failOn
	for _, s := range model.AuditFindingSeverity("").Values() {
		all = append(all, failOn(s))
	}
	return append(all, failOnNone)
}

// reached tells whether a severity is at or above f.
func (f failOn) reached(s model.AuditFindingSeverity) bool {
	return s != "" && slices.Index(f.Values(), failOn(s)) <= slices.Index(f.Values(), f) && f != failOnNone
}

// auditFlags are the flags of audit.
type auditFlags struct {
	checks       []string
	params       []string
	asOf         string
	suppressions string
	forecast     string
	data         string
	failOn       failOn
	all          bool
	allowUnread  bool
}

func (a *app) auditCommand() *cobra.Command {
	f := auditFlags{failOn: failOnNone}
	cmd := &cobra.Command{
		Use:   "audit PATH...",
		Short: "Audit the fleet that files and folders hold",
		Long: `audit reads a fleet, runs every check that it allows, and says what is wrong and what to
do about it.

A PATH is a file, or a folder with all that is below it; "-" is standard input. All paths
together are one fleet. Whatever their names, files may be:

  PEM or DER       certificates and revocation lists; certificates that may sign others
                   are CA certificates, the rest are those of devices
  JSON             one policy document; or objects with lists of policies, identityPools,
                   roleAliases, certificates (status and date of those above), accounts;
                   or the events of clients that connected and disconnected
  20 hex digits    a line each: Debian's weak keys, as its openssl-blacklist lists them

Every member of the JSON is documented with the Go package that reads it:
  go doc github.com/fleetaudit/fleetaudit/checks/inventory

A check that has nothing to look at is "not run", which says nothing about the fleet. The
report says what to supply.

Findings that are accepted may be suppressed: --suppressions takes a JSON file as
aws iot list-audit-suppressions prints it. What is suppressed is counted apart, and the
report tells which suppressions have expired, expire within 30 days, or matched nothing.

--forecast runs the checks again, as of a later date and over the fleet as it is, and
says what will be new by then: certificates that expire, suppressions that lapse.

--data keeps the audits of one fleet in a folder, for 90 days, and with them a history:
the report says what is new and what was resolved since the audit before, and since when
each finding has been there. The audit before is the last one that was not interrupted,
and in which not every check failed. What it found by a check that does not run this time,
or not to its end, is not re-evaluated. Suppressions hold from audit to audit, until
--suppressions brings others. An audit --as-of another time is compared with what the
folder has, and not kept. An audit is kept when it has ended, even if its report cannot be
written. One program at a time uses a folder, and must be allowed to write to it; serve
needs its own.

Exit status:
  0  the audit is complete; without --fail-on, whatever it found
  1  the audit is complete, and found something at or above --fail-on; what is
     suppressed or only forecast does not count
  2  it is not complete, whatever it found: a check failed, one that --check names had
     nothing to look at, something could not be read (unless --allow-unread), or it was
     interrupted; a check of --forecast failed; --data cannot be used, or the audit not be
     kept there; or the command line is wrong`,
		Example: `  fleetaudit audit fleet/
  fleetaudit audit policy.json --fail-on MEDIUM
  fleetaudit audit /etc/ssl/certs/ca-certificates.crt --as-of 2030-01-01
  fleetaudit audit fleet/ --check DEVICE_CERTIFICATE_EXPIRING_CHECK --param CERT_EXPIRATION_THRESHOLD_IN_DAYS=60
  fleetaudit audit fleet/ --suppressions accepted.json --forecast 2030-12-31
  fleetaudit audit fleet/ --data history/
  fleetaudit audit fleet/ --format json --fail-on HIGH > audit.json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 || slices.Contains(args, "") {
				return errors.New("audit needs at least one PATH: a file, a folder, or - for standard input")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.audit(cmd.Context(), f, args) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringSliceVar(&f.checks, "check", nil, "run only the check of this `name`; may be repeated, or names separated by commas")
	flags.StringArrayVar(&f.params, "param", nil, "set a parameter: `[CHECK.]NAME=VALUE`; without CHECK, of every check that has it")
	flags.StringVar(&f.asOf, "as-of", "", "judge as if it were this date, at midnight UTC, or `time` (default: now)")
	flags.StringVar(&f.suppressions, "suppressions", "", "suppress what this `file` of audit suppressions says is accepted")
	flags.StringVar(&f.forecast, "forecast", "", "say also what will be new by this date, at midnight UTC, or `time`")
	flags.StringVar(&f.data, "data", "", "keep the audit in this `folder`, and say what has changed since the one before")
	addEnum(cmd, flags, "fail-on", &f.failOn, "exit with 1 if there are findings of this `severity` or a worse one: CRITICAL, HIGH, MEDIUM, LOW, NONE")
	flags.BoolVar(&f.allowUnread, "allow-unread", false, "do not exit with 2 because something could not be read")
	flags.BoolVar(&f.all, "all", false, "show long lists whole")
	_ = cmd.RegisterFlagCompletionFunc("check", a.completeChecks)
	_ = cmd.MarkFlagFilename("suppressions")
	_ = cmd.MarkFlagDirname("data")
	return cmd
}

func (a *app) audit(ctx context.Context, f auditFlags, paths []string) (err error) {
	asOf := time.Now()
	if f.asOf != "" {
		if asOf, err = parseDate("as-of", f.asOf, time.UTC); err != nil {
			return err
		}
	}
	// What is wrong with the command line is told before a large fleet has been read.
	to, err := parseForecast(f, asOf)
	if err != nil {
		return err
	}
	specs := a.specs()
	wanted, err := named("--check ", f.checks, specs)
	if err != nil {
		return err
	}
	params, err := parseParams(f.params, wanted)
	if err != nil {
		return err
	}

	interrupted := errors.New("interrupted while reading, nothing was audited")
	var suppressions []model.AuditSuppression
	if f.suppressions != "" {
		suppressions, err = readSuppressions(ctx, f.suppressions, specs)
		if ctx.Err() != nil {
			return interrupted
		}
		if err != nil {
			return err
		}
	}
	h, err := openHistory(f)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	progress := terminal.NewProgress(a.stderr, a.color)
	defer progress.Stop()
	reading := "Reading " + strings.Join(fleet.Names(paths), ", ")
	progress.Show(-1, reading)
	stop := animate(progress, func(context.Context) (float64, string, error) { return -1, reading, nil })
	loaded, err := fleet.Load(ctx, a.stdin, paths)
	stop()
	if ctx.Err() != nil {
		return interrupted
	}
	if err != nil {
		return err
	}
	r := report.New(fleet.Names(paths), loaded)
	r.AsOf = model.At(asOf)

	if all, run := a.choose(r, wanted, loaded.Contents); len(run) > 0 {
		x := execution{
			checks: all, specs: run, params: params, suppressions: suppressions, asOf: asOf, forecast: to, history: h, progress: progress,
		}
		if err := x.run(ctx, r); err != nil {
			return err
		}
	}
	if f.suppressions != "" {
		r.Suppress(f.suppressions, suppressions)
	} else if h != nil && len(h.suppressions) > 0 {
		r.Suppress(h.folder.Path, h.suppressions)
	}
	r.Name(loaded)
	progress.Stop()

	if a.format == formatJSON {
		err = a.writeJSON(r)
	} else {
		err = a.write([]byte(r.Text(a.screen(), f.all)))
	}
	if err != nil {
		return err
	}
	if h != nil {
		for _, at := range h.cutOff {
			a.say("the audit of %s in --data %q was not kept to its end, and counts as canceled", at.UTC().Format(time.DateTime+" UTC"), f.data)
		}
	}
	if err := h.failed(); err != nil {
		a.say("%v", err)
		a.code = ExitError
	}
	if why := incomplete(r, f); why != "" {
		a.say("the audit is not complete: %s", why)
		a.code = ExitError
	} else if why := incompleteForecast(r, f); why != "" {
		a.say("the forecast is not complete: %s", why)
		a.code = ExitError
	} else if a.code == ExitOK && f.failOn.reached(r.Worst()) {
		a.code = ExitFindings
	}
	return nil
}

// incomplete says why an audit does not tell all there is to know; empty if it does.
func incomplete(r *report.Report, f auditFlags) string {
	switch {
	case r.AuditTask != nil && r.AuditTask.TaskStatus == model.AuditTaskStatusCanceled:
		return "it was interrupted"
	case r.AuditTask != nil && r.AuditTask.TaskStatistics.FailedChecks > 0:
		return "a check failed"
	case len(f.checks) > 0 && len(r.NotRunChecks) > 0:
		return r.NotRunChecks[0].CheckName + " had nothing to look at: " + r.NotRunChecks[0].Reason
	case r.AuditTask == nil:
		return "no check had anything to look at"
	case len(r.LoadProblems) > 0 && !f.allowUnread:
		return "not everything could be read (--allow-unread accepts that)"
	}
	return ""
}

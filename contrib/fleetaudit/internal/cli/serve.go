package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/data"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/fleet"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/service"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// serveFlags are the flags of serve.
type serveFlags struct {
	listen, metricsListen string
	credentials           string
	data                  string
	account, region       string
	throttle, allowUnread bool
	logFormat             logFormat
	logLevel              logLevel
}

func (a *app) serveCommand() *cobra.Command {
	f := serveFlags{logFormat: logText, logLevel: logInfo}
	cmd := &cobra.Command{
		Use:   "serve PATH...",
		Short: "Serve the audit operations of AWS IoT over a fleet",
		Long: `serve lets clients of AWS IoT audit a fleet: the AWS CLI and the AWS SDKs, as they are,
with this address as their endpoint. They enable checks, start and schedule audits, list
findings and suppress some, as they would with AWS IoT Device Defender.

A PATH is a file or a folder, as audit reads them. All paths together are one fleet, which
is read again soon after files have changed. A running check goes on over what it began
with. While nothing is there, or a file or a folder cannot be opened, the fleet stays as it
was. What does not parse is left out, or reported by the checks, and the log says so.

Without --credentials, only programs on this machine are served, whoever they say they
are. --credentials takes a file in the format of AWS's shared credentials file:

  [pipeline]
  aws_access_key_id = AKIAEXAMPLE
  aws_secret_access_key = ...

Then every request must be signed with the access key of one of its profiles, and --listen
may be an address that others reach. It speaks HTTP: a proxy in front can add TLS, and must
leave the Host header as it is, since that is signed.

Without --data, audits, findings, schedules and suppressions are in memory, and end with the
program. With it they are in a folder, and whatever a client was told is there after the
next start, also after a crash: audits that were running go on, and schedules that missed
their time start one audit. Tokens of next pages alone are good for one run of the program.
One program at a time uses a folder, it is of one account, and audit needs one of its own.
When it cannot be written to, serve says why and ends.

Beside AWS's operations there are, for whoever watches over it:

  /healthz   200 as long as it serves; 503 with the reason when --data cannot be written to,
             and at --metrics-listen when it is stopping
  /metrics   for Prometheus; to programs on this machine, unless --metrics-listen says more

SIGINT and SIGTERM stop it: requests in flight are answered, running audits end canceled, or
with --data go on at the next start. The log goes to standard error.

Exit status:
  0  it was told to stop
  2  it could not start, or go on; or the command line is wrong`,
		Example: `  fleetaudit serve fleet/
  aws iot describe-account-audit-configuration --endpoint-url http://127.0.0.1:8080
  fleetaudit serve fleet/ --data /var/lib/fleetaudit
  fleetaudit serve fleet/ --listen 127.0.0.1:0 --log-format json
  fleetaudit serve fleet/ --listen :8080 --credentials keys.ini --metrics-listen :9090`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 || slices.Contains(args, "") {
				return errors.New("serve needs at least one PATH: a file or a folder")
			}
			if slices.Contains(args, fleet.Stdin) {
				return errors.New("serve cannot read standard input again: want files and folders")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, name := range ofResults {
				if cmd.Flags().Changed(name) {
					return fmt.Errorf("--%s is about results, of which serve has none: did you mean --log-format?", name)
				}
			}
			return a.serve(cmd.Context(), f, args)
		},
	}
	cmd.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		for _, name := range ofResults {
			cmd.InheritedFlags().Lookup(name).Hidden = true
		}
		cmd.Parent().HelpFunc()(cmd, args)
	})
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.listen, "listen", "127.0.0.1:8080", "serve clients at this `address`; port 0 is one that is free")
	flags.StringVar(&f.data, "data", "", "keep everything in this `folder`, also for the next start (default: in memory)")
	flags.StringVar(&f.credentials, "credentials", "", "let in whoever signs with an access key of this `file`")
	flags.StringVar(&f.metricsListen, "metrics-listen", "", "serve /metrics and /healthz also at this `address`, to everybody")
	flags.BoolVar(&f.throttle, "throttle", false, "take as many calls a second as AWS does, and throttle more")
	flags.BoolVar(&f.allowUnread, "allow-unread", false, "serve what can be read, also where a file or a folder cannot be read")
	flags.StringVar(&f.account, "account", "", "the `number` of the AWS account (default: the only one that the fleet names, or 000000000000)")
	flags.StringVar(&f.region, "region", "us-east-1", "the AWS `region` in the ARNs")
	addEnum(cmd, flags, "log-format", &f.logFormat, "the `form` of the log: text or json")
	addEnum(cmd, flags, "log-level", &f.logLevel, "log what is at least this: debug (each request), info, warn, error")
	_ = cmd.MarkFlagFilename("credentials")
	_ = cmd.MarkFlagDirname("data")
	return cmd
}

// ofResults are the flags of the program that say how a result is written.
var ofResults = []string{"format", "color", "width"}

var (
	accountNumber = regexp.MustCompile(`\A[0-9]{12}\z`)
	regionName    = regexp.MustCompile(`\A[a-z0-9-]+\z`)
)

// serve serves until ctx ends.
func (a *app) serve(ctx context.Context, f serveFlags, paths []string) (err error) {
	// What is wrong with the command line is told before a large fleet has been read.
	if f.account != "" && !accountNumber.MatchString(f.account) {
		return fmt.Errorf("--account %q: must be 12 digits", f.account)
	}
	if !regionName.MatchString(f.region) {
		return fmt.Errorf("--region %q: must be lower-case letters, digits and hyphens", f.region)
	}
	log := newLog(a.stderr, f.logFormat, f.logLevel)
	keys, err := readCredentials(ctx, f.credentials, log)
	if err != nil {
		return err
	}
	s := service.Service{Log: log}
	if s.Listener, err = listen("listen", f.listen, len(keys) > 0); err != nil {
		return err
	}
	defer s.Listener.Close()
	if f.metricsListen != "" {
		if s.Metrics, err = listen("metrics-listen", f.metricsListen, true); err != nil {
			return err
		}
		defer s.Metrics.Close()
	}
	config := engine.Config{Region: f.region, Logger: log}
	var folder *data.Folder
	if f.data != "" {
		if folder, err = data.Open(f.data); err != nil {
			return err
		}
		// After the Engine.
		defer func() { err = errors.Join(err, folder.Close()) }()
		config.Store = folder.Store
	}

	s.Fleet, err = fleet.Open(ctx, paths, f.allowUnread, log)
	if ctx.Err() != nil {
		log.Info("stopped while reading, nothing was served", "why", context.Cause(ctx).Error())
		return nil
	}
	if err != nil {
		return err
	}
	f.account = account(f.account, s.Fleet.Accounts, log)
	config.AccountID, config.Checks = f.account, a.all(s.Fleet.Inventory)
	if s.Engine, err = engine.New(config); err != nil {
		if folder != nil {
			err = folder.Explain(err)
		}
		return err
	}
	if s.API, err = api(s.Engine, keys, f.throttle, log); err != nil {
		return errors.Join(err, s.Engine.Close())
	}

	resumed, err := s.Engine.Resume()
	if err != nil {
		return errors.Join(cmp.Or(s.Engine.Err(), err), s.Engine.Close())
	}
	attrs := []any{"url", url(s.Listener), "account", f.account, "region", f.region, fleet.Attr(s.Fleet.Status().Resources)}
	if s.Metrics != nil {
		attrs = append(attrs, "metrics", url(s.Metrics)+"/metrics")
	}
	if folder != nil {
		attrs = append(attrs, "data", folder.Path, "resumed", len(resumed)) // audits that were running go on
	}
	log.Info("serving", attrs...)
	if len(keys) == 0 {
		log.Warn("without --credentials only this machine is served, and everybody on it may do everything")
	}
	if err := s.Run(ctx); err != nil {
		log.Error("stopped", "error", err.Error())
		a.code = ExitError
		return nil
	}
	if folder != nil {
		log.Info("stopped", "left", running(s.Engine)) // audits that go on at the next start
		return nil
	}
	log.Info("stopped")
	return nil
}

// running counts the audits that an Engine has in progress.
func running(e *engine.Engine) int {
	n := 0
	for _, a := range e.Statistics(time.Now()).Audits {
		if a.Status == model.AuditTaskStatusInProgress {
			n += a.Count
		}
	}
	return n
}

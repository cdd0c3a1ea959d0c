package account

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/internal/baseline"
	"github.com/fleetaudit/fleetaudit/checks/internal/finding"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/model"
)

// LoggingDisabled makes the check LOGGING_DISABLED_CHECK over inv's accounts.
func LoggingDisabled(inv *inventory.Inventory) checks.Check {
	const code = "LOGGING_DISABLED"
	return checks.Each(checks.Spec{
		Name:  "LOGGING_DISABLED_CHECK",
		Title: "Logging is disabled",
		Doc: "Looks at the logging options of the account, of version 1 and of version 2. AWS says that both are " +
			"looked at, and not what it makes of them. Here one of them is enough, since with either the broker " +
			"writes a log: logging is enabled in version 1 by a log level other than DISABLED and a role, in version " +
			"2 by a default log level other than DISABLED and a role, unless all logs are disabled. Levels that " +
			"version 2 has for single things, client ids or principals are not looked at, as the others would not be " +
			"logged. A log level that is none of AWS's is a finding with reason code RESOURCE_NOT_EVALUABLE where it " +
			"decides.",
		Remediation:  "Set the logging options of version 2 with a role that may write to CloudWatch Logs, and a default log level of at least ERROR.",
		URL:          baseline.AWSPage("audit-chk-logging-disabled"),
		Severity:     model.AuditFindingSeverityLow,
		ResourceType: model.ResourceTypeAccountSettings,
		ReasonCodes:  []checks.ReasonCode{{Code: code, Doc: "Neither version of the logging options enables logging."}},
		References: []checks.Reference{
			baseline.NISTIR8259A("Cybersecurity State Awareness"),
			baseline.IEC62443("CR 2.8: auditable events"),
		},
	}, inv.Accounts, func(_ context.Context, pass *checks.Pass, a *inventory.AccountSettings) error {
		var unknown []string
		enabled := func(version, role string, level inventory.LogLevel) bool {
			switch {
			case role == "" || level == "" || level == inventory.LogLevelDisabled:
				return false
			case !slices.Contains(level.Values(), level):
				unknown = append(unknown, fmt.Sprintf("%s log level %.40q is none of AWS's.", version, string(level)))
				return false
			}
			return true
		}
		v1 := enabled("Version 1", a.Logging.RoleARN, a.Logging.LogLevel)
		v2 := !a.V2Logging.DisableAllLogs && enabled("Version 2", a.V2Logging.RoleARN, a.V2Logging.DefaultLogLevel)
		if v1 || v2 {
			return nil
		}
		id := model.ResourceIdentifier{Account: a.Account}
		if len(unknown) > 0 {
			finding.NotEvaluable(pass, id, strings.Join(unknown, " "))
		} else {
			finding.Report(pass, id, code, "Logging is disabled.", nil)
		}
		return nil
	})
}

package inventory

import "regexp"

// AccountSettings are the settings of a whole account.
type AccountSettings struct {
	Account   string           // 12 digits
	Logging   LoggingOptions   // AWS's GetLoggingOptions; the zero value is disabled
	V2Logging V2LoggingOptions // AWS's GetV2LoggingOptions; the zero value is disabled
	Origin    Origin
}

// LogLevel is how much is logged, in AWS's words.
type LogLevel string

// The five log levels. The empty one is DISABLED.
const (
	LogLevelDebug    LogLevel = "DEBUG"
	LogLevelInfo     LogLevel = "INFO"
	LogLevelError    LogLevel = "ERROR"
	LogLevelWarn     LogLevel = "WARN"
	LogLevelDisabled LogLevel = "DISABLED"
)

// Values lists every LogLevel.
func (LogLevel) Values() []LogLevel {
	return []LogLevel{LogLevelDebug, LogLevelInfo, LogLevelError, LogLevelWarn, LogLevelDisabled}
}

// LoggingOptions are those of version 1: one level for everything.
type LoggingOptions struct {
	RoleARN  string // that writes the log
	LogLevel LogLevel
}

// V2LoggingOptions are those of version 2: a level that targets may override.
type V2LoggingOptions struct {
	RoleARN         string // that writes the log
	DefaultLogLevel LogLevel
	DisableAllLogs  bool
}

var accountID = form{regexp.MustCompile(`\A[0-9]{12}\z`), "the 12 digits of an account"}

// account reads an element of accounts.
func (l *Loader) account(e element) {
	r, ok := l.open(e)
	if !ok || !r.check(r.root, members{needed: []string{"account"}, optional: []string{"loggingOptions", "v2LoggingOptions"}}) {
		return
	}
	a := AccountSettings{Account: r.text(r.root, "account", accountID)}
	if v := r.root.Find("loggingOptions"); v != nil && r.check(v, members{optional: []string{"roleArn", "logLevel"}}) {
		a.Logging = LoggingOptions{RoleARN: r.text(v, "roleArn", roleARN), LogLevel: enum[LogLevel](r, v, "logLevel")}
	}
	if v := r.root.Find("v2LoggingOptions"); v != nil && r.check(v, members{
		optional: []string{"roleArn", "defaultLogLevel", "disableAllLogs"},
		passed:   []string{"eventConfigurations"},
	}) {
		a.V2Logging = V2LoggingOptions{
			RoleARN: r.text(v, "roleArn", roleARN), DefaultLogLevel: enum[LogLevel](r, v, "defaultLogLevel"),
			DisableAllLogs: r.flag(v, "disableAllLogs", false),
		}
	}
	if a.Account == "" || l.again("account "+a.Account, a, e.at) {
		return
	}
	a.Origin = e.at
	l.contents.Accounts = append(l.contents.Accounts, a)
}

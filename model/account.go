package model

// AuditNotificationType is a way in which the end of an audit is told.
type AuditNotificationType string

// AuditNotificationTypeSNS is the only notification type that AWS has.
const AuditNotificationTypeSNS AuditNotificationType = "SNS"

// Values lists every AuditNotificationType.
func (AuditNotificationType) Values() []AuditNotificationType {
	return []AuditNotificationType{AuditNotificationTypeSNS}
}

// AuditNotificationTarget says where audit notifications go.
type AuditNotificationTarget struct {
	TargetARN string `json:"targetArn,omitempty" aws:"TargetArn"`
	RoleARN   string `json:"roleArn,omitempty" aws:"RoleArn"`
	Enabled   bool   `json:"enabled" aws:"Enabled"`
}

// AuditCheckConfiguration says whether a check is enabled, and with which parameters. Parameter values
// are decimal strings ("CERT_EXPIRATION_THRESHOLD_IN_DAYS": "60").
type AuditCheckConfiguration struct {
	Enabled       bool              `json:"enabled" aws:"Enabled"`
	Configuration map[string]string `json:"configuration,omitempty" aws:"CheckCustomConfiguration"`
}

// UpdateAccountAuditConfigurationInput changes the account's audit settings. It is a merge: what it does
// not name stays as it is. A check or target that it names without "enabled" is disabled; one that it names
// without parameters or ARNs keeps those it has.
type UpdateAccountAuditConfigurationInput struct {
	RoleARN                               string                                            `json:"roleArn,omitempty" aws:"RoleArn"`
	AuditNotificationTargetConfigurations map[AuditNotificationType]AuditNotificationTarget `json:"auditNotificationTargetConfigurations,omitempty" aws:"AuditNotificationTargetConfigurations"`
	AuditCheckConfigurations              map[string]AuditCheckConfiguration                `json:"auditCheckConfigurations,omitempty" aws:"AuditCheckConfigurations"`
}

// UpdateAccountAuditConfigurationOutput is empty.
type UpdateAccountAuditConfigurationOutput struct{}

// DescribeAccountAuditConfigurationInput is empty.
type DescribeAccountAuditConfigurationInput struct{}

// DescribeAccountAuditConfigurationOutput holds the account's audit settings. Every check that the
// engine knows is listed, disabled ones too.
type DescribeAccountAuditConfigurationOutput struct {
	RoleARN                               string                                            `json:"roleArn,omitempty" aws:"RoleArn"`
	AuditNotificationTargetConfigurations map[AuditNotificationType]AuditNotificationTarget `json:"auditNotificationTargetConfigurations,omitempty" aws:"AuditNotificationTargetConfigurations"`
	AuditCheckConfigurations              map[string]AuditCheckConfiguration                `json:"auditCheckConfigurations,omitempty" aws:"AuditCheckConfigurations"`
}

// DeleteAccountAuditConfigurationInput resets the account's audit settings: every check is disabled.
type DeleteAccountAuditConfigurationInput struct {
	DeleteScheduledAudits bool `json:"deleteScheduledAudits,omitempty" aws:"DeleteScheduledAudits,query"`
}

// DeleteAccountAuditConfigurationOutput is empty.
type DeleteAccountAuditConfigurationOutput struct{}

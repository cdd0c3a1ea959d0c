package model

import (
	"regexp"
	"strings"
)

// shape is the constraint that AWS's service model puts on a type. Lengths are in characters.
type shape struct {
	min, max int            // length of a string, value of an integer; max 0 is none
	pattern  *regexp.Regexp // the whole string
	shown    string         // the pattern in AWS's own spelling
	enum     []string
	elem     string // shape of a list's elements, of a map's values
	key      string // shape of a map's keys
}

// shapes holds every constraint of the operations, by shape name. Shapes that AWS leaves free are not
// in it, nor are lists and maps of such; structures have theirs in their members' tags.
var shapes = map[string]shape{
	"AuditCheckRunStatus":                   enum(AuditCheckRunStatus("")),
	"AuditDescription":                      pattern(0, 1000, `[\p{Graph}\x20]*`),
	"AuditFindingSeverity":                  enum(AuditFindingSeverity("")),
	"AuditFrequency":                        enum(AuditFrequency("")),
	"AuditNotificationTargetConfigurations": {key: "AuditNotificationType"},
	"AuditNotificationType":                 enum(AuditNotificationType("")),
	"AuditTaskId":                           pattern(1, 40, `[a-zA-Z0-9\-]+`),
	"AuditTaskStatus":                       enum(AuditTaskStatus("")),
	"AuditTaskType":                         enum(AuditTaskType("")),
	"AwsAccountId":                          pattern(12, 12, `[0-9]+`),
	"CertificateId":                         pattern(64, 64, `(0x)?[a-fA-F0-9]+`),
	// AWS allows two names here, those of its own checks; each check's Spec says which it takes.
	"CheckCustomConfiguration":      {elem: "ConfigValue"},
	"ClientRequestToken":            pattern(1, 64, `^[a-zA-Z0-9-_]+$`),
	"ConfigValue":                   {min: 1, max: 64},
	"DayOfMonth":                    pattern(0, 0, `^([1-9]|[12][0-9]|3[01])$|^LAST$`),
	"DayOfWeek":                     enum(DayOfWeek("")),
	"ErrorMessage":                  {max: 2048},
	"FindingId":                     pattern(1, 128, `[a-zA-Z0-9_-]+`),
	"IssuerCertificateSerialNumber": pattern(0, 20, `[a-fA-F0-9:]+`),
	"IssuerCertificateSubject":      pattern(0, 1000, `[\p{Graph}\x20]*`),
	"IssuerId":                      pattern(0, 64, `(0x)?[a-fA-F0-9]+`),
	"MaxResults":                    {min: 1, max: 250},
	"PolicyName":                    pattern(1, 128, `[\w+=,.@-]+`),
	"PolicyVersionId":               pattern(0, 0, `[0-9]+`),
	"ResourceType":                  enum(ResourceType("")),
	"RoleAliasArn":                  {min: 1, max: 2048},
	"RoleArn":                       {min: 20, max: 2048},
	"ScheduledAuditName":            pattern(1, 128, `[a-zA-Z0-9_-]+`),
	"TagKey":                        pattern(1, 128, `^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$`),
	"TagKeyList":                    {elem: "TagKey"},
	"TagValue":                      {max: 256},
	"TargetArn":                     {max: 2048},
}

func enum[E interface {
	~string
	Values() []E
}](zero E) shape {
	var s shape
	for _, v := range zero.Values() {
		s.enum = append(s.enum, string(v))
	}
	return s
}

func pattern(low, high int, p string) shape {
	// Go's syntax lacks one class of AWS's patterns.
	syntax := strings.ReplaceAll(p, `\p{Graph}`, `!-~`)
	return shape{min: low, max: high, shown: p, pattern: regexp.MustCompile(`\A(?:` + syntax + `)\z`)}
}

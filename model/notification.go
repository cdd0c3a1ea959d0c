package model

import "encoding/json"

// AuditNotification is what AWS publishes to SNS when an audit has ended (schema
// arn:aws:iot:::schema:auditnotification/1.0). Unlike in [DescribeAuditTaskOutput], the time is in
// milliseconds and the details are a list.
type AuditNotification struct {
	AccountID               string                     `json:"accountId"`
	TaskID                  string                     `json:"taskId"`
	TaskStatus              AuditTaskStatus            `json:"taskStatus"`
	TaskType                AuditTaskType              `json:"taskType"`
	ScheduledAuditName      string                     `json:"scheduledAuditName,omitempty"` // scheduled audits only
	FailedChecksCount       int                        `json:"failedChecksCount"`
	CanceledChecksCount     int                        `json:"canceledChecksCount"`
	NonCompliantChecksCount int                        `json:"nonCompliantChecksCount"`
	CompliantChecksCount    int                        `json:"compliantChecksCount"`
	TotalChecksCount        int                        `json:"totalChecksCount"`
	TaskStartTime           int64                      `json:"taskStartTime"` // epoch milliseconds
	AuditDetails            []AuditNotificationDetails `json:"auditDetails"`
}

// MarshalJSON writes a nil list as [], since AWS prints no null.
func (o AuditNotification) MarshalJSON() ([]byte, error) {
	type plain AuditNotification
	if o.AuditDetails == nil {
		o.AuditDetails = []AuditNotificationDetails{}
	}
	return json.Marshal(plain(o))
}

// AuditNotificationDetails is one check run in an [AuditNotification].
type AuditNotificationDetails struct {
	CheckName                            string              `json:"checkName"`
	CheckRunStatus                       AuditCheckRunStatus `json:"checkRunStatus"`
	NonCompliantResourcesCount           int64               `json:"nonCompliantResourcesCount"`
	TotalResourcesCount                  int64               `json:"totalResourcesCount"`
	SuppressedNonCompliantResourcesCount int64               `json:"suppressedNonCompliantResourcesCount,omitempty"` // AWS does not publish this key's name
	Message                              string              `json:"message,omitempty"`
	ErrorCode                            string              `json:"errorCode,omitempty"`
}

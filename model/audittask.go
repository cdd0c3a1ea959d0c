package model

// AuditTaskStatus is how far an audit is.
type AuditTaskStatus string

// The four statuses of an audit.
const (
	AuditTaskStatusInProgress AuditTaskStatus = "IN_PROGRESS"
	AuditTaskStatusCompleted  AuditTaskStatus = "COMPLETED"
	AuditTaskStatusFailed     AuditTaskStatus = "FAILED"
	AuditTaskStatusCanceled   AuditTaskStatus = "CANCELED"
)

// Values lists every AuditTaskStatus.
func (AuditTaskStatus) Values() []AuditTaskStatus {
	return []AuditTaskStatus{
		AuditTaskStatusInProgress, AuditTaskStatusCompleted, AuditTaskStatusFailed, AuditTaskStatusCanceled,
	}
}

// AuditTaskType says what started an audit.
type AuditTaskType string

// The two types of audit.
const (
	AuditTaskTypeOnDemand  AuditTaskType = "ON_DEMAND_AUDIT_TASK"
	AuditTaskTypeScheduled AuditTaskType = "SCHEDULED_AUDIT_TASK"
)

// Values lists every AuditTaskType.
func (AuditTaskType) Values() []AuditTaskType {
	return []AuditTaskType{AuditTaskTypeOnDemand, AuditTaskTypeScheduled}
}

// AuditCheckRunStatus is how far one check of an audit is.
type AuditCheckRunStatus string

// The six statuses of a check run.
const (
	AuditCheckRunStatusInProgress               AuditCheckRunStatus = "IN_PROGRESS"
	AuditCheckRunStatusWaitingForDataCollection AuditCheckRunStatus = "WAITING_FOR_DATA_COLLECTION"
	AuditCheckRunStatusCanceled                 AuditCheckRunStatus = "CANCELED"
	AuditCheckRunStatusCompletedCompliant       AuditCheckRunStatus = "COMPLETED_COMPLIANT"
	AuditCheckRunStatusCompletedNonCompliant    AuditCheckRunStatus = "COMPLETED_NON_COMPLIANT"
	AuditCheckRunStatusFailed                   AuditCheckRunStatus = "FAILED"
)

// Values lists every AuditCheckRunStatus.
func (AuditCheckRunStatus) Values() []AuditCheckRunStatus {
	return []AuditCheckRunStatus{
		AuditCheckRunStatusInProgress, AuditCheckRunStatusWaitingForDataCollection, AuditCheckRunStatusCanceled,
		AuditCheckRunStatusCompletedCompliant, AuditCheckRunStatusCompletedNonCompliant, AuditCheckRunStatusFailed,
	}
}

// The codes that a FAILED check run can have. CodeInternal is this project's own, for a check that broke
// rather than lacked something; AWS prints only the other two.
const (
	CodeInsufficientPermissions = "INSUFFICIENT_PERMISSIONS"
	CodeAuditCheckDisabled      = "AUDIT_CHECK_DISABLED"
	CodeInternal                = "INTERNAL_FAILURE"
)

// TaskStatistics counts the checks of an audit by status. TotalChecks is the sum of the others.
type TaskStatistics struct {
	TotalChecks                    int `json:"totalChecks" aws:"TotalChecksCount"`
	InProgressChecks               int `json:"inProgressChecks" aws:"InProgressChecksCount"`
	WaitingForDataCollectionChecks int `json:"waitingForDataCollectionChecks" aws:"WaitingForDataCollectionChecksCount"`
	CompliantChecks                int `json:"compliantChecks" aws:"CompliantChecksCount"`
	NonCompliantChecks             int `json:"nonCompliantChecks" aws:"NonCompliantChecksCount"`
	FailedChecks                   int `json:"failedChecks" aws:"FailedChecksCount"`
	CanceledChecks                 int `json:"canceledChecks" aws:"CanceledChecksCount"`
}

// AuditCheckDetails is one check run of an audit. Counts are of resources, not of findings.
type AuditCheckDetails struct {
	CheckRunStatus                       AuditCheckRunStatus `json:"checkRunStatus,omitempty" aws:"AuditCheckRunStatus"`
	CheckCompliant                       bool                `json:"checkCompliant" aws:"CheckCompliant"`
	TotalResourcesCount                  int64               `json:"totalResourcesCount" aws:"TotalResourcesCount"`
	NonCompliantResourcesCount           int64               `json:"nonCompliantResourcesCount" aws:"NonCompliantResourcesCount"`
	SuppressedNonCompliantResourcesCount int64               `json:"suppressedNonCompliantResourcesCount,omitempty" aws:"SuppressedNonCompliantResourcesCount"` // of the non-compliant ones
	ErrorCode                            string              `json:"errorCode,omitempty" aws:"ErrorCode"`
	Message                              string              `json:"message,omitempty" aws:"ErrorMessage"` // at most 2048 characters
}

// StartOnDemandAuditTaskInput starts an audit at once.
type StartOnDemandAuditTaskInput struct {
	TargetCheckNames []string `json:"targetCheckNames,omitempty" aws:"TargetAuditCheckNames,required"`
}

func (in *StartOnDemandAuditTaskInput) rules(p *Problems) { checkNames(p, in.TargetCheckNames) }

// StartOnDemandAuditTaskOutput names the audit that was started.
type StartOnDemandAuditTaskOutput struct {
	TaskID string `json:"taskId,omitempty" aws:"AuditTaskId"`
}

// DescribeAuditTaskInput asks for one audit.
type DescribeAuditTaskInput struct {
	TaskID string `json:"taskId,omitempty" aws:"AuditTaskId,required,uri"`
}

// DescribeAuditTaskOutput is one audit at one moment: its statistics always add up.
type DescribeAuditTaskOutput struct {
	TaskStatus         AuditTaskStatus              `json:"taskStatus,omitempty" aws:"AuditTaskStatus"`
	TaskType           AuditTaskType                `json:"taskType,omitempty" aws:"AuditTaskType"`
	TaskStartTime      Timestamp                    `json:"taskStartTime,omitzero" aws:"Timestamp"`
	TaskStatistics     TaskStatistics               `json:"taskStatistics" aws:"TaskStatistics"`
	ScheduledAuditName string                       `json:"scheduledAuditName,omitempty" aws:"ScheduledAuditName"` // scheduled audits only
	AuditDetails       map[string]AuditCheckDetails `json:"auditDetails,omitempty" aws:"AuditDetails"`             // by check name
}

// ListAuditTasksInput asks for a page of the audits that started in a period, both ends included.
type ListAuditTasksInput struct {
	StartTime  Timestamp       `json:"startTime,omitzero" aws:"Timestamp,required,query"`
	EndTime    Timestamp       `json:"endTime,omitzero" aws:"Timestamp,required,query"`
	TaskType   AuditTaskType   `json:"taskType,omitempty" aws:"AuditTaskType,query"`     // empty: both
	TaskStatus AuditTaskStatus `json:"taskStatus,omitempty" aws:"AuditTaskStatus,query"` // empty: all
	NextToken  string          `json:"nextToken,omitempty" aws:"NextToken,query"`
	MaxResults *int32          `json:"maxResults,omitempty" aws:"MaxResults,query"` // nil: 25
}

func (in *ListAuditTasksInput) rules(p *Problems) { checkPeriod(p, in.StartTime, in.EndTime) }

// ListAuditTasksOutput is a page of audits, newest first.
type ListAuditTasksOutput struct {
	Tasks     []AuditTaskMetadata `json:"tasks" aws:"AuditTaskMetadataList"`
	NextToken string              `json:"nextToken,omitempty" aws:"NextToken"`
}

// MarshalJSON writes a nil list as [], since AWS prints no null.
func (o ListAuditTasksOutput) MarshalJSON() ([]byte, error) { return AppendJSON(nil, &o) }

// AuditTaskMetadata is an audit in a list.
type AuditTaskMetadata struct {
	TaskID     string          `json:"taskId,omitempty" aws:"AuditTaskId"`
	TaskStatus AuditTaskStatus `json:"taskStatus,omitempty" aws:"AuditTaskStatus"`
	TaskType   AuditTaskType   `json:"taskType,omitempty" aws:"AuditTaskType"`
}

// CancelAuditTaskInput stops an audit that is in progress.
type CancelAuditTaskInput struct {
	TaskID string `json:"taskId,omitempty" aws:"AuditTaskId,required,uri"`
}

// CancelAuditTaskOutput is empty.
type CancelAuditTaskOutput struct{}

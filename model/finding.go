package model

// AuditFindingSeverity is how bad a finding is.
type AuditFindingSeverity string

// The four severities, worst first.
const (
	AuditFindingSeverityCritical AuditFindingSeverity = "CRITICAL"
	AuditFindingSeverityHigh     AuditFindingSeverity = "HIGH"
	AuditFindingSeverityMedium   AuditFindingSeverity = "MEDIUM"
	AuditFindingSeverityLow      AuditFindingSeverity = "LOW"
)

// Values lists every AuditFindingSeverity, worst first.
func (AuditFindingSeverity) Values() []AuditFindingSeverity {
	return []AuditFindingSeverity{
		AuditFindingSeverityCritical, AuditFindingSeverityHigh, AuditFindingSeverityMedium, AuditFindingSeverityLow,
	}
}

// ReasonCodeResourceNotEvaluable is the reason code, this project's own, of a finding about a resource
// that a check could not judge: a certificate that does not parse. Every check may use it.
const ReasonCodeResourceNotEvaluable = "RESOURCE_NOT_EVALUABLE"

// AuditFinding is one thing that an audit found wrong with one resource.
type AuditFinding struct {
	FindingID                  string               `json:"findingId,omitempty" aws:"FindingId"`
	TaskID                     string               `json:"taskId,omitempty" aws:"AuditTaskId"`
	CheckName                  string               `json:"checkName,omitempty" aws:"AuditCheckName"`
	TaskStartTime              Timestamp            `json:"taskStartTime,omitzero" aws:"Timestamp"`
	FindingTime                Timestamp            `json:"findingTime,omitzero" aws:"Timestamp"`
	Severity                   AuditFindingSeverity `json:"severity,omitempty" aws:"AuditFindingSeverity"`
	NonCompliantResource       NonCompliantResource `json:"nonCompliantResource,omitzero" aws:"NonCompliantResource"`
	RelatedResources           []RelatedResource    `json:"relatedResources,omitempty" aws:"RelatedResources"`
	ReasonForNonCompliance     string               `json:"reasonForNonCompliance,omitempty" aws:"ReasonForNonCompliance"`
	ReasonForNonComplianceCode string               `json:"reasonForNonComplianceCode,omitempty" aws:"ReasonForNonComplianceCode"`
	IsSuppressed               *bool                `json:"isSuppressed,omitempty" aws:"IsSuppressed"` // the engine always sets it; AWS's findings of before 2020 lack it
}

// ListAuditFindingsInput asks for a page of findings: those of one audit (TaskID), or those found in a
// period (StartTime and EndTime, both ends included), never both.
type ListAuditFindingsInput struct {
	TaskID                 string             `json:"taskId,omitempty" aws:"AuditTaskId"`
	CheckName              string             `json:"checkName,omitempty" aws:"AuditCheckName"`
	ResourceIdentifier     ResourceIdentifier `json:"resourceIdentifier,omitzero" aws:"ResourceIdentifier"` // zero: every resource; else exactly that one
	MaxResults             *int32             `json:"maxResults,omitempty" aws:"MaxResults"`                // nil: 25
	NextToken              string             `json:"nextToken,omitempty" aws:"NextToken"`
	StartTime              Timestamp          `json:"startTime,omitzero" aws:"Timestamp"`
	EndTime                Timestamp          `json:"endTime,omitzero" aws:"Timestamp"`
	ListSuppressedFindings *bool              `json:"listSuppressedFindings,omitempty" aws:"ListSuppressedFindings"` // nil: both; true, false: only those
}

func (in *ListAuditFindingsInput) rules(p *Problems) {
	start, end := !in.StartTime.IsZero(), !in.EndTime.IsZero()
	switch {
	case in.TaskID != "" && (start || end):
		p.Add("taskId", in.TaskID, "must not be given together with startTime or endTime")
	case in.TaskID == "" && !start && !end:
		p.Add("taskId", nil, "is required, or else startTime and endTime")
	case in.TaskID == "" && !start:
		p.Add("startTime", nil, "is required together with endTime")
	case in.TaskID == "" && !end:
		p.Add("endTime", nil, "is required together with startTime")
	}
	checkPeriod(p, in.StartTime, in.EndTime)
}

// ListAuditFindingsOutput is a page of findings: newest audit first, and within an audit in the order of
// checks, shards and reports.
type ListAuditFindingsOutput struct {
	Findings  []AuditFinding `json:"findings" aws:"AuditFindings"`
	NextToken string         `json:"nextToken,omitempty" aws:"NextToken"`
}

// MarshalJSON writes a nil list as [], since AWS prints no null.
func (o ListAuditFindingsOutput) MarshalJSON() ([]byte, error) { return AppendJSON(nil, &o) }

// DescribeAuditFindingInput asks for one finding.
type DescribeAuditFindingInput struct {
	FindingID string `json:"findingId,omitempty" aws:"FindingId,required,uri"`
}

// DescribeAuditFindingOutput is one finding, with at most ten of its related resources:
// [ListRelatedResourcesForAuditFindingInput] asks for all of them.
type DescribeAuditFindingOutput struct {
	Finding AuditFinding `json:"finding,omitzero" aws:"AuditFinding"`
}

// ListRelatedResourcesForAuditFindingInput asks for a page of the resources that have to do with a finding.
type ListRelatedResourcesForAuditFindingInput struct {
	FindingID  string `json:"findingId,omitempty" aws:"FindingId,required,query"`
	NextToken  string `json:"nextToken,omitempty" aws:"NextToken,query"`
	MaxResults *int32 `json:"maxResults,omitempty" aws:"MaxResults,query"` // nil: 25
}

// ListRelatedResourcesForAuditFindingOutput is a page of related resources, in the order in which the check
// reported them.
type ListRelatedResourcesForAuditFindingOutput struct {
	RelatedResources []RelatedResource `json:"relatedResources" aws:"RelatedResources"`
	NextToken        string            `json:"nextToken,omitempty" aws:"NextToken"`
}

// MarshalJSON writes a nil list as [], since AWS prints no null.
func (o ListRelatedResourcesForAuditFindingOutput) MarshalJSON() ([]byte, error) {
	return AppendJSON(nil, &o)
}

package model

// AuditFrequency is how often a scheduled audit runs.
type AuditFrequency string

// The four frequencies.
const (
	AuditFrequencyDaily    AuditFrequency = "DAILY"
	AuditFrequencyWeekly   AuditFrequency = "WEEKLY"
	AuditFrequencyBiweekly AuditFrequency = "BIWEEKLY"
	AuditFrequencyMonthly  AuditFrequency = "MONTHLY"
)

// Values lists every AuditFrequency.
func (AuditFrequency) Values() []AuditFrequency {
	return []AuditFrequency{AuditFrequencyDaily, AuditFrequencyWeekly, AuditFrequencyBiweekly, AuditFrequencyMonthly}
}

// DayOfWeek is a day of the week in AWS's spelling.
type DayOfWeek string

// The days of the week.
const (
	DayOfWeekSun DayOfWeek = "SUN"
	DayOfWeekMon DayOfWeek = "MON"
	DayOfWeekTue DayOfWeek = "TUE"
	DayOfWeekWed DayOfWeek = "WED"
	DayOfWeekThu DayOfWeek = "THU"
	DayOfWeekFri DayOfWeek = "FRI"
	DayOfWeekSat DayOfWeek = "SAT"
)

// Values lists every DayOfWeek, Sunday first, so that the index is a time.Weekday.
func (DayOfWeek) Values() []DayOfWeek {
	return []DayOfWeek{
		DayOfWeekSun, DayOfWeekMon, DayOfWeekTue, DayOfWeekWed, DayOfWeekThu, DayOfWeekFri, DayOfWeekSat,
	}
}

// DayOfMonthLast is the DayOfMonth that means the last day of any month.
const DayOfMonthLast = "LAST"

// CreateScheduledAuditInput creates a scheduled audit.
type CreateScheduledAuditInput struct {
	Frequency          AuditFrequency `json:"frequency,omitempty" aws:"AuditFrequency,required"`
	DayOfMonth         string         `json:"dayOfMonth,omitempty" aws:"DayOfMonth"` // "1" to "31" or "LAST"; MONTHLY only
	DayOfWeek          DayOfWeek      `json:"dayOfWeek,omitempty" aws:"DayOfWeek"`   // WEEKLY and BIWEEKLY only
	TargetCheckNames   []string       `json:"targetCheckNames,omitempty" aws:"TargetAuditCheckNames,required"`
	ScheduledAuditName string         `json:"scheduledAuditName,omitempty" aws:"ScheduledAuditName,required,uri"`
	Tags               []Tag          `json:"tags,omitempty" aws:"TagList"`
}

func (in *CreateScheduledAuditInput) rules(p *Problems) {
	CheckDays(p, in.Frequency, in.DayOfMonth, in.DayOfWeek)
	checkNames(p, in.TargetCheckNames)
	checkTags(p, in.Tags)
}

// CreateScheduledAuditOutput names what was created.
type CreateScheduledAuditOutput struct {
	ScheduledAuditARN string `json:"scheduledAuditArn,omitempty" aws:"ScheduledAuditArn"`
}

// DescribeScheduledAuditInput asks for one scheduled audit.
type DescribeScheduledAuditInput struct {
	ScheduledAuditName string `json:"scheduledAuditName,omitempty" aws:"ScheduledAuditName,required,uri"`
}

// DescribeScheduledAuditOutput is one scheduled audit.
type DescribeScheduledAuditOutput struct {
	Frequency          AuditFrequency `json:"frequency,omitempty" aws:"AuditFrequency"`
	DayOfMonth         string         `json:"dayOfMonth,omitempty" aws:"DayOfMonth"`
	DayOfWeek          DayOfWeek      `json:"dayOfWeek,omitempty" aws:"DayOfWeek"`
	TargetCheckNames   []string       `json:"targetCheckNames,omitempty" aws:"TargetAuditCheckNames"`
	ScheduledAuditName string         `json:"scheduledAuditName,omitempty" aws:"ScheduledAuditName"`
	ScheduledAuditARN  string         `json:"scheduledAuditArn,omitempty" aws:"ScheduledAuditArn"`
}

// UpdateScheduledAuditInput changes a scheduled audit; what is absent stays. A new frequency drops the
// day that the old one needed, unless it takes such a day too. Whether frequency and days fit is for [CheckDays] to say, once they are
// merged with what stands: [Check] cannot know.
type UpdateScheduledAuditInput struct {
	Frequency          AuditFrequency `json:"frequency,omitempty" aws:"AuditFrequency"`
	DayOfMonth         string         `json:"dayOfMonth,omitempty" aws:"DayOfMonth"`
	DayOfWeek          DayOfWeek      `json:"dayOfWeek,omitempty" aws:"DayOfWeek"`
	TargetCheckNames   []string       `json:"targetCheckNames,omitempty" aws:"TargetAuditCheckNames"` // nil: unchanged
	ScheduledAuditName string         `json:"scheduledAuditName,omitempty" aws:"ScheduledAuditName,required,uri"`
}

func (in *UpdateScheduledAuditInput) rules(p *Problems) {
	checkNames(p, in.TargetCheckNames)
}

// UpdateScheduledAuditOutput names what was updated.
type UpdateScheduledAuditOutput struct {
	ScheduledAuditARN string `json:"scheduledAuditArn,omitempty" aws:"ScheduledAuditArn"`
}

// DeleteScheduledAuditInput deletes a scheduled audit.
type DeleteScheduledAuditInput struct {
	ScheduledAuditName string `json:"scheduledAuditName,omitempty" aws:"ScheduledAuditName,required,uri"`
}

// DeleteScheduledAuditOutput is empty.
type DeleteScheduledAuditOutput struct{}

// ListScheduledAuditsInput asks for a page of scheduled audits.
type ListScheduledAuditsInput struct {
	NextToken  string `json:"nextToken,omitempty" aws:"NextToken,query"`
	MaxResults *int32 `json:"maxResults,omitempty" aws:"MaxResults,query"` // nil: 25
}

// ListScheduledAuditsOutput is a page of scheduled audits.
type ListScheduledAuditsOutput struct {
	ScheduledAudits []ScheduledAuditMetadata `json:"scheduledAudits" aws:"ScheduledAuditMetadataList"`
	NextToken       string                   `json:"nextToken,omitempty" aws:"NextToken"`
}

// MarshalJSON writes a nil list as [], since AWS prints no null.
func (o ListScheduledAuditsOutput) MarshalJSON() ([]byte, error) { return AppendJSON(nil, &o) }

// ScheduledAuditMetadata is a scheduled audit in a list.
type ScheduledAuditMetadata struct {
	ScheduledAuditName string         `json:"scheduledAuditName,omitempty" aws:"ScheduledAuditName"`
	ScheduledAuditARN  string         `json:"scheduledAuditArn,omitempty" aws:"ScheduledAuditArn"`
	Frequency          AuditFrequency `json:"frequency,omitempty" aws:"AuditFrequency"`
	DayOfMonth         string         `json:"dayOfMonth,omitempty" aws:"DayOfMonth"`
	DayOfWeek          DayOfWeek      `json:"dayOfWeek,omitempty" aws:"DayOfWeek"`
}

// CheckDays notes in p which day a frequency needs and lacks, or has and does not take: WEEKLY and
// BIWEEKLY take dayOfWeek, MONTHLY takes dayOfMonth, DAILY takes neither. It notes nothing when p has a
// problem of the frequency already.
func CheckDays(p *Problems, f AuditFrequency, dayOfMonth string, dayOfWeek DayOfWeek) {
	if p.has("frequency") {
		return
	}
	month := f == AuditFrequencyMonthly
	week := f == AuditFrequencyWeekly || f == AuditFrequencyBiweekly
	switch {
	case month && dayOfMonth == "":
		p.Add("dayOfMonth", nil, "is required when frequency is MONTHLY")
	case !month && dayOfMonth != "":
		p.Add("dayOfMonth", dayOfMonth, "must be absent when frequency is "+string(f))
	}
	switch {
	case week && dayOfWeek == "":
		p.Add("dayOfWeek", nil, "is required when frequency is "+string(f))
	case !week && dayOfWeek != "":
		p.Add("dayOfWeek", string(dayOfWeek), "must be absent when frequency is "+string(f))
	}
}

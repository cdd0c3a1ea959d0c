package model

import (
	"time"
)

// AuditSuppression says that the findings of a check about a resource are known and accepted, until a date
// or for good. CheckName and ResourceIdentifier together name it.
type AuditSuppression struct {
	CheckName            string             `json:"checkName,omitempty" aws:"AuditCheckName,required"`
	ResourceIdentifier   ResourceIdentifier `json:"resourceIdentifier,omitzero" aws:"ResourceIdentifier,required"`
	ExpirationDate       Timestamp          `json:"expirationDate,omitzero" aws:"Timestamp"`                   // absent: it does not expire
	SuppressIndefinitely *bool              `json:"suppressIndefinitely,omitempty" aws:"SuppressIndefinitely"` // the engine always sets it
	Description          string             `json:"description,omitempty" aws:"AuditDescription"`
}

// CreateAuditSuppressionInput creates a suppression. It has either an ExpirationDate or SuppressIndefinitely,
// as [CheckExpiry] says.
type CreateAuditSuppressionInput struct {
	CheckName            string             `json:"checkName,omitempty" aws:"AuditCheckName,required"`
	ResourceIdentifier   ResourceIdentifier `json:"resourceIdentifier,omitzero" aws:"ResourceIdentifier,required"`
	ExpirationDate       Timestamp          `json:"expirationDate,omitzero" aws:"Timestamp"`
	SuppressIndefinitely *bool              `json:"suppressIndefinitely,omitempty" aws:"SuppressIndefinitely"`      // nil: false
	Description          string             `json:"description,omitempty" aws:"AuditDescription"`                   // at most 1000 characters
	ClientRequestToken   string             `json:"clientRequestToken,omitempty" aws:"ClientRequestToken,required"` // the caller's name for this call, so that it can be sent again
}

func (in *CreateAuditSuppressionInput) rules(p *Problems) {
	CheckExpiry(p, in.ExpirationDate, in.SuppressIndefinitely)
}

// CreateAuditSuppressionOutput is empty.
type CreateAuditSuppressionOutput struct{}

// DescribeAuditSuppressionInput asks for one suppression.
type DescribeAuditSuppressionInput struct {
	CheckName          string             `json:"checkName,omitempty" aws:"AuditCheckName,required"`
	ResourceIdentifier ResourceIdentifier `json:"resourceIdentifier,omitzero" aws:"ResourceIdentifier,required"`
}

// DescribeAuditSuppressionOutput is one suppression. Its fields are those of [AuditSuppression], so that
// one converts into the other.
type DescribeAuditSuppressionOutput struct {
	CheckName            string             `json:"checkName,omitempty" aws:"AuditCheckName"`
	ResourceIdentifier   ResourceIdentifier `json:"resourceIdentifier,omitzero" aws:"ResourceIdentifier"`
	ExpirationDate       Timestamp          `json:"expirationDate,omitzero" aws:"Timestamp"`
	SuppressIndefinitely *bool              `json:"suppressIndefinitely,omitempty" aws:"SuppressIndefinitely"`
	Description          string             `json:"description,omitempty" aws:"AuditDescription"`
}

// UpdateAuditSuppressionInput changes a suppression; what is absent stays. CheckName and ResourceIdentifier
// say which one, and are not changed. Whether SuppressIndefinitely false may stand without a date is for
// [CheckExpiry] to say, once it is merged with what stands: [Check] cannot know.
type UpdateAuditSuppressionInput struct {
	CheckName            string             `json:"checkName,omitempty" aws:"AuditCheckName,required"`
	ResourceIdentifier   ResourceIdentifier `json:"resourceIdentifier,omitzero" aws:"ResourceIdentifier,required"`
	ExpirationDate       Timestamp          `json:"expirationDate,omitzero" aws:"Timestamp"`
	SuppressIndefinitely *bool              `json:"suppressIndefinitely,omitempty" aws:"SuppressIndefinitely"`
	Description          *string            `json:"description,omitempty" aws:"AuditDescription"` // nil: unchanged; "": none any more
}

func (in *UpdateAuditSuppressionInput) rules(p *Problems) {
	if !in.ExpirationDate.IsZero() {
		CheckExpiry(p, in.ExpirationDate, in.SuppressIndefinitely)
	}
}

// UpdateAuditSuppressionOutput is empty.
type UpdateAuditSuppressionOutput struct{}

// DeleteAuditSuppressionInput deletes a suppression.
type DeleteAuditSuppressionInput struct {
	CheckName          string             `json:"checkName,omitempty" aws:"AuditCheckName,required"`
	ResourceIdentifier ResourceIdentifier `json:"resourceIdentifier,omitzero" aws:"ResourceIdentifier,required"`
}

// DeleteAuditSuppressionOutput is empty.
type DeleteAuditSuppressionOutput struct{}

// ListAuditSuppressionsInput asks for a page of suppressions.
type ListAuditSuppressionsInput struct {
	CheckName          string             `json:"checkName,omitempty" aws:"AuditCheckName"`
	ResourceIdentifier ResourceIdentifier `json:"resourceIdentifier,omitzero" aws:"ResourceIdentifier"` // zero: every resource; else exactly that one
	AscendingOrder     *bool              `json:"ascendingOrder,omitempty" aws:"AscendingOrder"`        // nil: true
	NextToken          string             `json:"nextToken,omitempty" aws:"NextToken"`
	MaxResults         *int32             `json:"maxResults,omitempty" aws:"MaxResults"` // nil: 25
}

// ListAuditSuppressionsOutput is a page of suppressions, in the order of their expiration dates. Those that
// do not expire come after all others, or before them in descending order.
type ListAuditSuppressionsOutput struct {
	Suppressions []AuditSuppression `json:"suppressions" aws:"AuditSuppressionList"`
	NextToken    string             `json:"nextToken,omitempty" aws:"NextToken"`
}

// MarshalJSON writes a nil list as [], since AWS prints no null.
func (o ListAuditSuppressionsOutput) MarshalJSON() ([]byte, error) { return AppendJSON(nil, &o) }

// CheckExpiry notes in p when a suppression has not exactly one of a date on which it expires and
// suppressIndefinitely true. suppressIndefinitely false beside a date says the same as none. It notes nothing
// when p has a problem of expirationDate already.
func CheckExpiry(p *Problems, expirationDate Timestamp, suppressIndefinitely *bool) {
	if p.has("expirationDate") {
		return
	}
	dated := !expirationDate.IsZero()
	switch {
	case dated && suppressIndefinitely != nil && *suppressIndefinitely:
		p.Add("expirationDate", expirationDate.Format(time.RFC3339Nano), "must not be given together with suppressIndefinitely true")
	case !dated && suppressIndefinitely == nil:
		p.Add("expirationDate", nil, "is required, or else suppressIndefinitely true")
	case !dated && !*suppressIndefinitely:
		p.Add("expirationDate", nil, "is required when suppressIndefinitely is false")
	}
}

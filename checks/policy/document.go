package policy

// Document is a policy: who may do what with which resources. [Parse] makes it. It must not be changed, and
// is safe for concurrent use.
type Document struct {
	Version    string // "2012-10-17", or "2008-10-17", which is also what a document without one has
	ID         string
	Statements []Statement
}

// Statement allows or denies. It has either Actions or NotActions, and either Resources or NotResources: of each two
// one has patterns, in the order of the document, and the other is nil.
type Statement struct {
	Sid          string
	Effect       Effect
	Actions      []string // patterns with * and ?, of which case does not matter
	NotActions   []string // all actions but these
	Resources    []string // patterns with *, ? and, since version 2012-10-17, variables
	NotResources []string
	Conditions   []Condition // all of them must hold; in the order of the document
}

// Effect says what a [Statement] does.
type Effect string

// The two effects. Deny goes before Allow.
const (
	Allow Effect = "Allow"
	Deny  Effect = "Deny"
)

// Condition is one key of a statement's Condition: it holds if one of Values fits, or with an operator that
// negates, if none does.
type Condition struct {
	Operator string // "StringEquals", "ForAllValues:StringLikeIfExists", in AWS's spelling
	Key      string // "iot:ClientId", of which case does not matter
	// Values are numbers and booleans as they stand in the document. Empty, they make an Allow no narrower; a Deny has a
	// condition all the same, and so does not always hold.
	Values []string
}

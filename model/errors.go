package model

import (
	"fmt"
	"strings"
)

// APIError is what every error of an operation implements. Find one by its type
// (errors.AsType[*model.InvalidRequestException](err)) or any of them as an APIError.
type APIError interface {
	error
	ErrorCode() string    // the exception's name, as AWS prints it
	ErrorMessage() string // what went wrong, for people
	HTTPStatusCode() int  // the status that AWS answers with
}

// InvalidRequestException says that an input is wrong. Its message names every problem of the input.
type InvalidRequestException struct {
	Message  string    `json:"message"`
	Problems []Problem `json:"-"` // each problem by itself; empty when the message is the only one
}

func (e *InvalidRequestException) Error() string        { return text(e) }
func (e *InvalidRequestException) ErrorCode() string    { return "InvalidRequestException" }
func (e *InvalidRequestException) ErrorMessage() string { return e.Message }
func (e *InvalidRequestException) HTTPStatusCode() int  { return 400 }

// ResourceNotFoundException says that what the input names does not exist.
type ResourceNotFoundException struct {
	Message string `json:"message"`
}

func (e *ResourceNotFoundException) Error() string        { return text(e) }
func (e *ResourceNotFoundException) ErrorCode() string    { return "ResourceNotFoundException" }
func (e *ResourceNotFoundException) ErrorMessage() string { return e.Message }
func (e *ResourceNotFoundException) HTTPStatusCode() int  { return 404 }

// ResourceAlreadyExistsException says that a resource of that name exists and is not the same.
type ResourceAlreadyExistsException struct {
	Message     string `json:"message"`
	ResourceID  string `json:"resourceId,omitempty"`
	ResourceARN string `json:"resourceArn,omitempty"`
}

func (e *ResourceAlreadyExistsException) Error() string        { return text(e) }
func (e *ResourceAlreadyExistsException) ErrorCode() string    { return "ResourceAlreadyExistsException" }
func (e *ResourceAlreadyExistsException) ErrorMessage() string { return e.Message }
func (e *ResourceAlreadyExistsException) HTTPStatusCode() int  { return 409 }

// LimitExceededException says that a quota is used up.
type LimitExceededException struct {
	Message string `json:"message"`
}

func (e *LimitExceededException) Error() string        { return text(e) }
func (e *LimitExceededException) ErrorCode() string    { return "LimitExceededException" }
func (e *LimitExceededException) ErrorMessage() string { return e.Message }
func (e *LimitExceededException) HTTPStatusCode() int  { return 410 }

// ThrottlingException says that calls come too fast. AWS's service model has it as 400, its API
// reference as 429; clients go by the code, and 429 is what they retry on besides.
type ThrottlingException struct {
	Message string `json:"message"`
}

func (e *ThrottlingException) Error() string        { return text(e) }
func (e *ThrottlingException) ErrorCode() string    { return "ThrottlingException" }
func (e *ThrottlingException) ErrorMessage() string { return e.Message }
func (e *ThrottlingException) HTTPStatusCode() int  { return 429 }

// InternalFailureException says that the fault is not the caller's.
type InternalFailureException struct {
	Message string `json:"message"`
}

func (e *InternalFailureException) Error() string        { return text(e) }
func (e *InternalFailureException) ErrorCode() string    { return "InternalFailureException" }
func (e *InternalFailureException) ErrorMessage() string { return e.Message }
func (e *InternalFailureException) HTTPStatusCode() int  { return 500 }

func text(e APIError) string { return e.ErrorCode() + ": " + e.ErrorMessage() }

// Problem is one thing that is wrong with an input.
type Problem struct {
	Field  string // the member's JSON path, "targetCheckNames[2]"
	Value  string // what stood there, quoted and shortened for people; empty when absent
	Reason string // what would be right
}

func (p Problem) String() string {
	if p.Value == "" {
		return p.Field + " " + p.Reason
	}
	return p.Field + " " + p.Value + " " + p.Reason
}

// Problems collects everything that is wrong with one input, so that one error can name it all. The
// zero value is empty and ready to use.
type Problems []Problem

// Add notes that field is wrong. value is what stood there (nil: it is absent), and reason goes on from
// "field value": "must be at most 250".
func (p *Problems) Add(field string, value any, reason string) {
	shown := ""
	switch v := value.(type) {
	case nil:
	case string:
		shown = quote(v)
	case fmt.Stringer:
		shown = quote(v.String())
	default:
		shown = quote(fmt.Sprint(v))
	}
	*p = append(*p, Problem{field, shown, reason})
}

// Err is nil without problems, otherwise an *InvalidRequestException that names them all.
func (p Problems) Err() error {
	if len(p) == 0 {
		return nil
	}
	words := make([]string, len(p))
	for i, q := range p {
		words[i] = q.String()
	}
	return &InvalidRequestException{Message: strings.Join(words, "; "), Problems: p}
}

// shownRunes is how much of a wrong value an error repeats.
const shownRunes = 80

func quote(s string) string {
	if r := []rune(s); len(r) > shownRunes {
		return fmt.Sprintf("%q... (%d characters)", string(r[:shownRunes]), len(r))
	}
	return fmt.Sprintf("%q", s)
}

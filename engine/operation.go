package engine

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"github.com/fleetaudit/fleetaudit/model"
)

// Operation is an operation of AWS: what a frontend must know to offer it. A frontend that goes by
// [Operations] needs no code for any one of them.
type Operation struct {
	Name   string   // DescribeAuditTask
	Method string   // of HTTP
	Path   string   // in the pattern syntax of net/http: /audit/tasks/{taskId}
	Rate   int      // how many calls a second AWS takes from one account; a frontend may hold callers to it
	Errors []string // the codes it may answer with; InternalFailureException and ThrottlingException go without saying

	// Members says where each member of the input travels: in the path, the query or the body.
	Members []model.Member
	// NewInput returns a pointer to a new input.
	NewInput func() any
	// Call runs the operation with an input that NewInput made, and returns a pointer to the output.
	Call func(ctx context.Context, e *Engine, in any) (any, error)
}

// Codes of the errors that only some operations have.
const (
	invalid  = "InvalidRequestException"
	notFound = "ResourceNotFoundException"
	exists   = "ResourceAlreadyExistsException"
	limitHit = "LimitExceededException"
)

// Operations returns the table of AWS's operations that the Engine has: a row for each. The rates are those of AWS's
// table of quotas, but for ListRelatedResourcesForAuditFinding, of which it says nothing.
func Operations() []Operation {
	return []Operation{
		op("PATCH", "/audit/configuration", 5, (*Engine).UpdateAccountAuditConfiguration, invalid),
		op("GET", "/audit/configuration", 5, (*Engine).DescribeAccountAuditConfiguration),
		op("DELETE", "/audit/configuration", 5, (*Engine).DeleteAccountAuditConfiguration, invalid, notFound),
		op("POST", "/audit/scheduledaudits/{scheduledAuditName}", 5, (*Engine).CreateScheduledAudit, invalid, exists, limitHit),
		op("GET", "/audit/scheduledaudits/{scheduledAuditName}", 5, (*Engine).DescribeScheduledAudit, invalid, notFound),
		op("PATCH", "/audit/scheduledaudits/{scheduledAuditName}", 5, (*Engine).UpdateScheduledAudit, invalid, notFound),
		op("DELETE", "/audit/scheduledaudits/{scheduledAuditName}", 5, (*Engine).DeleteScheduledAudit, invalid, notFound),
		op("GET", "/audit/scheduledaudits", 5, (*Engine).ListScheduledAudits, invalid),
		op("POST", "/audit/tasks", 10, (*Engine).StartOnDemandAuditTask, invalid, limitHit),
		op("GET", "/audit/tasks/{taskId}", 25, (*Engine).DescribeAuditTask, invalid, notFound),
		op("GET", "/audit/tasks", 10, (*Engine).ListAuditTasks, invalid),
		op("PUT", "/audit/tasks/{taskId}/cancel", 10, (*Engine).CancelAuditTask, invalid, notFound),
		op("POST", "/audit/findings", 10, (*Engine).ListAuditFindings, invalid),
		op("GET", "/audit/findings/{findingId}", 25, (*Engine).DescribeAuditFinding, invalid, notFound),
		op("GET", "/audit/relatedResources", 10, (*Engine).ListRelatedResourcesForAuditFinding, invalid, notFound),
		op("POST", "/audit/suppressions/create", 10, (*Engine).CreateAuditSuppression, invalid, exists, limitHit),
		op("POST", "/audit/suppressions/describe", 10, (*Engine).DescribeAuditSuppression, invalid, notFound),
		op("PATCH", "/audit/suppressions/update", 10, (*Engine).UpdateAuditSuppression, invalid, notFound),
		op("POST", "/audit/suppressions/delete", 10, (*Engine).DeleteAuditSuppression, invalid),
		op("POST", "/audit/suppressions/list", 10, (*Engine).ListAuditSuppressions, invalid),
		op("POST", "/tags", 10, (*Engine).TagResource, invalid, notFound, limitHit),
		op("POST", "/untag", 10, (*Engine).UntagResource, invalid, notFound),
		op("GET", "/tags", 10, (*Engine).ListTagsForResource, invalid, notFound),
	}
}

func op[I, O any](method, path string, rate int, call func(*Engine, context.Context, *I) (*O, error), errors ...string) Operation {
	input := reflect.TypeFor[I]()
	o := Operation{
		Name:     strings.TrimSuffix(input.Name(), "Input"),
		Method:   method,
		Path:     path,
		Rate:     rate,
		Errors:   errors,
		NewInput: func() any { return new(I) },
	}
	o.Call = func(ctx context.Context, e *Engine, in any) (any, error) {
		typed, ok := in.(*I)
		if !ok {
			return nil, fmt.Errorf("engine: %s takes a *%s, not %T", o.Name, input, in)
		}
		out, err := call(e, ctx, typed)
		if err != nil {
			return nil, err // not a nil *O in an any
		}
		return out, nil
	}
	for i := range input.NumField() {
		o.Members = append(o.Members, model.MemberOf(input.Field(i)))
	}
	return o
}

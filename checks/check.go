package checks

import (
	"context"
	"errors"

	"github.com/fleetaudit/fleetaudit/model"
)

// Check looks at resources and reports those that are not as they should be. Both methods must be safe
// for concurrent use: several audits may run one Check at once.
type Check interface {
	// Spec describes the check. It must always return the same; an engine reads it once.
	Spec() Spec
	// Run checks. Nil means that it completed, whatever it found; an error means that it could not
	// check. It must return soon after ctx ends, and leave its goroutine as it was (see runtime.LockOSThread and
	// pprof.SetGoroutineLabels): another check may be next on it.
	Run(ctx context.Context, pass *Pass) error
}

// Spec describes a check. Name, Severity, ResourceType and at least one ReasonCode are needed; the rest
// is for people. It may grow.
type Spec struct {
	Name         string // AWS's spelling: CA_CERTIFICATE_EXPIRING_CHECK
	Title        string // a line
	Doc          string // what it looks at, and how it judges
	Remediation  string // what to do about a finding
	URL          string // where there is more to read
	Severity     model.AuditFindingSeverity
	ResourceType model.ResourceType // of every finding's resource
	Params       []Param
	ReasonCodes  []ReasonCode
	References   []Reference

	// Source is what Run scans first, if it scans. Checks that name the same one share a scan of it, so
	// the scan waits until each of them has asked for it. Each sets it. A check that wraps another must
	// return the other's Source.
	Source Handle
	// Retrospective says that Run judges what happened before the Pass's Time: connections, last accesses. What
	// it will find at a later time depends on what happens until then, which a forecast cannot know.
	Retrospective bool
	// Needs are other sources without which the check can tell nothing, however much Source holds: CRLs,
	// for a check of revocation. They are for frontends, which may leave a check out rather than have it
	// say "compliant" of what it could not know.
	Needs []Handle
}

// ReasonCode is one way in which a resource can be non-compliant.
type ReasonCode struct {
	Code string // AWS's spelling: CERTIFICATE_PAST_EXPIRATION
	Doc  string
}

// Reference names a place in a published baseline that a check serves.
type Reference struct {
	Standard string // "NISTIR 8259A"
	Section  string
	URL      string
}

// ErrInsufficientPermissions is what a check wraps when the host does not let it read what it needs. Its
// run is FAILED with AWS's code INSUFFICIENT_PERMISSIONS.
var ErrInsufficientPermissions = errors.New("insufficient permissions")

// Skip is what the function of [Each] or [Scan] returns for a resource that is not in the check's scope:
// it is not counted among the resources that were checked.
//
//lint:ignore ST1012 It is named as fs.SkipDir is: no failure.
var Skip = errors.New("not in scope")

// New makes a Check of a function.
func New(spec Spec, run func(context.Context, *Pass) error) Check {
	return &funcCheck{spec, run}
}

type funcCheck struct {
	spec Spec
	run  func(context.Context, *Pass) error
}

func (c *funcCheck) Spec() Spec                                { return c.spec }
func (c *funcCheck) Run(ctx context.Context, pass *Pass) error { return c.run(ctx, pass) }

// Each makes a Check that judges the resources of src one by one. judge is called as [Scan] says.
func Each[T any](spec Spec, src *Source[T], judge func(context.Context, *Pass, *T) error) Check {
	spec.Source = src
	return New(spec, func(ctx context.Context, pass *Pass) error {
		return Scan(ctx, pass, src, judge)
	})
}

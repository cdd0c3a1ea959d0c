package permission

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/internal/finding"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/checks/policy"
	"github.com/fleetaudit/fleetaudit/model"
)

// lastYear is how long ago a role may have used a service for it to be one that is used.
const lastYear = 365 * days

// aliasPass is the judgement of one role alias.
type aliasPass struct {
	pass  *checks.Pass
	alias *inventory.RoleAlias
	policy.Set
	used    []string // services, in lower case and sorted
	unknown []string // why it cannot be judged, or not in full
}

// perAlias has judge look at each role alias. It may put into unknown what it cannot tell.
func perAlias(judge func(*aliasPass)) func(context.Context, *checks.Pass, *inventory.RoleAlias) error {
	return func(_ context.Context, pass *checks.Pass, alias *inventory.RoleAlias) error {
		a := &aliasPass{
			pass: pass, alias: alias, Set: set(&alias.Role),
			used: used(alias.LastUsed, pass.Time.Add(-lastYear)), unknown: unreadable(&alias.Role),
		}
		judge(a)
		if len(a.unknown) > 0 {
			a.report(model.ReasonCodeResourceNotEvaluable, reasons(a.unknown))
		}
		return nil
	}
}

func (a *aliasPass) report(code, reason string) {
	var related []model.RelatedResource
	if a.alias.Role.ARN != "" {
		related = append(related, model.RelatedResource{
			ResourceType:       model.ResourceTypeIAMRole,
			ResourceIdentifier: model.ResourceIdentifier{IAMRoleARN: a.alias.Role.ARN},
		})
	}
	finding.Report(a.pass, model.ResourceIdentifier{RoleAliasARN: a.alias.ARN}, code, reason, nil, related...)
}

// used returns the services that were used since.
func used(last map[string]time.Time, since time.Time) []string {
	recent := make(map[string]bool)
	for service, at := range last {
		if !at.IsZero() && !at.Before(since) {
			recent[strings.ToLower(service)] = true
		}
	}
	return slices.Sorted(maps.Keys(recent))
}

// manyServices tells whether what a policy has for a service is a pattern.
func manyServices(service string) bool { return strings.ContainsAny(service, "*?") }

// whichAliases is a part of the Doc of both checks of role aliases.
const whichAliases = "Looks at the IAM role of each role alias, with all its policies together. "

// lastYearIs is another.
const lastYearIs = "\n\n" +
	"A service was used in the last year if the role's last access to it lies at most 365 days of 24 hours before " +
	"the audit, that instant included, or after it. Services go by the prefix of their actions; case does not " +
	"matter. An alias whose role is allowed nothing is compliant. " + ofUnreadable

package permission

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/internal/finding"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/model"
)

const days = 24 * time.Hour

// recently is how long ago an identity of a pool may have connected for the pool to be looked at.
const recently = 31 * days

// perPool judges the roles that an identity pool in scope has for one kind of identities. The last resort is a
// rule for roles that break none of the others.
func perPool(roles func(*inventory.IdentityPool) []inventory.Role, lastResort *rule, rules ...rule) func(context.Context, *checks.Pass, *inventory.IdentityPool) error {
	return func(_ context.Context, pass *checks.Pass, pool *inventory.IdentityPool) error {
		if last := pool.LastConnectedAt; !last.IsZero() && last.Before(pass.Time.Add(-recently)) {
			return checks.Skip
		}
		var all breaches
		for i := range roles(pool) {
			role := &roles(pool)[i]
			if why := unreadable(role); len(why) > 0 {
				all.add(model.ReasonCodeResourceNotEvaluable, "", role, why)
			}
			s, broken := set(role), false
			for _, r := range rules {
				if actions := r.actions(s); len(actions) > 0 {
					all.add(r.Code, r.says, role, actions)
					broken = true
				}
			}
			if lastResort != nil && !broken {
				if actions := lastResort.actions(s); len(actions) > 0 {
					all.add(lastResort.Code, lastResort.says, role, actions)
				}
			}
		}
		all.report(pass, pool)
		return nil
	}
}

// breach is what the roles of a pool have done against one rule.
type breach struct {
	code, says string
	details    []string // actions; or why it cannot be judged
	roles      []string // their ARNs
}

type breaches []*breach

func (all *breaches) add(code, says string, role *inventory.Role, details []string) {
	i := slices.IndexFunc(*all, func(b *breach) bool { return b.code == code })
	if i < 0 {
		i = len(*all)
		*all = append(*all, &breach{code: code, says: says})
	}
	b := (*all)[i]
	for _, d := range details {
		if !slices.Contains(b.details, d) {
			b.details = append(b.details, d)
		}
	}
	if role.ARN != "" && !slices.Contains(b.roles, role.ARN) {
		b.roles = append(b.roles, role.ARN)
	}
}

func (all breaches) report(pass *checks.Pass, pool *inventory.IdentityPool) {
	for _, b := range all {
		words := reasons(b.details)
		if b.code != model.ReasonCodeResourceNotEvaluable {
			words = sentence(b.says, b.details)
		}
		var info map[string]string
		if len(b.roles) > 0 {
			info = map[string]string{"ROLE_ARNS": list(b.roles)}
		}
		finding.Report(pass, model.ResourceIdentifier{CognitoIdentityPoolID: pool.ID}, b.code, words, info)
	}
}

// whichPools is a part of the Doc of both checks of identity pools, about the kind of identities.
func whichPools(kind string) string {
	return strings.ReplaceAll("Looks at the roles that KIND identities of a Cognito identity pool can take on: the "+
		"default one and those of role mappings. Each role is judged by itself, with all its policies together. A pool "+
		"counts if an identity of it, of either kind, connected to the message broker in the 31 days before the audit, "+
		"the first moment of them included, or if nothing is known of that: then it may have.", "KIND", kind)
}

// onePool is another.
const onePool = "\n\n" +
	"A pool gets one finding for each reason code, however many of its roles break the rule. The reason lists the " +
	"actions, the additional information has the roles as ROLE_ARNS; each lists at most twenty, and says how many more " +
	"there are. A pool without such roles lets such identities do nothing, and is compliant. " + ofUnreadable

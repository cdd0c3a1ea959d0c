package permission

import (
	"context"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/internal/finding"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/checks/policy"
	"github.com/fleetaudit/fleetaudit/model"
)

// perPolicy passes to judge each IoT policy that is in scope and can be read.
func perPolicy(judge func(*checks.Pass, model.ResourceIdentifier, policy.Set)) func(context.Context, *checks.Pass, *inventory.PolicyVersion) error {
	return func(_ context.Context, pass *checks.Pass, v *inventory.PolicyVersion) error {
		if v.NotDefault {
			return checks.Skip
		}
		id := model.ResourceIdentifier{
			PolicyVersionIdentifier: model.PolicyVersionIdentifier{PolicyName: v.Name, PolicyVersionID: v.VersionID},
		}
		if why := missing(v.Document != nil, v.ParseError); why != "" {
			finding.NotEvaluable(pass, id, "Policy document "+why)
			return nil
		}
		judge(pass, id, policy.Set{v.Document})
		return nil
	}
}

// whichPolicies is a part of the Doc of both checks of IoT policies.
const whichPolicies = "Looks at the default version of each IoT policy, attached or not. "

// alone is another.
const alone = "\n\n" +
	"Each policy is judged by itself, since AWS's findings name one policy, and what is attached beside it may " +
	"change. "

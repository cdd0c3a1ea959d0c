package awsapi_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iot"
	"github.com/aws/aws-sdk-go-v2/service/iot/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/contrib/awsapi"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// Many accounts at once, over one handler: each reads what it wrote, nobody enters with another's secret, and what is
// refused counts against nobody's rate.
func TestAccounts(t *testing.T) {
	const accounts = 20
	spec := checks.Spec{Name: "NOTHING_CHECK", Severity: model.AuditFindingSeverityLow,
		ResourceType: model.ResourceTypeClientID, ReasonCodes: []checks.ReasonCode{{Code: "NOTHING"}}}
	nothing := checks.New(spec, func(context.Context, *checks.Pass) error { return nil })
	credentials := make(map[string]awsapi.Credential, accounts)
	for n := range accounts {
		e, err := engine.New(engine.Config{Checks: []checks.Check{nothing}, EnableAll: true})
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, e.Close()) })
		credentials[fmt.Sprint("AKID", n)] = awsapi.Credential{SecretAccessKey: fmt.Sprint("secret", n), Engine: e}
	}
	url := listen(t, newHandler(t, awsapi.Config{
		Throttle: true,
		Credentials: func(_ context.Context, id string) (awsapi.Credential, error) {
			if c, known := credentials[id]; known {
				return c, nil
			}
			return awsapi.Credential{}, awsapi.ErrUnknownAccessKey
		},
	}))
	t.Run("at once", func(t *testing.T) {
		for n := range accounts {
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				t.Parallel()
				ctx := t.Context()
				key, secret := fmt.Sprint("AKID", n), fmt.Sprint("secret", n)
				own := newClient(url, once, withKey(key, secret, ""))
				forged := newClient(url, once, withKey(key, fmt.Sprint("secret", (n+1)%accounts), ""))
				var want []string
				for i := range 5 { // as often a second as may be
					name := fmt.Sprintf("account-%d-audit-%d", n, i)
					_, err := own.CreateScheduledAudit(ctx, &iot.CreateScheduledAuditInput{ScheduledAuditName: &name,
						Frequency: types.AuditFrequencyDaily, TargetCheckNames: []string{spec.Name}})
					require.NoError(t, err)
					want = append(want, name)

					_, err = forged.DeleteScheduledAudit(ctx, &iot.DeleteScheduledAuditInput{ScheduledAuditName: &name})
					var refused smithy.APIError
					require.ErrorAs(t, err, &refused)
					require.Equal(t, "InvalidSignatureException", refused.ErrorCode())
				}
				list, err := own.ListScheduledAudits(ctx, &iot.ListScheduledAuditsInput{})
				require.NoError(t, err)
				var got []string
				for _, audit := range list.ScheduledAudits {
					got = append(got, *audit.ScheduledAuditName)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
				for _, name := range want {
					_, err = own.DeleteScheduledAudit(ctx, &iot.DeleteScheduledAuditInput{ScheduledAuditName: &name})
					require.NoError(t, err)
				}
			})
		}
	})
}

package awsapi_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iot"
	"github.com/aws/aws-sdk-go-v2/service/iot/types"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks/builtin"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// session is what somebody does with a client of the SDK.
type session struct {
	*testing.T
	*iot.Client
	ctx context.Context
}

// audit starts an audit of checks, and asks how it does until it has ended.
func (s session) audit(checks []string) (taskID string, audit *iot.DescribeAuditTaskOutput) {
	s.Helper()
	started, err := s.StartOnDemandAuditTask(s.ctx, &iot.StartOnDemandAuditTaskInput{TargetCheckNames: checks})
	require.NoError(s, err)
	require.Eventually(s, func() bool {
		audit, err = s.DescribeAuditTask(s.ctx, &iot.DescribeAuditTaskInput{TaskId: started.TaskId})
		return err != nil || audit.TaskStatus != types.AuditTaskStatusInProgress
	}, 30*time.Second, time.Millisecond)
	require.NoError(s, err)
	require.Equal(s, types.AuditTaskStatusCompleted, audit.TaskStatus)
	return *started.TaskId, audit
}

// findings lists findings page by page.
func (s session) findings(in *iot.ListAuditFindingsInput) (all []types.AuditFinding) {
	s.Helper()
	for p := iot.NewListAuditFindingsPaginator(s.Client, in); p.HasMorePages(); {
		page, err := p.NextPage(s.ctx)
		require.NoError(s, err)
		all = append(all, page.Findings...)
	}
	return all
}

func (s session) tags(arn *string) (all []types.Tag) {
	s.Helper()
	out, err := s.ListTagsForResource(s.ctx, &iot.ListTagsForResourceInput{ResourceArn: arn})
	require.NoError(s, err)
	return out.Tags
}

// Somebody who knows AWS audits the example fleet: enables the checks, schedules an audit, runs one, looks at what it
// found, accepts a finding, audits again, and leaves nothing behind.
func TestConformanceOfSession(t *testing.T) {
	loaded, err := inventory.Load(t.Context(), "../../checks/inventory/testdata/fleet")
	require.NoError(t, err)
	e, err := engine.New(engine.Config{Checks: builtin.All(inventory.New(loaded.Contents))})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	entry := entries()[0]
	s := session{t, newClient(listen(t, newHandler(t, entry.config(e))), entry.key), t.Context()}

	config, err := s.DescribeAccountAuditConfiguration(s.ctx, nil)
	require.NoError(t, err)
	enable := &iot.UpdateAccountAuditConfigurationInput{
		RoleArn:                  new("arn:aws:iam::123456789012:role/audit"),
		AuditCheckConfigurations: make(map[string]types.AuditCheckConfiguration),
	}
	var names []string
	for name, check := range config.AuditCheckConfigurations {
		require.False(t, check.Enabled, name)
		enable.AuditCheckConfigurations[name] = types.AuditCheckConfiguration{Enabled: true}
		names = append(names, name)
	}
	require.Len(t, names, len(e.Checks()))
	_, err = s.UpdateAccountAuditConfiguration(s.ctx, enable)
	require.NoError(t, err)

	scheduled, err := s.CreateScheduledAudit(s.ctx, &iot.CreateScheduledAuditInput{
		ScheduledAuditName: new("weekly"), Frequency: types.AuditFrequencyWeekly, DayOfWeek: types.DayOfWeekMon,
		TargetCheckNames: names, Tags: []types.Tag{{Key: new("team"), Value: new("doors")}},
	})
	require.NoError(t, err)

	taskID, audit := s.audit(names)
	require.EqualValues(t, len(names), *audit.TaskStatistics.TotalChecks)
	require.Positive(t, *audit.TaskStatistics.NonCompliantChecks)
	found := s.findings(&iot.ListAuditFindingsInput{TaskId: &taskID})
	var want []types.AuditFinding
	for f, err := range e.AuditFindings(s.ctx, &model.ListAuditFindingsInput{TaskID: taskID}) {
		require.NoError(t, err)
		want = append(want, asSDK[types.AuditFinding](f))
	}
	require.Empty(t, cmp.Diff(want, found, plain))

	i := slices.IndexFunc(found, func(f types.AuditFinding) bool { return len(f.RelatedResources) > 0 })
	require.GreaterOrEqual(t, i, 0, "no finding has related resources")
	described, err := s.DescribeAuditFinding(s.ctx, &iot.DescribeAuditFindingInput{FindingId: found[i].FindingId})
	require.NoError(t, err)
	related, err := s.ListRelatedResourcesForAuditFinding(s.ctx, &iot.ListRelatedResourcesForAuditFindingInput{FindingId: found[i].FindingId})
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(found[i].RelatedResources, related.RelatedResources, plain))
	finding := described.Finding
	require.Empty(t, cmp.Diff(found[i].NonCompliantResource, finding.NonCompliantResource, plain))

	_, err = s.CreateAuditSuppression(s.ctx, &iot.CreateAuditSuppressionInput{
		CheckName: finding.CheckName, ResourceIdentifier: finding.NonCompliantResource.ResourceIdentifier,
		ExpirationDate: new(time.Now().AddDate(0, 1, 0)), Description: new("it will be replaced next week"),
	})
	require.NoError(t, err)
	taskID, audit = s.audit(names)
	require.EqualValues(t, 1, *audit.AuditDetails[*finding.CheckName].SuppressedNonCompliantResourcesCount)
	again := s.findings(&iot.ListAuditFindingsInput{TaskId: &taskID, ListSuppressedFindings: true})
	require.NotEmpty(t, again)
	for _, f := range again {
		require.True(t, *f.IsSuppressed)
		require.Equal(t, *finding.CheckName, *f.CheckName)
		require.Empty(t, cmp.Diff(finding.NonCompliantResource.ResourceIdentifier, f.NonCompliantResource.ResourceIdentifier, plain))
	}

	_, err = s.TagResource(s.ctx, &iot.TagResourceInput{
		ResourceArn: scheduled.ScheduledAuditArn, Tags: []types.Tag{{Key: new("stage"), Value: new("")}},
	})
	require.NoError(t, err)
	require.Empty(t, cmp.Diff([]types.Tag{{Key: new("team"), Value: new("doors")}, {Key: new("stage"), Value: new("")}},
		s.tags(scheduled.ScheduledAuditArn), plain))
	_, err = s.UntagResource(s.ctx, &iot.UntagResourceInput{ResourceArn: scheduled.ScheduledAuditArn, TagKeys: []string{"team"}})
	require.NoError(t, err)
	require.Len(t, s.tags(scheduled.ScheduledAuditArn), 1)

	_, err = s.DeleteAuditSuppression(s.ctx, &iot.DeleteAuditSuppressionInput{
		CheckName: finding.CheckName, ResourceIdentifier: finding.NonCompliantResource.ResourceIdentifier,
	})
	require.NoError(t, err)
	_, err = s.DeleteScheduledAudit(s.ctx, &iot.DeleteScheduledAuditInput{ScheduledAuditName: new("weekly")})
	require.NoError(t, err)
	_, err = s.DeleteAccountAuditConfiguration(s.ctx, &iot.DeleteAccountAuditConfigurationInput{})
	require.NoError(t, err)

	_, err = s.DescribeScheduledAudit(s.ctx, &iot.DescribeScheduledAuditInput{ScheduledAuditName: new("weekly")})
	var notFound *types.ResourceNotFoundException
	require.ErrorAs(t, err, &notFound)
	_, err = s.StartOnDemandAuditTask(s.ctx, &iot.StartOnDemandAuditTaskInput{TargetCheckNames: names})
	var invalid *types.InvalidRequestException
	require.ErrorAs(t, err, &invalid)
	after, err := s.DescribeAccountAuditConfiguration(s.ctx, nil)
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(config, after, plain))
}

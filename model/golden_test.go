package model_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fleetaudit/fleetaudit/model"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// TestGolden reads each document of testdata/golden, which are AWS's samples in our own words and others
// where AWS prints none, into the type that its file is named after, and writes it again: nothing is lost,
// nothing is added.
func TestGolden(t *testing.T) {
	types := map[string]reflect.Type{}
	samples := map[string]bool{} // the types that must have one
	add := func(v any, wanted bool) {
		typ := reflect.TypeOf(v)
		types[typ.Name()] = typ
		if wanted {
			samples[typ.Name()] = true
		}
	}
	for _, op := range operations {
		add(op.input, false)
		add(op.output, reflect.TypeOf(op.output).NumField() > 0)
	}
	add(model.AuditFinding{}, true)
	add(model.AuditNotification{}, true)

	files, err := filepath.Glob("testdata/golden/*.json")
	require.NoError(t, err)
	for _, file := range files {
		name, _, _ := strings.Cut(filepath.Base(file), ".")
		delete(samples, name)
		t.Run(filepath.Base(file), func(t *testing.T) {
			require.Contains(t, types, name)
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			v := reflect.New(types[name]).Interface()
			d := json.NewDecoder(bytes.NewReader(want))
			d.DisallowUnknownFields()
			require.NoError(t, d.Decode(v))
			if diff := cmp.Diff(jsonValue(t, want), jsonValue(t, []byte(mustMarshal(t, v)))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	for name := range samples {
		t.Errorf("no sample of %s", name)
	}
}

// jsonValue is a document as a value: keys without order, numbers without spelling.
func jsonValue(t *testing.T, doc []byte) (v any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(doc, &v))
	return v
}

// TestEncode has Go values with the exact text that they become: zeros where AWS prints them and nothing
// where it prints nothing, times in epoch seconds, map keys in order.
func TestEncode(t *testing.T) {
	at := model.At(time.Date(2019, 6, 10, 10, 3, 37, 172e6, time.UTC))
	zero, no := int32(0), false
	for _, row := range []struct {
		in   any
		want string
	}{
		{model.UpdateAccountAuditConfigurationInput{}, `{}`},
		{model.UpdateAccountAuditConfigurationInput{
			AuditNotificationTargetConfigurations: map[model.AuditNotificationType]model.AuditNotificationTarget{model.AuditNotificationTypeSNS: {}},
			AuditCheckConfigurations: map[string]model.AuditCheckConfiguration{
				"B_CHECK": {Enabled: true, Configuration: map[string]string{"Z": "1", "A": "2"}},
				"A_CHECK": {},
			},
		}, `{"auditNotificationTargetConfigurations":{"SNS":{"enabled":false}},"auditCheckConfigurations":{"A_CHECK":{"enabled":false},"B_CHECK":{"enabled":true,"configuration":{"A":"2","Z":"1"}}}}`},
		{model.DescribeAccountAuditConfigurationOutput{
			RoleARN: "r",
			AuditNotificationTargetConfigurations: map[model.AuditNotificationType]model.AuditNotificationTarget{
				model.AuditNotificationTypeSNS: {TargetARN: "t", RoleARN: "r", Enabled: true},
			},
		}, `{"roleArn":"r","auditNotificationTargetConfigurations":{"SNS":{"targetArn":"t","roleArn":"r","enabled":true}}}`},
		{model.DeleteAccountAuditConfigurationInput{}, `{}`},
		{model.DeleteAccountAuditConfigurationInput{DeleteScheduledAudits: true}, `{"deleteScheduledAudits":true}`},
		{model.CreateScheduledAuditInput{
			Frequency: model.AuditFrequencyMonthly, DayOfMonth: model.DayOfMonthLast, TargetCheckNames: []string{"B", "A"},
			ScheduledAuditName: "n", Tags: []model.Tag{{Key: "k"}, {Key: "a", Value: "v"}},
		}, `{"frequency":"MONTHLY","dayOfMonth":"LAST","targetCheckNames":["B","A"],"scheduledAuditName":"n","tags":[{"Key":"k","Value":""},{"Key":"a","Value":"v"}]}`},
		{model.DescribeScheduledAuditOutput{
			Frequency: model.AuditFrequencyWeekly, DayOfWeek: model.DayOfWeekSun, TargetCheckNames: []string{"A"},
			ScheduledAuditName: "n", ScheduledAuditARN: "arn",
		}, `{"frequency":"WEEKLY","dayOfWeek":"SUN","targetCheckNames":["A"],"scheduledAuditName":"n","scheduledAuditArn":"arn"}`},
		{model.ListScheduledAuditsInput{}, `{}`},
		{model.ListScheduledAuditsInput{MaxResults: &zero}, `{"maxResults":0}`},
		{model.ListScheduledAuditsOutput{}, `{"scheduledAudits":[]}`},
		{model.ListScheduledAuditsOutput{ScheduledAudits: []model.ScheduledAuditMetadata{{ScheduledAuditName: "n"}}, NextToken: "t"},
			`{"scheduledAudits":[{"scheduledAuditName":"n"}],"nextToken":"t"}`},
		{model.StartOnDemandAuditTaskOutput{TaskID: "t"}, `{"taskId":"t"}`},
		{model.DescribeAuditTaskOutput{}, `{"taskStatistics":{"totalChecks":0,"inProgressChecks":0,"waitingForDataCollectionChecks":0,"compliantChecks":0,"nonCompliantChecks":0,"failedChecks":0,"canceledChecks":0}}`},
		{model.DescribeAuditTaskOutput{
			TaskStatus: model.AuditTaskStatusInProgress, TaskType: model.AuditTaskTypeScheduled, TaskStartTime: at,
			TaskStatistics: model.TaskStatistics{
				TotalChecks: 21, InProgressChecks: 1, WaitingForDataCollectionChecks: 2, CompliantChecks: 3,
				NonCompliantChecks: 4, FailedChecks: 5, CanceledChecks: 6,
			},
			ScheduledAuditName: "n",
			AuditDetails: map[string]model.AuditCheckDetails{
				"B": {},
				"A": {
					CheckRunStatus: model.AuditCheckRunStatusFailed, CheckCompliant: true, TotalResourcesCount: 1 << 40,
					NonCompliantResourcesCount: 2, SuppressedNonCompliantResourcesCount: 1,
					ErrorCode: model.CodeInsufficientPermissions, Message: "m",
				},
			},
		}, `{"taskStatus":"IN_PROGRESS","taskType":"SCHEDULED_AUDIT_TASK","taskStartTime":1560161017.172,` +
			`"taskStatistics":{"totalChecks":21,"inProgressChecks":1,"waitingForDataCollectionChecks":2,"compliantChecks":3,"nonCompliantChecks":4,"failedChecks":5,"canceledChecks":6},` +
			`"scheduledAuditName":"n","auditDetails":{` +
			`"A":{"checkRunStatus":"FAILED","checkCompliant":true,"totalResourcesCount":1099511627776,"nonCompliantResourcesCount":2,"suppressedNonCompliantResourcesCount":1,"errorCode":"INSUFFICIENT_PERMISSIONS","message":"m"},` +
			`"B":{"checkCompliant":false,"totalResourcesCount":0,"nonCompliantResourcesCount":0}}}`},
		{model.ListAuditTasksInput{StartTime: at, EndTime: model.At(time.Unix(0, 0))}, `{"startTime":1560161017.172,"endTime":0}`},
		{model.ListAuditTasksOutput{}, `{"tasks":[]}`},
		{&model.ListAuditTasksOutput{Tasks: []model.AuditTaskMetadata{{TaskID: "t"}}}, `{"tasks":[{"taskId":"t"}]}`},
		{model.ListAuditFindingsInput{ListSuppressedFindings: &no}, `{"listSuppressedFindings":false}`},
		{model.ListAuditFindingsOutput{}, `{"findings":[]}`},
		{&model.ListAuditFindingsOutput{NextToken: "t"}, `{"findings":[],"nextToken":"t"}`},
		{model.AuditFinding{}, `{}`},
		{model.AuditFinding{
			FindingID: "f", TaskID: "t", CheckName: "A", TaskStartTime: at, FindingTime: model.At(at.Add(420 * time.Millisecond)),
			Severity: model.AuditFindingSeverityLow,
			NonCompliantResource: model.NonCompliantResource{
				ResourceType: model.ResourceTypeIoTPolicy,
				ResourceIdentifier: model.ResourceIdentifier{
					PolicyVersionIdentifier: model.PolicyVersionIdentifier{PolicyName: "p", PolicyVersionID: "1"},
				},
				AdditionalInfo: map[string]string{"Z": "", "A": "1"},
			},
			RelatedResources: []model.RelatedResource{{}},
			IsSuppressed:     &no,
		}, `{"findingId":"f","taskId":"t","checkName":"A","taskStartTime":1560161017.172,"findingTime":1560161017.592,"severity":"LOW",` +
			`"nonCompliantResource":{"resourceType":"IOT_POLICY","resourceIdentifier":{"policyVersionIdentifier":{"policyName":"p","policyVersionId":"1"}},"additionalInfo":{"A":"1","Z":""}},` +
			`"relatedResources":[{}],"isSuppressed":false}`},
		{model.AuditNotification{}, `{"accountId":"","taskId":"","taskStatus":"","taskType":"","failedChecksCount":0,"canceledChecksCount":0,"nonCompliantChecksCount":0,"compliantChecksCount":0,"totalChecksCount":0,"taskStartTime":0,"auditDetails":[]}`},
		{model.AuditNotificationDetails{SuppressedNonCompliantResourcesCount: 1}, `{"checkName":"","checkRunStatus":"","nonCompliantResourcesCount":0,"totalResourcesCount":0,"suppressedNonCompliantResourcesCount":1}`},
		{model.CancelAuditTaskOutput{}, `{}`},
		{model.DescribeAuditFindingOutput{}, `{}`},
		{model.DescribeAuditFindingOutput{Finding: model.AuditFinding{FindingID: "f"}}, `{"finding":{"findingId":"f"}}`},
		{model.ListRelatedResourcesForAuditFindingInput{FindingID: "f", MaxResults: &zero}, `{"findingId":"f","maxResults":0}`},
		{model.ListRelatedResourcesForAuditFindingOutput{}, `{"relatedResources":[]}`},
		{&model.ListRelatedResourcesForAuditFindingOutput{RelatedResources: []model.RelatedResource{{}}, NextToken: "t"},
			`{"relatedResources":[{}],"nextToken":"t"}`},
		{model.CreateAuditSuppressionInput{}, `{}`},
		{model.CreateAuditSuppressionInput{
			CheckName: "A", ResourceIdentifier: model.ResourceIdentifier{ClientID: "c"}, ExpirationDate: at,
			SuppressIndefinitely: &no, Description: "d", ClientRequestToken: "t",
		}, `{"checkName":"A","resourceIdentifier":{"clientId":"c"},"expirationDate":1560161017.172,"suppressIndefinitely":false,"description":"d","clientRequestToken":"t"}`},
		{model.UpdateAuditSuppressionInput{}, `{}`},
		{model.UpdateAuditSuppressionInput{SuppressIndefinitely: &no, Description: new("")}, `{"suppressIndefinitely":false,"description":""}`},
		{model.ListAuditSuppressionsInput{}, `{}`},
		{model.ListAuditSuppressionsInput{AscendingOrder: &no}, `{"ascendingOrder":false}`},
		{model.ListAuditSuppressionsOutput{}, `{"suppressions":[]}`},
		{&model.ListAuditSuppressionsOutput{Suppressions: []model.AuditSuppression{{}, {CheckName: "A", SuppressIndefinitely: &no}}, NextToken: "t"},
			`{"suppressions":[{},{"checkName":"A","suppressIndefinitely":false}],"nextToken":"t"}`},
		{model.TagResourceInput{ResourceARN: "a", Tags: []model.Tag{{Key: "k"}}}, `{"resourceArn":"a","tags":[{"Key":"k","Value":""}]}`},
		{model.UntagResourceInput{ResourceARN: "a", TagKeys: []string{"k"}}, `{"resourceArn":"a","tagKeys":["k"]}`},
		{model.ListTagsForResourceOutput{}, `{"tags":[]}`},
		{&model.ListTagsForResourceOutput{Tags: []model.Tag{{Key: "k", Value: "v"}}, NextToken: "t"}, `{"tags":[{"Key":"k","Value":"v"}],"nextToken":"t"}`},
	} {
		if diff := cmp.Diff(row.want, mustMarshal(t, row.in)); diff != "" {
			t.Errorf("%T (-want +got):\n%s", row.in, diff)
		}
	}
}

// notificationKey is one row of testdata/notification.txt.
type notificationKey struct {
	name, kind string
	required   bool
}

func readNotification(t *testing.T) (keys []notificationKey) {
	t.Helper()
	b, err := os.ReadFile("testdata/notification.txt")
	require.NoError(t, err)
	for line := range strings.Lines(string(b)) {
		if w := strings.Fields(line); len(w) > 1 && w[0] != "#" {
			keys = append(keys, notificationKey{w[0], w[1], len(w) > 2 && w[2] == "required"})
		}
	}
	return keys
}

// TestNotificationKeys compares the notification, which has no shape in the service model, with its JSON
// schema: the same keys in the same order, and those are always written that are required.
func TestNotificationKeys(t *testing.T) {
	var got []notificationKey
	for _, typ := range []reflect.Type{reflect.TypeFor[model.AuditNotification](), reflect.TypeFor[model.AuditNotificationDetails]()} {
		for field := range typ.Fields() {
			name, option, _ := strings.Cut(field.Tag.Get("json"), ",")
			name = typ.Name() + "." + name
			kind := map[reflect.Kind]string{
				reflect.String: "string", reflect.Int: "integer", reflect.Int64: "integer", reflect.Slice: "array",
			}[field.Type.Kind()]
			if departures[name] == "" {
				got = append(got, notificationKey{name, kind, option == ""})
			}
		}
	}
	if diff := cmp.Diff(readNotification(t), got, cmp.AllowUnexported(notificationKey{})); diff != "" {
		t.Errorf("keys (-schema +got):\n%s", diff)
	}
}

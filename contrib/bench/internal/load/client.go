package load

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iot"
	"github.com/aws/aws-sdk-go-v2/service/iot/types"
)

// client is the AWS SDK's, and what it was answered.
type client struct {
	*iot.Client
	fleet Fleet
	tally *tally
	ended atomic.Value // string: the task id of the last audit that was seen to end
	count atomic.Int64 // of those audits
}

// The key that a server with credentials is given.
const accessKeyID, secret = "AKIAEXAMPLE", "of-the-load"

func newClient(url string, callers int, f Fleet) *client {
	return &client{fleet: f, tally: new(tally), Client: sdk(url, secret, callers)}
}

// sdk makes a client of which each request is made once, on one of as many connections as it has callers.
func sdk(url, secret string, callers int) *iot.Client {
	connections := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) { t.MaxIdleConnsPerHost = callers })
	return iot.New(iot.Options{
		Region:       "eu-west-1",
		BaseEndpoint: &url,
		Credentials:  credentials.NewStaticCredentialsProvider(accessKeyID, secret, ""),
		Retryer:      aws.NopRetryer{},
		HTTPClient:   written{connections},
	})
}

// written returns a response only when its request has been written to its end. The SDK closes the request's body as soon
// as there is a response; where that is so quick that the transport still looks whether the body goes on, the transport
// closes the connection while the response is being read.
type written struct{ iot.HTTPClient }

func (w written) Do(r *http.Request) (*http.Response, error) {
	done := make(chan struct{})
	var once sync.Once
	trace := &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { once.Do(func() { close(done) }) }}
	response, err := w.HTTPClient.Do(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
	if err == nil {
		<-done
	}
	return response, err
}

// patient lets one call be tried again while it is throttled.
func patient(o *iot.Options) {
	o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts = 50 })
}

// call makes a request and counts it, unless ctx ended meanwhile.
func call[I, O any](ctx context.Context, c *client, f func(context.Context, *I, ...func(*iot.Options)) (*O, error), in *I, options ...func(*iot.Options)) (*O, bool) {
	begin := time.Now()
	out, err := f(ctx, in, options...)
	if ctx.Err() != nil {
		return nil, false
	}
	c.tally.add(fmt.Sprintf("%T", in), time.Since(begin), err)
	return out, err == nil
}

// configure enables the checks, and makes a schedule to tag.
func (c *client) configure(ctx context.Context) error {
	enabled := make(map[string]types.AuditCheckConfiguration)
	var names []string
	for name := range c.fleet.want() {
		enabled[name] = types.AuditCheckConfiguration{Enabled: true}
		names = append(names, name)
	}
	_, err := c.UpdateAccountAuditConfiguration(ctx, &iot.UpdateAccountAuditConfigurationInput{
		RoleArn: aws.String("arn:aws:iam::123456789012:role/audit"), AuditCheckConfigurations: enabled,
	})
	_, exists := c.CreateScheduledAudit(ctx, &iot.CreateScheduledAuditInput{
		ScheduledAuditName: aws.String("daily"), Frequency: types.AuditFrequencyDaily, TargetCheckNames: names,
	})
	return errors.Join(err, exists)
}

// audit starts an audit, follows it to its end, and looks at what it says.
func (c *client) audit(ctx context.Context) {
	want := c.fleet.want()
	in := new(iot.StartOnDemandAuditTaskInput)
	for name := range want {
		in.TargetCheckNames = append(in.TargetCheckNames, name)
	}
	started, ok := call(ctx, c, c.StartOnDemandAuditTask, in, patient)
	for ok {
		var out *iot.DescribeAuditTaskOutput
		if out, ok = call(ctx, c, c.DescribeAuditTask, &iot.DescribeAuditTaskInput{TaskId: started.TaskId}, patient); !ok {
			return
		}
		s := out.TaskStatistics
		var sum int32
		for _, n := range []*int32{s.InProgressChecks, s.WaitingForDataCollectionChecks, s.CompliantChecks, s.NonCompliantChecks, s.FailedChecks, s.CanceledChecks} {
			sum += aws.ToInt32(n)
		}
		if total := aws.ToInt32(s.TotalChecks); sum != total || int(total) != len(want) {
			c.tally.wrong("the statistics of an audit of %d checks add up to %d of %d", len(want), sum, total)
		}
		if out.TaskStatus == types.AuditTaskStatusInProgress {
			continue
		}
		if out.TaskStatus != types.AuditTaskStatusCompleted {
			c.tally.wrong("an audit is %s", out.TaskStatus)
		}
		for name, w := range want {
			d := out.AuditDetails[name]
			if got := (counts{aws.ToInt64(d.TotalResourcesCount), aws.ToInt64(d.NonCompliantResourcesCount)}); got != w {
				c.tally.wrong("%s counted %+v, want %+v", name, got, w)
			}
		}
		c.ended.Store(*started.TaskId)
		c.count.Add(1)
		return
	}
}

// work makes requests of all kinds one after the other until ctx ends.
func (c *client) work(ctx context.Context, worker int) {
	for ctx.Err() == nil {
		call(ctx, c, c.DescribeAccountAuditConfiguration, &iot.DescribeAccountAuditConfigurationInput{})
		call(ctx, c, c.ListAuditTasks, &iot.ListAuditTasksInput{
			StartTime: aws.Time(time.Now().Add(-time.Hour)), EndTime: aws.Time(time.Now()),
		})
		c.findings(ctx)
		c.suppression(ctx, worker)
		c.tags(ctx, worker)
	}
}

// findings reads every finding of the last audit that ended, page by page, and counts them.
func (c *client) findings(ctx context.Context) {
	task, ok := c.ended.Load().(string)
	if !ok {
		return
	}
	var want, got int64
	for _, w := range c.fleet.want() {
		want += w.nonCompliant
	}
	in := &iot.ListAuditFindingsInput{TaskId: &task, MaxResults: aws.Int32(250)}
	for {
		out, ok := call(ctx, c, c.ListAuditFindings, in)
		if !ok {
			return
		}
		if got == 0 && len(out.Findings) > 0 {
			id := out.Findings[0].FindingId
			if f, ok := call(ctx, c, c.DescribeAuditFinding, &iot.DescribeAuditFindingInput{FindingId: id}); ok && *f.Finding.FindingId != *id {
				c.tally.wrong("finding %s is described as %s", *id, *f.Finding.FindingId)
			}
		}
		got += int64(len(out.Findings))
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	if got != want {
		c.tally.wrong("%d findings are listed, want %d", got, want)
	}
}

// suppression suppresses what no audit finds, looks at it, and deletes it.
func (c *client) suppression(ctx context.Context, worker int) {
	check := aws.String(policyCheck)
	policy := &types.ResourceIdentifier{PolicyVersionIdentifier: &types.PolicyVersionIdentifier{
		PolicyName: aws.String(policyName(worker*10 + 1)), PolicyVersionId: aws.String("1"),
	}}
	text := rand.Text()
	if _, ok := call(ctx, c, c.CreateAuditSuppression, &iot.CreateAuditSuppressionInput{
		CheckName: check, ResourceIdentifier: policy, SuppressIndefinitely: aws.Bool(true), Description: &text,
	}); ok {
		out, ok := call(ctx, c, c.DescribeAuditSuppression, &iot.DescribeAuditSuppressionInput{CheckName: check, ResourceIdentifier: policy})
		if ok && aws.ToString(out.Description) != text {
			c.tally.wrong("a suppression with description %q is described as %q", text, aws.ToString(out.Description))
		}
	}
	// Whatever happened to it: until it is deleted it cannot be created again. A request more or less does not matter.
	_, _ = c.DeleteAuditSuppression(ctx, &iot.DeleteAuditSuppressionInput{CheckName: check, ResourceIdentifier: policy}, patient)
}

// tags tags the schedule, and looks at its tags.
func (c *client) tags(ctx context.Context, worker int) {
	arn := aws.String("arn:aws:iot:us-east-1:000000000000:scheduledaudit/daily")
	key := aws.String(fmt.Sprint("worker-", worker%40))
	call(ctx, c, c.TagResource, &iot.TagResourceInput{ResourceArn: arn, Tags: []types.Tag{{Key: key, Value: aws.String("there")}}})
	call(ctx, c, c.ListTagsForResource, &iot.ListTagsForResourceInput{ResourceArn: arn})
}

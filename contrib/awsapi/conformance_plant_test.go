package awsapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// everything is an identifier with all its members.
var everything = model.ResourceIdentifier{
	DeviceCertificateID:     strings.Repeat("0a", 32),
	CACertificateID:         strings.Repeat("1B", 32),
	CognitoIdentityPoolID:   "us-east-1:3f1a",
	ClientID:                `Pumpe Ü/1%2F+"<&>" 💧`,
	PolicyVersionIdentifier: model.PolicyVersionIdentifier{PolicyName: "pumps=@1", PolicyVersionID: "3"},
	Account:                 "123456789012",
	IAMRoleARN:              "arn:aws:iam::123456789012:role/pumps",
	RoleAliasARN:            "arn:aws:iot:us-east-1:123456789012:rolealias/pumps",
	IssuerCertificateIdentifier: model.IssuerCertificateIdentifier{
		IssuerCertificateSubject: "CN=Pump CA,O=Pumps", IssuerID: "0xAB12", IssuerCertificateSerialNumber: "0a:1B",
	},
	DeviceCertificateARN: "arn:aws:iot:us-east-1:123456789012:cert/0a0a",
}

// plant is an Engine that has something for each operation to work on.
type plant struct {
	*engine.Engine
	t       *testing.T
	vars    map[string]string // what stands for ids and instants in rows, such as <ended>
	holding chan struct{}     // gets one when a run of HOLD_CHECK waits
	hold    chan struct{}     // HOLD_CHECK ends when it is closed, and DATA_CHECK has data
}

func client(id string) model.ResourceIdentifier { return model.ResourceIdentifier{ClientID: id} }

// newPlant makes a plant; n is its AWS account.
func newPlant(t *testing.T, n int) *plant {
	p := &plant{t: t, vars: make(map[string]string), holding: make(chan struct{}, 9), hold: make(chan struct{})}
	e, err := engine.New(engine.Config{
		AccountID:          fmt.Sprintf("%012d", n),
		Checks:             p.checks(),
		Concurrency:        8, // a run of HOLD_CHECK must not keep others from theirs
		MaxScheduledAudits: 4,
		MaxOnDemandAudits:  3,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	p.Engine = e
	p.stock()
	return p
}

func (p *plant) checks() []checks.Check {
	spec := func(name string) checks.Spec {
		return checks.Spec{
			Name: name, Severity: model.AuditFindingSeverityHigh, ResourceType: model.ResourceTypeClientID,
			ReasonCodes: []checks.ReasonCode{{Code: "WEAK"}},
		}
	}
	weak := func(id model.ResourceIdentifier) checks.Finding {
		return checks.Finding{
			Resource: model.NonCompliantResource{
				ResourceType: model.ResourceTypeClientID, ResourceIdentifier: id,
				AdditionalInfo: map[string]string{"": "", "ä <b>": "\\\u2028"},
			},
			Reason:     "its password is <weak> & short, señor",
			ReasonCode: "WEAK",
		}
	}
	faulty := spec("FAULTY_CHECK")
	faulty.Params = []checks.Param{
		{Name: "MAX_AGE", Default: 30, Min: 1, Max: 100}, {Name: "MIN_AGE", Default: 3, Min: 1, Max: 100},
	}
	late := checks.Slice("late pumps", []string{"late-1"})
	late.Ready = func() <-chan struct{} { return p.hold }
	return []checks.Check{
		checks.New(spec("SOUND_CHECK"), func(_ context.Context, pass *checks.Pass) error {
			pass.Scanned(3)
			return nil
		}),
		checks.New(faulty, func(_ context.Context, pass *checks.Pass) error {
			f := weak(everything)
			for i := range 12 {
				r := model.RelatedResource{ResourceType: model.ResourceTypeIssuerCertificate, ResourceIdentifier: everything}
				r.ResourceIdentifier.ClientID = fmt.Sprint("neighbour-", i)
				r.AdditionalInfo = map[string]string{"METERS": fmt.Sprint(i)}
				f.Related = append(f.Related, r)
			}
			pass.Report(f)
			pass.Report(weak(client("known-1")))
			pass.Report(checks.Finding{Resource: model.NonCompliantResource{ResourceIdentifier: client("bare-1")}, ReasonCode: "WEAK"})
			return nil
		}),
		checks.New(spec("BROKEN_CHECK"), func(_ context.Context, pass *checks.Pass) error {
			pass.Report(weak(client("broken-1")))
			return errors.New("the registry does not answer")
		}),
		checks.New(spec("DENIED_CHECK"), func(context.Context, *checks.Pass) error { return checks.ErrInsufficientPermissions }),
		checks.New(spec("HOLD_CHECK"), func(ctx context.Context, pass *checks.Pass) error {
			pass.Scanned(2)
			p.holding <- struct{}{}
			select {
			case <-p.hold:
			case <-ctx.Done():
			}
			return nil
		}),
		checks.Each(spec("DATA_CHECK"), late, func(context.Context, *checks.Pass, *string) error { return nil }),
		checks.New(spec("IDLE_CHECK"), func(context.Context, *checks.Pass) error { return nil }),
	}
}

// stock gives the engine what the rows of testdata/conformance.txt speak of.
func (p *plant) stock() {
	p.do(`UpdateAccountAuditConfiguration {"roleArn": "arn:aws:iam::123456789012:role/audit",
		"auditNotificationTargetConfigurations": {"SNS": {
			"targetArn": "arn:aws:sns:::topic", "roleArn": "arn:aws:iam::123456789012:role/sns", "enabled": true}},
		"auditCheckConfigurations": {
			"SOUND_CHECK": {"enabled": true}, "BROKEN_CHECK": {"enabled": true}, "DENIED_CHECK": {"enabled": true},
			"FAULTY_CHECK": {"enabled": true, "configuration": {"MAX_AGE": "20"}},
			"HOLD_CHECK": {"enabled": true}, "DATA_CHECK": {"enabled": true}}}`)
	p.do(`CreateScheduledAudit {"scheduledAuditName": "nightly", "frequency": "DAILY", "targetCheckNames": ["SOUND_CHECK"],
		"tags": [{"Key": "team", "Value": "Ärger"}, {"Key": "empty", "Value": ""}]}`)
	p.do(`CreateScheduledAudit {"scheduledAuditName": "weekly", "frequency": "WEEKLY", "dayOfWeek": "TUE",
		"targetCheckNames": ["SOUND_CHECK", "FAULTY_CHECK"]}`)
	p.do(`CreateScheduledAudit {"scheduledAuditName": "monthly_1", "frequency": "MONTHLY", "dayOfMonth": "LAST",
		"targetCheckNames": ["SOUND_CHECK"]}`)
	nightly := p.do(`DescribeScheduledAudit {"scheduledAuditName": "nightly"}`)
	p.vars["<arn>"] = nightly.(*model.DescribeScheduledAuditOutput).ScheduledAuditARN
	p.vars["<everything>"] = string(encoded(p.t, everything))
	tags := make([]model.Tag, 49) // one more than the two that nightly has leave room for
	for i := range tags {
		tags[i].Key = fmt.Sprint("key ", i)
	}
	p.vars["<49 tags>"] = string(encoded(p.t, tags))
	p.do(`CreateAuditSuppression {"checkName": "FAULTY_CHECK", "resourceIdentifier": <everything>, "expirationDate": 4102444800.789,
		"description": "it stays in the laboratory", "clientRequestToken": "1"}`)
	p.do(`CreateAuditSuppression {"checkName": "FAULTY_CHECK", "resourceIdentifier": {"clientId": "known-1"},
		"suppressIndefinitely": true, "clientRequestToken": "2"}`)
	p.do(`CreateAuditSuppression {"checkName": "SOUND_CHECK", "resourceIdentifier": {"clientId": "known-1"},
		"suppressIndefinitely": true, "clientRequestToken": "3"}`)

	p.start("ended", "SOUND_CHECK", "FAULTY_CHECK", "BROKEN_CHECK", "DENIED_CHECK")
	p.wait("ended")
	p.start("canceled", "HOLD_CHECK")
	<-p.holding
	p.do(`CancelAuditTask {"taskId": "<canceled>"}`)
	p.wait("canceled")
	_, err := p.RunDue(p.t.Context(), time.Now().AddDate(0, 0, 40)) // each is due by then
	require.NoError(p.t, err)
	for _, name := range []string{"nightly", "weekly", "monthly_1"} {
		status, err := p.ScheduleStatus(name)
		require.NoError(p.t, err)
		p.vars["<"+name+">"] = status.LastTaskID
		p.wait(name)
	}
	p.start("held", "HOLD_CHECK", "DATA_CHECK", "SOUND_CHECK")
	<-p.holding
	for now, err := range p.WatchAuditTask(p.t.Context(), p.vars["<held>"]) {
		require.NoError(p.t, err)
		if s := now.TaskStatistics; s.InProgressChecks == 1 && s.WaitingForDataCollectionChecks == 1 && s.CompliantChecks == 1 {
			break
		}
	}

	for f, err := range p.findings() {
		require.NoError(p.t, err)
		p.vars["<finding of "+f.NonCompliantResource.ResourceIdentifier.ClientID+">"] = f.FindingID
	}
	p.vars["<finding>"] = p.vars["<finding of "+everything.ClientID+">"]
	ended, err := p.DescribeAuditTask(p.t.Context(), &model.DescribeAuditTaskInput{TaskID: p.vars["<ended>"]})
	require.NoError(p.t, err)
	p.vars["<start of ended>"] = ended.TaskStartTime.Format(time.RFC3339Nano)
	p.vars["<yesterday>"] = time.Now().AddDate(0, 0, -1).UTC().Format(time.RFC3339Nano)
	p.vars["<soon>"] = time.Now().AddDate(0, 0, 60).UTC().Format(time.RFC3339Nano)
}

func (p *plant) start(name string, checks ...string) {
	out, err := p.StartOnDemandAuditTask(p.t.Context(), &model.StartOnDemandAuditTaskInput{TargetCheckNames: checks})
	require.NoError(p.t, err)
	p.vars["<"+name+">"] = out.TaskID
}

func (p *plant) wait(name string) {
	_, err := p.WaitAuditTask(p.t.Context(), p.vars["<"+name+">"])
	require.NoError(p.t, err)
}

func (p *plant) findings() iter.Seq2[model.AuditFinding, error] {
	return p.AuditFindings(p.t.Context(), &model.ListAuditFindingsInput{TaskID: p.vars["<ended>"]})
}

func encoded(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return b
}

// row is one call of an operation, as a line of testdata/conformance.txt has it.
type row struct {
	engine.Operation
	input string
}

func newRow(t *testing.T, words string) row {
	t.Helper()
	name, input, _ := strings.Cut(words, " ")
	for _, o := range engine.Operations() {
		if o.Name == name {
			return row{o, input}
		}
	}
	t.Fatalf("no operation %q", name)
	return row{}
}

// reads tells whether an operation changes nothing.
func (r row) reads() bool {
	return strings.HasPrefix(r.Name, "Describe") || strings.HasPrefix(r.Name, "List")
}

// bind returns the input of a row for this plant. The nextToken "<next>" is that of the page before.
func (p *plant) bind(r row) any {
	p.t.Helper()
	for name, value := range p.vars {
		r.input = strings.ReplaceAll(r.input, name, value)
	}
	in := r.NewInput()
	require.NoError(p.t, json.Unmarshal([]byte(r.input), in), r.input)
	if token := reflect.ValueOf(in).Elem().FieldByName("NextToken"); token.IsValid() && token.String() == "<next>" {
		token.SetString("")
		out, err := r.Call(p.t.Context(), p.Engine, in)
		require.NoError(p.t, err)
		token.Set(reflect.ValueOf(out).Elem().FieldByName("NextToken"))
		require.NotEmpty(p.t, token.String(), "%s has no second page", r.input)
	}
	return in
}

// do calls an operation of the engine itself.
func (p *plant) do(words string) any {
	p.t.Helper()
	r := newRow(p.t, words)
	out, err := r.Call(p.t.Context(), p.Engine, p.bind(r))
	require.NoError(p.t, err, words)
	return out
}

// dump shows all that the plant's operations show, without ids and times that differ from plant to plant, once every
// audit has ended.
func (p *plant) dump() (lines []string) {
	select {
	case <-p.hold:
	default:
		close(p.hold)
	}
	show := func(v any) { lines = append(lines, string(encoded(p.t, v))) }
	show(p.do(`DescribeAccountAuditConfiguration {}`))
	for _, s := range p.do(`ListScheduledAudits {"maxResults": 250}`).(*model.ListScheduledAuditsOutput).ScheduledAudits {
		show(p.do(`DescribeScheduledAudit {"scheduledAuditName": "` + s.ScheduledAuditName + `"}`))
		show(p.do(`ListTagsForResource {"resourceArn": "` + s.ScheduledAuditARN + `"}`))
	}
	show(p.do(`ListAuditSuppressions {"maxResults": 250}`))
	for _, task := range p.tasks() {
		out, err := p.WaitAuditTask(p.t.Context(), task)
		require.NoError(p.t, err)
		out.TaskStartTime = model.Timestamp{}
		show(out)
	}
	slices.Sort(lines)
	return lines
}

// tasks lists the plant's audits, newest first.
func (p *plant) tasks() []string {
	out := p.do(`ListAuditTasks {"startTime": "` + time.Now().AddDate(0, 0, -2).UTC().Format(time.RFC3339) + `",
		"endTime": "2100-01-01T00:00:00Z", "maxResults": 250}`)
	var ids []string
	for _, task := range out.(*model.ListAuditTasksOutput).Tasks {
		ids = append(ids, task.TaskID)
	}
	return ids
}

// own lists what only this plant's account has: its number, and ids that it made.
func (p *plant) own() []string {
	_, rest, _ := strings.Cut(p.vars["<arn>"], "arn:aws:iot:us-east-1:")
	number, _, _ := strings.Cut(rest, ":")
	ids := append(p.tasks(), number)
	for f, err := range p.findings() {
		require.NoError(p.t, err)
		ids = append(ids, f.FindingID)
	}
	return ids
}

package policies

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Document is a policy to judge.
type Document struct {
	Name string
	Text []byte // its JSON
}

// The parts of which Corpus puts policies together. Resources are those of AWS IoT, in any region and account, unless they
// are ARNs; not in front makes NotAction and NotResource.
var (
	statements = []string{
		"Allow iot:Connect client/${iot:Connection.Thing.ThingName}",
		"Allow iot:Connect client/${iot:ClientId}",
		"Allow iot:Connect client/*",
		"Allow iot:Connect client/sensor-*,client/gateway-?",
		"Allow iot:Connect client/${iot:ClientId} Bool iot:Connection.Thing.IsAttached true",
		"Allow iot:Connect client/* StringEquals iot:ClientId ${iot:Connection.Thing.ThingName}",
		"Allow iot:Connect * StringLike iot:ClientId press-*,oven-*",
		"Allow iot:Connect * IpAddress aws:SourceIp 10.0.0.0/8,192.168.0.0/16",
		"Allow iot:Connect arn:aws:iot:eu-west-1:123456789012:client/press-7",
		"Allow iot:Publish topic/$aws/things/${iot:Connection.Thing.ThingName}/shadow/*",
		"Allow iot:Publish topic/$aws/things/*/shadow/update",
		"Allow iot:Publish,iot:RetainPublish topic/plant/7/${iot:Connection.Thing.ThingName}/telemetry",
		"Allow iot:Publish topic/plant/*,topic/office/*/light",
		"Allow iot:Publish topic/*",
		"Allow iot:Publish topic/${iot:ClientId}/state",
		"Allow iot:Publish,iot:Receive topic/$aws/things/${iot:Connection.Thing.ThingName}/jobs/*",
		"Allow iot:Publish topic/$aws/provisioning-templates/fleet/provision/*,topic/$aws/certificates/create/*",
		"Allow iot:Receive *",
		"Allow iot:Receive topic/plant/*",
		"Allow iot:Subscribe topicfilter/$aws/things/${iot:Connection.Thing.ThingName}/shadow/*",
		"Allow iot:Subscribe topicfilter/$aws/things/+/shadow/#",
		"Allow iot:Subscribe topicfilter/plant/+/alarm,topicfilter/plant/7/#",
		"Allow iot:Subscribe topicfilter/+/alarm",
		"Allow iot:Subscribe topicfilter/#",
		"Allow iot:Subscribe,iot:Receive topicfilter/*,topic/*",
		"Allow iot:Subscribe topicfilter/$share/workers/plant/#",
		"Allow iot:Subscribe topicfilter/$share/workers/#",
		"Allow iot:Subscribe topicfilter/$aws/events/presence/connected/*",
		"Allow iot:GetThingShadow,iot:UpdateThingShadow,iot:DeleteThingShadow thing/${iot:Connection.Thing.ThingName}",
		"Allow iot:GetThingShadow,iot:UpdateThingShadow thing/*",
		"Allow iot:*ThingShadow thing/press-*",
		"Allow iot:DescribeJobExecution,iot:GetPendingJobExecutions,iot:StartNextPendingJobExecution,iot:UpdateJobExecution thing/*",
		"Allow iotjobsdata:* thing/${iot:Connection.Thing.ThingName}",
		"Allow iot:GetRetainedMessage,iot:ListRetainedMessages topic/plant/*",
		"Allow iot:* *",
		"Allow iot:* topic/plant/*,topicfilter/plant/*,client/${iot:Connection.Thing.ThingName}",
		"Allow IOT:C* client/?*",
		"Allow iot:AssumeRoleWithCertificate rolealias/uploads",
		"Allow greengrass:Discover,greengrass:ListDeployments *",
		"Allow s3:GetObject,s3:PutObject arn:aws:s3:::firmware/*",
		"Allow not iot:* *",
		"Allow iot:Publish not topic/internal/*",
		"Allow iot:Subscribe not arn:*:iot:*:*:topicfilter/*",
	}
	denies = []string{
		"Deny iot:Connect client/admin-*",
		"Deny iot:Connect client/*",
		"Deny iot:Connect not client/sensor-*,client/gateway-*",
		"Deny iot:Connect * Bool iot:Connection.Thing.IsAttached false",
		"Deny iot:Connect client/* StringNotLike iot:ClientId ${iot:Connection.Thing.ThingName}*",
		"Deny iot:Connect * NotIpAddress aws:SourceIp 10.0.0.0/8",
		"Deny iot:Publish topic/$aws/*",
		"Deny iot:Publish topic/*",
		"Deny iot:P* not topic/plant/*",
		"Deny iot:Subscribe topicfilter/$aws/things/*",
		"Deny iot:Subscribe topicfilter/#",
		"Deny iot:Subscribe,iot:Receive *",
		"Deny iot:*Shadow thing/*",
		"Deny iot:* arn:aws:iot:*:*:thing/*",
		"Deny not iot:Connect,iot:Receive *",
		"Deny not iot:* arn:*",
	}
)

// Corpus returns n policies such as device fleets have, all different up to some thousands: of two to five statements that
// allow, and of each second one a Deny.
func Corpus(n int) []Document {
	all := make([]Document, n)
	for i := range all {
		chosen := make([]json.RawMessage, 0, 6)
		for j := range 2 + i%4 {
			chosen = append(chosen, statement(statements[(i*(2*j+1)+i/len(statements)*j*j+7*j)%len(statements)]))
		}
		if i%2 == 1 {
			chosen = append(chosen, statement(denies[(i/2+i/41)%len(denies)]))
		}
		version := "2012-10-17"
		if i%29 == 28 {
			version = "2008-10-17"
		}
		text, _ := json.Marshal(struct { // of strings alone, which never fails
			Version   string
			Statement []json.RawMessage
		}{version, chosen})
		all[i] = Document{fmt.Sprintf("policy-%d", i), text}
	}
	return all
}

// statement is the JSON of an effect, actions, resources and a condition.
func statement(words string) json.RawMessage {
	list := func(words string) any {
		all := strings.Split(words, ",")
		for i, w := range all {
			if strings.Contains(w, "/") && !strings.HasPrefix(w, "arn:") {
				all[i] = "arn:aws:iot:us-east-1:123456789012:" + w
			}
		}
		if len(all) == 1 { // which a policy may have in the place of a list
			return all[0]
		}
		return all
	}
	rest := strings.Fields(words)
	s := map[string]any{"Effect": rest[0]}
	rest = rest[1:]
	for _, name := range []string{"Action", "Resource"} {
		if rest[0] == "not" {
			rest, name = rest[1:], "Not"+name
		}
		s[name] = list(rest[0])
		rest = rest[1:]
	}
	if len(rest) == 3 {
		values := strings.Split(rest[2], ",")
		s["Condition"] = map[string]any{rest[0]: map[string]any{rest[1]: values}}
	}
	text, _ := json.Marshal(s)
	return text
}

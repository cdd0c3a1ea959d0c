package policies

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"

	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/compare"
)

//go:embed broad.rego
var module string

// The actions of devices by what their resources are, and where the name of a device stands in a topic.
var (
	actions = map[string][]string{
		"client/":      {"iot:Connect"},
		"topic/":       {"iot:Publish", "iot:GetRetainedMessage", "iot:ListRetainedMessages"},
		"topicfilter/": {"iot:Subscribe"},
		"thing/": {
			"iot:GetThingShadow", "iot:UpdateThingShadow", "iot:DeleteThingShadow", "iot:ListNamedShadowsForThing",
			"iot:DescribeJobExecution", "iot:GetPendingJobExecutions", "iot:StartNextPendingJobExecution", "iot:UpdateJobExecution",
			"iotjobsdata:DescribeJobExecution", "iotjobsdata:GetPendingJobExecutions",
			"iotjobsdata:StartNextPendingJobExecution", "iotjobsdata:UpdateJobExecution",
		},
	}
	inTopics = []string{
		"", "$aws/things/", "$aws/commands/things/", "$aws/commands/clients/", "$aws/device_location/",
		"$aws/events/presence/connected/", "$aws/events/presence/disconnected/",
		"$aws/events/subscriptions/subscribed/", "$aws/events/subscriptions/unsubscribed/", "$aws/events/thing/",
	}
)

// tables is what the rule goes by.
func tables() map[string]any {
	spelling, nouns := make(map[string]any), make(map[string]any)
	spaces, wild := make(map[string]any), make(map[string]any)
	for noun, list := range actions {
		for _, action := range list {
			spelling[strings.ToLower(action)], nouns[strings.ToLower(action)] = action, noun
		}
		below := []string{""}
		if strings.HasPrefix(noun, "topic") {
			below = inTopics
		}
		of := make(map[string]any)
		var each []string
		for _, prefix := range below {
			each = append(each, wildAfter(noun+prefix, noun == "topicfilter/"))
			of[noun+prefix] = "^" + each[len(each)-1]
		}
		spaces[noun], wild[noun] = of, "^(?:"+strings.Join(each, "|")+")"
	}
	return map[string]any{"actions": spelling, "nouns": nouns, "spaces": spaces, "wild": wild}
}

// wildAfter is a regular expression of the patterns that may go on with a wildcard after prefix. A * before its end is that
// wildcard too. In a topic filter + is one for a whole level, and # for all that is left.
func wildAfter(prefix string, filter bool) string {
	wild := `[*?]`
	if filter {
		wild = `(?:[*?]|\+(?:$|[/*?])|#(?:$|[*?]))`
	}
	level := "" // what goes on at the next /
	for i := len(prefix) - 1; i >= 0; i-- {
		literal := string(prefix[i])
		if literal == "$" {
			literal = `\$`
		}
		wild = `(?:[` + literal + `?]` + wild + `|\*`
		if prefix[i] == '/' {
			level = wild + `)`
		}
		if filter && (i == 0 || prefix[i-1] == '/') {
			wild += `|\+` + level + `|#(?:$|[*?])`
		}
		wild += `)`
	}
	return wild
}

// prepared compiles the rule once for all documents.
func prepared() (rego.PreparedEvalQuery, error) {
	return rego.New(rego.Query("data.broad.actions"), rego.Module("broad.rego", module),
		rego.Store(inmem.NewFromObject(tables()))).PrepareForEval(context.Background())
}

// opaParsed judges documents that are values of OPA's.
func opaParsed(documents []Document) (compare.Task, error) {
	inputs := make([]ast.Value, len(documents))
	for i, d := range documents {
		var err error
		if inputs[i], err = ast.ValueFromReader(bytes.NewReader(d.Text)); err != nil {
			return compare.Task{}, fmt.Errorf("%s: %w", d.Name, err)
		}
	}
	return opaTask(documents, func(i int) (ast.Value, error) { return inputs[i], nil })
}

// opaFromText parses documents, and judges them.
func opaFromText(documents []Document) (compare.Task, error) {
	return opaTask(documents, func(i int) (ast.Value, error) { return ast.ValueFromReader(bytes.NewReader(documents[i].Text)) })
}

func opaTask(documents []Document, input func(i int) (ast.Value, error)) (compare.Task, error) {
	query, err := prepared()
	if err != nil {
		return compare.Task{}, err
	}
	results := make([]rego.ResultSet, len(documents))
	return compare.Task{
		Do: func() error {
			for i, d := range documents {
				in, err := input(i)
				if err == nil {
					results[i], err = query.Eval(context.Background(), rego.EvalParsedInput(in))
				}
				if err != nil {
					return fmt.Errorf("%s: %w", d.Name, err)
				}
			}
			return nil
		},
		Answer: func() any {
			verdicts := make([]verdict, len(results))
			for i, r := range results {
				for _, action := range r[0].Expressions[0].Value.([]any) {
					verdicts[i] = append(verdicts[i], action.(string))
				}
			}
			return sorted(verdicts)
		},
	}, nil
}

package model_test

import (
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/fleetaudit/fleetaudit/model"
	"github.com/stretchr/testify/require"
)

// operations is every operation with its input and output: the one list of types that the tests go by.
var operations = []struct {
	name          string
	input, output any
}{
	{"UpdateAccountAuditConfiguration", model.UpdateAccountAuditConfigurationInput{}, model.UpdateAccountAuditConfigurationOutput{}},
	{"DescribeAccountAuditConfiguration", model.DescribeAccountAuditConfigurationInput{}, model.DescribeAccountAuditConfigurationOutput{}},
	{"DeleteAccountAuditConfiguration", model.DeleteAccountAuditConfigurationInput{}, model.DeleteAccountAuditConfigurationOutput{}},
	{"CreateScheduledAudit", model.CreateScheduledAuditInput{}, model.CreateScheduledAuditOutput{}},
	{"DescribeScheduledAudit", model.DescribeScheduledAuditInput{}, model.DescribeScheduledAuditOutput{}},
	{"UpdateScheduledAudit", model.UpdateScheduledAuditInput{}, model.UpdateScheduledAuditOutput{}},
	{"DeleteScheduledAudit", model.DeleteScheduledAuditInput{}, model.DeleteScheduledAuditOutput{}},
	{"ListScheduledAudits", model.ListScheduledAuditsInput{}, model.ListScheduledAuditsOutput{}},
	{"StartOnDemandAuditTask", model.StartOnDemandAuditTaskInput{}, model.StartOnDemandAuditTaskOutput{}},
	{"DescribeAuditTask", model.DescribeAuditTaskInput{}, model.DescribeAuditTaskOutput{}},
	{"ListAuditTasks", model.ListAuditTasksInput{}, model.ListAuditTasksOutput{}},
	{"CancelAuditTask", model.CancelAuditTaskInput{}, model.CancelAuditTaskOutput{}},
	{"ListAuditFindings", model.ListAuditFindingsInput{}, model.ListAuditFindingsOutput{}},
	{"CreateAuditSuppression", model.CreateAuditSuppressionInput{}, model.CreateAuditSuppressionOutput{}},
	{"DescribeAuditSuppression", model.DescribeAuditSuppressionInput{}, model.DescribeAuditSuppressionOutput{}},
	{"UpdateAuditSuppression", model.UpdateAuditSuppressionInput{}, model.UpdateAuditSuppressionOutput{}},
	{"DeleteAuditSuppression", model.DeleteAuditSuppressionInput{}, model.DeleteAuditSuppressionOutput{}},
	{"ListAuditSuppressions", model.ListAuditSuppressionsInput{}, model.ListAuditSuppressionsOutput{}},
	{"DescribeAuditFinding", model.DescribeAuditFindingInput{}, model.DescribeAuditFindingOutput{}},
	{"ListRelatedResourcesForAuditFinding", model.ListRelatedResourcesForAuditFindingInput{}, model.ListRelatedResourcesForAuditFindingOutput{}},
	{"TagResource", model.TagResourceInput{}, model.TagResourceOutput{}},
	{"UntagResource", model.UntagResourceInput{}, model.UntagResourceOutput{}},
	{"ListTagsForResource", model.ListTagsForResourceInput{}, model.ListTagsForResourceOutput{}},
}

// newInput is a pointer to a new input of the operation, nil when there is no such operation.
func newInput(operation string) any {
	for _, op := range operations {
		if op.name == operation {
			return reflect.New(reflect.TypeOf(op.input)).Interface()
		}
	}
	return nil
}

// departures are the ways in which this package differs on purpose from the facts, by what differs.
var departures = map[string]string{
	"NAMERequest":  "Go programs say Input; the name never travels",
	"NAMEResponse": "Go programs say Output; the name never travels",
	"ConfigName": "each check declares its own parameters, so the keys of a check's configuration are not " +
		"the two that AWS's own checks take",
	"ThrottlingException": "429: AWS's API reference has it, and clients retry on it whatever the code says",
	"AuditNotificationDetails.suppressedNonCompliantResourcesCount": "AWS sends such a count too, but prints its " +
		"key nowhere; this is its key in AuditCheckDetails",
	"empty text": "a member of length zero is an absent member, so that a minimum of one never fails there",
}

// facts is testdata/shapes.txt, read.
type facts struct {
	operations []string
	errors     map[string][]string // status, then members
	structures map[string][]model.Member
	shapes     map[string]model.Fact
}

func readFacts(t testing.TB) facts {
	t.Helper()
	b, err := os.ReadFile("testdata/shapes.txt")
	require.NoError(t, err)
	f := facts{errors: map[string][]string{}, structures: map[string][]model.Member{}, shapes: map[string]model.Fact{}}
	for line := range strings.Lines(string(b)) {
		w := strings.Fields(line)
		if len(w) == 0 || w[0] == "#" {
			continue
		}
		require.GreaterOrEqual(t, len(w), 2, line)
		switch kind, name := w[0], w[1]; kind {
		case "operation":
			f.operations = append(f.operations, name)
		case "error":
			f.errors[name] = w[2:]
		case "structure":
			f.structures[name] = []model.Member{}
		case "member":
			structure, name, ok := strings.Cut(name, ".")
			require.True(t, ok, line)
			m := model.Member{Name: name, Shape: w[2], Location: "body"}
			for _, word := range w[3:] {
				if word == "required" {
					m.Required = true
					continue
				}
				location, as, _ := strings.Cut(word, ":")
				require.Equal(t, name, as, "this package has one name for a member: %s", line)
				m.Location = location
			}
			f.structures[structure] = append(f.structures[structure], m)
		case "list":
			f.shapes[name] = model.Fact{Kind: kind, Elem: w[2]}
		case "map":
			f.shapes[name] = model.Fact{Kind: kind, Key: w[2], Elem: w[3]}
		default:
			f.shapes[name] = scalar(t, kind, w[2:])
		}
	}
	return f
}

func scalar(t testing.TB, kind string, words []string) model.Fact {
	t.Helper()
	require.Contains(t, []string{"string", "integer", "long", "boolean", "timestamp"}, kind)
	s := model.Fact{Kind: kind}
	for _, word := range words {
		what, value, _ := strings.Cut(word, "=")
		var err error
		switch what {
		case "min":
			s.Min, err = strconv.Atoi(value)
		case "max":
			s.Max, err = strconv.Atoi(value)
		case "pattern":
			s.Pattern = value
		case "enum":
			s.Enum = strings.Split(value, ",")
		default:
			t.Fatalf("shapes.txt: no such constraint: %s", word)
		}
		require.NoError(t, err)
	}
	return s
}

// constrained tells whether a value of the shape can be wrong by itself.
func (f facts) constrained(shape string) bool {
	s := f.shapes[shape]
	return s.Min != 0 || s.Max != 0 || s.Pattern != "" || len(s.Enum) != 0
}

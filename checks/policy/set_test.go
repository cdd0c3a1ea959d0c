package policy_test

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks/policy"
)

// statement writes a statement of a row: "Allow iot:Publish,iot:Connect topic/*,client/a if Bool iot:x=true,false".
// Resources that begin with a noun get the ARN in front; !x is NotAction or NotResource, [] an empty list of values.
func statement(t *testing.T, text string) policy.Statement {
	t.Helper()
	head, condition, conditional := strings.Cut(text, " if ")
	fields := strings.Fields(head)
	require.Len(t, fields, 3, "%q", text)
	s := policy.Statement{Effect: policy.Effect(fields[0])}
	actions, resources := &s.Actions, &s.Resources
	if rest, ok := strings.CutPrefix(fields[1], "!"); ok {
		actions, fields[1] = &s.NotActions, rest
	}
	if rest, ok := strings.CutPrefix(fields[2], "!"); ok {
		resources, fields[2] = &s.NotResources, rest
	}
	*actions = strings.Split(fields[1], ",")
	for _, r := range strings.Split(fields[2], ",") {
		for _, noun := range []string{"client/", "topic/", "topicfilter/", "thing/", "policy/"} {
			if strings.HasPrefix(r, noun) {
				r = "arn:aws:iot:us-east-1:123456789012:" + r
				break
			}
		}
		*resources = append(*resources, r)
	}
	if conditional {
		for c := range strings.SplitSeq(condition, " and ") {
			key, values, ok := strings.Cut(c, "=")
			require.True(t, ok, "%q", text)
			operator, key, ok := strings.Cut(key, " ")
			require.True(t, ok, "%q", text)
			list := strings.Split(values, ",")
			if values == "[]" {
				list = []string{}
			}
			s.Conditions = append(s.Conditions, policy.Condition{Operator: operator, Key: key, Values: list})
		}
	}
	return s
}

// document reads statements that are separated by semicolons; one that begins with 2008 has that version.
func document(t *testing.T, text string) *policy.Document {
	t.Helper()
	d := &policy.Document{Version: "2012-10-17"}
	if rest, ok := strings.CutPrefix(text, "2008 "); ok {
		d.Version, text = "2008-10-17", rest
	}
	for s := range strings.SplitSeq(text, ";") {
		d.Statements = append(d.Statements, statement(t, strings.TrimSpace(s)))
	}
	return d
}

// answers asks a Set everything, in the order of the columns' names.
func answers(s policy.Set, question string) string {
	switch name, argument, _ := strings.Cut(question, " "); name {
	case "broad":
		return strings.Join(s.BroadDataPlane(), " ")
	case "write":
		return strings.Join(s.ThingAdminWrite(), " ")
	case "read":
		return strings.Join(s.ThingAdminRead(), " ")
	case "broadread":
		return strings.Join(s.BroadThingAdminRead(), " ")
	case "other":
		return strings.Join(s.NonThingAdmin(), " ")
	case "services":
		return strings.Join(s.Services(), " ")
	case "any":
		return strings.Join(s.AnyOf(strings.Fields(argument)...), " ")
	case "all":
		return strings.Join(s.AllOf(strings.Fields(argument)...), " ")
	case "wildcards":
		return strings.Join(s.WildcardsInDeny(), " ")
	case "receivable":
		return strings.Join(s.DeniedButReceivable(), " ")
	}
	return "no such question"
}

// TestSet reads testdata/set.txt: "question: answer" lines below a line with the documents, which " + " separates.
func TestSet(t *testing.T) {
	data, err := os.ReadFile("testdata/set.txt")
	require.NoError(t, err)
	var s, reversed policy.Set
	var what string
	asked := 0
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "Allow ") || strings.HasPrefix(line, "Deny ") || strings.HasPrefix(line, "2008 "):
			what, s, reversed = line, nil, nil
			for text := range strings.SplitSeq(line, " + ") {
				s = append(s, document(t, text))
				d := document(t, text)
				slices.Reverse(d.Statements)
				for i := range d.Statements {
					slices.Reverse(d.Statements[i].Actions)
					slices.Reverse(d.Statements[i].Resources)
				}
				reversed = append(policy.Set{d}, reversed...)
			}
		default:
			question, want, ok := strings.Cut(line, ":")
			require.True(t, ok, "%q", line)
			want = strings.TrimSpace(want)
			want = strings.ReplaceAll(want, " ~", " arn:aws:iot:us-east-1:123456789012:")
			if strings.HasPrefix(want, "~") {
				want = "arn:aws:iot:us-east-1:123456789012:" + want[1:]
			}
			if diff := cmp.Diff(want, answers(s, question)); diff != "" {
				t.Errorf("%s\n%s (-want +got):\n%s", what, question, diff)
			}
			inOrder := func(s string) string { return strings.Join(slices.Sorted(strings.FieldsSeq(s)), " ") }
			if a, b := inOrder(answers(s, question)), inOrder(answers(reversed, question)); a != b {
				t.Errorf("%s\n%s: %s, and in another order %s", what, question, a, b)
			}
			asked++
		}
	}
	if asked < 100 {
		t.Errorf("only %d questions were asked", asked)
	}
}

// TestSetOutOfSteps has documents for which the steps of a question do not suffice: what cannot be told is allowed.
func TestSetOutOfSteps(t *testing.T) {
	const many = 6000 // squared, that is more steps than there are
	almost, long := strings.Repeat("a", many)+"b", strings.Repeat("a", 2*many)

	// Connecting is denied, but that comes too late. The question about topics has steps of its own.
	s := policy.Set{document(t, "Allow iot:Connect client/*"+long+"; Deny iot:Connect client/*"+almost+"; Deny iot:Connect client/*; "+
		"Allow iot:Publish topic/*; Deny iot:Publish topic/*")}
	if diff := cmp.Diff([]string{"iot:Connect"}, s.BroadDataPlane()); diff != "" {
		t.Errorf("broad (-want +got):\n%s", diff)
	}
	// A Deny is compared with so long names that it is not told whether the next one is of all actions.
	var names []string
	for i := range 40 {
		names = append(names, "iot:"+long[:4000]+strconv.Itoa(i))
	}
	list := strings.Join(names, ",")
	s = policy.Set{document(t, "Allow "+list+",iot:b? *; Deny "+strings.ReplaceAll(list, "iot:", "iot:?")+" *; Deny iot:* *")}
	if got := s.NonThingAdmin(); !slices.Contains(got, names[0]) || !slices.Contains(got, "iot:b?") {
		t.Errorf("other: %.100s", got)
	}
	s = policy.Set{document(t, "Allow *"+almost+":*,s3:Get*,iot:a *")}
	if diff := cmp.Diff([]string{long, "s3"}, s.AllOf(long, "s3")); diff != "" {
		t.Errorf("all (-want +got):\n%.100s", diff)
	}
	if got := s.AllOf("s3"); got != nil {
		t.Errorf("all, with steps enough: %v", got)
	}
	// Adding an Allow uses up the steps before it is told which actions the Deny is of.
	const filter = "arn:aws:iot:us-east-1:123456789012:topicfilter/"
	denied := []string{filter + "*" + strings.Repeat("a", 3000) + "b", filter + "lab/secret"}
	rows := "Allow iot:Subscribe topicfilter/lab/+; Deny iot:Sub* " + strings.Join(denied, ",")
	for _, more := range []string{"", "; Allow iot:Subscribe topicfilter/q/+" + strings.Repeat("a", 13_333)} {
		if diff := cmp.Diff(denied, (policy.Set{document(t, rows+more)}).DeniedButReceivable()); diff != "" {
			t.Errorf("receivable (-want +got):\n%.300s", diff)
		}
	}
	// The resources before take too long to be told from those of AWS IoT.
	slow := "arn:aws:" + strings.Repeat("?", many) + ":::" + strings.Repeat("*?", 12) + "+"
	s = policy.Set{document(t, "Deny iot:Publish "+strings.Repeat(slow+",", 99)+slow+"; Deny iot:Pub* topic/+")}
	if got := s.WildcardsInDeny(); !slices.Contains(got, "arn:aws:iot:us-east-1:123456789012:topic/+") {
		t.Errorf("wildcards: %.300s", got)
	}
}

// TestDenyOfNoResource: a Deny whose resources fit no ARN takes nothing away, and is not looked at.
func TestDenyOfNoResource(t *testing.T) {
	for text, want := range map[string]int{"Deny * x": 0, "Deny * x,*": 1, "Deny * !x": 1} {
		if got := policy.Bans(policy.Set{document(t, text)}); got != want {
			t.Errorf("%s: %d", text, got)
		}
	}
}

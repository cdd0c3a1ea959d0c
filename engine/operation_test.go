package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

func TestSession(t *testing.T) { runScript(t, "session.txt") }

func TestOperationsAreAWSs(t *testing.T) {
	var rows []string
	for _, o := range engine.Operations() {
		rows = append(rows, fmt.Sprint(o.Name, " ", o.Method, " ", o.Path, " ", o.Rate))
		codes := append([]string{"InternalFailureException", "ThrottlingException"}, o.Errors...)
		slices.Sort(codes)
		for _, code := range codes {
			rows = append(rows, "  error "+code)
		}
		for _, m := range o.Members {
			row := fmt.Sprintf("  %s %s %s", m.Location, m.Name, m.Shape)
			if m.Required {
				row += " required"
			}
			rows = append(rows, row)
		}
	}
	b, err := os.ReadFile("testdata/operations.txt")
	require.NoError(t, err)
	facts := slices.DeleteFunc(strings.Split(string(b), "\n"), func(line string) bool {
		return line == "" || line[0] == '#'
	})
	if diff := cmp.Diff(facts, rows); diff != "" {
		t.Errorf("the table differs from AWS's model (-AWS +table):\n%s", diff)
	}
}

// The table has exactly the methods of Engine that have the form of an operation of AWS.
func TestOperationsAreMethods(t *testing.T) {
	var methods, table []string
	for m := range reflect.TypeFor[*engine.Engine]().Methods() {
		form := fmt.Sprintf("func(*engine.Engine, context.Context, *model.%[1]sInput) (*model.%[1]sOutput, error)", m.Name)
		if m.Type.String() == form {
			methods = append(methods, m.Name)
		}
	}
	for _, o := range engine.Operations() {
		table = append(table, o.Name)
		if got, want := reflect.TypeOf(o.NewInput()).String(), "*model."+o.Name+"Input"; got != want {
			t.Errorf("%s: NewInput makes a %s, not a %s", o.Name, got, want)
		}
		if a, b := o.NewInput(), o.NewInput(); a == b && reflect.TypeOf(a).Elem().Size() > 0 {
			t.Errorf("%s: NewInput returns the same input twice", o.Name)
		}
	}
	slices.Sort(table)
	if diff := cmp.Diff(methods, table); diff != "" {
		t.Errorf("-methods +table:\n%s", diff)
	}
}

// valid has for each operation an input that is right for an engine that ready made: <held> is an audit in
// progress, <ended> one that has ended.
var valid = map[string]string{
	"UpdateAccountAuditConfiguration":   `{"roleArn": "arn:aws:iam::1:role/audit"}`,
	"DescribeAccountAuditConfiguration": `{}`,
	"DeleteAccountAuditConfiguration":   `{"deleteScheduledAudits": true}`,
	"CreateScheduledAudit":              `{"scheduledAuditName": "b", "frequency": "DAILY", "targetCheckNames": ["OK_CHECK"]}`,
	"DescribeScheduledAudit":            `{"scheduledAuditName": "a"}`,
	"UpdateScheduledAudit":              `{"scheduledAuditName": "a", "targetCheckNames": ["DEVICE_CHECK"]}`,
	"DeleteScheduledAudit":              `{"scheduledAuditName": "a"}`,
	"ListScheduledAudits":               `{}`,
	"StartOnDemandAuditTask":            `{"targetCheckNames": ["OK_CHECK"]}`,
	"DescribeAuditTask":                 `{"taskId": "<held>"}`,
	"ListAuditTasks":                    `{"startTime": 946684800, "endTime": 946771200}`,
	"CancelAuditTask":                   `{"taskId": "<held>"}`,
	"ListAuditFindings":                 `{"startTime": 946684800, "endTime": 946771200}`,

	"DescribeAuditFinding":                `{"findingId": "<finding>"}`,
	"ListRelatedResourcesForAuditFinding": `{"findingId": "<finding>"}`,
	"CreateAuditSuppression":              `{"checkName": "OK_CHECK", "resourceIdentifier": {"clientId": "c"}, "suppressIndefinitely": true, "clientRequestToken": "c"}`,
	"DescribeAuditSuppression":            `{"checkName": "OK_CHECK", "resourceIdentifier": {"clientId": "a"}}`,
	"UpdateAuditSuppression":              `{"checkName": "OK_CHECK", "resourceIdentifier": {"clientId": "a"}, "description": "known"}`,
	"DeleteAuditSuppression":              `{"checkName": "OK_CHECK", "resourceIdentifier": {"clientId": "a"}}`,
	"ListAuditSuppressions":               `{}`,
	"TagResource":                         `{"resourceArn": "arn:aws:iot:us-east-1:000000000000:scheduledaudit/a", "tags": [{"Key": "k", "Value": "v"}]}`,
	"UntagResource":                       `{"resourceArn": "arn:aws:iot:us-east-1:000000000000:scheduledaudit/a", "tagKeys": ["k"]}`,
	"ListTagsForResource":                 `{"resourceArn": "arn:aws:iot:us-east-1:000000000000:scheduledaudit/a"}`,
}

// reads tells whether an operation changes nothing.
func reads(name string) bool {
	return strings.HasPrefix(name, "Describe") || strings.HasPrefix(name, "List")
}

// ready makes an engine that has something for each operation to work on.
func ready(t *testing.T) *script { return readyOn(t, nil) }

// readyOn makes what ready does on a Store.
func readyOn(t *testing.T, store engine.Store) *script {
	s := newScript(t, "DEVICE_CHECK", "OK_CHECK", "HOLD_CHECK", "RELATED_CHECK")
	s.config.EnableAll, s.config.Store = true, store
	for _, words := range []struct{ call, want string }{
		{`CreateScheduledAudit {"scheduledAuditName": "a", "frequency": "DAILY", "targetCheckNames": ["OK_CHECK"]}`, `{"scheduledAuditArn": "arn:aws:iot:us-east-1:000000000000:scheduledaudit/a"}`},
		{`StartOnDemandAuditTask {"targetCheckNames": ["DEVICE_CHECK"]}`, `{"taskId": "<ended>"}`},
		{`StartOnDemandAuditTask {"targetCheckNames": ["HOLD_CHECK"]}`, `{"taskId": "<held>"}`},
		{`StartOnDemandAuditTask {"targetCheckNames": ["RELATED_CHECK"]}`, `{"taskId": "<related>"}`},
		{`CreateAuditSuppression {"checkName": "OK_CHECK", "resourceIdentifier": {"clientId": "a"}, "suppressIndefinitely": true, "clientRequestToken": "a"}`, `{}`},
		{`CreateAuditSuppression {"checkName": "OK_CHECK", "resourceIdentifier": {"clientId": "b"}, "expirationDate": 978307200, "clientRequestToken": "b"}`, `{}`},
	} {
		s.step("ready", scriptStep{words: words.call, want: words.want})
	}
	for f, err := range s.engine.AuditFindings(t.Context(), &model.ListAuditFindingsInput{TaskID: s.vars["<related>"]}) {
		require.NoError(t, err)
		s.vars["<finding>"] = f.FindingID
	}
	return s
}

func (s *script) input(o engine.Operation) any {
	require.Contains(s, valid, o.Name)
	in := o.NewInput()
	require.NoError(s, json.Unmarshal([]byte(s.bound(valid[o.Name])), in))
	return in
}

// eachOperation runs a test for each operation, on an engine of its own.
func eachOperation(t *testing.T, test func(*testing.T, *script, engine.Operation)) {
	for _, o := range engine.Operations() {
		t.Run(o.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := ready(t)
				test(t, s, o)
				require.NoError(t, s.engine.Close())
			})
		})
	}
}

func TestOperationsTakeValidInput(t *testing.T) {
	eachOperation(t, func(t *testing.T, s *script, o engine.Operation) {
		out, err := o.Call(t.Context(), s.engine, s.input(o))
		require.NoError(t, err)
		if got, want := fmt.Sprintf("%T", out), "*model."+o.Name+"Output"; got != want {
			t.Errorf("Call returned a %s, not a %s", got, want)
		}
	})
}

func TestCanceledContext(t *testing.T) {
	cause := errors.New("the caller has left")
	eachOperation(t, func(t *testing.T, s *script, o engine.Operation) {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(cause)
		before := dump(t, s.engine, s.tasks)
		out, err := o.Call(ctx, s.engine, s.input(o))
		if out != nil || err != cause {
			t.Errorf("got %v, %v; want nil, %v", out, err, cause)
		}
		synctest.Wait()
		if diff := cmp.Diff(before, dump(t, s.engine, s.tasks)); diff != "" {
			t.Errorf("it changed something (-before +after):\n%s", diff)
		}
	})
}

func TestClosedEngine(t *testing.T) {
	eachOperation(t, func(t *testing.T, s *script, o engine.Operation) {
		s.release("HOLD_CHECK")
		synctest.Wait()
		in := s.input(o)
		writes := !reads(o.Name)
		var want any
		if !writes {
			var err error
			want, err = o.Call(t.Context(), s.engine, in)
			require.NoError(t, err)
		}
		before := dump(t, s.engine, s.tasks)
		require.NoError(t, s.engine.Close())
		got, err := o.Call(t.Context(), s.engine, in)
		switch {
		case writes && (got != nil || err != engine.ErrClosed):
			t.Errorf("got %v, %v; want nil, %v", got, err, engine.ErrClosed)
		case !writes && err != nil:
			t.Error(err)
		case !writes:
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("it answers otherwise than before (-before +after):\n%s", diff)
			}
		}
		if diff := cmp.Diff(before, dump(t, s.engine, s.tasks)); diff != "" {
			t.Errorf("it changed something (-before +after):\n%s", diff)
		}
	})
}

// A nil input is an empty one.
func TestNilInput(t *testing.T) {
	for _, o := range engine.Operations() {
		t.Run(o.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var answers [2]string
				for i, in := range []any{o.NewInput(), reflect.Zero(reflect.TypeOf(o.NewInput())).Interface()} {
					s := ready(t)
					answers[i] = answer(o.Call(t.Context(), s.engine, in))
					for name, id := range s.vars {
						answers[i] = strings.ReplaceAll(answers[i], id, name)
					}
					require.NoError(t, s.engine.Close())
				}
				if answers[0] != answers[1] {
					t.Errorf("an empty input: %s\na nil input: %s", answers[0], answers[1])
				}
			})
		})
	}
}

func TestCallRefusesOtherInputs(t *testing.T) {
	e, err := engine.New(engine.Config{Checks: []checks.Check{newStock().checks["OK_CHECK"]}})
	require.NoError(t, err)
	all := engine.Operations()
	for i, o := range all {
		other := all[(i+1)%len(all)]
		for in, name := range map[any]string{
			nil:              "<nil>",
			"{}":             "string",
			other.NewInput(): "*model." + other.Name + "Input",
		} {
			want := fmt.Sprintf("engine: %s takes a *model.%[1]sInput, not %s", o.Name, name)
			if out, err := o.Call(t.Context(), e, in); out != nil || err == nil || err.Error() != want {
				t.Errorf("got %v, %v; want nil, %s", out, err, want)
			}
		}
	}
}

// A frontend needs no code for any one operation: the table says what there is, and calls it.
func ExampleOperations() {
	e, err := engine.New(engine.Config{Checks: []checks.Check{newStock().checks["OK_CHECK"]}})
	if err != nil {
		panic(err)
	}
	defer e.Close()
	serve := func(method, path, body string) {
		for _, o := range engine.Operations() {
			if o.Method != method || o.Path != path {
				continue
			}
			in := o.NewInput()
			if err := json.Unmarshal([]byte(body), in); err != nil {
				fmt.Println(err)
				return
			}
			out, err := o.Call(context.Background(), e, in)
			if api, ok := errors.AsType[model.APIError](err); ok {
				fmt.Println(api.HTTPStatusCode(), api.ErrorCode(), api.ErrorMessage())
				return
			}
			b, err := json.Marshal(out)
			fmt.Println(string(b), err)
		}
	}
	serve("GET", "/audit/configuration", `{}`)
	serve("PATCH", "/audit/configuration", `{"auditCheckConfigurations": {"OK_CHECK": {"enabled": true}}}`)
	serve("POST", "/audit/tasks", `{"targetCheckNames": []}`)
	// Output:
	// {"auditCheckConfigurations":{"OK_CHECK":{"enabled":false}}} <nil>
	// 400 InvalidRequestException roleArn is required in the first call
	// 400 InvalidRequestException targetCheckNames must name at least one check
}

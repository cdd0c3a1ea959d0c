package model_test

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/fleetaudit/fleetaudit/model"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// TestMembers compares every member of every type with the facts, both ways: none is missing, none is
// invented, and shape, required and location are the same.
func TestMembers(t *testing.T) {
	f := readFacts(t)
	var names []string
	got := map[string][]model.Member{}
	for _, op := range operations {
		names = append(names, op.name)
		require.Equal(t, op.name+"Input", reflect.TypeOf(op.input).Name())
		require.Equal(t, op.name+"Output", reflect.TypeOf(op.output).Name())
		walk(t, f, got, op.name+"Request", reflect.TypeOf(op.input))
		walk(t, f, got, op.name+"Response", reflect.TypeOf(op.output))
	}
	if diff := cmp.Diff(f.operations, names); diff != "" {
		t.Errorf("operations (-facts +got):\n%s", diff)
	}
	if diff := cmp.Diff(f.structures, got); diff != "" {
		t.Errorf("members (-facts +got):\n%s", diff)
	}
}

// walk notes the members of a struct and of those nested in it, in the order of the fields, and wants
// the Go type of each to be one that its shape fits into.
func walk(t *testing.T, f facts, got map[string][]model.Member, structure string, typ reflect.Type) {
	t.Helper()
	if _, ok := got[structure]; ok {
		return
	}
	members := []model.Member{}
	for field := range typ.Fields() {
		m := model.MemberOf(field)
		members = append(members, m)
		fits(t, f, got, structure+"."+m.Name, m.Shape, field.Type)
	}
	got[structure] = members
}

func fits(t *testing.T, f facts, got map[string][]model.Member, at, shape string, typ reflect.Type) {
	t.Helper()
	if _, ok := f.structures[shape]; ok {
		if typ.Name() != shape || typ.Kind() != reflect.Struct {
			t.Errorf("%s is a %v, want the struct %s", at, typ, shape)
			return
		}
		walk(t, f, got, shape, typ)
		return
	}
	s := f.shapes[shape]
	switch s.Kind {
	case "list":
		require.Equal(t, reflect.Slice, typ.Kind(), at)
		fits(t, f, got, at+"[]", s.Elem, typ.Elem())
		return
	case "map":
		require.Equal(t, reflect.Map, typ.Kind(), at)
		fits(t, f, got, at+" key", s.Key, typ.Key())
		fits(t, f, got, at+".*", s.Elem, typ.Elem())
		return
	case "timestamp":
		if typ != reflect.TypeFor[model.Timestamp]() {
			t.Errorf("%s is a %v, want a Timestamp", at, typ)
		}
		return
	}
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	kinds := map[string][]reflect.Kind{
		"string": {reflect.String}, "boolean": {reflect.Bool},
		"integer": {reflect.Int, reflect.Int32}, "long": {reflect.Int64},
	}[s.Kind]
	if !slices.Contains(kinds, typ.Kind()) {
		t.Errorf("%s is a %v, want a %s (%s)", at, typ, s.Kind, shape)
	}
	if len(s.Enum) > 0 && typ.Name() != shape && departures[shape] == "" {
		t.Errorf("%s is a %v, want the enum %s", at, typ, shape)
	}
}

// TestShapes compares the table of constraints with the facts, both ways.
func TestShapes(t *testing.T) {
	f := readFacts(t)
	want := map[string]model.Fact{}
	for name, s := range f.shapes {
		if departures[s.Key] != "" || !f.constrained(s.Key) {
			s.Key = ""
		}
		if !f.constrained(s.Elem) { // a structure among them has its constraints in its tags
			s.Elem = ""
		}
		if departures[name] == "" && (f.constrained(name) || s.Key != "" || s.Elem != "") {
			s.Kind = ""
			want[name] = s
		}
	}
	if diff := cmp.Diff(want, model.ShapeRows()); diff != "" {
		t.Errorf("shapes (-facts +got):\n%s", diff)
	}
}

// TestDepartures keeps the list of departures honest: each is still one.
func TestDepartures(t *testing.T) {
	f := readFacts(t)
	configName := &model.UpdateAccountAuditConfigurationInput{AuditCheckConfigurations: map[string]model.AuditCheckConfiguration{
		"MY_CHECK": {Configuration: map[string]string{"MY_THRESHOLD": "7"}},
	}}
	emptyText := &model.ListAuditFindingsInput{TaskID: "t", ResourceIdentifier: model.ResourceIdentifier{
		PolicyVersionIdentifier: model.PolicyVersionIdentifier{PolicyName: "", PolicyVersionID: "1"},
	}}
	still := map[string]bool{
		"NAMERequest":  strings.HasSuffix(reflect.TypeOf(operations[0].input).Name(), "Input"),
		"NAMEResponse": strings.HasSuffix(reflect.TypeOf(operations[0].output).Name(), "Output"),
		"ConfigName":   len(f.shapes["ConfigName"].Enum) > 0 && len(model.Check(configName)) == 0,
		"AuditNotificationDetails.suppressedNonCompliantResourcesCount": !slices.ContainsFunc(readNotification(t),
			func(k notificationKey) bool { return strings.Contains(k.name, ".suppressed") }),
		"ThrottlingException": f.errors["ThrottlingException"][0] != strconv.Itoa(new(model.ThrottlingException).HTTPStatusCode()),
		"empty text":          f.shapes["PolicyName"].Min == 1 && len(model.Check(emptyText)) == 0,
	}
	for name, reason := range departures {
		if !still[name] || reason == "" {
			t.Errorf("%s is a departure no more", name)
		}
		delete(still, name)
	}
	for name := range still {
		t.Errorf("%s is not in the list of departures", name)
	}
}

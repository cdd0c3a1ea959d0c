package awsapi_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iot"
	smithytime "github.com/aws/smithy-go/time"
	"github.com/google/go-cmp/cmp"

	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

var timestampType = reflect.TypeFor[model.Timestamp]()

// sdkField is what the SDK calls a field of the model.
func sdkField(f reflect.StructField) string {
	name := model.MemberOf(f).Name
	return strings.ToUpper(name[:1]) + name[1:]
}

// sdkMembers returns the fields of a struct of the SDK that travel.
func sdkMembers(t reflect.Type) map[string]reflect.Type {
	members := make(map[string]reflect.Type)
	for i := range t.NumField() {
		if f := t.Field(i); f.IsExported() && f.Name != "ResultMetadata" {
			members[f.Name] = f.Type
		}
	}
	return members
}

// elem is what a pointer points to.
func elem(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

// sdkMethod returns the type of the client's method for an operation: its input is In(1), its output Out(0).
func sdkMethod(t *testing.T, o engine.Operation) reflect.Type {
	t.Helper()
	m, ok := reflect.TypeFor[*iot.Client]().MethodByName(o.Name)
	if !ok {
		t.Fatalf("the SDK has no operation %s", o.Name)
	}
	return reflect.FuncOf([]reflect.Type{m.Type.In(1), m.Type.In(2)}, []reflect.Type{m.Type.Out(0), m.Type.Out(1)}, false)
}

// outputOf returns the type of an operation's output in the model.
func outputOf(t *testing.T, o engine.Operation) reflect.Type {
	t.Helper()
	m, ok := reflect.TypeFor[*engine.Engine]().MethodByName(o.Name)
	if !ok {
		t.Fatalf("the engine has no operation %s", o.Name)
	}
	return m.Type.Out(0).Elem()
}

// The model and the SDK have the same members, all the way down, and the same values of enumerations.
func TestConformanceOfShapes(t *testing.T) {
	seen := make(map[reflect.Type]bool)
	for _, o := range engine.Operations() {
		m := sdkMethod(t, o)
		sameShape(t, seen, o.Name+"Input", reflect.TypeOf(o.NewInput()).Elem(), m.In(1).Elem())
		sameShape(t, seen, o.Name+"Output", outputOf(t, o), m.Out(0).Elem())
	}
}

func sameShape(t *testing.T, seen map[reflect.Type]bool, path string, ours, theirs reflect.Type) {
	ours, theirs = elem(ours), elem(theirs)
	if _, ok := theirs.MethodByName("Values"); ok && !seen[theirs] {
		seen[theirs] = true
		values := func(t reflect.Type) string {
			return fmt.Sprint(reflect.Zero(t).MethodByName("Values").Call(nil)[0].Interface())
		}
		if _, ok := ours.MethodByName("Values"); !ok {
			t.Errorf("%s: a %s is a %s", path, theirs, ours)
		} else if diff := cmp.Diff(strings.Fields(values(theirs)), strings.Fields(values(ours)), asSet); diff != "" {
			t.Errorf("%s (-SDK +model):\n%s", path, diff)
		}
	}
	switch {
	case ours == timestampType:
		if theirs != reflect.TypeFor[time.Time]() {
			t.Errorf("%s is a %s in the SDK", path, theirs)
		}
	case ours.Kind() == reflect.Int && theirs.Kind() == reflect.Int32: // counts
	case ours.Kind() != theirs.Kind():
		t.Errorf("%s is a %s in the model and a %s in the SDK", path, ours, theirs)
	case ours.Kind() == reflect.Slice || ours.Kind() == reflect.Map:
		sameShape(t, seen, path+"[]", ours.Elem(), theirs.Elem())
	case ours.Kind() == reflect.Struct:
		members := sdkMembers(theirs)
		var names []string
		for i := range ours.NumField() {
			f := ours.Field(i)
			names = append(names, sdkField(f))
			if m, ok := members[sdkField(f)]; ok {
				sameShape(t, seen, path+"."+model.MemberOf(f).Name, f.Type, m)
			}
		}
		if diff := cmp.Diff(slices.Collect(maps.Keys(members)), names, asSet); diff != "" {
			t.Errorf("%s has not the same members (-SDK +model):\n%s", path, diff)
		}
	}
}

// asSet compares lists in which the order does not count.
var asSet = cmp.Transformer("set", func(all []string) map[string]bool {
	set := make(map[string]bool, len(all))
	for _, s := range all {
		set[s] = true
	}
	return set
})

// direction is where a value travels to.
type direction int

const (
	toServer direction = iota
	toClient
)

// sdkValue returns what the SDK holds when it means v: absent is nil, and zero is not. Both have the same shape, as
// TestConformanceOfShapes says.
func sdkValue(v reflect.Value, as reflect.Type, to direction) reflect.Value {
	out := reflect.New(as).Elem()
	switch {
	case v.Kind() == reflect.Pointer:
		if !v.IsNil() {
			out.Set(sdkValue(v.Elem(), as, to))
		}
	case as.Kind() == reflect.Pointer:
		out.Set(reflect.New(as.Elem()))
		out.Elem().Set(sdkValue(v, as.Elem(), to))
	case v.Type() == timestampType:
		out.Set(reflect.ValueOf(sdkTime(v.Interface().(model.Timestamp), to)))
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); !leftOut(f, v.Field(i), to) {
				field := out.FieldByName(sdkField(f))
				field.Set(sdkValue(v.Field(i), field.Type(), to))
			}
		}
	case v.Kind() == reflect.Slice:
		out.Set(reflect.MakeSlice(as, v.Len(), v.Len()))
		for i := range v.Len() {
			out.Index(i).Set(sdkValue(v.Index(i), as.Elem(), to))
		}
	case v.Kind() == reflect.Map:
		out.Set(reflect.MakeMap(as))
		for _, k := range v.MapKeys() {
			out.SetMapIndex(k.Convert(as.Key()), sdkValue(v.MapIndex(k), as.Elem(), to))
		}
	default:
		out.Set(v.Convert(as))
	}
	return out
}

// sdkTime is a time as the SDK holds it. Of the number of epoch seconds that arrives it makes a float, and so now and
// then loses a millisecond.
func sdkTime(t model.Timestamp, to direction) time.Time {
	if to == toServer {
		return t.Time
	}
	return smithytime.ParseEpochSeconds(float64(t.UnixMilli()) / 1e3)
}

// leftOut tells whether a field does not travel at all. The model's tags say it of answers; a client sends a list that
// is empty and not nil.
func leftOut(f reflect.StructField, v reflect.Value, to direction) bool {
	tag := f.Tag.Get("json")
	empty := to == toClient && (v.Kind() == reflect.Slice || v.Kind() == reflect.Map) && v.Len() == 0
	return tag == "-" || strings.Contains(tag, ",omitempty") && (v.IsZero() || empty) ||
		strings.Contains(tag, ",omitzero") && isZero(v)
}

func isZero(v reflect.Value) bool {
	if t, ok := v.Interface().(model.Timestamp); ok {
		return t.IsZero()
	}
	return v.IsZero()
}

// leafPaths yields the path of every value that a type of the model can hold: findings[].resourceIdentifier.account.
func leafPaths(t reflect.Type, path string, yield func(path string)) {
	switch t = elem(t); {
	case t == timestampType:
		yield(path)
	case t.Kind() == reflect.Struct:
		for i := range t.NumField() {
			leafPaths(t.Field(i).Type, path+"."+model.MemberOf(t.Field(i)).Name, yield)
		}
	case t.Kind() == reflect.Slice || t.Kind() == reflect.Map:
		leafPaths(t.Elem(), path+"[]", yield)
	default:
		yield(path)
	}
}

// leaves yields the same paths for the values that v, which must be settable, holds and that are not zero, in a fixed
// order, each with a way to take it out.
func leaves(v reflect.Value, path string, yield func(path string, remove func())) {
	zero := func() { v.SetZero() }
	switch {
	case isZero(v):
	case v.Kind() == reflect.Pointer && v.Type().Elem().Kind() == reflect.Struct:
		leaves(v.Elem(), path, yield)
	case v.Kind() == reflect.Struct && v.Type() != timestampType:
		for i := range v.NumField() {
			leaves(v.Field(i), path+"."+model.MemberOf(v.Type().Field(i)).Name, yield)
		}
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			if v.Type().Elem().Kind() == reflect.Struct {
				leaves(v.Index(i), path+"[]", yield)
			} else {
				yield(path+"[]", func() { v.Set(reflect.AppendSlice(v.Slice(0, i), v.Slice(i+1, v.Len()))) })
			}
		}
	case v.Kind() == reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, k := range keys {
			if v.Type().Elem().Kind() != reflect.Struct {
				yield(path+"[]", func() { v.SetMapIndex(k, reflect.Value{}) })
				continue
			}
			own := reflect.New(v.Type().Elem()).Elem()
			own.Set(v.MapIndex(k))
			leaves(own, path+"[]", func(path string, remove func()) {
				yield(path, func() {
					remove()
					v.SetMapIndex(k, own)
				})
			})
		}
	default:
		yield(path, zero)
	}
}

// asSDK returns what the SDK makes of a value that arrives.
func asSDK[T any](v any) T {
	return sdkValue(reflect.ValueOf(v), reflect.TypeFor[T](), toClient).Interface().(T)
}

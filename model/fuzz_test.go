package model_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/fleetaudit/fleetaudit/model"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"
)

// presentable wants of problems what holds for any input: they say something, in printable characters,
// and at a length that does not grow with the input's.
func presentable(t *testing.T, problems model.Problems) {
	t.Helper()
	printable := func(s string) bool {
		return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) })
	}
	for _, p := range problems {
		if p.Field == "" || p.Reason == "" || !printable(p.String()) || len(p.Field) > 2000 || len(p.Value) > 1000 || len(p.Reason) > 300 {
			t.Fatalf("not presentable: %#v", p)
		}
	}
	err := problems.Err()
	if len(problems) == 0 {
		require.NoError(t, err)
		return
	}
	e, ok := errors.AsType[*model.InvalidRequestException](err)
	if !ok || len(e.Problems) != len(problems) || !printable(e.Message) || len(e.Message) > 400_000 ||
		!strings.HasPrefix(e.Message, problems[0].String()) {
		t.Fatalf("%d problems became %v", len(problems), err)
	}
}

// FuzzCheckJSON decodes any JSON into any input: Check does not panic, its problems are presentable, and
// an input without problems survives JSON.
func FuzzCheckJSON(f *testing.F) {
	for _, row := range readValidation(f) {
		for i, op := range operations {
			if op.name == row.operation {
				f.Add(byte(i), []byte(row.input))
			}
		}
	}
	f.Fuzz(func(t *testing.T, operation byte, doc []byte) {
		op := operations[int(operation)%len(operations)].name
		in, again := newInput(op), newInput(op)
		err := json.Unmarshal(doc, in)
		problems := model.Check(in) // what stands in a half-read input is no reason to panic either
		presentable(t, problems)
		if err != nil || len(problems) > 0 {
			return
		}
		require.NoError(t, json.Unmarshal([]byte(mustMarshal(t, in)), again))
		if diff := cmp.Diff(in, again, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%s %s (-sent +arrived):\n%s", op, doc, diff)
		}
		require.Empty(t, model.Check(again))
	})
}

// FuzzCheckText puts one text in place of every string of every input, invalid UTF-8 too, which JSON
// cannot carry: each place is judged.
func FuzzCheckText(f *testing.F) {
	for _, row := range readValidation(f) {
		f.Add(row.input)
	}
	for _, s := range []string{"", "\xff", "a\xc3", "\x00", "\u202e", strings.Repeat("\xff", 5000), strings.Repeat("\U000e0001", 5000)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, op := range operations {
			in := newInput(op.name)
			left := fill(reflect.ValueOf(in).Elem(), s)
			problems := model.Check(in)
			presentable(t, problems)
			if utf8.ValidString(s) {
				continue
			}
			for _, p := range problems {
				if p.Reason == "must be valid UTF-8" {
					left--
				}
			}
			if left != 0 {
				t.Fatalf("%s: %d strings of invalid UTF-8 %q were not told: %v", op.name, left, s, problems)
			}
		}
	})
}

// fill sets every string at or below v to s, those behind a pointer too, and gives their number. Lists get
// two elements, maps one.
func fill(v reflect.Value, s string) (n int) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(s)
		return 1
	case reflect.Pointer:
		if v.Type().Elem().Kind() == reflect.String {
			v.Set(reflect.New(v.Type().Elem()))
			return fill(v.Elem(), s)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[model.Timestamp]() {
			return 0
		}
		for i := range v.NumField() {
			n += fill(v.Field(i), s)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			n += fill(v.Index(i), s)
		}
	case reflect.Map:
		key, elem := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		n = fill(key, s) + fill(elem, s)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, elem)
	}
	return n
}

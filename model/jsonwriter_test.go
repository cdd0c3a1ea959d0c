package model_test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fleetaudit/fleetaudit/model"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// plainJSON is what encoding/json writes for v, which is a pointer to a struct, without a word of v's own methods. A nil
// list that is always written is empty, as MarshalJSON has it.
func plainJSON(v any) ([]byte, error) {
	s := reflect.ValueOf(v).Elem()
	var fields []reflect.StructField
	for f := range s.Type().Fields() {
		fields = append(fields, f)
	}
	plain := reflect.New(reflect.StructOf(fields)).Elem()
	for i := range fields {
		plain.Field(i).Set(s.Field(i))
		if f := plain.Field(i); f.Kind() == reflect.Slice && f.IsNil() && !strings.Contains(string(fields[i].Tag), ",omit") {
			f.Set(reflect.MakeSlice(f.Type(), 0, 0))
		}
	}
	return json.Marshal(plain.Interface())
}

// sameJSON compares AppendJSON with encoding/json, after something that is there before.
func sameJSON(t *testing.T, v any) {
	t.Helper()
	out, ok := v.(model.Output)
	require.True(t, ok, "%T is no Output", v)
	const before = "{before:"
	want, wantErr := plainJSON(v)
	got, err := model.AppendJSON([]byte(before), out)
	if (err != nil) != (wantErr != nil) {
		t.Fatalf("%T: error %v, and that of encoding/json is %v", v, err, wantErr)
	}
	if err != nil && !strings.Contains(wantErr.Error(), err.Error()) {
		t.Errorf("%T: error %v, and that of encoding/json is %v", v, err, wantErr)
	}
	if diff := cmp.Diff(before+string(want), string(got)); diff != "" {
		t.Errorf("%T (-encoding/json +got):\n%s", v, diff)
	}
	whole, err := json.Marshal(v)
	if (err != nil) != (wantErr != nil) || string(whole) != string(want) {
		t.Errorf("%T: json.Marshal gives %s, %v", v, whole, err)
	}
}

// TestAppendJSONText has each byte, and each kind of character, at each place of a word and beside each other.
func TestAppendJSONText(t *testing.T) {
	var pieces []string
	for c := range 256 {
		pieces = append(pieces, string([]byte{byte(c)}))
	}
	pieces = append(pieces, "é", "\u2027", "\u2028", "\u2029", "\u202a", "\ufffd", "😀", "\xed\xa0\x80", "\xf0\x9f\x98", "\xe2\x80")
	for _, piece := range pieces {
		for at := range 17 {
			for _, after := range []string{"", "x", "\\", "é"} {
				tag := &model.Tag{Key: strings.Repeat("a", at) + piece + after, Value: piece + piece} // which has no MarshalJSON
				got, err := model.AppendJSON(nil, tag)
				require.NoError(t, err)
				if want := mustMarshal(t, tag); string(got) != want {
					t.Errorf("%s, and encoding/json has %s", got, want)
				}
			}
		}
	}
}

// TestAppendJSONFull has every member of every output: none, all of them, and each by itself.
func TestAppendJSONFull(t *testing.T) {
	written := 0
	for _, op := range operations {
		typ := reflect.TypeOf(op.output)
		sameJSON(t, reflect.New(typ).Interface())
		for only := -1; only < typ.NumField(); only++ {
			v := reflect.New(typ)
			for i := range typ.NumField() {
				if only == -1 || i == only {
					(&filler{data: []byte(strings.Repeat("\x03<full>\x05", 500))}).fill(v.Elem().Field(i))
					written++
				}
			}
			sameJSON(t, v.Interface())
		}
	}
	if written < 50 {
		t.Errorf("only %d members were written", written)
	}
}

// TestAppendJSONErrors: a time that has no JSON is an error wherever it is, and nothing is written then.
func TestAppendJSONErrors(t *testing.T) {
	late := model.Timestamp{Time: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}
	for _, v := range []model.Output{
		&model.AuditFinding{FindingTime: late},
		&model.DescribeAuditFindingOutput{Finding: model.AuditFinding{TaskStartTime: late, FindingTime: late}},
		&model.ListAuditFindingsOutput{Findings: []model.AuditFinding{{}, {FindingTime: late}, {}}},
		&model.ListAuditSuppressionsOutput{Suppressions: []model.AuditSuppression{{ExpirationDate: late}}},
	} {
		got, err := model.AppendJSON([]byte("before"), v)
		require.EqualError(t, err, fmt.Sprintf("timestamp %v is not of year 1 to 9999", late.Time))
		require.Equal(t, "before", string(got))
		_, err = json.Marshal(v)
		require.ErrorContains(t, err, "is not of year 1 to 9999")
	}
}

// filler fills values with what data says; when it ends, with nothing.
type filler struct{ data []byte }

func (f *filler) next(n int) []byte {
	n = min(n, len(f.data))
	taken := f.data[:n]
	f.data = f.data[n:]
	return taken
}

func (f *filler) count(most int) int {
	if b := f.next(1); len(b) > 0 {
		return int(b[0]) % (most + 1)
	}
	return 0
}

func (f *filler) fill(v reflect.Value) {
	switch {
	case v.Type() == timestamp:
		var b [8]byte
		copy(b[:], f.next(f.count(8)))
		v.Set(reflect.ValueOf(model.Timestamp{Time: time.UnixMicro(int64(binary.LittleEndian.Uint64(b[:])))}))
		if f.count(3) == 0 {
			v.SetZero()
		}
	case v.Kind() == reflect.String:
		v.SetString(string(f.next(f.count(20))))
	case v.Kind() == reflect.Bool:
		v.SetBool(f.count(1) == 1)
	case v.CanInt():
		v.SetInt(int64(f.count(255)) << f.count(55))
	case v.Kind() == reflect.Pointer:
		if f.count(2) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			f.fill(v.Elem())
		}
	case v.Kind() == reflect.Slice:
		if n := f.count(4); n > 0 { // one is an empty list
			v.Set(reflect.MakeSlice(v.Type(), n-1, n))
			for i := range n - 1 {
				f.fill(v.Index(i))
			}
		}
	case v.Kind() == reflect.Map:
		if n := f.count(12); n > 0 {
			v.Set(reflect.MakeMap(v.Type()))
			for range n - 1 {
				key, elem := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
				f.fill(key)
				f.fill(elem)
				v.SetMapIndex(key, elem)
			}
		}
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			f.fill(v.Field(i))
		}
	default:
		panic(v.Type())
	}
}

// FuzzAppendJSON holds AppendJSON against encoding/json, for any output with anything in it.
func FuzzAppendJSON(f *testing.F) {
	for i := range operations {
		f.Add(byte(i), []byte(strings.Repeat("\x04<\u2028\xff\"\x00>", 40)))
		f.Add(byte(i), []byte(strings.Repeat("\x02\x07\x01a&b\\c\t\x0e", 60)))
	}
	f.Fuzz(func(t *testing.T, operation byte, data []byte) {
		v := reflect.New(reflect.TypeOf(operations[int(operation)%len(operations)].output))
		(&filler{data: data}).fill(v.Elem())
		sameJSON(t, v.Interface())
	})
}

package strictjson_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/fleetaudit/fleetaudit/checks/internal/strictjson"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// errorRows are the rows of testdata/errors.txt: a document and an error each.
func errorRows(t testing.TB) (rows [][2]string) {
	t.Helper()
	file, err := os.Open("testdata/errors.txt")
	require.NoError(t, err)
	defer file.Close()
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		line := scanner.Text()
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		document, want, ok := strings.Cut(line, " | ")
		require.True(t, ok, line)
		parts := strings.Split(strings.ReplaceAll(document, "¶", "\n"), `\x`)
		for i := 1; i < len(parts); i++ {
			b, err := strconv.ParseUint(parts[i][:2], 16, 8)
			require.NoError(t, err, line)
			parts[i] = string([]byte{byte(b)}) + parts[i][2:]
		}
		rows = append(rows, [2]string{strings.Join(parts, ""), want})
	}
	return rows
}

func TestParseErrors(t *testing.T) {
	rows := errorRows(t)
	for _, row := range rows {
		v, err := strictjson.Parse([]byte(row[0]))
		if err == nil || v != nil {
			t.Errorf("%q: %v, want %s", row[0], v, row[1])
			continue
		}
		if diff := cmp.Diff(row[1], err.Error()); diff != "" {
			t.Errorf("%q (-want +got):\n%s", row[0], diff)
		}
		holdsPosition(t, row[0], err)
	}
	if len(rows) < 50 {
		t.Errorf("only %d rows", len(rows))
	}
}

// holdsPosition counts lines and columns in another way.
func holdsPosition(t *testing.T, data string, err error) {
	t.Helper()
	e, ok := errors.AsType[*strictjson.Error](err)
	if !ok || e.Offset < 0 || e.Offset > int64(len(data)) || e.Problem == "" {
		t.Fatalf("%q: %#v", data, err)
	}
	before := strings.Split(strings.TrimPrefix(data[:e.Offset], "\uFEFF"), "\n")
	if column := len([]rune(before[len(before)-1])) + 1; e.Line != len(before) || e.Column != column {
		t.Errorf("%q: %v, but offset %d is line %d, column %d", data, err, e.Offset, len(before), column)
	}
}

// plain is what encoding/json makes of v. It holds each value against what stands at its offset, and against the
// path that an error about it has.
func plain(t *testing.T, data []byte, v *strictjson.Value, path string) any {
	t.Helper()
	e, ok := errors.AsType[*strictjson.Error](v.Errorf("is here"))
	if !ok || e.Path != strings.TrimPrefix(path, ".") || e.Offset != v.Offset {
		t.Errorf("the error about %s at %d is %v", path, v.Offset, e)
	}
	holdsPosition(t, string(data), e)
	rest := data[v.Offset:]
	switch v.Kind {
	case strictjson.Object:
		all := make(map[string]any)
		for i := range v.Members {
			m := &v.Members[i]
			name, _ := json.NewDecoder(bytes.NewReader(data[m.NameOffset:])).Token()
			under := path + "." + m.Name
			if !isPlain(m.Name) {
				e, _ := errors.AsType[*strictjson.Error](m.Errorf(""))
				under = e.Path // how names are quoted is told by rows
			}
			if err, _ := errors.AsType[*strictjson.Error](m.Errorf("is here")); name != m.Name || err.Offset != m.NameOffset || err.Path != strings.TrimPrefix(under, ".") {
				t.Errorf("name %q, but %v stands at %d: %v", m.Name, name, m.NameOffset, err)
			}
			all[m.Name] = plain(t, data, &m.Value, under)
		}
		if rest[0] != '{' || v.Elems != nil {
			t.Errorf("no object: %q", rest)
		}
		return all
	case strictjson.List:
		all := []any{}
		for i := range v.Elems {
			all = append(all, plain(t, data, &v.Elems[i], fmt.Sprintf("%s[%d]", path, i)))
		}
		if rest[0] != '[' || v.Members != nil {
			t.Errorf("no list: %q", rest)
		}
		return all
	case strictjson.String:
		if text, _ := json.NewDecoder(bytes.NewReader(rest)).Token(); text != v.Text {
			t.Errorf("%q, but %v stands at %d", v.Text, text, v.Offset)
		}
		return v.Text
	}
	if !bytes.HasPrefix(rest, []byte(v.Text)) {
		t.Errorf("%q, but %q stands at %d", v.Text, rest, v.Offset)
	}
	switch v.Kind {
	case strictjson.Number:
		return json.Number(v.Text)
	case strictjson.Bool:
		return v.Text == "true"
	}
	return nil
}

func isPlain(name string) bool {
	return name != "" && len(name) <= 80 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == ""
}

func FuzzParse(f *testing.F) {
	for _, row := range errorRows(f) {
		f.Add([]byte(row[0]))
	}
	f.Add([]byte(`{"a":[1,-2.50e+3,true,false,null,"\"\\\u00e9\ud83d\ude00\ufffd�"],"b c":{"":{},"d":[]}}`))
	f.Add([]byte("\uFEFF \t\r\n{\"a\":\n[\"é\",\n 1 , 2 ] }\n"))
	f.Add([]byte(`{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9,"j":10}`))
	f.Add([]byte(`[` + strings.Repeat(`"é",`+"\n", 3000) + `1]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := strictjson.Parse(data)
		if err != nil {
			holdsPosition(t, string(data), err)
			return
		}
		decoder := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, []byte("\uFEFF"))))
		decoder.UseNumber()
		var want any
		if err := decoder.Decode(&want); err != nil {
			t.Fatalf("encoding/json does not take it: %v", err)
		}
		if len(data) > 2000 {
			return // plain takes too long
		}
		if got := plain(t, data, v, ""); !reflect.DeepEqual(got, want) { // cmp.Diff takes 2 to the power of the depth
			t.Errorf("encoding/json reads %#v, we %#v", want, got)
		}
		// Two of it one after another are the same value twice.
		n := 0
		for again, err := range strictjson.Values(append(append(bytes.Clone(data), '\n'), bytes.TrimPrefix(data, []byte("\uFEFF"))...)) {
			if err != nil || again.Kind != v.Kind || again.Text != v.Text || len(again.Members)+len(again.Elems) != len(v.Members)+len(v.Elems) {
				t.Errorf("value %d is %v, error %v", n, again, err)
			}
			n++
		}
		if n != 2 {
			t.Errorf("there are %d values", n)
		}
	})
}

func TestParse(t *testing.T) {
	var deep any = json.Number("0")
	for range strictjson.MaxDepth {
		deep = []any{deep}
	}
	for document, want := range map[string]any{
		"null":                           nil,
		" \r\n\t true ":                  true,
		"\uFEFF-1.50e3":                  json.Number("-1.50e3"),
		`"\u0000é\ud83d\ude00\\ud800\/"`: "\x00é😀\\ud800/",
		`"\ufffd�\uFFFD\\"`:              "���\\",
		`"\ufffd\ud83d\ude00"`:           "�😀",
		`{"a":[],"A":{},"":{"a":[{}]}}`:  map[string]any{"a": []any{}, "A": map[string]any{}, "": map[string]any{"a": []any{map[string]any{}}}},
		`{"1":1,"2":2,"3":3,"4":4,"5":5,"6":6,"7":7,"8":8,"9":"x"}`:                               map[string]any{"1": json.Number("1"), "2": json.Number("2"), "3": json.Number("3"), "4": json.Number("4"), "5": json.Number("5"), "6": json.Number("6"), "7": json.Number("7"), "8": json.Number("8"), "9": "x"},
		strings.Repeat("[", strictjson.MaxDepth) + "0" + strings.Repeat("]", strictjson.MaxDepth): deep,
	} {
		v, err := strictjson.Parse([]byte(document))
		require.NoError(t, err, document)
		if got := plain(t, []byte(document), v, ""); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %#v, want %#v", document, got, want)
		}
	}
}

func TestValues(t *testing.T) {
	for _, row := range []struct {
		data string
		want []string // texts, or kinds, and the error
	}{
		{"", nil},
		{" \n\n", nil},
		{"\uFEFF", nil},
		{"{}", []string{"an object"}},
		{"{\"a\":1}\n{\"a\":2}\n", []string{"an object", "an object"}},
		{"{}[] \"x\" \n\n1", []string{"an object", "a list", "x", "1"}},
		{"\uFEFF1\n2", []string{"1", "2"}},
		{"1\n{\"a\":1,\n\"a\":2}\n3", []string{"1", "line 3, column 1: a is there twice, first in line 2, column 2"}},
		{"1\n[2,]\n3", []string{"1", "line 2, column 4: [1] is no JSON: invalid character ']' looking for beginning of value"}},
		{"{}\n,\n{}", []string{"an object", "line 2, column 1: the document is no JSON: invalid character ',' looking for beginning of value"}},
		{"1\n2\n]", []string{"1", "2", "line 3, column 1: the document is no JSON: invalid character ']' looking for beginning of value"}},
		{"1\n[\n", []string{"1", "line 3, column 1: the document is no JSON: it ends too early"}},
		{"1\n\uFEFF2", []string{"1", "line 2, column 1: the document is no JSON: invalid character 'ï' looking for beginning of value"}},
	} {
		var got []string
		for v, err := range strictjson.Values([]byte(row.data)) {
			switch {
			case err != nil:
				got = append(got, err.Error())
				holdsPosition(t, row.data, err)
			case v.Text == "":
				got = append(got, v.Kind.String())
			default:
				got = append(got, v.Text)
			}
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", row.data, diff)
		}
	}
	for v := range strictjson.Values([]byte("1 2 x")) {
		if v.Text == "2" {
			break
		}
	}
}

// TestLong reads long documents, and makes errors about all of their parts: in proportion to the square of the parts
// this would take minutes.
func TestLong(t *testing.T) {
	var many strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&many, `"é%d":1,`, i)
	}
	for name, data := range map[string]string{
		"members":  "{" + many.String() + `"x":1}`,
		"elements": "[" + strings.Repeat(`"é é é é é é é é",`, 30_000) + "1]",
	} {
		v, err := strictjson.Parse([]byte(data))
		require.NoError(t, err, name)
		parts := len(v.Elems) + len(v.Members)
		for i := range v.Elems {
			err = v.Elems[i].Errorf("is here")
		}
		for i := range v.Members {
			err = v.Members[i].Errorf("is here")
		}
		require.Greater(t, parts, 20_000, name)
		holdsPosition(t, data, err)
	}
	n := 0
	for v, err := range strictjson.Values([]byte(strings.Repeat("{\"a\":1}\n", 30_000))) {
		require.NoError(t, err)
		if err := v.Members[0].Errorf("is here"); n == 29_999 && err.Error() != "line 30000, column 2: a is here" {
			t.Error(err)
		}
		n++
	}
	require.Equal(t, 30_000, n)
}

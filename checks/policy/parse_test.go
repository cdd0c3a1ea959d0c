package policy_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/fleetaudit/fleetaudit/checks/policy"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// errorRows are the rows of testdata/parse-errors.txt: a document and an error each.
func errorRows(t testing.TB) (rows [][2]string) {
	t.Helper()
	file, err := os.Open("testdata/parse-errors.txt")
	require.NoError(t, err)
	defer file.Close()
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		line := scanner.Text()
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		document, want, ok := strings.Cut(line, " | ")
		require.True(t, ok, line)
		document = strings.ReplaceAll(document, "¶", "\n")
		for _, member := range []string{"Effect", "Action", "Sid", "NotPrincipal"} {
			if strings.HasPrefix(document, `{"`+member+`"`) {
				document = `{"Statement":` + document + "}"
				break
			}
		}
		rows = append(rows, [2]string{document, want})
	}
	return rows
}

func TestParseErrors(t *testing.T) {
	rows := errorRows(t)
	for _, row := range rows {
		document, want := row[0], row[1]
		d, err := policy.Parse([]byte(document))
		if err == nil || d != nil {
			t.Errorf("%s: %v, want %s", document, d, want)
			continue
		}
		if diff := cmp.Diff(want, err.Error()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", document, diff)
		}
		holdsPosition(t, document, err)
	}
	if len(rows) < 80 {
		t.Errorf("only %d rows", len(rows))
	}
}

// holdsPosition counts lines and columns in another way.
func holdsPosition(t *testing.T, document string, err error) {
	t.Helper()
	e, ok := errors.AsType[*policy.SyntaxError](err)
	if !ok || e.Offset < 0 || e.Offset > int64(len(document)) || e.Problem == "" {
		t.Fatalf("%q: %#v", document, err)
	}
	before := strings.Split(strings.TrimPrefix(document[:e.Offset], "\uFEFF"), "\n")
	column := len([]rune(before[len(before)-1])) + 1
	if e.Line != len(before) || e.Column != column {
		t.Errorf("%q: %v, but offset %d is line %d, column %d", document, err, e.Offset, len(before), column)
	}
}

// TestParseLimits has documents that are too large for rows.
func TestParseLimits(t *testing.T) {
	const head, tail = `{"Statement":{"Effect":"Allow","Resource":"*","Action":`, `}}`
	actions := func(n int) string { return head + `["a:b"` + strings.Repeat(`,"a:b"`, n-1) + `]` + tail }
	padded := func(characters int) string {
		return head + `"*"` + tail + strings.Repeat(" ", characters-len(head+`"*"`+tail))
	}
	empty := func(n int) string {
		var keys []string
		for i := range n {
			keys = append(keys, fmt.Sprintf(`"k%d":[]`, i))
		}
		return head + `"*","Condition":{"Bool":{` + strings.Join(keys, ",") + `}}` + tail
	}
	wide := head + `"*","Sid":"` + strings.Repeat("é", 400_000) + `"` + tail
	for _, row := range []struct{ name, document, want string }{
		{"length", padded(policy.MaxLength), ""},
		{"length and one", padded(policy.MaxLength + 1), "line 1, column 1: the document has 404601 characters, and may have 404600"},
		{"length in characters", wide, ""},
		{"not UTF-8", "{\"Statement\":[],\"Id\":\n\"é\xff\"}", "line 2, column 3: Id is not UTF-8: byte 0xff"},
		{"not UTF-8 outside", "\xff", "line 1, column 1: the document is no JSON: invalid character 'ÿ' looking for beginning of value"},
		{"byte order mark", "\uFEFF" + `{"Statement":[]}`, ""},
		{"byte order mark, then wrong", "\uFEFF" + `{"Statement":7}`, "line 1, column 14: Statement 7 must be an object, or a list of them"},
		{"two byte order marks", "\uFEFF\uFEFF" + `{"Statement":[]}`, "line 1, column 1: the document is no JSON: invalid character 'ï' looking for beginning of value"},
		{"depth 32", strings.Repeat("[", 32) + strings.Repeat("]", 32), "line 1, column 1: the document must be an object, is a list"},
		{"depth 33", strings.Repeat("[", 33), "line 1, column 33: " + strings.Repeat("[0]", 32) + " is deeper than 32 lists and objects"},
		{"depth 300,000", strings.Repeat("[", 300_000), "line 1, column 33: " + strings.Repeat("[0]", 32) + " is deeper than 32 lists and objects"},
		{"patterns", actions(policy.MaxPatterns - 1), ""},
		{"patterns and one", actions(policy.MaxPatterns), "line 1, column 43: Statement.Resource is one too many: there may be 10000 actions, resources and values of conditions"},
		{"actions and one", actions(policy.MaxPatterns + 1), "line 1, column 60057: Statement.Action[10000] is one too many: there may be 10000 actions, resources and values of conditions"},
		{"empty conditions", empty(policy.MaxPatterns - 2), ""},
		{"empty conditions and one", empty(policy.MaxPatterns - 1), "line 1, column 108957: Statement.Condition.Bool.k9998 is one too many: there may be 10000 actions, resources and values of conditions"},
		{"many members", `{"Statement":{"Effect":"Allow"` + members(20_000) + `}}`, "line 1, column 32: Statement.m0 is unknown; the members are Sid, Effect, Action, NotAction, Resource, NotResource, Condition"},
		{"long name", `{"` + strings.Repeat("x", 300_000) + `":1}`, `line 1, column 2: ["` + strings.Repeat("x", 80) + `"... (300000 characters)] is unknown; the members are Version, Id, Statement`},
		{"long number", `{"Statement":[],"Id":1` + strings.Repeat("0", 300_000) + `}`, "line 1, column 22: Id 1" + strings.Repeat("0", 79) + " must be a string"},
	} {
		_, err := policy.Parse([]byte(row.document))
		if row.want == "" {
			if err != nil {
				t.Errorf("%s: %v", row.name, err)
			}
			continue
		}
		if err == nil {
			t.Errorf("%s is taken", row.name)
		} else if diff := cmp.Diff(row.want, err.Error()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}

func members(n int) string {
	var all strings.Builder
	for i := range n {
		fmt.Fprintf(&all, `,"m%d":%d`, i, i)
	}
	return all.String()
}

func TestParse(t *testing.T) {
	all := []string{"*"}
	for _, row := range []struct {
		document string
		want     policy.Document
	}{
		{`{"Version":"2012-10-17","Statement":[]}`, policy.Document{Version: "2012-10-17"}},
		{` {"Statement" : [ ] } `, policy.Document{Version: "2008-10-17"}},
		{`{"Statement":{"Resource":"*","Action":"*","Effect":"Deny"},"Version":"2008-10-17","Id":"\ud83d\ude00é"}`, policy.Document{
			Version: "2008-10-17", ID: "😀é",
			Statements: []policy.Statement{{Effect: policy.Deny, Actions: all, Resources: all}},
		}},
		{`{"Statement":[{"Sid":"","Effect":"Allow","NotAction":["S3:Get*","*:*","a4b:x-_.?"],"NotResource":["arn:aws:iot:*","\ufffd"]},
			{"Effect":"Deny","Action":["*"],"Resource":"anything","Condition":{}}]}`, policy.Document{
			Version: "2008-10-17",
			Statements: []policy.Statement{
				{Effect: policy.Allow, NotActions: []string{"S3:Get*", "*:*", "a4b:x-_.?"}, NotResources: []string{"arn:aws:iot:*", "\ufffd"}},
				{Effect: policy.Deny, Actions: all, Resources: []string{"anything"}},
			},
		}},
		{`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{
			"StringEquals":{"iot:ClientId":["a",""],"aws:RequestTag/a.b":"${iot:Connection.Thing.ThingName}"},
			"ForAllValues:StringLikeIfExists":{"IOT:ClientId":"*"},
			"Bool":{"aws:SecureTransport":true,"aws:ViaAWSService":[false,"TRUE"]},
			"Null":{},
			"ForAllValues:StringEquals":{"iot:ConnectAttributes":[]},
			"NumericLessThan":{"s3:max-keys":[10,-1.50e3]},
			"ForAnyValue:Null":{"a":"true"}}}}`, policy.Document{
			Version: "2008-10-17",
			Statements: []policy.Statement{{Effect: policy.Allow, Actions: all, Resources: all, Conditions: []policy.Condition{
				{Operator: "StringEquals", Key: "iot:ClientId", Values: []string{"a", ""}},
				{Operator: "StringEquals", Key: "aws:RequestTag/a.b", Values: []string{"${iot:Connection.Thing.ThingName}"}},
				{Operator: "ForAllValues:StringLikeIfExists", Key: "IOT:ClientId", Values: []string{"*"}},
				{Operator: "Bool", Key: "aws:SecureTransport", Values: []string{"true"}},
				{Operator: "Bool", Key: "aws:ViaAWSService", Values: []string{"false", "TRUE"}},
				{Operator: "ForAllValues:StringEquals", Key: "iot:ConnectAttributes", Values: []string{}},
				{Operator: "NumericLessThan", Key: "s3:max-keys", Values: []string{"10", "-1.50e3"}},
				{Operator: "ForAnyValue:Null", Key: "a", Values: []string{"true"}},
			}}},
		}},
	} {
		got, err := policy.Parse([]byte(row.document))
		require.NoError(t, err, row.document)
		if diff := cmp.Diff(&row.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.document, diff)
		}
	}
}

// operators are all condition operators without a prefix or suffix.
var operators = strings.Fields(`StringEquals StringNotEquals StringEqualsIgnoreCase StringNotEqualsIgnoreCase StringLike StringNotLike
	NumericEquals NumericNotEquals NumericLessThan NumericLessThanEquals NumericGreaterThan NumericGreaterThanEquals
	DateEquals DateNotEquals DateLessThan DateLessThanEquals DateGreaterThan DateGreaterThanEquals
	Bool BinaryEquals IpAddress NotIpAddress ArnEquals ArnNotEquals ArnLike ArnNotLike Null`)

func TestParseOperators(t *testing.T) {
	for _, prefix := range []string{"", "ForAllValues:", "ForAnyValue:", "ForNoValue:", "ForAnyValue"} {
		for _, operator := range append(operators, "", "Like", "StringMatches", "NotBool") {
			for _, suffix := range []string{"", "IfExists", "ifExists", " "} {
				document := fmt.Sprintf(`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"%s%s%s":{"a":"b"}}}}`, prefix, operator, suffix)
				want := slices.Contains(operators, operator) && !strings.Contains(prefix, "No") && prefix != "ForAnyValue" &&
					(suffix == "" || suffix == "IfExists" && operator != "Null")
				if _, err := policy.Parse([]byte(document)); (err == nil) != want {
					t.Errorf("%s%s%s: %v", prefix, operator, suffix, err)
				}
			}
		}
	}
}

// encode writes a Document as JSON. Members are in the order that they have in d.
func encode(d *policy.Document) []byte {
	var b bytes.Buffer
	value := func(v any) {
		text, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		b.Write(text)
	}
	member := func(name string, v any) {
		b.WriteString(`,"` + name + `":`)
		value(v)
	}
	b.WriteString(`{"Version":`)
	value(d.Version)
	member("Id", d.ID)
	b.WriteString(`,"Statement":[`)
	for i, s := range d.Statements {
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString(`{"Effect":`)
		value(s.Effect)
		member("Sid", s.Sid)
		for name, patterns := range map[string][]string{
			"Action": s.Actions, "NotAction": s.NotActions, "Resource": s.Resources, "NotResource": s.NotResources,
		} {
			if patterns != nil {
				member(name, patterns)
			}
		}
		b.WriteString(`,"Condition":{`)
		for j, c := range s.Conditions {
			switch {
			case j > 0 && c.Operator == s.Conditions[j-1].Operator:
				b.WriteString(",")
			case j > 0:
				b.WriteString("},")
				fallthrough
			default:
				value(c.Operator)
				b.WriteString(":{")
			}
			value(c.Key)
			b.WriteString(":")
			value(c.Values)
		}
		if len(s.Conditions) > 0 {
			b.WriteString("}")
		}
		b.WriteString("}}")
	}
	b.WriteString("]}")
	return b.Bytes()
}

func FuzzParse(f *testing.F) {
	for _, row := range errorRows(f) {
		f.Add([]byte(row[0]))
	}
	f.Add([]byte(`{"Version":"2012-10-17","Id":"a","Statement":[{"Sid":"b","Effect":"Allow","Action":"iot:*","NotResource":["*"]}]}`))
	f.Add([]byte(`{"Statement":{"Effect":"Deny","NotAction":["*"],"Resource":"é","Condition":{"Bool":{"a":true,"b":[1,"2"]},"Null":{}}}}`))
	f.Add([]byte("\uFEFF" + `{"Statement":{"Effect":"Deny","NotAction":["*"],"Resource":"\ud83d\ude00\u2028"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := policy.Parse(data)
		if err != nil {
			holdsPosition(t, string(data), err)
			return
		}
		data = bytes.TrimPrefix(data, []byte("\uFEFF"))
		if !json.Valid(data) {
			t.Fatal("encoding/json does not take it")
		}
		var compact, indented bytes.Buffer
		require.NoError(t, json.Compact(&compact, data))
		require.NoError(t, json.Indent(&indented, data, "\r", "\t"))
		for name, same := range map[string][]byte{"encoded": encode(d), "compact": compact.Bytes(), "indented": indented.Bytes()} {
			again, err := policy.Parse(same)
			if err != nil {
				if indented.Len() > policy.MaxLength || len(encode(d)) > policy.MaxLength {
					continue // it was just short enough
				}
				t.Fatalf("%s: %v\n%s", name, err, same)
			}
			if diff := cmp.Diff(d, again); diff != "" {
				t.Errorf("%s (-first +again):\n%s", name, diff)
			}
		}
	})
}

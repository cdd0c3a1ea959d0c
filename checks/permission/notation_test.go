package permission_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
)

// document is a policy in the tests' own notation, made ready to be spelt in JSON:
//
//	allow iot:Connect on client/* if Bool iot:Connection.Thing.IsAttached=true; deny not iot:Publish on not topic/x
//
// Lists have commas and no spaces; an empty one of values is []. A resource that is neither * nor an ARN is one of AWS IoT.
type document struct {
	Version   string
	Statement []statement
}

type statement struct {
	Effect      string
	Action      []string                       `json:",omitempty"`
	NotAction   []string                       `json:",omitempty"`
	Resource    []string                       `json:",omitempty"`
	NotResource []string                       `json:",omitempty"`
	Condition   map[string]map[string][]string `json:",omitempty"`
}

const iotPrefix = "arn:aws:iot:us-east-1:123456789012:"

// parseRole reads the policies of a role.
func parseRole(t testing.TB, s string) (all []document) {
	t.Helper()
	for part := range strings.SplitSeq(s, " + ") {
		all = append(all, parseDocument(t, part))
	}
	return all
}

func parseDocument(t testing.TB, s string) document {
	t.Helper()
	d := document{Version: "2012-10-17"}
	if version, rest, ok := strings.Cut(s, " "); ok && unicode.IsDigit(rune(s[0])) {
		d.Version, s = version, rest
	}
	for part := range strings.SplitSeq(s, "; ") {
		d.Statement = append(d.Statement, parseStatement(t, part))
	}
	return d
}

func parseStatement(t testing.TB, s string) (st statement) {
	t.Helper()
	words, conditions, conditional := strings.Cut(s, " if ")
	what, resources, ok := strings.Cut(words, " on ")
	effect, actions, ok2 := strings.Cut(what, " ")
	require.True(t, ok && ok2, "statement %q", s)
	st.Effect = map[string]string{"allow": "Allow", "deny": "Deny"}[effect]
	require.NotEmpty(t, st.Effect, "statement %q", s)
	if rest, not := strings.CutPrefix(actions, "not "); not {
		st.NotAction = strings.Split(rest, ",")
	} else {
		st.Action = strings.Split(actions, ",")
	}
	rest, not := strings.CutPrefix(resources, "not ")
	list := strings.Split(rest, ",")
	for i, r := range list {
		if r != "*" && !strings.HasPrefix(r, "arn:") {
			list[i] = iotPrefix + r
		}
	}
	if not {
		st.NotResource = list
	} else {
		st.Resource = list
	}
	if conditional {
		st.Condition = make(map[string]map[string][]string)
		for c := range strings.SplitSeq(conditions, " and ") {
			operator, rest, _ := strings.Cut(c, " ")
			key, values, ok := strings.Cut(rest, "=")
			require.True(t, ok, "condition %q", c)
			if st.Condition[operator] == nil {
				st.Condition[operator] = make(map[string][]string)
			}
			st.Condition[operator][key] = strings.Split(values, ",")
			if values == "[]" {
				st.Condition[operator][key] = []string{}
			}
		}
	}
	return st
}

// text is the JSON of a document.
func (d document) text(t testing.TB) []byte {
	t.Helper()
	data, err := json.Marshal(d)
	require.NoError(t, err)
	return data
}

// part is what a list of a statement holds.
type part int

const (
	actions part = iota
	resources
	values // of conditions
)

// edited returns a copy of a document with every list put through a function, which may change it.
func (d document) edited(edit func(list []string, of part) []string) document {
	all := make([]statement, len(d.Statement))
	for i, st := range d.Statement {
		for _, l := range []*[]string{&st.Action, &st.NotAction} {
			*l = edit(slices.Clone(*l), actions)
		}
		for _, l := range []*[]string{&st.Resource, &st.NotResource} {
			*l = edit(slices.Clone(*l), resources)
		}
		st.Condition = maps.Clone(st.Condition)
		for operator, keys := range st.Condition {
			keys = maps.Clone(keys)
			for key, list := range keys {
				keys[key] = edit(slices.Clone(list), values)
			}
			st.Condition[operator] = keys
		}
		all[i] = st
	}
	d.Statement = all
	return d
}

// spelling writes a document in some way. All of them mean the same.
type spelling struct {
	name  string
	write func(testing.TB, document) []byte
	cased bool // names that no check knows are repeated as they are spelt, so the words of a finding may differ
}

func spellings() []spelling {
	cased := func(change func(string) string) func(testing.TB, document) []byte {
		return func(t testing.TB, d document) []byte {
			return d.edited(func(list []string, of part) []string {
				for i := range list {
					if of == actions {
						list[i] = change(list[i])
					}
				}
				return list
			}).text(t)
		}
	}
	return []spelling{
		{name: "plain", write: func(t testing.TB, d document) []byte { return d.text(t) }},
		{name: "actions in capitals", cased: true, write: cased(strings.ToUpper)},
		{name: "actions in small letters", cased: true, write: cased(strings.ToLower)},
		{name: "actions in both", cased: true, write: cased(func(s string) string {
			up := false
			return strings.Map(func(r rune) rune {
				if up = !up; up {
					return unicode.ToUpper(r)
				}
				return unicode.ToLower(r)
			}, s)
		})},
		{name: "condition keys in capitals", write: func(t testing.TB, d document) []byte {
			d = d.edited(func(list []string, _ part) []string { return list }) // a copy
			for _, st := range d.Statement {
				for operator, keys := range st.Condition {
					capitals := make(map[string][]string)
					for key, list := range keys {
						capitals[strings.ToUpper(key)] = list
					}
					st.Condition[operator] = capitals
				}
			}
			return d.text(t)
		}},
		{name: "members backwards", write: func(t testing.TB, d document) []byte { return backwards(t, d.tree(t)) }},
		{name: "lists backwards", write: func(t testing.TB, d document) []byte {
			d = d.edited(func(list []string, _ part) []string { slices.Reverse(list); return list })
			slices.Reverse(d.Statement)
			return d.text(t)
		}},
		{name: "lists with everything twice", write: func(t testing.TB, d document) []byte {
			d = d.edited(func(list []string, _ part) []string { return append(list, list...) })
			d.Statement = append(d.Statement, d.Statement...)
			return d.text(t)
		}},
		{name: "strings and objects for lists of one", write: func(t testing.TB, d document) []byte {
			data, err := json.Marshal(unwrap(d.tree(t)))
			require.NoError(t, err)
			return data
		}},
		{name: "white space", write: func(t testing.TB, d document) []byte {
			var b bytes.Buffer
			require.NoError(t, json.Indent(&b, d.text(t), "\r\n", " \t"))
			return append([]byte("\n\t "), append(b.Bytes(), " \r\n"...)...)
		}},
		{name: "escapes", write: func(t testing.TB, d document) []byte {
			var b bytes.Buffer
			for _, r := range string(d.text(t)) {
				if r == ':' || r == ',' || strings.ContainsRune(`{}[]"\`, r) {
					b.WriteRune(r)
				} else {
					fmt.Fprintf(&b, `\u%04x`, r)
				}
			}
			return b.Bytes()
		}},
	}
}

// tree is what encoding/json makes of a document.
func (d document) tree(t testing.TB) (tree any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(d.text(t), &tree))
	return tree
}

// backwards writes JSON with the members of each object from z to a.
func backwards(t testing.TB, v any) []byte {
	t.Helper()
	var all [][]byte
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			all = append(all, backwards(t, e))
		}
		return slices.Concat([]byte("["), bytes.Join(all, []byte(",")), []byte("]"))
	case map[string]any:
		for _, name := range slices.Backward(slices.Sorted(maps.Keys(v))) {
			all = append(all, slices.Concat(backwards(t, name), []byte(":"), backwards(t, v[name])))
		}
		return slices.Concat([]byte("{"), bytes.Join(all, []byte(",")), []byte("}"))
	}
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return data
}

// unwrap puts the only member of each list in the place of the list.
func unwrap(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = unwrap(v[i])
		}
		if len(v) == 1 {
			return v[0]
		}
	case map[string]any:
		for k := range v {
			v[k] = unwrap(v[k])
		}
	}
	return v
}

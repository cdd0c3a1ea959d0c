package model_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/fleetaudit/fleetaudit/model"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// TestEveryConstraint takes the right inputs of testdata/validation.txt, makes each value in them wrong
// in every way that the facts know, and wants Check to say so of exactly that member; then it puts the
// values at their limits, and wants no complaint of that member. At the end every constrained member of
// every input must have had its turn.
func TestEveryConstraint(t *testing.T) {
	f := readFacts(t)
	tried := map[string]bool{}
	for _, row := range readValidation(t) {
		if row.problems != nil {
			continue
		}
		var doc any
		require.NoError(t, json.Unmarshal([]byte(row.input), &doc))
		m := mutator{t, f, row.operation, &doc, tried}
		m.structure(row.operation+"Request", "", row.operation, doc)
	}
	want := map[string]bool{}
	for _, op := range operations {
		f.places(op.name+"Request", op.name, want)
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(tried))); diff != "" {
		t.Errorf("members tried (-facts +tried):\n%s", diff)
	}
}

// places adds to all every place at or below a structure where the facts constrain a value.
func (f facts) places(structure, at string, all map[string]bool) {
	for _, m := range f.structures[structure] {
		if m.Required {
			all[at+"."+m.Name+" required"] = true
		}
		f.place(m.Shape, at+"."+m.Name, all)
	}
}

func (f facts) place(shape, at string, all map[string]bool) {
	if _, ok := f.structures[shape]; ok {
		f.places(shape, at, all)
		return
	}
	switch s := f.shapes[shape]; s.Kind {
	case "list":
		f.place(s.Elem, at+"[]", all)
	case "map":
		f.place(s.Key, at+" key", all)
		f.place(s.Elem, at+".*", all)
	default:
		if f.constrained(shape) && departures[shape] == "" {
			all[at] = true
		}
	}
}

// mutator walks a right input by the facts, and not by the tags that Check goes by.
type mutator struct {
	t         *testing.T
	f         facts
	operation string
	doc       *any
	tried     map[string]bool // places
}

func (m mutator) structure(name, path, place string, v any) {
	object, ok := v.(map[string]any)
	if !ok { // null
		return
	}
	for _, member := range m.f.structures[name] {
		old, ok := object[member.Name]
		if !ok {
			continue
		}
		path, place := path+member.Name, place+"."+member.Name
		if member.Required {
			m.tried[place+" required"] = true
			delete(object, member.Name)
			m.wrong(path, "is required")
			object[member.Name] = nil
			m.wrong(path, "is required")
			object[member.Name] = old
		}
		m.value(member.Shape, path, place, old, func(v any) { object[member.Name] = v })
		object[member.Name] = old
	}
}

// value tries the value at path, which set replaces. The caller puts the old one back.
func (m mutator) value(shape, path, place string, old any, set func(any)) {
	if _, ok := m.f.structures[shape]; ok {
		m.structure(shape, path+".", place, old)
		return
	}
	switch s := m.f.shapes[shape]; s.Kind {
	case "list":
		list, _ := old.([]any)
		for i, v := range list {
			m.value(s.Elem, fmt.Sprintf("%s[%d]", path, i), place+"[]", v, func(v any) { list[i] = v })
			list[i] = v
		}
	case "map":
		object, _ := old.(map[string]any)
		for key, v := range maps.Clone(object) {
			now := key
			rename := func(to any) {
				delete(object, now)
				now = to.(string)
				object[now] = v
			}
			m.value(s.Key, path+" key", place+" key", key, rename)
			rename(key)
			m.value(s.Elem, model.KeyPath(path, key), place+".*", v, func(v any) { object[key] = v })
			object[key] = v
		}
	default:
		if !m.f.constrained(shape) || departures[shape] != "" || old == nil || old == "" {
			return
		}
		m.tried[place] = true
		if element := strings.HasSuffix(place, "[]") || strings.HasSuffix(place, ".*"); element && s.Min > 0 {
			set("")
			m.wrong(path, "must not be empty")
		}
		for v, reason := range wrongValues(m.t, s) {
			set(v)
			m.wrong(path, reason)
		}
		for _, v := range limits(m.t, s) {
			set(v)
			m.right(path, v)
		}
	}
}

func (m mutator) check() (string, model.Problems) {
	m.t.Helper()
	doc, err := json.Marshal(*m.doc)
	require.NoError(m.t, err)
	return string(doc), model.Check(decode(m.t, m.operation, doc))
}

func (m mutator) wrong(path, reason string) {
	m.t.Helper()
	doc, problems := m.check()
	for _, p := range problems {
		if p.Field == path && p.Reason == reason {
			return
		}
	}
	m.t.Errorf("%s %s: want %q of %s, got %q", m.operation, doc, reason, path, texts(problems))
}

func (m mutator) right(path string, v any) {
	m.t.Helper()
	doc, problems := m.check()
	for _, p := range problems {
		if p.Field == path {
			m.t.Errorf("%s %s: %v is right, but %q", m.operation, doc, v, p)
		}
	}
}

// wrongValues is every way to break a shape, with what Check is to say of it.
func wrongValues(t *testing.T, s model.Fact) map[any]string {
	t.Helper()
	wrong := map[any]string{}
	if s.Kind == "integer" {
		wrong[s.Min-1] = fmt.Sprintf("must be at least %d", s.Min)
		wrong[s.Max+1] = fmt.Sprintf("must be at most %d", s.Max)
		return wrong
	}
	for _, v := range s.Enum {
		for _, v := range []string{strings.ToLower(v), v + " ", " " + v, v + "\n", v[1:] + "\x00"} {
			wrong[v] = "must be one of " + strings.Join(s.Enum, ", ")
		}
	}
	if s.Pattern != "" {
		right := text(t, s, max(s.Min, 1))
		for _, c := range []string{"\x00", "\n", "\U0001F600"} {
			wrong[right[1:]+c] = "must match " + s.Pattern
			wrong[c+right[1:]] = "must match " + s.Pattern
		}
	}
	if s.Min > 1 && s.Min == s.Max {
		wrong[text(t, s, s.Min-1)] = fmt.Sprintf("must have exactly %d characters", s.Min)
		wrong[text(t, s, s.Max+1)] = fmt.Sprintf("must have exactly %d characters", s.Min)
	} else {
		if s.Min > 1 {
			wrong[text(t, s, s.Min-1)] = fmt.Sprintf("must have at least %d characters", s.Min)
		}
		if s.Max > 0 {
			wrong[text(t, s, s.Max+1)] = fmt.Sprintf("must have at most %d characters", s.Max)
		}
	}
	return wrong
}

// limits is the values of a shape that are just right.
func limits(t *testing.T, s model.Fact) []any {
	t.Helper()
	if s.Kind == "integer" {
		return []any{s.Min, s.Min + 1, s.Max - 1, s.Max}
	}
	var right []any
	for _, v := range s.Enum {
		right = append(right, v)
	}
	if s.Min > 0 {
		right = append(right, text(t, s, s.Min))
	}
	if s.Max > 0 {
		right = append(right, text(t, s, s.Max))
	}
	return right
}

// text is a text of n characters that a shape's pattern takes; n beyond the shape's limits is allowed.
func text(t *testing.T, s model.Fact, n int) string {
	t.Helper()
	p := regexp.MustCompile(`\A(?:` + strings.ReplaceAll(s.Pattern, `\p{Graph}`, `!-~`) + `)\z`)
	for _, c := range []string{"é", "a", "1"} {
		if v := strings.Repeat(c, n); s.Pattern == "" || p.MatchString(v) {
			return v
		}
	}
	t.Fatalf("no text of %d characters matches %s", n, s.Pattern)
	return ""
}

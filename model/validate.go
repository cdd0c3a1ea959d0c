package model

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Check returns everything that is wrong with an operation's input, as far as the input alone tells. It
// takes a pointer to one of this package's Input types; a nil one is an empty input. Callers that know
// more (which checks exist) add to the list before they turn it into an error with [Problems.Err].
func Check(input any) Problems {
	var p Problems
	v := reflect.ValueOf(input)
	if v.Kind() != reflect.Pointer || v.Type().Elem().Kind() != reflect.Struct {
		panic(fmt.Sprintf("model.Check: want a pointer to an input, not %T", input))
	}
	if v.IsNil() {
		v = reflect.New(v.Type().Elem())
	}
	p.structure("", v.Elem())
	if r, ok := v.Interface().(interface{ rules(*Problems) }); ok {
		r.rules(&p)
	}
	return p
}

// Member is one member of an input or output, as its tag describes it.
type Member struct {
	Name     string // in JSON
	Shape    string // AWS's name of its type
	Required bool
	Location string // "uri", "query", or "body"
}

// MemberOf reads the tags of a field of one of this package's structs.
func MemberOf(f reflect.StructField) Member {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	tag := strings.Split(f.Tag.Get("aws"), ",")
	m := Member{Name: name, Shape: tag[0], Location: "body"}
	for _, word := range tag[1:] {
		if word == "required" {
			m.Required = true
		} else {
			m.Location = word
		}
	}
	return m
}

func (p *Problems) structure(path string, v reflect.Value) {
	for i := range v.NumField() {
		m := MemberOf(v.Type().Field(i))
		field := v.Field(i)
		name := path + m.Name
		if absent(field) {
			if m.Required {
				p.Add(name, nil, "is required")
			}
			continue
		}
		s := shapes[m.Shape]
		p.value(name, &s, field)
	}
}

// absent holds for a zero value, but not for a list that is there and empty, nor for a pointer to zero.
func absent(v reflect.Value) bool {
	t, ok := v.Interface().(Timestamp)
	return v.IsZero() || ok && t.IsZero() // the zero time in another zone is no zero struct
}

func (p *Problems) value(name string, s *shape, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		p.value(name, s, v.Elem())
	case reflect.Struct:
		if v.Type() != reflect.TypeFor[Timestamp]() {
			p.structure(name+".", v)
		} else if t := v.Interface().(Timestamp); t.Unix() < minEpoch || t.Unix() >= maxEpoch {
			p.Add(name, t.Format(time.RFC3339), "must be of year 1 to 9999")
		}
	case reflect.Slice:
		elem := shapes[s.elem]
		for i := range v.Len() {
			known := len(*p)
			p.value("", &elem, v.Index(i))
			// Only an element with a problem has its name made: lists are long, and mostly right.
			for j := range (*p)[known:] {
				q := &(*p)[known+j]
				q.Field = fmt.Sprintf("%s[%d]%s", name, i, q.Field)
			}
		}
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		key, elem := shapes[s.key], shapes[s.elem]
		for _, k := range keys {
			p.text(name+" key", k.String(), &key)
			p.value(KeyPath(name, k.String()), &elem, v.MapIndex(k))
		}
	case reflect.String:
		p.text(name, v.String(), s)
	case reflect.Int32:
		if n := v.Int(); n < int64(s.min) {
			p.Add(name, n, fmt.Sprintf("must be at least %d", s.min))
		} else if s.max > 0 && n > int64(s.max) {
			p.Add(name, n, fmt.Sprintf("must be at most %d", s.max))
		}
	}
}

func (p *Problems) text(name, v string, s *shape) {
	n := utf8.RuneCountInString(v)
	switch {
	case !utf8.ValidString(v):
		p.Add(name, v, "must be valid UTF-8")
		return
	case s.enum != nil && !slices.Contains(s.enum, v):
		p.Add(name, v, "must be one of "+strings.Join(s.enum, ", "))
	case n == 0 && s.min > 0:
		p.Add(name, v, "must not be empty")
		return
	case n != s.max && s.min == s.max && s.max > 0:
		p.Add(name, v, fmt.Sprintf("must have exactly %d characters", s.max))
	case n < s.min:
		p.Add(name, v, fmt.Sprintf("must have at least %d characters", s.min))
	case s.max > 0 && n > s.max:
		p.Add(name, v, fmt.Sprintf("must have at most %d characters", s.max))
	}
	if s.pattern != nil && !s.pattern.MatchString(v) {
		p.Add(name, v, "must match "+s.shown)
	}
}

// has tells whether a problem of the member is known already, so that rules across members do not
// judge a value that is wrong by itself.
func (p Problems) has(field string) bool {
	return slices.ContainsFunc(p, func(q Problem) bool { return q.Field == field })
}

// checkNames wants at least one name in a list that is given, and each name once.
func checkNames(p *Problems, names []string) {
	if names != nil && len(names) == 0 {
		p.Add("targetCheckNames", nil, "must name at least one check")
	}
	seen := make(map[string]struct{}, len(names))
	for i, name := range names {
		known := len(seen)
		seen[name] = struct{}{}
		if name == "" || len(seen) == known {
			reason := "must not be named twice"
			if name == "" {
				reason = "must not be empty"
			}
			p.Add(fmt.Sprintf("targetCheckNames[%d]", i), name, reason)
		}
	}
}

// checkTags holds AWS's rules about all tags of a list together: at most 50, unique keys, and no key of
// AWS's own.
func checkTags(p *Problems, tags []Tag) {
	atMostTags(p, "tags", len(tags))
	seen := make(map[string]bool, len(tags))
	for i, t := range tags {
		field := fmt.Sprintf("tags[%d].Key", i)
		if seen[t.Key] && t.Key != "" {
			p.Add(field, t.Key, "must not be given twice")
		}
		if strings.HasPrefix(strings.ToLower(t.Key), "aws:") {
			p.Add(field, t.Key, "must not begin with aws:")
		}
		seen[t.Key] = true
	}
}

// atMostTags holds AWS's limit of 50 tags a resource for a list of n tags or of their keys.
func atMostTags(p *Problems, field string, n int) {
	if n > 50 {
		p.Add(field, nil, fmt.Sprintf("must be at most 50, not %d", n))
	}
}

func checkPeriod(p *Problems, start, end Timestamp) {
	if !start.IsZero() && !end.IsZero() && end.Before(start.Time) {
		p.Add("endTime", end.Format(time.RFC3339Nano), "must not be before startTime "+start.Format(time.RFC3339Nano))
	}
}

package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/fleetaudit/fleetaudit/model"
)

// document is JSON that is read more strictly than encoding/json does: members that are unknown, spelled with other
// capitals or there twice are errors, and so is null. Errors tell the path and the value, and reading ends with them.
type document struct{ tokens *json.Decoder }

// newDocument begins to read data, which must be one JSON value and nothing after it.
func newDocument(data []byte) (*document, error) {
	const byteOrderMark = "\uFEFF"
	text := bytes.TrimPrefix(data, []byte(byteOrderMark))
	for rest := text; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		if r == utf8.RuneError && size == 1 {
			return nil, fmt.Errorf("is not UTF-8 at byte %d", len(data)-len(rest))
		}
		rest = rest[size:]
	}
	// A first look leaves no syntax error to those who read token by token.
	if err := json.Unmarshal(text, new(json.RawMessage)); err != nil {
		at := len(data)
		if s, ok := errors.AsType[*json.SyntaxError](err); ok {
			at = len(data) - len(text) + int(s.Offset)
		}
		return nil, fmt.Errorf("is no JSON, as its first %d bytes show: %w", at, err)
	}
	d := &document{json.NewDecoder(bytes.NewReader(text))}
	d.tokens.UseNumber()
	return d, nil
}

// token returns the next token. There is one: the first look saw to that.
func (d *document) token() json.Token {
	token, _ := d.tokens.Token()
	return token
}

// object reads an object, and has member read the value of each of its members.
func (d *document) object(path string, member func(name, path string) error) error {
	if token := d.token(); token != json.Delim('{') {
		return wrong(path, token, "an object")
	}
	seen := make(map[string]bool)
	for d.tokens.More() {
		name := d.token().(string)
		path := strings.TrimPrefix(model.KeyPath(path, name), ".")
		if seen[name] {
			return fmt.Errorf("%s is there twice", path)
		}
		seen[name] = true
		if err := member(name, path); err != nil {
			return err
		}
	}
	d.token()
	return nil
}

// list reads a list, and has elem read each of its elements.
func (d *document) list(path string, elem func(path string) error) error {
	if token := d.token(); token != json.Delim('[') {
		return wrong(path, token, "a list")
	}
	for i := 0; d.tokens.More(); i++ {
		if err := elem(fmt.Sprintf("%s[%d]", path, i)); err != nil {
			return err
		}
	}
	d.token()
	return nil
}

// value reads into v: a string, a bool, a Timestamp, a pointer to one of them, or a struct of those.
func (d *document) value(path string, v reflect.Value) error {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return d.value(path, v.Elem())
	case reflect.Struct:
		if at, ok := v.Addr().Interface().(*model.Timestamp); ok {
			return d.timestamp(path, at)
		}
		return d.members(path, v)
	case reflect.String:
		token := d.token()
		text, ok := token.(string)
		if !ok {
			return wrong(path, token, "a string")
		}
		v.SetString(text)
	case reflect.Bool:
		token := d.token()
		yes, ok := token.(bool)
		if !ok {
			return wrong(path, token, "true or false")
		}
		v.SetBool(yes)
	default:
		return fmt.Errorf("%s cannot be read into %v", path, v.Type())
	}
	return nil
}

// members reads an object into the fields of a struct.
func (d *document) members(path string, v reflect.Value) error {
	var names []string
	fields := make(map[string]reflect.Value)
	for field, value := range v.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		names = append(names, name)
		fields[name] = value
	}
	return d.object(path, func(name, path string) error {
		field, ok := fields[name]
		if !ok {
			return unknown(path, names...)
		}
		return d.value(path, field)
	})
}

func (d *document) timestamp(path string, at *model.Timestamp) (err error) {
	token := d.token()
	switch token := token.(type) {
	case string:
		*at, err = model.ParseTimestamp(token)
	case json.Number:
		*at, err = model.ParseTimestamp(token.String())
	default:
		return wrong(path, token, "a time: epoch seconds, an RFC 3339 time or a date")
	}
	if err != nil {
		return fmt.Errorf("%s %w", path, err)
	}
	return nil
}

// wrong is the error of a value that begins with token and is not what is wanted.
func wrong(path string, token json.Token, want string) error {
	if path == "" {
		path = "the document"
	}
	var p model.Problems
	switch token := token.(type) {
	case nil:
		return fmt.Errorf("%s null must be %s", path, want)
	case json.Delim:
		is := "an object"
		if token == '[' {
			is = "a list"
		}
		return fmt.Errorf("%s must be %s, is %s", path, want, is)
	case json.Number:
		return fmt.Errorf("%s %.80s must be %s", path, token, want)
	default:
		p.Add(path, token, "must be "+want)
	}
	return plain(p.Err())
}

// unknown is the error of a member that is none of names.
func unknown(path string, names ...string) error {
	return fmt.Errorf("%s is unknown; the members are %s", path, strings.Join(names, ", "))
}

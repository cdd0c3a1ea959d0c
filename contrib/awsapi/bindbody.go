package awsapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/fleetaudit/fleetaudit/model"
)

// Limits of a body, far beyond what any operation takes.
const (
	maxDepth    = 32     // of objects and lists in each other
	maxElements = 10_000 // of all lists and maps; a short element may take a hundred times its bytes
)

// maxExponent is the largest exponent of a number that is an integer of 32 bits.
const maxExponent = 9

// shownNumber is how long a wrong number may be to be shown as it came.
const shownNumber = 40

// shownProblems is how many problems of a body are looked for: those that a message names.
const shownProblems = 100

// bindBody sets the fields of the struct v that travel in the body to what a body of JSON says of them, and adds to p what
// is wrong with it. Names are exact. null is absent.
func bindBody(p *model.Problems, fields map[string]int, v reflect.Value, body []byte) {
	b := binder{dec: jsontext.NewDecoder(bytes.NewBuffer(body)), problems: p, fields: make(map[reflect.Type]map[string]int)}
	if err := b.body(fields, v); err != nil && !errors.Is(err, errEnough) {
		b.explain(err)
	}
}

// binder goes through a body token by token. Its methods return an error when there is no use in going on; a value of a
// wrong type is a problem, and the next one may be right.
type binder struct {
	dec      *jsontext.Decoder // refuses duplicate names and invalid UTF-8
	problems *model.Problems
	fields   map[reflect.Type]map[string]int // of structs below the input, by their names in JSON
	elements int                             // of lists and maps, so far
}

var (
	errEnough   = errors.New("nobody reads of more problems")
	errNoObject = errors.New("must be a JSON object")
	errMore     = errors.New("must be one JSON object, with nothing after it")
	errTooDeep  = fmt.Errorf("must not have objects and lists more than %d deep", maxDepth)
	errTooMany  = fmt.Errorf("must not have more than %d elements in its lists and maps", maxElements)
)

func (b *binder) body(fields map[string]int, v reflect.Value) error {
	switch kind := b.dec.PeekKind(); kind {
	case jsontext.KindBeginObject:
	case jsontext.KindInvalid:
		if _, err := b.dec.ReadToken(); err != io.EOF {
			return err
		}
		return nil // an empty body
	default:
		return errNoObject
	}
	if err := b.object(fields, v); err != nil {
		return err
	}
	if _, err := b.dec.ReadToken(); err != io.EOF {
		return errMore
	}
	return nil
}

// object reads an object into the struct v.
func (b *binder) object(fields map[string]int, v reflect.Value) error {
	return b.each(func() error {
		name, err := b.dec.ReadToken()
		if err != nil {
			return err
		}
		if field, ok := fields[name.String()]; ok {
			return b.value(v.Field(field), true)
		}
		return b.skip()
	})
}

// mapped reads an object into the map v.
func (b *binder) mapped(v reflect.Value) error {
	t := v.Type()
	v.Set(reflect.MakeMap(t))
	return b.each(func() error {
		name, err := b.dec.ReadToken()
		if err != nil {
			return err
		}
		key := reflect.New(t.Key()).Elem()
		key.SetString(name.String())
		element, err := b.element(t.Elem())
		v.SetMapIndex(key, element)
		return err
	})
}

// list reads a list into the slice v.
func (b *binder) list(v reflect.Value) error {
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	return b.each(func() error {
		element, err := b.element(v.Type().Elem())
		v.Set(reflect.Append(v, element))
		return err
	})
}

// element reads an element of a list or a map.
func (b *binder) element(t reflect.Type) (reflect.Value, error) {
	element := reflect.New(t).Elem()
	if b.elements++; b.elements > maxElements {
		return element, errTooMany
	}
	return element, b.value(element, false)
}

// each calls read at each element of the object or list that comes next.
func (b *binder) each(read func() error) error {
	if _, err := b.dec.ReadToken(); err != nil {
		return err
	}
	for {
		switch b.dec.PeekKind() {
		case jsontext.KindEndObject, jsontext.KindEndArray:
			_, err := b.dec.ReadToken()
			return err
		}
		if err := read(); err != nil {
			return err
		}
		if len(*b.problems) >= shownProblems {
			return errEnough
		}
	}
}

// value reads what comes next into v. An element of a list or a map, which is no member, must not be null: that it is
// there says something, and null does not say what.
func (b *binder) value(v reflect.Value, isMember bool) error {
	kind := b.dec.PeekKind()
	if kind == jsontext.KindNull && isMember {
		return b.skip()
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	isTime := v.Type() == reflect.TypeFor[model.Timestamp]()
	switch {
	case kind == jsontext.KindBeginObject && v.Kind() == reflect.Struct && !isTime:
		return b.object(b.fieldsOf(v.Type()), v)
	case kind == jsontext.KindBeginObject && v.Kind() == reflect.Map:
		return b.mapped(v)
	case kind == jsontext.KindBeginArray && v.Kind() == reflect.Slice:
		return b.list(v)
	case kind == jsontext.KindBeginObject, kind == jsontext.KindBeginArray:
		if err := b.skip(); err != nil {
			return err
		}
		b.wrong("", wanted(v)+", not "+map[jsontext.Kind]string{'{': "an object", '[': "a list"}[kind])
		return nil
	}

	token, err := b.dec.ReadToken()
	if err != nil {
		return err
	}
	text := token.String()
	isText, isNumber := kind == jsontext.KindString, kind == jsontext.KindNumber
	switch {
	case isTime && (isText || isNumber):
		bindTime(b.problems, b.path(b.dec.StackPointer()), v, text)
		return nil
	case v.Kind() == reflect.String && isText:
		v.SetString(text)
		return nil
	case v.Kind() == reflect.Bool && (kind == jsontext.KindTrue || kind == jsontext.KindFalse):
		v.SetBool(kind == jsontext.KindTrue)
		return nil
	case v.Kind() == reflect.Int32 && isNumber:
		if n, ok := integer(text); ok {
			v.SetInt(n)
			return nil
		}
	}
	if isText || len(text) > shownNumber {
		text = model.Quote(text)
	}
	b.wrong(text, wanted(v))
	return nil
}

// wanted says what v can be set to.
func wanted(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Map:
		return "must be an object"
	case reflect.Slice:
		return "must be a list"
	case reflect.String:
		return "must be a string"
	case reflect.Bool:
		return "must be true or false"
	case reflect.Int32:
		return wantInteger
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[model.Timestamp]() {
			return "must be a time"
		}
		return "must be an object"
	}
	panic(fmt.Sprintf("awsapi: no body has a %s", v.Type()))
}

// integer reads a number of JSON that is an integer of 32 bits. 5.0 and 5e0 are: JSON has one kind of numbers, and some
// languages write them so. It reads digits: what a float64 would be rounded to, nobody has asked for.
func integer(text string) (int64, bool) {
	text, exponent, scaled := strings.Cut(strings.ToLower(text), "e")
	text, fraction, _ := strings.Cut(text, ".")
	if strings.Trim(fraction, "0") != "" {
		return 0, false
	}
	if scaled {
		zeros, err := strconv.ParseUint(strings.TrimPrefix(exponent, "+"), 10, 8)
		if err != nil || zeros > maxExponent {
			return 0, false
		}
		text += strings.Repeat("0", int(zeros))
	}
	n, err := strconv.ParseInt(text, 10, 32)
	return n, err == nil
}

// skip passes over what comes next.
func (b *binder) skip() error {
	for depth := b.dec.StackDepth(); ; {
		if _, err := b.dec.ReadToken(); err != nil {
			return err
		}
		switch now := b.dec.StackDepth(); {
		case now > maxDepth:
			return errTooDeep
		case now <= depth:
			return nil
		}
	}
}

// wrong notes that the value that was read last is of a wrong type.
func (b *binder) wrong(shown, reason string) {
	*b.problems = append(*b.problems, model.Problem{Field: b.path(b.dec.StackPointer()), Value: shown, Reason: reason})
}

// explain notes why there is no use in going on.
func (b *binder) explain(err error) {
	syntax, ok := errors.AsType[*jsontext.SyntacticError](err)
	switch {
	case !ok:
		b.problems.Add("body", nil, err.Error())
	case errors.Is(syntax.Err, jsontext.ErrDuplicateName):
		b.problems.Add(b.path(syntax.JSONPointer), nil, "must not be given twice")
	default:
		where := ""
		if path := b.path(syntax.JSONPointer); path != "" {
			where = " at " + path
		}
		b.problems.Add("body", nil,
			fmt.Sprintf("must be JSON, which it is not%s after %d bytes: %v", where, syntax.ByteOffset, syntax.Err))
	}
}

// path is the path of what a pointer into the body points to, as messages show it.
func (b *binder) path(p jsontext.Pointer) string {
	path, level := "", 0
	for token := range p.Tokens() {
		level++
		kind, _ := b.dec.StackIndex(min(level, b.dec.StackDepth()))
		switch {
		case kind == jsontext.KindBeginArray:
			path += "[" + token + "]"
		case path == "":
			path = strings.TrimPrefix(model.KeyPath("", token), ".")
		default:
			path = model.KeyPath(path, token)
		}
	}
	return path
}

// fieldsOf returns the fields of a struct of package model by their names in JSON.
func (b *binder) fieldsOf(t reflect.Type) map[string]int {
	fields, ok := b.fields[t]
	if !ok {
		fields = make(map[string]int, t.NumField())
		for i := range t.NumField() {
			fields[model.MemberOf(t.Field(i)).Name] = i
		}
		b.fields[t] = fields
	}
	return fields
}

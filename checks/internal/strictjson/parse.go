package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/fleetaudit/fleetaudit/model"
)

// MaxDepth is how deep lists and objects may stand in one another.
const MaxDepth = 32

// Parse reads data, which must be one value, and nothing after it but white space. A byte order mark before it is
// passed over. The time is in proportion to len(data), and so is the memory: of a list of digits the tree takes 60
// times as much, and for a moment several times that; of text little more than the text. Every error is an [*Error].
func Parse(data []byte) (*Value, error) {
	r := newReader(data)
	v, err := r.next()
	if err != nil {
		return nil, err
	}
	if rest := r.skip(r.end); rest < len(data) {
		return nil, r.errorAt(int64(rest), "goes on after its end")
	}
	return v, nil
}

// Values reads data as [Parse] does, but any number of values one after another, be it a line each or not. It
// ends after the first error. Each value has paths of its own, but positions in data.
func Values(data []byte) iter.Seq2[*Value, error] {
	return func(yield func(*Value, error) bool) {
		r := newReader(data)
		for r.skip(r.end) < len(data) {
			v, err := r.next()
			if !yield(v, err) || err != nil {
				return
			}
		}
	}
}

type reader struct {
	*source
	tokens *json.Decoder
	begin  int // of the value at the top
	base   int // offset of what tokens reads
	end    int // of the last token
}

func newReader(data []byte) *reader {
	r := &reader{source: &source{data: data}}
	if bytes.HasPrefix(data, []byte(byteOrderMark)) {
		r.base = len(byteOrderMark)
	}
	r.end = r.base
	r.tokens = json.NewDecoder(bytes.NewReader(data[r.base:]))
	r.tokens.UseNumber()
	return r
}

// next reads a value at the top. Its error is not typed, so that it can be nil.
func (r *reader) next() (*Value, error) {
	r.begin = r.skip(r.end)
	d := &document{source: r.source}
	if err := r.value(&d.root, d, 1); err != nil {
		err.Path = strings.TrimPrefix(err.Path, ".")
		return nil, err
	}
	return &d.root, nil
}

// skip returns where the first byte from offset on stands that is no white space.
func (r *reader) skip(offset int) int {
	return len(r.data) - len(bytes.TrimLeft(r.data[offset:], " \t\r\n"))
}

// value reads one into v, depth of which may be lists and objects with v. The path of its error begins at v.
func (r *reader) value(v *Value, d *document, depth int) *Error {
	token, at, err := r.token()
	if err != nil {
		return err
	}
	v.doc, v.Offset = d, int64(at)
	switch token := token.(type) {
	case json.Delim:
		if depth > MaxDepth {
			return r.errorAt(v.Offset, "is deeper than %d lists and objects", MaxDepth)
		}
		if token == '[' {
			v.Kind = List
			err = r.elems(v, depth)
		} else {
			v.Kind = Object
			err = r.members(v, depth)
		}
	case string:
		v.Kind, v.Text = String, token
	case json.Number:
		v.Kind, v.Text = Number, token.String()
	case bool:
		v.Kind, v.Text = Bool, strconv.FormatBool(token)
	default:
		v.Text = "null"
	}
	return err
}

func (r *reader) elems(v *Value, depth int) *Error {
	for r.tokens.More() {
		var elem Value
		if err := r.value(&elem, v.doc, depth+1); err != nil {
			err.Path = "[" + strconv.Itoa(len(v.Elems)) + "]" + err.Path
			return err
		}
		v.Elems = append(v.Elems, elem)
	}
	_, _, err := r.token()
	return err
}

// fewMembers is how many are compared one by one.
const fewMembers = 8

func (r *reader) members(v *Value, depth int) *Error {
	var first map[string]int64 // where each name is; nil while they are few
	for r.tokens.More() {
		token, at, err := r.token()
		if err != nil {
			return err
		}
		m := Member{Name: token.(string), NameOffset: int64(at)}
		twice := int64(-1)
		if offset, ok := first[m.Name]; ok {
			twice = offset
		} else if first == nil {
			for i := range v.Members {
				if v.Members[i].Name == m.Name {
					twice = v.Members[i].NameOffset
				}
			}
		}
		if twice >= 0 {
			line, column := r.position(int(twice))
			err = r.errorAt(m.NameOffset, "is there twice, first in line %d, column %d", line, column)
		} else {
			err = r.value(&m.Value, v.doc, depth+1)
		}
		if err != nil {
			err.Path = model.KeyPath("", m.Name) + err.Path
			return err
		}
		v.Members = append(v.Members, m)
		switch {
		case first != nil:
			first[m.Name] = m.NameOffset
		case len(v.Members) == fewMembers:
			first = make(map[string]int64)
			for i := range v.Members {
				first[v.Members[i].Name] = v.Members[i].NameOffset
			}
		}
	}
	_, _, err := r.token()
	return err
}

// token reads the next token, and returns where it begins.
func (r *reader) token() (json.Token, int, *Error) {
	token, err := r.tokens.Token()
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, 0, r.errorAt(int64(len(r.data)), "is no JSON: it ends too early")
	case err != nil:
		return nil, 0, r.syntax(err)
	}
	at := len(r.data) - len(bytes.TrimLeft(r.data[r.end:], " \t\r\n,:"))
	r.end = r.base + int(r.tokens.InputOffset())
	if text, ok := token.(string); ok && strings.Contains(text, "\uFFFD") {
		if err := r.replaced(at); err != nil {
			return nil, 0, err
		}
	}
	return token, at, nil
}

// syntax finds out where a syntax error is: that of a Decoder that reads tokens does not tell.
func (r *reader) syntax(err error) *Error {
	at := int(r.tokens.InputOffset()) + r.base
	if s, ok := errors.AsType[*json.SyntaxError](json.Unmarshal(r.data[r.begin:], new(json.RawMessage))); ok {
		err, at = s, r.begin+int(s.Offset)-1
	}
	return r.errorAt(int64(at), "is no JSON: %v", err)
}

// replaced looks for what encoding/json has put U+FFFD in the place of, in the string that begins at offset.
func (r *reader) replaced(offset int) *Error {
	for i := offset; i < r.end; {
		c, size := utf8.DecodeRune(r.data[i:r.end])
		switch {
		case c == utf8.RuneError && size == 1:
			return r.errorAt(int64(i), "is not UTF-8: byte 0x%02x", r.data[i])
		case c != '\\':
			i += size
		case !utf16.IsSurrogate(r.unit(i)):
			i += 2
		case utf16.DecodeRune(r.unit(i), r.unit(i+6)) == utf8.RuneError:
			return r.errorAt(int64(i), "has half a character: %s", r.data[i:i+6])
		default:
			i += 12
		}
	}
	return nil
}

// unit returns the UTF-16 unit whose escape, \ud83d, begins at offset; 0 if none does.
func (r *reader) unit(offset int) rune {
	escape := r.data[offset:min(r.end, offset+6)]
	if !bytes.HasPrefix(escape, []byte(`\u`)) {
		return 0
	}
	n, _ := strconv.ParseUint(string(escape[2:]), 16, 16)
	return rune(n)
}

package model

import (
	"encoding/binary"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Output is what a call of an operation returns, a pointer to one of this package's outputs, and what is in them: an
// [AuditFinding], a [Tag].
type Output interface{ json(w *jsonWriter) }

// AppendJSON appends to b what json.Marshal writes for v, byte for byte, in a fraction of the time. v must not be a nil
// pointer. The error is that of a [Timestamp] outside year 1 to 9999; then b is returned as it was.
func AppendJSON(b []byte, v Output) ([]byte, error) {
	w := jsonWriter{b: b}
	v.json(&w)
	if w.err != nil {
		return b, w.err
	}
	return w.b, nil
}

// jsonWriter writes values as encoding/json does. What writes each type is in appendjson.go, which is made from the
// types by a test. The first error stays.
type jsonWriter struct {
	b   []byte
	err error
}

// begin begins an object. Each of its members begins with a comma, and end makes the first one a brace.
func (w *jsonWriter) begin() int { return len(w.b) }

func (w *jsonWriter) end(start int) {
	if len(w.b) == start {
		w.b = append(w.b, '{')
	}
	w.b[start] = '{'
	w.b = append(w.b, '}')
}

// sample is how many elements of a list are taken for the length of the others.
const sample = 16

// list writes a list, which is [] if it is nil.
func list[E any](w *jsonWriter, all []E, elem func(*E, *jsonWriter)) {
	w.b = append(w.b, '[')
	start := len(w.b)
	for i := range all {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		if i == sample { // a page is most of what is written: growing with each of them would copy it several times
			w.b = slices.Grow(w.b, (len(w.b)-start)/sample*(len(all)-sample)*9/8)
		}
		elem(&all[i], w)
	}
	w.b = append(w.b, ']')
}

// dictionary writes a map in the order of its keys.
func dictionary[K ~string, V any](w *jsonWriter, all map[K]V, elem func(*V, *jsonWriter)) {
	w.b = append(w.b, '{')
	for i, key := range slices.Sorted(maps.Keys(all)) {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.text(string(key))
		w.b = append(w.b, ':')
		v := all[key]
		elem(&v, w)
	}
	w.b = append(w.b, '}')
}

// texts is [dictionary] for texts, which each finding may have: it takes no allocation where they are few.
func (w *jsonWriter) texts(all map[string]string) {
	type entry struct{ key, value string }
	var few [8]entry
	entries := few[:0]
	for key, value := range all {
		entries = append(entries, entry{key, value})
	}
	if len(entries) > 1 {
		slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	}
	b := append(w.b, '{')
	for i, e := range entries {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(append(appendText(b, e.key), ':'), e.value)
	}
	w.b = append(b, '}')
}

// member begins a member, whose key is written like `,"taskId":`.
func (w *jsonWriter) member(key string) { w.b = append(w.b, key...) }

// textMember writes a member, unless s is empty.
func (w *jsonWriter) textMember(key, s string) {
	if s != "" {
		w.b = appendText(append(w.b, key...), s)
	}
}

// timeMember writes a member, unless t is absent.
func (w *jsonWriter) timeMember(key string, t Timestamp) {
	if t.IsZero() {
		return
	}
	b, err := t.AppendJSON(append(w.b, key...))
	if w.b = b; err != nil && w.err == nil {
		w.err = err
	}
}

func (w *jsonWriter) flag(v bool)    { w.b = strconv.AppendBool(w.b, v) }
func (w *jsonWriter) number(v int64) { w.b = strconv.AppendInt(w.b, v, 10) }
func (w *jsonWriter) text(s string)  { w.b = appendText(w.b, s) }

func textElem(s *string, w *jsonWriter) { w.text(*s) }

// appendText writes a string. As a rule there is nothing in it that has to be escaped, so it is copied first, and looked
// at eight bytes at a time then.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	start := len(b)
	b = append(b, s...)
	rest := b[start:]
	for len(rest) >= 8 && plainWord(binary.LittleEndian.Uint64(rest)) {
		rest = rest[8:]
	}
	for len(rest) > 0 && plainByte(rest[0]) {
		rest = rest[1:]
	}
	if n := len(rest); n > 0 {
		b = appendEscaped(b[:len(b)-n], s[len(s)-n:])
	}
	return append(b, '"')
}

// plainByte tells whether encoding/json writes a byte as it is, whatever is beside it. It writes <, > and & in a way that
// is safe in HTML.
func plainByte(c byte) bool {
	return c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&'
}

// plainWord tells whether all bytes of a word are plain. A byte that equals another is found as one that is zero when
// the two are xored, and what is below zero or not ASCII has its highest bit set.
func plainWord(word uint64) bool {
	const each = 0x0101010101010101
	low := word - ' '*each
	quoteOrAnd := (word | 0x04*each ^ '&'*each) - each // the two differ in that bit
	lessOrGreater := (word | 0x02*each ^ '>'*each) - each
	backslash := (word ^ '\\'*each) - each
	return (word|low|quoteOrAnd|lessOrGreater|backslash)&(0x80*each) == 0
}

// appendEscaped writes the rest of a string in which something is not plain.
func appendEscaped(b []byte, s string) []byte {
	const digits = "0123456789abcdef"
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			switch {
			case r == utf8.RuneError && size == 1:
				b = append(b, `\ufffd`...)
			case r == '\u2028' || r == '\u2029': // which end a line in JavaScript
				b = append(b, `\u202`...)
				b = append(b, digits[r&0xf])
			default:
				b = append(b, s[i:i+size]...)
			}
			i += size
			continue
		}
		i++
		switch {
		case plainByte(c):
			b = append(b, c)
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\b':
			b = append(b, `\b`...)
		case c == '\f':
			b = append(b, `\f`...)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\r':
			b = append(b, `\r`...)
		case c == '\t':
			b = append(b, `\t`...)
		default:
			b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&0xf])
		}
	}
	return b
}

package inventory

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/fleetaudit/fleetaudit/checks/internal/strictjson"
	"github.com/fleetaudit/fleetaudit/checks/policy"
	"github.com/fleetaudit/fleetaudit/model"
)

// maxElement is how many bytes an element of a JSON file may have, beside its policy documents and lists of
// targets: what strictjson makes of it can take two hundred times that.
const maxElement = 1 << 20

// element is a JSON value of a file: a policy version, say.
type element struct {
	data []byte
	at   Origin // of its first byte
	path string // in the file's object: "policies[2]"
}

// elementReader is an element that is being read. Its methods tell everything that is wrong with it.
type elementReader struct {
	l *Loader
	element
	root *strictjson.Value // in which what is set apart is the number 0
	told int               // how many Problems
}

// open begins to read an element. False: it is no JSON that can be read, which has been told.
func (l *Loader) open(e element) (*elementReader, bool) {
	apart, size := setApart(e.data)
	if size > maxElement {
		l.problems.add(e.at, fmt.Sprintf("%s has %d bytes, more than %d, and is not read", cmp.Or(e.path, "the object"), size, maxElement))
		return nil, false
	}
	r := &elementReader{l: l, element: e}
	root, err := strictjson.Parse(apart)
	if err != nil {
		r.tell(err)
		return nil, false
	}
	r.root = root
	return r, true
}

// tell makes a Problem of an error about a part of the element.
func (r *elementReader) tell(err error) {
	r.told++
	at, what := r.at, err.Error()
	e, ok := errors.AsType[*strictjson.Error](err)
	if p, isPolicy := errors.AsType[*policy.SyntaxError](err); isPolicy {
		e, ok = (*strictjson.Error)(p), true
	}
	if ok {
		at.Offset += e.Offset
		problem, _, _ := strings.Cut(e.Problem, ", first in line ") // which is not the line of the file
		what = cmp.Or(below(r.path, e.Path), "the object") + " " + problem
	}
	r.l.problems.add(at, what)
}

// pathOf returns the path of a part of the element in the file's object.
func (r *elementReader) pathOf(v *strictjson.Value) string {
	e, _ := errors.AsType[*strictjson.Error](v.Errorf("has a path"))
	return below(r.path, e.Path)
}

// below is the path of what stands at path below another.
func below(above, path string) string {
	if above == "" || path == "" || path[0] == '[' {
		return above + path
	}
	return above + "." + path
}

// members are the names that the members of an object may have.
type members struct {
	needed   []string
	optional []string
	passed   []string // AWS prints them beside the others, and nothing here needs them
}

// check tells which members of v are unknown, and which are missing. False: v is no object.
func (r *elementReader) check(v *strictjson.Value, m members) bool {
	list, err := v.AsObject()
	if err != nil {
		r.tell(err)
		return false
	}
	for i := range list {
		name := list[i].Name
		if !slices.Contains(m.needed, name) && !slices.Contains(m.optional, name) && !slices.Contains(m.passed, name) {
			r.tell(list[i].Errorf("is unknown; the members are %s", strings.Join(slices.Concat(m.needed, m.optional), ", ")))
		}
	}
	for _, name := range m.needed {
		if _, err := v.Need(name); err != nil {
			r.tell(err)
		}
	}
	return true
}

// form is what a text must be.
type form struct {
	pattern *regexp.Regexp
	want    string
}

var (
	anyText  = form{regexp.MustCompile(``), "a text"}
	someText = form{regexp.MustCompile(`(?s).`), "a text that is not empty"}
)

// text returns the member of v that is a text of a form; "" if it is absent or wrong.
func (r *elementReader) text(v *strictjson.Value, name string, f form) string {
	member := v.Find(name)
	text, err := member.AsString()
	if member != nil && err == nil && !f.pattern.MatchString(text) {
		err = member.Wrong("must be " + f.want)
	}
	if err != nil {
		r.tell(err)
		return ""
	}
	return text
}

// enum returns the member of v that is one of an enumeration; "" if it is absent or wrong.
func enum[E interface {
	~string
	Values() []E
}](r *elementReader, v *strictjson.Value, name string) E {
	member := v.Find(name)
	text, err := member.AsString()
	values := E("").Values()
	if member != nil && err == nil && !slices.Contains(values, E(text)) {
		var words []string
		for _, v := range values {
			words = append(words, string(v))
		}
		err = member.Wrong("must be one of " + strings.Join(words, ", "))
	}
	if err != nil {
		r.tell(err)
		return ""
	}
	return E(text)
}

// flag returns the member of v that is a boolean.
func (r *elementReader) flag(v *strictjson.Value, name string, absent bool) bool {
	member := v.Find(name)
	if member == nil {
		return absent
	}
	flag, err := member.AsBool()
	if err != nil {
		r.tell(err)
		return absent
	}
	return flag
}

// time returns the member of v that is an instant; zero if it is absent or wrong.
func (r *elementReader) time(v *strictjson.Value, name string) time.Time {
	const want = "a time of RFC 3339, a date, or epoch seconds, of year 1 to 9999"
	member := v.Find(name)
	if member == nil {
		return time.Time{}
	}
	if member.Kind != strictjson.String && member.Kind != strictjson.Number {
		r.tell(member.Not(want))
		return time.Time{}
	}
	t, err := model.ParseTimestamp(member.Text)
	if err != nil {
		r.tell(member.Wrong("must be " + want))
		return time.Time{}
	}
	return t.Time
}

// list returns the member of v that is a list. False: it is absent or wrong.
func (r *elementReader) list(v *strictjson.Value, name string) ([]strictjson.Value, bool) {
	member := v.Find(name)
	list, err := member.AsList()
	if err != nil {
		r.tell(err)
	}
	return list, err == nil && member != nil
}

// The members that are set apart: documents have a reader of their own, and lists of targets may be long.
const (
	documentMember = "policyDocument"
	targetsMember  = "targets"
)

// setApart returns a copy of an element in which 0 and white space stand in the place of policy documents that
// are objects, and of lists of targets; and how many bytes the rest has.
func setApart(data []byte) ([]byte, int) {
	copied, size := bytes.Clone(data), len(data)
	for _, name := range []string{documentMember, targetsMember} {
		quoted := []byte(`"` + name + `"`)
		for from := 0; ; {
			i := bytes.Index(copied[from:], quoted)
			if i < 0 {
				break
			}
			from += i + len(quoted)
			start := skip(copied, from, jsonSpace+":")
			if start == len(copied) || copied[start] != '{' && copied[start] != '[' || !bytes.Contains(copied[from:start], []byte(":")) {
				continue
			}
			from = start + valueSize(copied[start:])
			size -= from - start
			copied[start] = '0'
			for j := start + 1; j < from; j++ {
				copied[j] = ' '
			}
		}
	}
	return copied, size
}

// apart returns the element's own bytes of a value.
func (r *elementReader) apart(v *strictjson.Value) []byte {
	data := r.data[v.Offset:]
	return data[:valueSize(data)]
}

// skip returns where the first byte from offset on stands that is none of chars.
func skip(data []byte, offset int, chars string) int {
	return len(data) - len(bytes.TrimLeft(data[offset:], chars))
}

// valueSize returns how many bytes the list or object has that data begins with.
func valueSize(data []byte) int {
	var n nesting
	for i, c := range data {
		if n.step(c); n.depth == 0 {
			return i + 1
		}
	}
	return len(data)
}

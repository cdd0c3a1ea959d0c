package strictjson

import (
	"fmt"
	"sort"
	"strings"

	"github.com/fleetaudit/fleetaudit/model"
)

// Error says what is wrong with a document, and where.
type Error struct {
	Line, Column int    // from 1; the column is in characters
	Offset       int64  // in bytes, from 0
	Path         string // "policies[2].policyName"; empty: the document itself
	Problem      string // goes on from the path: "7 must be a string"
}

// Error is the place, the path and the problem.
func (e *Error) Error() string {
	path := e.Path
	if path == "" {
		path = "the document"
	}
	return fmt.Sprintf("line %d, column %d: %s %s", e.Line, e.Column, path, e.Problem)
}

// Errorf makes an [Error] about v. The words go on from its path: "must be one of a, b".
func (v *Value) Errorf(format string, args ...any) error {
	return v.doc.errorAt(v.Offset, format, args...)
}

// Wrong makes an [Error] about a scalar that repeats it, shortened, between its path and reason, which goes on
// from there: "must be Allow or Deny".
func (v *Value) Wrong(reason string) error {
	shown := fmt.Sprintf("%.80s", v.Text)
	if v.Kind == String {
		var p model.Problems
		p.Add("", v.Text, "")
		shown = p[0].Value
	}
	return v.Errorf("%s %s", shown, reason)
}

// Not makes an [Error] about a value of a wrong kind: it repeats a scalar, and says of others what they are.
func (v *Value) Not(want string) error {
	switch v.Kind {
	case Bool, Number, String:
		return v.Wrong("must be " + want)
	}
	return v.Errorf("must be %s, is %v", want, v.Kind)
}

// Errorf makes an [Error] about the name of m. The words go on from the path of m.
func (m *Member) Errorf(format string, args ...any) error {
	return m.Value.doc.errorAt(m.NameOffset, format, args...)
}

func (m *Member) oneOf(names []string) error {
	if len(names) == 0 {
		return nil
	}
	for _, name := range names {
		if m.Name == name {
			return nil
		}
	}
	return m.Errorf("is unknown; the members are %s", strings.Join(names, ", "))
}

func (v *Value) is(want Kind) error {
	if v.Kind == want {
		return nil
	}
	return v.Not(want.String())
}

// document is one tree, and what it was read from.
type document struct {
	source *source
	root   Value
}

func (d *document) errorAt(offset int64, format string, args ...any) *Error {
	e := d.source.errorAt(offset, format, args...)
	e.Path = strings.TrimPrefix(d.path(offset), ".")
	return e
}

// path finds the value or the name that stands at offset. Paths are needed for errors alone: kept in every value
// they would be longer than the document.
func (d *document) path(offset int64) string {
	var path strings.Builder
	for v := &d.root; v.Offset != offset; {
		// The last one that does not begin after offset.
		i := sort.Search(len(v.Elems), func(i int) bool { return v.Elems[i].Offset > offset }) - 1
		j := sort.Search(len(v.Members), func(j int) bool { return v.Members[j].NameOffset > offset }) - 1
		switch {
		case i >= 0:
			fmt.Fprintf(&path, "[%d]", i)
			v = &v.Elems[i]
		case j >= 0:
			path.WriteString(model.KeyPath("", v.Members[j].Name))
			if v.Members[j].NameOffset == offset {
				return path.String()
			}
			v = &v.Members[j].Value
		default:
			return path.String()
		}
	}
	return path.String()
}

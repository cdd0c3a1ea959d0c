package inventory

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// fleetMembers are the members of a fleet object, and what reads an element of each.
var fleetMembers = []struct {
	name string
	read func(*Loader, element)
}{
	{"policies", (*Loader).policyVersion},
	{"identityPools", (*Loader).identityPool},
	{"roleAliases", (*Loader).roleAlias},
	{"certificates", (*Loader).registration},
	{"accounts", (*Loader).account},
}

// fleetMember returns which of fleetMembers has a name; -1 if none has.
func fleetMember(name string) int {
	for i := range fleetMembers {
		if fleetMembers[i].name == name {
			return i
		}
	}
	return -1
}

func fleetNames() string {
	var all []string
	for _, m := range fleetMembers {
		all = append(all, m.name)
	}
	return strings.Join(all, ", ")
}

// fleetObject reads an object with resources of several kinds. What stands before an error of syntax counts.
func (l *Loader) fleetObject(data []byte, at Origin) {
	s := newStream(element{data: data, at: at})
	known := make(map[string]bool)
	_, err := s.Token() // the brace
	for err == nil && s.More() {
		name, nameAt := "", s.next(",").at
		if name, err = s.name(); err != nil {
			break
		}
		value := s.next(":")
		i := fleetMember(name)
		if i >= 0 && !known[name] && bytes.HasPrefix(value.data, []byte("[")) {
			known[name] = true
			err = s.list(name, func(e element) { fleetMembers[i].read(l, e) })
			continue
		}
		if err = s.pass(); err != nil {
			break
		}
		switch {
		case name == "nextMarker" || name == "nextToken": // which AWS prints beside the part of a list
			if !bytes.HasPrefix(value.data, []byte("null")) && !bytes.HasPrefix(value.data, []byte(`""`)) {
				l.problems.add(nameAt, name+" says that the list goes on: the rest of it is missing")
			}
		case i < 0:
			l.problems.add(nameAt, fmt.Sprintf("%.80q is unknown; the members are %s", name, fleetNames()))
		case known[name]:
			l.problems.add(nameAt, name+" is there twice, and is not read the second time")
		default:
			known[name] = true
			l.problems.add(value.at, name+" must be a list")
		}
	}
	if err == nil {
		_, err = s.Token()
	}
	// A Decoder that reads tokens does not say where an error is.
	if err != nil && l.valid(data, at) {
		l.problems.add(at, "cannot be read to its end: "+err.Error())
	}
}

// otherObject tells of an object that is none of those that are read.
func (l *Loader) otherObject(data []byte, at Origin) {
	if l.valid(data, at) {
		l.problems.add(at, fmt.Sprintf("object with none of the members %s, %s, %s is not read",
			fleetNames(), eventMember, policyMember))
	}
}

// valid tells whether data is valid JSON, and if not, where it ends to be.
func (l *Loader) valid(data []byte, at Origin) bool {
	err := json.Unmarshal(data, new(json.RawMessage))
	if err == nil {
		return true
	}
	why := "it ends too early"
	if e, ok := errors.AsType[*json.SyntaxError](err); ok && e.Offset < int64(len(data)) {
		at.Offset += e.Offset - 1
		why = e.Error()
	} else {
		at.Offset += int64(len(data))
	}
	l.problems.add(at, "is no JSON from here on: "+why)
	return false
}

// stream reads JSON piece by piece, and knows where each piece stands.
type stream struct {
	*json.Decoder
	element
}

func newStream(e element) *stream {
	return &stream{json.NewDecoder(bytes.NewReader(e.data)), e}
}

// next returns what has not been read, from the first byte on that is neither white space nor a separator.
func (s *stream) next(separator string) element {
	rest := s.data[s.InputOffset():]
	part := bytes.TrimLeft(rest, jsonSpace+separator)
	at := s.at
	at.Offset += int64(len(s.data) - len(part))
	return element{data: part, at: at}
}

// name reads the name of a member.
func (s *stream) name() (string, error) {
	token, err := s.Token()
	name, _ := token.(string) // a Decoder lets nothing else stand there
	return name, err
}

// pass reads a value that is not wanted.
func (s *stream) pass() error {
	var value json.RawMessage
	return s.Decode(&value)
}

// list reads a list, and hands over its elements one by one.
func (s *stream) list(path string, read func(element)) error {
	_, err := s.Token() // the bracket
	for i := 0; err == nil && s.More(); i++ {
		e := s.next(",")
		if err = s.pass(); err == nil {
			e.data = e.data[:s.InputOffset()-(e.at.Offset-s.at.Offset)]
			e.path = fmt.Sprintf("%s[%d]", path, i)
			read(e)
		}
	}
	if err == nil {
		_, err = s.Token()
	}
	return err
}

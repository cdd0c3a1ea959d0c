package inventory

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"iter"
)

// MaxJSON is how many bytes a JSON object of a file may have; one with more is not read.
const MaxJSON = 64 << 20

// jsonForm is what a JSON object of a file is about, as the names of its members say.
type jsonForm int

const (
	formOther jsonForm = iota
	formFleet
	formEvent
	formPolicy
)

// The members by which the forms are told apart.
const (
	eventMember  = "eventType"
	policyMember = "Statement"
)

// jsonObject is one JSON object of a file, or what is wrong with what stands in the place of one.
type jsonObject struct {
	data    []byte // not known to be valid
	at      int64
	form    jsonForm
	problem string // empty: nothing is wrong
}

// isJSON tells whether a file that begins with head is JSON. Text that begins with a brace may be anything,
// and PEM may have JSON before its first block.
func isJSON(head []byte) bool {
	head = bytes.TrimPrefix(head, []byte(byteOrderMark))
	head = bytes.TrimLeft(head, jsonSpace)
	if len(head) == 0 || head[0] != '{' && head[0] != '[' {
		return false
	}
	next := bytes.TrimLeft(head[1:], jsonSpace)
	switch {
	case head[0] == '[' && !bytes.HasPrefix(next, []byte("{")):
		return false
	case head[0] == '{' && len(next) > 0 && next[0] != '"' && next[0] != '}':
		return false
	}
	return !bytes.Contains(head, []byte(begin))
}

const (
	jsonSpace     = " \t\r\n"
	byteOrderMark = "\xef\xbb\xbf"
)

// nesting follows the braces, brackets and strings of JSON that may be broken.
type nesting struct {
	depth   int
	text    bool // inside a string
	escaped bool // after a backslash in it
	last    byte // before what comes next, without white space
}

// step takes one byte.
func (n *nesting) step(c byte) {
	if n.text {
		switch {
		case n.escaped:
			n.escaped = false
		case c == '\\':
			n.escaped = true
		case c == '"':
			n.text = false
		}
		return
	}
	switch c {
	case ' ', '\t', '\r', '\n':
		return
	case '"':
		n.text = true
	case '{', '[':
		n.depth++
	case '}', ']':
		n.depth--
	}
	n.last = c
}

// breaks tells whether no JSON goes on with c here: a line that ends in a string, or one that begins with an object
// where no value can be. That is how a line that was cut off shows.
func (n *nesting) breaks(c byte, lineStart bool) bool {
	if n.text {
		return c == '\n'
	}
	return c == '{' && lineStart && n.last != '[' && n.last != ',' && n.last != ':'
}

// jsonObjects streams the JSON objects of r, which stand one after another. It takes memory for one. What is
// broken ends at the next line that begins with an object. An error, that of reading, is the last.
func jsonObjects(r *bufio.Reader) iter.Seq2[jsonObject, error] {
	return func(yield func(jsonObject, error) bool) {
		s := jsonScanner{yield: yield, more: true, lineStart: true}
		if mark, _ := r.Peek(len(byteOrderMark)); string(mark) == byteOrderMark {
			s.at = int64(len(mark))
			r.Discard(len(mark))
		}
		for s.more {
			if s.plain(r) > 0 {
				continue
			}
			c, err := r.ReadByte()
			if err != nil {
				if s.depth > 0 {
					s.end()
				}
				if err != io.EOF && s.more {
					yield(jsonObject{}, err)
				}
				return
			}
			s.byte(c)
			s.at++
		}
	}
}

type jsonScanner struct {
	nesting
	yield     func(jsonObject, error) bool
	more      bool // yield has not said no
	at        int64
	lineStart bool
	lost      bool // passing over what is no object, to the next line that begins with one

	object jsonObject
	size   int64 // of the object so far; data has no more than MaxJSON of it
	name   int   // where in data a member of the object itself may begin
}

// plain takes at once what of a string has been read ahead and holds no surprise, and returns how many bytes.
func (s *jsonScanner) plain(r *bufio.Reader) int {
	if !s.text || s.escaped {
		return 0
	}
	run, _ := r.Peek(r.Buffered())
	for _, c := range []byte("\"\\\n") {
		if i := bytes.IndexByte(run, c); i >= 0 {
			run = run[:i]
		}
	}
	if len(run) > 0 {
		s.keep(run...)
		s.at += int64(len(run))
		s.lineStart = false
		r.Discard(len(run))
	}
	return len(run)
}

// keep adds to the object.
func (s *jsonScanner) keep(part ...byte) {
	s.size += int64(len(part))
	if s.size <= MaxJSON {
		s.object.data = append(s.object.data, part...)
	}
}

func (s *jsonScanner) byte(c byte) {
	lineStart := s.lineStart
	s.lineStart = c == '\n'
	if s.depth > 0 && s.breaks(c, lineStart) {
		s.end()
		s.lost = true
	}
	if s.depth == 0 {
		switch {
		case c == '{' && (!s.lost || lineStart):
			s.nesting, s.lost = nesting{}, false
			s.object, s.size = jsonObject{at: s.at, data: make([]byte, 0, 512)}, 0
		case s.lost || bytes.IndexByte([]byte(jsonSpace), c) >= 0:
			return
		default:
			s.lost = true
			s.tell(jsonObject{at: s.at, problem: "no JSON object begins here; nothing is read up to the next line that begins with one"})
			return
		}
	}
	s.keep(c)
	outside, last := !s.text, s.last
	s.step(c)
	switch {
	case s.depth == 0:
		s.end()
	case s.depth == 1 && outside && s.text && (last == '{' || last == ','):
		s.name = len(s.object.data)
	case s.depth == 1 && !outside && !s.text && s.name > 0 && s.size <= MaxJSON:
		s.named(s.object.data[s.name : len(s.object.data)-1])
		s.name = 0
	}
}

// named takes the name of a member of the object itself.
func (s *jsonScanner) named(name []byte) {
	form := formOther
	switch {
	case string(name) == policyMember:
		form = formPolicy
	case string(name) == eventMember:
		form = formEvent
	case s.object.form == formOther && fleetMember(string(name)) >= 0:
		form = formFleet
	}
	s.object.form = max(s.object.form, form)
}

// end ends the object, whether or not it is whole.
func (s *jsonScanner) end() {
	if s.size > MaxJSON {
		s.object = jsonObject{at: s.object.at, problem: fmt.Sprintf("JSON object of %d bytes is larger than %d, and is not read", s.size, MaxJSON)}
	}
	s.tell(s.object)
	s.nesting, s.object, s.name = nesting{}, jsonObject{}, 0
}

func (s *jsonScanner) tell(o jsonObject) { s.more = s.more && s.yield(o, nil) }

package strictjson

import (
	"bytes"
	"fmt"
	"sort"
	"sync"
	"unicode/utf8"
)

const byteOrderMark = "\uFEFF"

// source is the bytes of one document, or of several, and finds lines and columns in them.
type source struct {
	data  []byte
	once  sync.Once
	marks []mark
}

// mark is the position of a byte.
type mark struct{ offset, line, column int }

// markEvery is about how many bytes lie between marks. With them each position is found in the same time, so that
// errors about everything in a file, which may be one long line, take no time in proportion to its length squared.
const markEvery = 1024

func (s *source) position(offset int) (line, column int) {
	s.once.Do(func() {
		at := mark{line: 1, column: 1}
		if bytes.HasPrefix(s.data, []byte(byteOrderMark)) {
			at.offset = len(byteOrderMark)
		}
		s.marks = append(s.marks, at)
		for to := at.offset + markEvery; to < len(s.data); to += markEvery {
			for to < len(s.data) && !utf8.RuneStart(s.data[to]) {
				to++
			}
			at = s.advance(at, to)
			s.marks = append(s.marks, at)
		}
	})
	i := sort.Search(len(s.marks), func(i int) bool { return s.marks[i].offset > offset }) - 1
	at := s.advance(s.marks[max(i, 0)], offset)
	return at.line, at.column
}

// advance returns the position of the byte at to, which is not before from.
func (s *source) advance(from mark, to int) mark {
	part := s.data[from.offset:max(from.offset, to)]
	column, line := from.column, part
	if i := bytes.LastIndexByte(part, '\n'); i >= 0 {
		column, line = 1, part[i+1:]
	}
	return mark{to, from.line + bytes.Count(part, []byte{'\n'}), column + utf8.RuneCount(line)}
}

func (s *source) errorAt(offset int64, format string, args ...any) *Error {
	line, column := s.position(int(offset))
	return &Error{Line: line, Column: column, Offset: offset, Problem: fmt.Sprintf(format, args...)}
}

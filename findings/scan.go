package findings

import (
	"encoding/binary"
	"time"
)

// scanner reads a value that may be anything. After a fault it reads nothing more.
type scanner struct {
	row  *Row
	rest []byte
	err  error
}

// scan begins to read a value, after its version.
func scan(r *Row) *scanner {
	s := &scanner{row: r, rest: r.Value}
	if version := s.byte("version"); s.err == nil && version != rowVersion {
		s.fault("is of version %d, not %d", version, rowVersion)
	}
	return s
}

func (s *scanner) fault(format string, args ...any) {
	if s.err == nil {
		s.err = s.row.fault(format, args...)
	}
	s.rest = nil
}

func (s *scanner) byte(what string) byte {
	if b := s.take(1, what); len(b) == 1 {
		return b[0]
	}
	return 0
}

// take returns n bytes, or nil.
func (s *scanner) take(n uint64, what string) []byte {
	if n > uint64(len(s.rest)) {
		s.fault("ends within its %s", what)
		return nil
	}
	b := s.rest[:n]
	s.rest = s.rest[n:]
	return b
}

func (s *scanner) bytes(what string) []byte { return s.take(s.uvarint(what), what) }

func (s *scanner) uvarint(what string) uint64 {
	v, n := binary.Uvarint(s.rest)
	return v * uint64(s.varied(n, what))
}

func (s *scanner) varint(what string) int64 {
	v, n := binary.Varint(s.rest)
	return v * int64(s.varied(n, what))
}

// varied goes on after a number of n bytes, which must be as few as possible. It is 1, or 0 when it cannot.
func (s *scanner) varied(n int, what string) int {
	switch {
	case n == 0:
		s.fault("ends within its %s", what)
		return 0
	case n < 0:
		s.fault("has a %s of more than 64 bits", what)
		return 0
	case n > 1 && s.rest[n-1] == 0:
		s.fault("has a %s that is longer than it need be", what)
		return 0
	}
	s.rest = s.rest[n:]
	return 1
}

// time reads what appendTime writes.
func (s *scanner) time(what string) time.Time {
	seconds, nanoseconds := s.varint(what), s.uvarint(what)
	if nanoseconds > 999_999_999 {
		s.fault("has a %s with %d nanoseconds", what, nanoseconds)
	}
	return time.Unix(seconds, int64(nanoseconds)).UTC()
}

// canonicalIdentifier says whether b is what appendIdentifier writes of something.
func canonicalIdentifier(b []byte) bool {
	c := canon{b, true}
	c.identifier()
	return c.ok && len(c.rest) == 0
}

// canonicalDetail says whether b is what appendDetail writes of something.
func canonicalDetail(b []byte) bool {
	if len(b) == 0 {
		return true
	}
	c := canon{b, true}
	some := c.info()
	for c.ok && len(c.rest) > 0 {
		c.string()
		c.identifier()
		c.info()
		some = true
	}
	return c.ok && some
}

// canon reads along an encoding as long as it is one.
type canon struct {
	rest []byte
	ok   bool
}

func (c *canon) uvarint() uint64 {
	v, n := binary.Uvarint(c.rest)
	if c.ok = c.ok && n > 0 && (n == 1 || c.rest[n-1] != 0); !c.ok {
		return 0
	}
	c.rest = c.rest[n:]
	return v
}

func (c *canon) string() []byte {
	n := c.uvarint()
	if c.ok = c.ok && n <= uint64(len(c.rest)); !c.ok {
		return nil
	}
	b := c.rest[:n]
	c.rest = c.rest[n:]
	return b
}

func (c *canon) identifier() {
	if c.ok = c.ok && len(c.rest) >= 2; !c.ok {
		return
	}
	set := binary.LittleEndian.Uint16(c.rest)
	c.rest = c.rest[2:]
	c.ok = set < 1<<memberCount
	for ; c.ok && set != 0; set &= set - 1 {
		c.ok = len(c.string()) > 0
	}
}

// info reads additional information, with its keys in order. It is false when there is none.
func (c *canon) info() bool {
	n := c.uvarint()
	var last []byte
	for i := uint64(0); c.ok && i < n; i++ {
		k := c.string()
		c.string()
		c.ok = c.ok && (i == 0 || string(last) < string(k))
		last = k
	}
	return c.ok && n > 0
}

package inventory_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
)

// oracleBlock is a block of a PEM file, or what is wrong with one.
type oracleBlock struct {
	label   string
	at      int64
	der     []byte
	problem string
	text    bool
}

// pemOracle says what is in a PEM file. It looks at line after line and byte after byte, knows of no segments, and takes
// nothing at once: what is read otherwise must come to the same.
type pemOracle struct {
	tell func(oracleBlock)
	seen bool
	odd  bool

	strange int64

	inside bool
	block  oracleBlock
	broken bool
	text   []byte
	pads   int
}

// scan tells of all blocks of r, and what is wrong with it.
func (s *pemOracle) scan(data []byte) {
	r := bufio.NewReaderSize(bytes.NewReader(data), 64<<10)
	var at int64
	if mark, _ := r.Peek(3); string(mark) == "\xef\xbb\xbf" {
		at = 3
		r.Discard(3)
	}
	whole := true
	for {
		line, err := r.ReadSlice('\n')
		if len(line) > 0 {
			trimmed := bytes.TrimLeft(line, " \t")
			if !s.seen {
				s.odd = s.odd || !utf8.Valid(line) || bytes.ContainsFunc(line, oracleControl) || bytes.Contains(line, []byte("-----BEGIN"))
			}
			s.line(bytes.TrimRight(trimmed, " \t\r\n"), at+int64(len(line)-len(trimmed)), whole)
		}
		at += int64(len(line))
		whole = !errors.Is(err, bufio.ErrBufferFull)
		if err != nil && whole {
			if s.inside {
				s.unfinished()
			}
			if s.seen {
				s.lost()
			} else {
				s.tell(oracleBlock{problem: "neither PEM, DER nor JSON", text: !s.odd})
			}
			return
		}
	}
}

func (s *pemOracle) line(line []byte, at int64, whole bool) {
	if whole && bytes.HasPrefix(line, []byte("-----")) {
		if label, ok := oracleBoundary(line, "-----BEGIN "); ok {
			s.begin(label, at)
			return
		}
		if label, ok := oracleBoundary(line, "-----END "); ok {
			s.end(label, at)
			return
		}
	}
	if i := bytes.Index(line, []byte("-----BEGIN ")); i >= 0 {
		if s.inside {
			s.unfinished()
		}
		s.seen = true
		s.fault(at+int64(i), "BEGIN that is not a line of its own")
		return
	}
	if s.inside {
		s.content(line, at)
	} else if s.strange < 0 && !oracleCommentary(line) {
		s.strange = at
	}
}

func oracleCommentary(line []byte) bool {
	line = bytes.TrimSuffix(line, []byte{0x1a})
	misspelt := bytes.HasPrefix(line, []byte("--")) && bytes.Contains(line, []byte("BEGIN")) &&
		(bytes.Contains(line, []byte("CERTIFICATE")) || bytes.Contains(line, []byte("CRL")))
	return !misspelt && !bytes.ContainsFunc(line, oracleControl)
}

func (s *pemOracle) lost() {
	if s.strange >= 0 {
		s.fault(s.strange, "neither a block nor commentary")
		s.strange = -1
	}
}

func oracleBoundary(line []byte, kind string) (string, bool) {
	label, ok := strings.CutPrefix(string(line), kind)
	if !ok {
		return "", false
	}
	label, ok = strings.CutSuffix(label, "-----")
	return label, ok && !strings.Contains(label, "--")
}

func (s *pemOracle) begin(label string, at int64) {
	if s.inside {
		s.unfinished()
	}
	s.lost()
	*s = pemOracle{
		tell: s.tell, seen: true, strange: -1,
		inside: true, block: oracleBlock{label: label, at: at}, text: s.text[:0],
	}
}

func (s *pemOracle) content(line []byte, at int64) {
	if s.broken || !s.wanted() || len(s.text) == 0 && bytes.IndexByte(line, ':') >= 0 {
		return
	}
	for i, b := range line {
		switch {
		case b == ' ' || b == '\t' || b == '\r':
			continue
		case b == '=' && s.pads < 2:
			s.pads++
		case s.pads > 0 || !oracleBase64(b):
			s.broken = true
			s.fault(at+int64(i), fmt.Sprintf("byte 0x%02x is not base64, in the block %s that begins at %d", b, s.name(), s.block.at))
			return
		}
		s.text = append(s.text, b)
	}
	if len(s.text) > (inventory.MaxCRL+2)/3*4 {
		s.broken = true
		s.fault(s.block.at, fmt.Sprintf("block %s is larger than %d bytes", s.name(), inventory.MaxCRL))
	}
}

func (s *pemOracle) end(label string, at int64) {
	switch {
	case !s.inside:
		s.odd = true
		s.fault(at, "END without BEGIN")
	case s.broken:
	case label != s.block.label:
		s.fault(at, fmt.Sprintf("END of another block than %s, which begins at %d", s.name(), s.block.at))
	case !s.wanted():
		s.tell(s.block)
	case len(s.text) == 0:
		s.fault(s.block.at, fmt.Sprintf("block %s is empty", s.name()))
	default:
		der := make([]byte, base64.StdEncoding.DecodedLen(len(s.text)))
		n, err := base64.StdEncoding.Decode(der, s.text)
		if err != nil {
			s.fault(at, fmt.Sprintf("base64 ends too early, in the block %s that begins at %d", s.name(), s.block.at))
			break
		}
		s.block.der = der[:n:n]
		s.tell(s.block)
	}
	s.inside = false
}

func (s *pemOracle) unfinished() {
	if !s.broken {
		s.fault(s.block.at, fmt.Sprintf("block %s has no END", s.name()))
	}
	s.inside = false
}

func (s *pemOracle) fault(at int64, what string) { s.tell(oracleBlock{at: at, problem: what}) }

func (s *pemOracle) wanted() bool {
	return slices.Contains([]string{"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE", "X509 CRL"}, s.block.label)
}

func (s *pemOracle) name() string { return fmt.Sprintf("%.40q", s.block.label) }

func oracleControl(r rune) bool {
	return r < ' ' && !strings.ContainsRune("\t\n\f\r", r) || r == 0x7f
}

func oracleBase64(b byte) bool {
	return b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || b == '+' || b == '/'
}

package inventory

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"
)

// pemBlock is a block of a PEM file, or what is wrong with one.
type pemBlock struct {
	label   string
	at      int64  // offset of its BEGIN line, or of what is wrong
	der     []byte // nil for a label that is not decoded
	problem string // empty: nothing is wrong
	text    bool   // what is wrong is only that the file is plain text
}

// pemScanner reads PEM (RFC 7468, and the headers of RFC 1421) line by line, and knows at which byte it
// is. encoding/pem passes over a broken block in silence, and wants the whole file in memory.
type pemScanner struct {
	yield func(pemBlock, error) bool
	more  bool // yield has not said no
	seen  bool // there was a BEGIN
	odd   bool // before any BEGIN there was what plain text does not have: an END, a control character

	strange int64 // where, outside of blocks, something begins that is no commentary; -1: nowhere

	inside bool
	block  pemBlock
	broken bool   // a problem of the block has been told
	text   []byte // its base64
	pads   int    // how many of them are "="
}

// decoded are the labels of blocks whose content is wanted. That of other blocks, private keys above
// all, is not kept.
var decoded = []string{"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE", "X509 CRL"}

// maxBase64 is how much base64 makes the largest CRL.
const maxBase64 = (MaxCRL + 2) / 3 * 4

// pemBlocks streams the blocks of r, and what is wrong with it, in the order of ends. It takes memory for
// one block. An error, that of reading, is the last.
func pemBlocks(r io.Reader) iter.Seq2[pemBlock, error] {
	return func(yield func(pemBlock, error) bool) {
		s := &pemScanner{yield: yield, more: true, strange: -1}
		if err := s.scan(bufio.NewReaderSize(r, 64<<10)); err != nil && s.more {
			yield(pemBlock{}, err)
		}
	}
}

func (s *pemScanner) scan(r *bufio.Reader) error {
	var at int64
	if mark, _ := r.Peek(3); string(mark) == "\xef\xbb\xbf" { // of UTF-8, as some editors put it
		at = 3
		r.Discard(3)
	}
	whole := true // the last line has been read to its end
	for s.more {
		line, err := r.ReadSlice('\n')
		if len(line) > 0 {
			trimmed := bytes.TrimLeft(line, " \t")
			if !s.seen {
				s.odd = s.odd || !utf8.Valid(line) || bytes.ContainsFunc(line, control) || bytes.Contains(line, []byte("-----BEGIN"))
			}
			s.line(bytes.TrimRight(trimmed, " \t\r\n"), at+int64(len(line)-len(trimmed)), whole)
		}
		at += int64(len(line))
		whole = !errors.Is(err, bufio.ErrBufferFull)
		if err != nil && whole {
			if s.inside {
				s.unfinished()
			}
			if err != io.EOF {
				return err
			}
			if s.seen {
				s.lost()
			} else {
				s.tell(pemBlock{problem: "neither PEM, DER nor JSON", text: !s.odd})
			}
			return nil
		}
	}
	return nil
}

const (
	begin  = "-----BEGIN "
	end    = "-----END "
	dashes = "-----"
)

// line takes a line without white space at its ends, or a piece of a very long one.
func (s *pemScanner) line(line []byte, at int64, whole bool) {
	if whole && bytes.HasPrefix(line, []byte(dashes)) {
		if label, ok := boundary(line, begin); ok {
			s.begin(label, at)
			return
		}
		if label, ok := boundary(line, end); ok {
			s.end(label, at)
			return
		}
	}
	if i := bytes.Index(line, []byte(begin)); i >= 0 {
		if s.inside {
			s.unfinished()
		}
		s.seen = true
		s.fault(at+int64(i), "BEGIN that is not a line of its own")
		return
	}
	if s.inside {
		s.content(line, at)
	} else if s.strange < 0 && !commentary(line) {
		s.strange = at
	}
}

// commentary tells whether a line outside of blocks may be passed over: it is text, and no BEGIN that went
// wrong.
func commentary(line []byte) bool {
	line = bytes.TrimSuffix(line, []byte{0x1a}) // by which DOS ended a file
	misspelt := bytes.HasPrefix(line, []byte("--")) && bytes.Contains(line, []byte("BEGIN")) &&
		(bytes.Contains(line, []byte("CERTIFICATE")) || bytes.Contains(line, []byte("CRL")))
	return !misspelt && !bytes.ContainsFunc(line, control)
}

// lost tells what stood outside of the blocks and is no commentary.
func (s *pemScanner) lost() {
	if s.strange >= 0 {
		s.fault(s.strange, "neither a block nor commentary")
		s.strange = -1
	}
}

// boundary returns the label of a BEGIN or END line.
func boundary(line []byte, kind string) (string, bool) {
	label, ok := strings.CutPrefix(string(line), kind)
	if !ok {
		return "", false
	}
	label, ok = strings.CutSuffix(label, dashes)
	return label, ok && !strings.Contains(label, "--")
}

func (s *pemScanner) begin(label string, at int64) {
	if s.inside {
		s.unfinished()
	}
	s.lost()
	*s = pemScanner{
		yield: s.yield, more: s.more, seen: true, strange: -1,
		inside: true, block: pemBlock{label: label, at: at}, text: s.text[:0],
	}
}

func (s *pemScanner) content(line []byte, at int64) {
	if s.broken || !s.wanted() || len(s.text) == 0 && bytes.IndexByte(line, ':') >= 0 { // a header
		return
	}
	for i, b := range line {
		switch {
		case b == ' ' || b == '\t' || b == '\r':
			continue
		case b == '=' && s.pads < 2:
			s.pads++
		case s.pads > 0 || !isBase64(b):
			s.broken = true
			s.fault(at+int64(i), fmt.Sprintf("byte 0x%02x is not base64, in the block %s that begins at %d", b, s.name(), s.block.at))
			return
		}
		s.text = append(s.text, b)
	}
	if len(s.text) > maxBase64 {
		s.broken = true
		s.fault(s.block.at, fmt.Sprintf("block %s is larger than %d bytes", s.name(), MaxCRL))
	}
}

func (s *pemScanner) end(label string, at int64) {
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
		if err != nil { // every byte is base64, so it is their number
			s.fault(at, fmt.Sprintf("base64 ends too early, in the block %s that begins at %d", s.name(), s.block.at))
			break
		}
		s.block.der = der[:n:n]
		s.tell(s.block)
	}
	s.inside = false
}

func (s *pemScanner) unfinished() {
	if !s.broken {
		s.fault(s.block.at, fmt.Sprintf("block %s has no END", s.name()))
	}
	s.inside = false
}

func (s *pemScanner) fault(at int64, what string) { s.tell(pemBlock{at: at, problem: what}) }

func (s *pemScanner) tell(b pemBlock) { s.more = s.more && s.yield(b, nil) }

func (s *pemScanner) wanted() bool {
	return slices.Contains(decoded, s.block.label)
}

// name is the block's label for people; a hostile one may be long.
func (s *pemScanner) name() string { return fmt.Sprintf("%.40q", s.block.label) }

// control tells whether r is a character that no text has.
func control(r rune) bool {
	return r < ' ' && !strings.ContainsRune("\t\n\f\r", r) || r == 0x7f
}

func isBase64(b byte) bool {
	return b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || b == '+' || b == '/'
}

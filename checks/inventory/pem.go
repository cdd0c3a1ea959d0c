package inventory

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
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
	tell func(pemBlock)
	seen bool // there was a BEGIN
	odd  bool // before any BEGIN there was what plain text does not have: an END, a control character
	rest bool // what comes next is the rest of a very long line

	strange int64 // where, outside of blocks, something begins that is no commentary; -1: nowhere

	inside bool
	block  pemBlock
	wanted bool   // the content of the block is
	broken bool   // a problem of the block has been told
	text   []byte // its base64
	pads   int    // how many of them are "="
}

// decoded are the labels of blocks whose content is wanted. That of other blocks, private keys above
// all, is not kept.
var decoded = []string{"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE", "X509 CRL"}

// maxBase64 is how much base64 makes the largest CRL.
const maxBase64 = (MaxCRL + 2) / 3 * 4

// maxLine is how much of a line is looked at as one.
const maxLine = 64 << 10

// pem reads PEM. Where a segment ends with a block that is whole, what is in it does not depend on what follows, and is
// scanned while the next is read. It takes memory for some segments, or for one block that is larger than one.
func (f *reading) pem(ctx context.Context, g *segment) {
	var s *pemScanner // of what begins before the segment; nil: nothing does
	for ctx.Err() == nil {
		f.fill(g, segmentSize)
		g.end = f.err
		blocks := wholeBlocks(g.text, s == nil)
		switch {
		case s == nil && g.end != nil:
			f.ahead.do(g, g.pem, f.take)
			return
		case s == nil && blocks > 0:
			next := f.after(g, blocks)
			f.ahead.do(g, g.pem, f.take)
			g = next
			continue
		case s == nil:
			s = g.newScanner()
		}
		f.settle()
		s.tell = g.block
		if g.end != nil {
			g.scan(s)
			f.take(g)
			return
		}
		part := g.text
		if blocks > 0 {
			part = part[:blocks]
		}
		next := f.after(g, s.scan(part, g.at, false))
		f.take(g)
		g = next
		if blocks > 0 {
			s = nil
		}
	}
}

// wholeBlocks returns how much of text there is up to the end of the last block that is whole, and whose lines and
// dashes are where they should be; zero if there is no such block. lineStart says that a line begins with text.
//
// A scanner that has read that much is outside of blocks, whatever it had read before them.
func wholeBlocks(text []byte, lineStart bool) int {
	for to := len(text); ; {
		i := bytes.LastIndex(text[:to], []byte("\n"+end))
		if i < 0 {
			return 0
		}
		to = i
		line, ok := lineOf(text[i+1:])
		if _, isEnd := boundary(line, end); !ok || !isEnd {
			continue
		}
		// Between BEGIN and END there are no dashes.
		first := bytes.LastIndexByte(text[:max(bytes.LastIndex(text[:i], []byte(dashes)), 0)], '\n') + 1
		opening, ok := lineOf(text[first:])
		if _, isBegin := boundary(opening, begin); ok && isBegin && (first > 0 || lineStart) {
			return i + 1 + bytes.IndexByte(text[i+1:], '\n') + 1
		}
	}
}

// lineOf returns the line that text begins with, without white space at its end. False: it is not there to its end, or very long.
func lineOf(text []byte) ([]byte, bool) {
	n := bytes.IndexByte(text[:min(len(text), maxLine)], '\n')
	if n < 0 {
		return nil, false
	}
	return bytes.TrimRight(text[:n], " \t\r\n"), true
}

// newScanner returns one for what a segment begins with. All but a file's first segment begin after a block.
func (g *segment) newScanner() *pemScanner {
	return &pemScanner{tell: g.block, seen: g.at > 0, strange: -1}
}

// pem finds the blocks of a segment.
func (g *segment) pem() { g.scan(g.newScanner()) }

// scan scans a segment to its end.
func (g *segment) scan(s *pemScanner) {
	s.scan(g.text, g.at, true)
	if g.end == nil {
		return
	}
	if s.inside {
		s.unfinished()
	}
	if g.end == io.EOF {
		if s.seen {
			s.lost()
		} else {
			s.tell(pemBlock{problem: "neither PEM, DER nor JSON", text: !s.odd})
		}
	}
	g.ended()
}

// strangers are labels of PEM blocks that often stand beside certificates.
var strangers = []string{"CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST", "PUBLIC KEY", "RSA PUBLIC KEY",
	"EC PARAMETERS", "DSA PARAMETERS", "DH PARAMETERS", "X9.42 DH PARAMETERS"}

// block adds what a block holds.
func (g *segment) block(b pemBlock) {
	switch {
	case b.text && !g.named:
		g.ignored(b.at, "plain text without any PEM block")
	case b.problem != "":
		g.problem(b.at, b.problem)
	case b.label == "X509 CRL":
		g.revocationList(b.der, b.at)
	case b.label == "TRUSTED CERTIFICATE":
		if n, ok := derSize(b.der); ok && n < int64(len(b.der)) {
			b.der = b.der[:n:n]
		}
		g.certificate(b.der, b.at)
	case b.der != nil:
		g.certificate(b.der, b.at)
	case strings.HasSuffix(b.label, "PRIVATE KEY"):
		g.ignored(b.at, "private key")
	case slices.Contains(strangers, b.label):
		g.ignored(b.at, strings.ToLower(b.label))
	default:
		g.problem(b.at, fmt.Sprintf("PEM block of type %.40q is not read", b.label))
	}
}

// scan takes the lines of text, which begins at an offset of the file, and returns how many bytes they have. A line
// that text ends in the middle of is left, unless it is very long or nothing more is to come.
func (s *pemScanner) scan(text []byte, at int64, last bool) int {
	n := 0
	if at == 0 && bytes.HasPrefix(text, []byte(byteOrderMark)) { // of UTF-8, as some editors put it
		n = len(byteOrderMark)
	}
	for n < len(text) {
		line := text[n:min(len(text), n+maxLine)]
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			line = line[:i+1]
		} else if len(line) < maxLine && !last {
			break
		}
		trimmed := bytes.TrimLeft(line, " \t")
		if !s.seen {
			s.odd = s.odd || !utf8.Valid(line) || slices.ContainsFunc(line, control) || bytes.Contains(line, []byte("-----BEGIN"))
		}
		lineAt := at + int64(n+len(line)-len(trimmed))
		s.line(bytes.TrimRight(trimmed, " \t\r\n"), lineAt, !s.rest)
		s.rest = line[len(line)-1] != '\n'
		n += len(line)
		if s.inside && s.block.at == lineAt {
			n += s.plain(text[n:])
		}
	}
	return n
}

// plain takes a block at once of which text has all after its BEGIN line, and returns how many bytes that is; zero if
// there is anything unusual in it.
func (s *pemScanner) plain(text []byte) int {
	i := bytes.Index(text, []byte("\n"+dashes)) + 1
	if !s.wanted || i == 0 || i > maxBase64 {
		return 0
	}
	line, ok := lineOf(text[i:])
	if label, isEnd := boundary(line, end); !ok || !isEnd || string(label) != s.block.label {
		return 0
	}
	der := make([]byte, base64.StdEncoding.DecodedLen(i))
	n, err := base64.StdEncoding.Decode(der, text[:i])
	if err != nil || n == 0 {
		return 0
	}
	s.block.der = der[:n:n]
	s.tell(s.block)
	s.inside, s.rest = false, false
	return i + bytes.IndexByte(text[i:], '\n') + 1
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
	return !misspelt && !slices.ContainsFunc(line, control)
}

// lost tells what stood outside of the blocks and is no commentary.
func (s *pemScanner) lost() {
	if s.strange >= 0 {
		s.fault(s.strange, "neither a block nor commentary")
		s.strange = -1
	}
}

// boundary returns the label of a BEGIN or END line.
func boundary(line []byte, kind string) ([]byte, bool) {
	label, ok := bytes.CutPrefix(line, []byte(kind))
	if !ok {
		return nil, false
	}
	label, ok = bytes.CutSuffix(label, []byte(dashes))
	return label, ok && !bytes.Contains(label, []byte("--"))
}

func (s *pemScanner) begin(label []byte, at int64) {
	if s.inside {
		s.unfinished()
	}
	s.lost()
	*s = pemScanner{tell: s.tell, seen: true, strange: -1, inside: true, text: s.text[:0]}
	s.block.at = at
	if i := slices.IndexFunc(decoded, func(d string) bool { return d == string(label) }); i >= 0 {
		s.block.label, s.wanted = decoded[i], true
	} else {
		s.block.label = string(label)
	}
}

func (s *pemScanner) content(line []byte, at int64) {
	if s.broken || !s.wanted || len(s.text) == 0 && bytes.IndexByte(line, ':') >= 0 { // a header
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

func (s *pemScanner) end(label []byte, at int64) {
	switch {
	case !s.inside:
		s.odd = true
		s.fault(at, "END without BEGIN")
	case s.broken:
	case string(label) != s.block.label:
		s.fault(at, fmt.Sprintf("END of another block than %s, which begins at %d", s.name(), s.block.at))
	case !s.wanted:
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

// name is the block's label for people; a hostile one may be long.
func (s *pemScanner) name() string { return fmt.Sprintf("%.40q", s.block.label) }

// control tells whether b is a character that no text has. None of UTF-8 has such a byte in it.
func control(b byte) bool {
	return b < ' ' && b != '\t' && b != '\n' && b != '\f' && b != '\r' || b == 0x7f
}

func isBase64(b byte) bool {
	return b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || b == '+' || b == '/'
}

package inventory

import (
	"bufio"
	"bytes"
	"io"
	"slices"
)

// segmentSize is how many bytes of a file are made into resources at once.
const segmentSize = 256 << 10

// segment is a part of a file of certificates and CRLs, and what has been made of it without knowing the rest.
type segment struct {
	file    string
	at      int64 // offset of text in the file
	text    []byte
	named   bool  // the file is what somebody asked for
	end     error // why nothing follows; nil: something may
	objects []object
}

// object is what stands somewhere in a segment.
type object struct {
	at          int64
	kind        objectKind
	what        string // of a problem, or of what is ignored
	certificate Certificate
	crl         *CRL
}

type objectKind int

const (
	objectProblem objectKind = iota
	objectUnread             // a problem too
	objectIgnored
	objectCertificate
	objectCRL
)

// add returns a new object of the segment, which is good until the next is added.
func (g *segment) add(kind objectKind, at int64) *object {
	g.objects = append(g.objects, object{kind: kind, at: at})
	return &g.objects[len(g.objects)-1]
}

func (g *segment) problem(at int64, what string) { g.add(objectProblem, at).what = what }

func (g *segment) ignored(at int64, what string) { g.add(objectIgnored, at).what = what }

// ended tells of a file that could not be read to its end.
func (g *segment) ended() {
	if g.end != nil && g.end != io.EOF {
		g.add(objectUnread, 0).what = unreadEnd(g.end)
	}
}

func unreadEnd(err error) string { return "cannot be read to its end: " + cause(err) }

// certificate makes one of DER, which it keeps.
func (g *segment) certificate(der []byte, at int64) {
	g.add(objectCertificate, at).certificate = NewCertificate(der, CertificateStatusActive)
}

// revocationList makes a CRL of DER, which it keeps.
func (g *segment) revocationList(der []byte, at int64) {
	c := NewCRL(der)
	g.add(objectCRL, at).crl = &c
}

// reading is a file that is being read segment by segment.
type reading struct {
	*Loader
	r   io.Reader
	err error // why there is no more to read; nil: there may be
}

// rest returns all of a file of which the first segment has been read.
func (f *reading) rest(g *segment) *bufio.Reader {
	return bufio.NewReaderSize(io.MultiReader(bytes.NewReader(g.text), f), headSize)
}

// Read goes on reading.
func (f *reading) Read(p []byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return f.r.Read(p)
}

// fill reads until the segment has size bytes, or there are no more. It takes no more memory for it than in proportion
// to what there is.
func (f *reading) fill(g *segment, size int) {
	for idle := 0; f.err == nil && len(g.text) < size; {
		if len(g.text) == cap(g.text) {
			g.text = slices.Grow(g.text, min(size-len(g.text), max(len(g.text), segmentSize)))
		}
		n, err := f.r.Read(g.text[len(g.text):cap(g.text)])
		g.text, f.err = g.text[:len(g.text)+n], err
		if idle++; n > 0 {
			idle = 0
		} else if idle == maxIdle && err == nil {
			f.err = io.ErrNoProgress
		}
	}
}

// maxIdle is how often a reader may return nothing at all.
const maxIdle = 100

// after returns a segment with what follows the first n bytes of g, and takes it out of g.
func (f *reading) after(g *segment, n int) *segment {
	next := f.newSegment(g.file)
	next.at, next.named = g.at+int64(n), g.named
	next.text = append(next.text, g.text[n:]...)
	g.text = g.text[:n]
	return next
}

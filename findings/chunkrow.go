package findings

import (
	"encoding/binary"
	"hash/crc32"
)

// A chunk row holds what some findings say, as long as the value lasts. Each finding is a byte that says in
// which fields it differs from the one before, then these. A resource is a string. Another field is a
// uvarint: twice the length of a text that follows; or twice the number of a text that the field had before in this
// chunk, plus one.

// fields are the numbers of the texts that a content consists of, in the order in which a chunk has them.
type fields [fieldCount]uint32

const (
	fieldCount    = 5
	resourceField = 0
	detailField   = 4
	allFields     = 1<<fieldCount - 1
)

func (c *content) fields() fields { return fields{c.resource, c.kind, c.code, c.reason, c.detail} }

func (f fields) content() content { return content{f[0], f[1], f[2], f[3], f[4]} }

// chunkSize says where chunks end: after a finding whose resource has a hash below a threshold, mostly one in mean
// findings, of large ones more, so that chunks have meanBytes of text. The limits keep hashes that are made to
// meet it, or to miss it, from doing harm.
type chunkSize struct {
	mean, min, max                uint64 // findings
	meanBytes, minBytes, maxBytes uint64 // min is no limit above minBytes
}

func defaultChunkSize() chunkSize {
	return chunkSize{mean: 512, min: 64, max: 4096, meanBytes: 128 << 10, minBytes: 32 << 10, maxBytes: 256 << 10}
}

// encoder writes chunks.
type encoder struct {
	words *words
	size  chunkSize // for those that are not of given findings
	b     []byte
	n     uint32             // findings
	last  fields             // of the finding before
	sizes [fieldCount]uint64 // of its texts
	hash  uint32             // of its resource
	told  [fieldCount]map[uint32]toldText
	table *crc32.Table
}

// toldText is a text that a field had before in the chunk.
type toldText struct {
	index int
	size  uint64
}

// chunk writes a chunk of findings that contents begins with. It returns how many these are.
func (e *encoder) chunk(contents []uint32) uint32 {
	e.begin()
	for _, c := range contents {
		e.add(c)
		if e.ends() {
			break
		}
	}
	return e.n
}

// exactly writes a chunk of all of contents.
func (e *encoder) exactly(contents []uint32) {
	e.begin()
	for _, c := range contents {
		e.add(c)
	}
}

func (e *encoder) begin() {
	e.b, e.n = append(e.b[:0], rowVersion), 0
	if e.table == nil {
		e.table = crc32.MakeTable(crc32.Castagnoli)
	}
	for f := range e.told {
		if e.told[f] == nil {
			e.told[f] = make(map[uint32]toldText)
		}
		clear(e.told[f])
	}
}

func (e *encoder) add(n uint32) {
	now, at := e.words.contents.at(n).fields(), len(e.b)
	e.b = append(e.b, 0)
	for f, text := range now {
		if e.n == 0 || text != e.last[f] {
			e.b[at] |= 1 << f
			e.field(f, text)
		}
	}
	e.last = now
	e.n++
}

func (e *encoder) field(f int, text uint32) {
	if f == resourceField {
		b := e.words.text(text)
		e.hash, e.sizes[f] = crc32.Checksum(b, e.table), uint64(len(b))
		e.b = append(binary.AppendUvarint(e.b, uint64(len(b))), b...)
		return
	}
	if told, ok := e.told[f][text]; ok {
		e.sizes[f] = told.size
		e.b = binary.AppendUvarint(e.b, uint64(told.index)<<1|1)
		return
	}
	b := e.words.text(text)
	e.sizes[f] = uint64(len(b))
	e.told[f][text] = toldText{len(e.told[f]), e.sizes[f]}
	e.b = append(binary.AppendUvarint(e.b, uint64(len(b))<<1), b...)
}

// ends says whether the chunk ends after the findings that it has.
func (e *encoder) ends() bool {
	n, size := uint64(e.n), uint64(len(e.b))
	switch {
	case n >= e.size.max || size >= e.size.maxBytes:
		return true
	case n < e.size.min && size < e.size.minBytes:
		return false
	}
	text := uint64(0)
	for _, n := range e.sizes {
		text += n
	}
	return uint64(e.hash) < max(1<<32/e.size.mean, text*(1<<32/e.size.meanBytes))
}

// chunk reads a chunk into contents of d.
func (d *dictionary) chunk(r *Row) (contents []uint32, err error) {
	s := scan(r)
	if !d.fits(len(r.Value)) { // more than there can be
		return nil, r.fault("%w", ErrFull)
	}
	var last fields
	var told [fieldCount][]uint32
	for more := true; more && s.err == nil; more = len(s.rest) > 0 {
		differs := s.byte("fields that differ")
		switch {
		case s.err != nil:
		case differs == 0:
			s.fault("has finding %d twice", len(contents)-1)
		case differs > allFields:
			s.fault("has finding %d with fields %#x", len(contents), differs)
		case len(contents) == 0 && differs != allFields:
			s.fault("has a first finding with fields %#x only", differs)
		}
		for f := 0; f < fieldCount && s.err == nil; f++ {
			if differs&(1<<f) == 0 {
				continue
			}
			var b []byte
			if f == resourceField {
				b = s.bytes("resource")
			} else {
				n := s.uvarint("text")
				if i := n >> 1; n&1 == 1 && s.err == nil {
					if i >= uint64(len(told[f])) {
						s.fault("has finding %d with text %d of %d", len(contents), i, len(told[f]))
						break
					}
					last[f] = told[f][i]
					continue
				}
				b = s.take(n>>1, "text")
			}
			if s.err != nil {
				break
			}
			if f == resourceField && !canonicalIdentifier(b) || f == detailField && !canonicalDetail(b) {
				s.fault("has finding %d with a %s that nothing is encoded as: %x", len(contents), [...]string{
					resourceField: "resource", detailField: "detail"}[f], b)
				break
			}
			last[f] = d.intern(b)
			if f != resourceField {
				told[f] = append(told[f], last[f])
			}
		}
		if s.err != nil {
			return nil, s.err
		}
		n, _ := d.content(last.content())
		contents = append(contents, n)
	}
	return contents, s.err
}

package findings

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"slices"

	"github.com/fleetaudit/fleetaudit/model"
)

// content is what a finding says, apart from what its check run says for all of them: numbers of texts.
type content struct {
	resource uint32 // the encoded identifier
	kind     uint32 // the resource type
	code     uint32
	reason   uint32
	detail   uint32 // the encoded additional information and related resources
}

// words holds each distinct text and each distinct content once. A copy is a snapshot of it.
type words struct {
	contents column[content]
	places   column[uint64] // of the texts: page<<32 | offset
	pages    [][]byte       // a text is its length as a uvarint, then its bytes
}

// pageSize is the size of a page in bytes. A text that takes more than a quarter of it gets a page of
// its own, so that little is left over at the ends of pages.
const pageSize = 64 << 10

// text returns a text as it is stored: it must not be changed, and be copied before it is given out.
func (w *words) text(i uint32) []byte {
	place := *w.places.at(i)
	b := w.pages[place>>32][uint32(place):]
	size, n := binary.Uvarint(b)
	return b[n : n+int(size)]
}

// dictionary is the writer's side of words: it finds what is there already.
type dictionary struct {
	words
	seed       maphash.Seed
	byText     index
	byContent  index
	page, used int // the page being filled, and up to where
}

func (d *dictionary) hashOfText(i uint32) uint64 { return maphash.Bytes(d.seed, d.text(i)) }
func (d *dictionary) hashOfContent(i uint32) uint64 {
	return maphash.Comparable(d.seed, *d.contents.at(i))
}

// intern returns the number of a text, and its hash.
func (d *dictionary) intern(b []byte) (i uint32, hash uint64) {
	hash = maphash.Bytes(d.seed, b)
	i, ok := d.byText.find(hash, func(i uint32) bool { return bytes.Equal(d.text(i), b) })
	if !ok {
		i = d.places.append(d.store(b))
		d.byText.add(hash, d.hashOfText)
	}
	return i, hash
}

func (d *dictionary) store(b []byte) (place uint64) {
	var head [binary.MaxVarintLen64]byte
	n := binary.PutUvarint(head[:], uint64(len(b)))
	size := n + len(b)
	page, used := d.page, d.used
	switch {
	case size > pageSize/4:
		page, used = len(d.pages), 0
		d.pages = append(d.pages, make([]byte, size))
	case len(d.pages) == 0 || used+size > pageSize:
		page, used = len(d.pages), 0
		d.pages = append(d.pages, make([]byte, pageSize))
		fallthrough
	default:
		d.page, d.used = page, used+size
	}
	room := d.pages[page][used:]
	copy(room, head[:n])
	copy(room[n:], b)
	return uint64(page)<<32 | uint64(used)
}

func (d *dictionary) content(c content) (i uint32) {
	hash := maphash.Comparable(d.seed, c)
	i, ok := d.byContent.find(hash, func(i uint32) bool { return *d.contents.at(i) == c })
	if !ok {
		i = d.contents.append(c)
		d.byContent.add(hash, d.hashOfContent)
	}
	return i
}

// phrase is the last text of one kind: the next one mostly is the same.
type phrase struct {
	text  []byte
	row   uint32
	known bool
}

func (d *dictionary) phrase(last *phrase, b []byte) uint32 {
	if !last.known || !bytes.Equal(last.text, b) {
		last.text, last.known = append(last.text[:0], b...), true
		last.row, _ = d.intern(b)
	}
	return last.row
}

// learn returns the contents of fs, and for each the entry that it gets in the index of resources.
func (d *dictionary) learn(fs []Finding) (contents []uint32, entries []uint64) {
	contents, entries = make([]uint32, len(fs)), make([]uint64, len(fs))
	var kind, code, reason, detail phrase
	var b []byte
	for i := range fs {
		f := &fs[i]
		b = appendIdentifier(b[:0], &f.Resource.ResourceIdentifier)
		resource, hash := d.intern(b)
		c := content{resource: resource}
		b = append(b[:0], f.Resource.ResourceType...)
		c.kind = d.phrase(&kind, b)
		b = append(b[:0], f.ReasonCode...)
		c.code = d.phrase(&code, b)
		b = append(b[:0], f.Reason...)
		c.reason = d.phrase(&reason, b)
		b = appendDetail(b[:0], f.Resource.AdditionalInfo, f.Related)
		c.detail = d.phrase(&detail, b)
		contents[i] = d.content(c)
		entries[i] = hash>>32<<32 | uint64(i)
	}
	return contents, entries
}

// fits says whether n more findings can be numbered.
func (d *dictionary) fits(n int) bool {
	return uint64(d.contents.n)+uint64(n) < 1<<32 && uint64(d.places.n)+5*uint64(n) < 1<<32
}

// keep returns a dictionary of the contents that the segments use, and the new numbers of those and of
// their texts. When they use them all, it is d itself, and there are no new numbers.
func (d *dictionary) keep(segments []*segment) (kept *dictionary, contents, texts []uint32) {
	used := make([]bool, d.contents.n)
	n := 0
	for _, s := range segments {
		for _, c := range s.contents {
			if !used[c] {
				used[c] = true
				n++
			}
		}
	}
	if n == len(used) {
		return d, nil, nil
	}
	kept = &dictionary{seed: d.seed}
	contents = make([]uint32, len(used))
	texts = make([]uint32, d.places.n)
	known := make([]bool, len(texts))
	text := func(i uint32) uint32 {
		if !known[i] {
			texts[i], _ = kept.intern(d.text(i))
			known[i] = true
		}
		return texts[i]
	}
	for i := range used {
		if used[i] {
			c := d.contents.at(uint32(i))
			contents[i] = kept.content(content{text(c.resource), text(c.kind), text(c.code), text(c.reason), text(c.detail)})
		}
	}
	return kept, contents, texts
}

// finding puts together finding i of a segment. Nothing of it is shared with the store.
func (w *words) finding(s *segment, i uint32) model.AuditFinding {
	f, detail := w.without(s, i), w.detail(s, i)
	f.NonCompliantResource.AdditionalInfo = detail.info()
	for len(detail) > 0 {
		f.RelatedResources = append(f.RelatedResources, detail.related())
	}
	return f
}

// detail returns the additional information and the related resources of a finding.
func (w *words) detail(s *segment, i uint32) decoder {
	return w.text(w.contents.at(s.contents[i]).detail)
}

// without is finding without what detail has.
func (w *words) without(s *segment, i uint32) model.AuditFinding {
	c := w.contents.at(s.contents[i])
	resource := decoder(w.text(c.resource))
	suppressed := s.suppressed(i)
	return model.AuditFinding{
		FindingID:     s.findingID(i),
		TaskID:        s.audit.taskID,
		CheckName:     s.check,
		TaskStartTime: model.At(s.audit.start),
		FindingTime:   s.time,
		Severity:      s.severity,
		NonCompliantResource: model.NonCompliantResource{
			ResourceType:       model.ResourceType(w.text(c.kind)),
			ResourceIdentifier: resource.identifier(),
		},
		ReasonForNonCompliance:     string(w.text(c.reason)),
		ReasonForNonComplianceCode: string(w.text(c.code)),
		IsSuppressed:               &suppressed,
	}
}

// repeats marks the findings whose resource and reason code an earlier one of the same run has, given
// the run's contents and its entries in order; nil: there are none.
func (w *words) repeats(contents []uint32, entries []uint64) (marked []bool) {
	inOrder := func(a, b uint64) int {
		c, d := w.contents.at(contents[uint32(a)]), w.contents.at(contents[uint32(b)])
		return cmp.Or(cmp.Compare(c.resource, d.resource), cmp.Compare(c.code, d.code))
	}
	var group []uint64
	for len(entries) > 0 {
		n := 1
		for n < len(entries) && entries[n]>>32 == entries[0]>>32 {
			n++
		}
		if n > 1 {
			group = append(group[:0], entries[:n]...)
			slices.SortStableFunc(group, inOrder)
			for i, e := range group[1:] {
				if inOrder(group[i], e) == 0 {
					if marked == nil {
						marked = make([]bool, len(contents))
					}
					marked[uint32(e)] = true
				}
			}
		}
		entries = entries[n:]
	}
	return marked
}

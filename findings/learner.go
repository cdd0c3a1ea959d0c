package findings

import (
	"bytes"
	"iter"
)

// learn returns the contents of n findings, and where suppressed changes along them. It returns another number of them if
// fs has fewer or more. before is what another run of the check has found: where fs says the same, nothing has to be
// looked up.
func (d *dictionary) learn(n int, fs iter.Seq[*Finding], before []uint32) (contents, flips []uint32) {
	contents = make([]uint32, 0, n)
	l := learner{dictionary: d, trail: newTrail(before)}
	for f := range fs {
		if len(contents) == n {
			return nil, nil // more: there is no room
		}
		flips = flip(flips, len(contents), f.Suppressed)
		contents = append(contents, l.learn(f))
	}
	return contents, flips
}

// entries returns what a run of these contents adds to the index of resources, in order.
func (d *dictionary) entries(contents []uint32) []uint64 {
	entries := make([]uint64, len(contents))
	for i, n := range contents {
		entries[i] = uint64(*d.hashes.at(d.contents.at(n).resource))<<32 | uint64(i)
	}
	return sortEntries(entries)
}

// learner goes through the findings of one run.
type learner struct {
	*dictionary
	trail                      trail
	kind, code, reason, detail phrase
	buffer                     []byte
}

// phrase is the last text of one kind: the next one mostly is the same.
type phrase struct {
	row  uint32
	text []byte // as it is stored; nil: there is none yet
}

// load makes p a text of w, and returns that.
func (p *phrase) load(w *words, row uint32) []byte {
	if p.text == nil || p.row != row {
		p.row, p.text = row, w.text(row)
	}
	return p.text
}

func (l *learner) learn(f *Finding) uint32 {
	l.buffer = appendIdentifier(l.buffer[:0], &f.Resource.ResourceIdentifier)
	if n, ok := l.trail.ahead(); ok && l.says(l.contents.at(n), f) {
		l.trail.pass(1)
		return n
	}
	c := content{resource: l.intern(l.buffer)}
	c.kind = l.phrase(&l.kind, string(f.Resource.ResourceType))
	c.code = l.phrase(&l.code, f.ReasonCode)
	c.reason = l.phrase(&l.reason, f.Reason)
	if l.detail.text == nil || !isDetail(l.detail.text, f.Resource.AdditionalInfo, f.Related) {
		l.buffer = appendDetail(l.buffer[:0], f.Resource.AdditionalInfo, f.Related)
		l.detail.load(&l.words, l.intern(l.buffer))
	}
	c.detail = l.detail.row
	n, added := l.content(c)
	if !added {
		l.trail.follow(n)
	}
	return n
}

// says tells whether c is the content of f, whose resource is in the buffer.
func (l *learner) says(c *content, f *Finding) bool {
	return bytes.Equal(l.text(c.resource), l.buffer) &&
		string(l.kind.load(&l.words, c.kind)) == string(f.Resource.ResourceType) &&
		string(l.code.load(&l.words, c.code)) == f.ReasonCode &&
		string(l.reason.load(&l.words, c.reason)) == f.Reason &&
		isDetail(l.detail.load(&l.words, c.detail), f.Resource.AdditionalInfo, f.Related)
}

func (l *learner) phrase(p *phrase, s string) uint32 {
	if p.text == nil || string(p.text) != s {
		l.buffer = append(l.buffer[:0], s...)
		p.load(&l.words, l.intern(l.buffer))
	}
	return p.row
}

// trail is what the run of a check before has found. A run mostly finds the same in the same order, so
// that the trail tells what comes next. It goes round: after the last content comes the first.
type trail struct {
	contents []uint32
	next     int
	credit   int // how many contents may still be looked at beyond the near ones
}

// near is how many contents a trail looks at to find its way again, for any finding. It looks at all of them
// as often as that comes to the same on average: a long gap is jumped over, yet no order makes a run slow.
const near = 8

func newTrail(contents []uint32) trail { return trail{contents: contents, credit: len(contents)} }

// ahead returns the content that is expected next.
func (t *trail) ahead() (content uint32, ok bool) {
	t.credit += near
	if len(t.contents) == 0 {
		return 0, false
	}
	return t.contents[t.next], true
}

// pass goes n contents on, which are no more than the trail has.
func (t *trail) pass(n int) {
	if t.next += n; t.next >= len(t.contents) {
		t.next -= len(t.contents)
	}
}

// follow goes on to what comes after a content, or stays when it does not find that.
func (t *trail) follow(content uint32) {
	n := min(near, len(t.contents))
	if t.credit >= len(t.contents) {
		n = len(t.contents)
	}
	for i := range n {
		at := t.next + i
		if at >= len(t.contents) {
			at -= len(t.contents)
		}
		if t.contents[at] == content {
			t.credit -= max(0, i+1-near)
			t.pass(i + 1)
			return
		}
	}
	t.credit -= n - min(near, n)
}

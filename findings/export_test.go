package findings

import "github.com/fleetaudit/fleetaudit/model"

// Counts is what a store holds, counted by structure.
type Counts struct {
	Audits, Runs, Checks, Segments, Findings, Contents, Texts, Pages, Entries, Firsts int

	Chunks, Pieces int // of a mirrored store
}

// Count counts what the store holds; no writer may be at work.
func (s *Store) Count() Counts {
	v := s.view.Load()
	c := Counts{Checks: len(v.checks), Contents: v.contents.n, Texts: v.places.n, Pages: len(v.pages)}
	s.audits.Range(func(any, any) bool { c.Audits++; return true })
	for _, chunk := range v.all.chunks {
		for _, segment := range chunk.segments {
			c.Segments++
			c.Findings += len(segment.contents)
		}
	}
	chunks := make(map[uint64]bool)
	for s := range v.runs.from(top(), every) {
		c.Runs++
		c.Pieces += len(s.pieces)
		for _, p := range s.pieces {
			chunks[p.chunk] = true
		}
	}
	c.Chunks = len(chunks)
	for _, check := range v.checks {
		c.Firsts += len(check.firsts.rows)
	}
	for _, t := range v.tiers {
		c.Entries += len(t.entries)
	}
	return c
}

// Hash is what the index of resources sees of a resource.
func (s *Store) Hash(r model.ResourceIdentifier) uint32 {
	return hashOf(s.seed, appendIdentifier(nil, &r))
}

// Follow goes along a trail and says how many of the contents it told in advance, and what is left of its credit.
func Follow(before, contents []uint32) (told, credit int) {
	t := newTrail(before)
	for _, c := range contents {
		if next, ok := t.ahead(); ok && next == c {
			told++
			t.pass(1)
		} else {
			t.follow(c)
		}
	}
	return told, t.credit
}

// SortEntries sorts the entries of one run.
func SortEntries(entries []uint64) []uint64 { return sortEntries(entries) }

// EncodeDetail returns the additional information and the related resources as they are stored.
func EncodeDetail(f Finding) []byte { return appendDetail(nil, f.Resource.AdditionalInfo, f.Related) }

// IsDetail says whether b is what EncodeDetail returns.
func IsDetail(b []byte, f Finding) bool { return isDetail(b, f.Resource.AdditionalInfo, f.Related) }

// TierSizes adds segments of the given sizes one after the other, and returns the sizes of the tiers.
func TierSizes(sizes []int, limit int) []int {
	var tiers []*tier
	for i, size := range sizes {
		s := &segment{audit: &audit{begun: uint64(i)}, contents: make([]uint32, size)}
		entries := make([]uint64, size)
		for j := range entries {
			entries[j] = uint64(j)
		}
		tiers = addTier(tiers, newTier(s, entries), limit)
	}
	var now []int
	for _, t := range tiers {
		now = append(now, len(t.entries))
	}
	return now
}

// Encode returns what [Fingerprint.String] hashes.
func (f Fingerprint) Encode() []byte { return f.encode() }

// DecodeFingerprint reads what Encode wrote, and returns what is left over.
func DecodeFingerprint(b []byte) (Fingerprint, []byte) {
	d := decoder(b)
	f := Fingerprint{CheckName: string(d.bytes()), Resource: d.identifier(new(recent)), ReasonCode: string(d.bytes())}
	return f, d
}

// SmallChunks makes chunks so small that a few findings fill several.
func (s *Store) SmallChunks() {
	s.chunkSize = chunkSize{mean: 4, min: 2, max: 12, meanBytes: 400, minBytes: 200, maxBytes: 600}
}

// Runs returns a function that tells of which runs the store consists now, in the order of listings, however often the
// store is changed before it is called, and whether what sums them up is right.
func (s *Store) Runs() func() (seqs []uint64, ok bool) {
	v := s.view.Load()
	return func() (seqs []uint64, ok bool) {
		ok = true
		lists := []list{v.all, v.runs}
		for _, check := range v.checks {
			lists = append(lists, check.all, check.runs)
		}
		for _, l := range lists {
			var before *segment
			for _, c := range l.chunks {
				ok = ok && len(c.segments) <= chunkMax && c.traits == newChunk(c.segments).traits
				for _, s := range c.segments {
					ok = ok && (before == nil || inOrder(before, s) < 0)
					before = s
				}
			}
		}
		for s := range v.runs.from(top(), every) {
			seqs = append(seqs, s.seq)
		}
		return seqs, ok
	}
}

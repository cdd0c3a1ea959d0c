package findings

import (
	"hash/maphash"

	"github.com/fleetaudit/fleetaudit/model"
)

// Counts is what a store holds, counted by structure.
type Counts struct {
	Audits, Runs, Checks, Segments, Findings, Contents, Texts, Pages, Entries, Firsts int
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
	for range v.runs.from(top(), every) {
		c.Runs++
	}
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
	return uint32(maphash.Bytes(s.seed, appendIdentifier(nil, &r)) >> 32)
}

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
	f := Fingerprint{CheckName: d.string(), Resource: d.identifier(), ReasonCode: d.string()}
	return f, d
}

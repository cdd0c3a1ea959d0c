package findings

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/fleetaudit/fleetaudit/model"
)

// audit is one registered audit. It does not change, except for ran, which belongs to the writer.
type audit struct {
	taskID string
	prefix uint64    // the first half of its findings' ids
	start  time.Time // as given, for the order; findings show it in milliseconds
	begun  uint64    // its order among those of the same start
	ran    ordinals

	hypothetical bool
}

// ordinals is a set of ordinals, 64 to an entry: most audits have run all up to one. It is nil of an audit that is gone.
type ordinals map[uint32]uint64

func (o ordinals) has(n uint32) bool { return o[n/64]>>(n%64)&1 != 0 }

func (o ordinals) add(n uint32) { o[n/64] |= 1 << (n % 64) }

func (o ordinals) remove(n uint32) {
	if o[n/64] &^= 1 << (n % 64); o[n/64] == 0 {
		delete(o, n/64)
	}
}

// segment holds the findings of one check run, none or many. It never changes.
type segment struct {
	audit    *audit
	seq      uint64 // how many segments came before it: its place in snapshots
	ordinal  uint32
	check    string
	severity model.AuditFindingSeverity
	time     model.Timestamp
	contents []uint32 // the findings, as numbers of contents
	flips    []uint32 // where suppressed changes, ascending; it is false before the first
	pieces   []piece  // of a mirrored store: what contents are made of

	incomplete bool
}

// flip adds to flips that the finding at i is suppressed, or is not.
func flip(flips []uint32, i int, suppressed bool) []uint32 {
	if (len(flips)%2 == 1) == suppressed {
		return flips
	}
	return append(flips, uint32(i))
}

// without leaves out the findings that are marked.
func without(marked []bool, contents, flips []uint32) (keptContents, keptFlips []uint32) {
	suppressed := false
	for i, c := range contents {
		if len(flips) > 0 && flips[0] == uint32(i) {
			suppressed, flips = !suppressed, flips[1:]
		}
		if !marked[i] {
			keptFlips = flip(keptFlips, len(keptContents), suppressed)
			keptContents = append(keptContents, c)
		}
	}
	return slices.Clone(keptContents), keptFlips
}

func (s *segment) suppressed(i uint32) bool {
	n, found := slices.BinarySearch(s.flips, i)
	return (n%2 == 1) != found
}

// suppressedCount returns how many findings are suppressed.
func (s *segment) suppressedCount() int {
	n := 0
	for from := range slices.Chunk(s.flips, 2) {
		to := uint32(len(s.contents))
		if len(from) == 2 {
			to = from[1]
		}
		n += int(to - from[0])
	}
	return n
}

// next returns the first index at or after i whose finding is suppressed as wanted (nil: either), or
// the number of findings. It jumps over the findings between, however many they are.
func (s *segment) next(i uint32, want *bool) uint32 {
	if want == nil || i >= uint32(len(s.contents)) || s.suppressed(i) == *want {
		return min(i, uint32(len(s.contents)))
	}
	n, found := slices.BinarySearch(s.flips, i)
	if found {
		n++
	}
	if n == len(s.flips) {
		return uint32(len(s.contents))
	}
	return s.flips[n]
}

// position is a place in the order of all listings, whether or not a finding stands there (any more).
type position struct {
	start          time.Time
	begun          uint64
	ordinal, index uint32
}

// top is the position before everything.
func top() position { return position{start: time.Unix(1<<62, 0)} }

// top is the position before the findings of the audit.
func (a *audit) top() position { return position{start: a.start, begun: a.begun} }

func (s *segment) at(index uint32) position {
	return position{s.audit.start, s.audit.begun, s.ordinal, index}
}

// compare is negative when all of s stands before p, positive when all of it stands after p, and zero
// when p is a place of its own run.
func (s *segment) compare(p position) int {
	if c := p.start.Compare(s.audit.start); c != 0 {
		return c
	}
	return cmp.Or(cmp.Compare(p.begun, s.audit.begun), cmp.Compare(s.ordinal, p.ordinal))
}

// inOrder compares two segments by the order of listings.
func inOrder(s, t *segment) int {
	if s.audit == t.audit {
		return cmp.Compare(s.ordinal, t.ordinal)
	}
	return s.compare(t.at(0))
}

// A finding's id is not stored: its first half names the audit, its second half the place there.
const (
	idSize      = 16
	indexBits   = 40
	maxOrdinal  = 1<<(64-indexBits) - 1
	maxFindings = 1<<32 - 1 // of one run: indexes are uint32 everywhere else
)

// prefixOf is what a task's finding ids begin with. Ids as the engine makes them, 32 hexadecimal
// characters drawn at random, lend their first half; any other goes through a hash, so that tasks
// named by people do not collide.
func prefixOf(taskID string) uint64 {
	if b, err := hex.DecodeString(taskID); err == nil && len(b) == idSize && strings.ToLower(taskID) == taskID {
		return binary.BigEndian.Uint64(b)
	}
	sum := sha256.Sum256([]byte(taskID))
	return binary.BigEndian.Uint64(sum[:])
}

func (s *segment) findingID(index uint32) string {
	var b [idSize]byte
	binary.BigEndian.PutUint64(b[:], s.audit.prefix)
	binary.BigEndian.PutUint64(b[8:], uint64(s.ordinal)<<indexBits|uint64(index))
	var id [2 * idSize]byte // one allocation less than EncodeToString
	hex.Encode(id[:], b[:])
	return string(id[:])
}

// parseFindingID takes an id apart. It is false for a string that findingID does not make.
func parseFindingID(id string) (prefix uint64, ordinal, index uint32, ok bool) {
	b, err := hex.DecodeString(id)
	if err != nil || len(b) != idSize || strings.ToLower(id) != id {
		return 0, 0, 0, false
	}
	place := binary.BigEndian.Uint64(b[8:])
	in := place & (1<<indexBits - 1)
	return binary.BigEndian.Uint64(b), uint32(place >> indexBits), uint32(in), in <= maxFindings
}

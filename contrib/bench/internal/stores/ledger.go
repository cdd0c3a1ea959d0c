package stores

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sort"
	"sync"

	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// place is where a finding stands in the order of all listings: newest audit first, then by run, then as
// reported. Less is earlier.
type place struct {
	audit uint64 // the start time, later ones less
	rest  uint64 // how many audits began before, more of them less; the run's ordinal; the finding's index
}

// The bits of place.rest. A peer may have limits; these are far away.
const (
	indexBits   = 32
	ordinalBits = 12
	begunBits   = 64 - indexBits - ordinalBits
)

func compare(a, b place) int {
	return cmp.Or(cmp.Compare(a.audit, b.audit), cmp.Compare(a.rest, b.rest))
}

func (p place) before(q place) bool {
	return p.audit < q.audit || p.audit == q.audit && p.rest < q.rest
}

func (p place) index() uint32 { return uint32(p.rest) }

// placeSize is how many bytes a place takes in a key.
const placeSize = 16

func appendPlace(b []byte, p place) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, p.audit), p.rest)
}

func placeOf(b []byte) place {
	return place{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])}
}

type audit struct {
	findings.Audit
	shown model.Timestamp
	first place
}

// run is one check run that found something. rows are its findings, without their ids.
type run struct {
	audit *audit
	first place
	check string
	time  int64  // in milliseconds
	base  uint32 // how many findings were appended before
	rows  []model.AuditFinding
}

func (r *run) has(p place) bool {
	return p.audit == r.first.audit && p.rest>>indexBits == r.first.rest>>indexBits
}

// end returns the first place after the run.
func (r *run) end() place { return place{r.first.audit, r.first.rest + 1<<indexBits} }

func (r *run) place(i int) place { return place{r.first.audit, r.first.rest | uint64(i)} }

// values returns what indexes say of finding i, but for its resource.
func (r *run) values(i int) values {
	return values{suppressed: *r.rows[i].IsSuppressed, task: r.audit.TaskID, check: r.check, time: r.time}
}

// own copies what a finding leads to and could be changed: a store keeps nothing of what it is given, and gives
// nothing out of what it keeps.
func own(f *model.AuditFinding) {
	f.NonCompliantResource.AdditionalInfo = maps.Clone(f.NonCompliantResource.AdditionalInfo)
	f.RelatedResources = slices.Clone(f.RelatedResources)
	for i := range f.RelatedResources {
		f.RelatedResources[i].AdditionalInfo = maps.Clone(f.RelatedResources[i].AdditionalInfo)
	}
}

// show adds a finding to a page, with the id that ours gives it.
func show(page []model.AuditFinding, row *model.AuditFinding, at place) []model.AuditFinding {
	var id [32]byte
	var raw [8]byte
	copy(id[:], row.TaskID[:16])
	binary.BigEndian.PutUint64(raw[:], at.rest>>indexBits&(1<<ordinalBits-1)<<40|uint64(at.index()))
	hex.Encode(id[16:], raw[:])
	page = append(page, *row)
	f := &page[len(page)-1]
	f.FindingID = string(id[:])
	own(f)
	return page
}

// runs are in the order of listings, and are not changed: a new run makes a new slice.
type runs []*run

func (rs runs) with(r *run) runs {
	i, _ := slices.BinarySearchFunc(rs, r, func(a, b *run) int { return compare(a.first, b.first) })
	return slices.Concat(rs[:i], runs{r}, rs[i:])
}

// from returns the first run that stands at p or after it.
func (rs runs) from(p place) int {
	return sort.Search(len(rs), func(i int) bool { return compare(rs[i].first, p) >= 0 || rs[i].has(p) })
}

// filter is a query made ready.
type filter struct {
	*findings.Query
	from, to int64 // finding times, in milliseconds
	at       place // where to begin
	runs     runs  // of stores that go from run to run
	tuned    bool  // runs are the index of tasks and checks
}

// takes says whether f may ask for findings of a run.
func (f *filter) takes(r *run) bool {
	return f.from <= r.time && r.time <= f.to && (!f.tuned ||
		(f.TaskID == "" || r.audit.TaskID == f.TaskID) && (f.CheckName == "" || r.check == f.CheckName))
}

// meets says whether f asks for a finding. It leaves out the resource, which has an index in every store.
func (f *filter) meets(row *model.AuditFinding) bool {
	if f.from != math.MinInt64 || f.to != math.MaxInt64 {
		if t := row.FindingTime.UnixMilli(); t < f.from || t > f.to {
			return false
		}
	}
	return (f.TaskID == "" || row.TaskID == f.TaskID) && (f.CheckName == "" || row.CheckName == f.CheckName) &&
		(f.Suppressed == nil || *row.IsSuppressed == *f.Suppressed)
}

// next returns the first run at or after p that f asks for, and the first place in it that is not before
// p; nil: there is none.
func (f *filter) next(p place) (*run, place) {
	for _, r := range f.runs[f.runs.from(p):] {
		if f.takes(r) {
			if p.before(r.first) {
				p = r.first
			}
			return r, p
		}
	}
	return nil, p
}

// ledger is what the peers have in common: audits and, if they are tuned, the numbers of resources.
type ledger struct {
	tuned   bool
	audits  sync.Map // from task id to *audit
	numbers struct {
		sync.RWMutex
		of map[resource]uint32
	}
	begun, count uint64 // of audits, of findings
}

func (l *ledger) init(resources int, tuned bool) {
	if l.tuned = tuned; tuned {
		l.numbers.of = make(map[resource]uint32, resources)
	}
}

// sign turns the order of signed integers into that of unsigned ones.
const sign = 1 << 63

// Begin registers an audit.
func (l *ledger) Begin(a findings.Audit) error {
	if len(a.TaskID) != 32 || l.begun>>begunBits != 0 {
		return fmt.Errorf("stores: TaskID %q has not 32 digits, or is one audit too many", a.TaskID)
	}
	first := place{^(uint64(a.StartTime.UnixNano()) ^ sign), (1<<begunBits - 1 - l.begun) << (64 - begunBits)}
	if _, taken := l.audits.LoadOrStore(a.TaskID, &audit{a, model.At(a.StartTime), first}); taken {
		return fmt.Errorf("stores: TaskID %q %w", a.TaskID, findings.ErrTaskTaken)
	}
	l.begun++
	return nil
}

// run makes a run of what is appended, not yet visible to readers.
func (l *ledger) run(given findings.Run, fs []findings.Finding) (*run, error) {
	a, ok := l.audits.Load(given.TaskID)
	if !ok || given.Ordinal < 0 || given.Ordinal>>ordinalBits != 0 || (l.count+uint64(len(fs)))>>indexBits != 0 {
		return nil, fmt.Errorf("stores: run %d of %q with %d findings: %w", given.Ordinal, given.TaskID, len(fs), findings.ErrUnknownTask)
	}
	at := model.At(given.Time)
	r := &run{
		audit: a.(*audit), check: given.CheckName, time: at.UnixMilli(),
		base: uint32(l.count), rows: make([]model.AuditFinding, len(fs)),
	}
	r.first = r.audit.first
	r.first.rest |= uint64(given.Ordinal) << indexBits
	l.count += uint64(len(fs))
	yes, no := new(true), new(false)
	for i := range fs {
		f, row := &fs[i], &r.rows[i]
		row.TaskID, row.TaskStartTime = r.audit.TaskID, r.audit.shown
		row.CheckName, row.FindingTime, row.Severity = r.check, at, given.Severity
		row.NonCompliantResource, row.RelatedResources = f.Resource, f.Related
		own(row)
		row.ReasonForNonCompliance, row.ReasonForNonComplianceCode = f.Reason, f.ReasonCode
		row.IsSuppressed = no
		if f.Suppressed {
			row.IsSuppressed = yes
		}
	}
	return r, nil
}

// keys returns those of the rows' resources. Tuned stores give a resource that is new a number.
func (l *ledger) keys(rows []model.AuditFinding) []resource {
	keys := make([]resource, len(rows))
	for i := range rows {
		keys[i] = resourceOf(&rows[i].NonCompliantResource.ResourceIdentifier)
	}
	if !l.tuned {
		return keys
	}
	l.numbers.Lock()
	defer l.numbers.Unlock()
	for i, key := range keys {
		n, ok := l.numbers.of[key]
		if !ok {
			n = uint32(len(l.numbers.of))
			l.numbers.of[key] = n
		}
		keys[i] = resource{number: n}
	}
	return keys
}

// key returns that of a resource; false: no finding has it.
func (l *ledger) key(r *model.ResourceIdentifier) (key resource, ok bool) {
	key = resourceOf(r)
	if !l.tuned {
		return key, true
	}
	l.numbers.RLock()
	defer l.numbers.RUnlock()
	n, ok := l.numbers.of[key]
	return resource{number: n}, ok
}

// filter makes a query ready for the runs that are visible now.
func (l *ledger) filter(q *findings.Query, rs runs) (*filter, error) {
	f := &filter{
		Query: q, from: milliseconds(q.From, math.MinInt64), to: milliseconds(q.To, math.MaxInt64),
		runs: rs, tuned: l.tuned,
	}
	if a, ok := l.audits.Load(q.TaskID); ok {
		f.at = a.(*audit).first
	}
	if q.Token != "" {
		if len(q.Token) != placeSize {
			return nil, errors.New("stores: Token is no token")
		}
		f.at = placeOf([]byte(q.Token))
	}
	return f, nil
}

// newPage returns a page with room for all that may come, within reason.
func newPage(limit int) findings.Page {
	return findings.Page{Findings: make([]model.AuditFinding, 0, min(limit, 250))}
}

func tokenOf(p place) string { return string(appendPlace(nil, p)) }

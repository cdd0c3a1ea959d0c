package checks

import (
	"errors"
	"fmt"
	"hash/maphash"

	"github.com/fleetaudit/fleetaudit/model"
)

// seed makes the hashes that tell resources apart; they never leave the process.
var seed = maphash.MakeSeed()

func (x *run) report(f Finding) {
	if f.Resource.ResourceType == "" {
		f.Resource.ResourceType = x.job.Spec.ResourceType
	}
	f.detach()
	code, lie := x.lie(&f)
	r := row{code: code, reason: f.Reason}
	if f.Resource.AdditionalInfo != nil || f.Related != nil {
		r.extra = &extra{f.Resource.AdditionalInfo, f.Related}
	}
	var room [2]string
	id := identify(&f.Resource.ResourceIdentifier, room[:])
	r.set = id.set
	h := id.hash(seed, 0)

	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case x.over:
		if !x.late {
			x.late = true
			x.warn("check reported after its run had ended; dropped")
		}
	case lie != nil:
		if x.fault == nil {
			x.fault = lie
		}
	case x.runner.MaxFindings > 0 && x.found.n >= x.runner.MaxFindings:
		x.cancel(fmt.Errorf("%w: %d", ErrTooManyFindings, x.runner.MaxFindings))
	default:
		x.found.add(f.shard, r, id)
		if x.resources.add(h) {
			x.job.nonCompliant.Add(1)
		}
	}
}

// hashes is a set of hashes.
type hashes struct {
	slots []uint64 // 0: none; their number is a power of two
	n     int
}

// add tells whether h was not there before.
func (s *hashes) add(h uint64) bool {
	h = max(h, 1)
	if 4*s.n >= 3*len(s.slots) {
		old := s.slots
		s.slots = make([]uint64, max(8, 2*len(old)))
		for _, h := range old {
			if h != 0 {
				*s.slot(h) = h
			}
		}
	}
	slot := s.slot(h)
	if *slot == h {
		return false
	}
	*slot = h
	s.n++
	return true
}

// slot is where h is, or where it belongs.
func (s *hashes) slot(h uint64) *uint64 {
	last := uint64(len(s.slots) - 1)
	for i := h & last; ; i = (i + 1) & last {
		if s.slots[i] == h || s.slots[i] == 0 {
			return &s.slots[i]
		}
	}
}

// lie says how a finding contradicts its check's Spec, if it does; if not, the place of its reason code in that: after
// the last one is RESOURCE_NOT_EVALUABLE.
func (x *run) lie(f *Finding) (code uint32, lie error) {
	s := x.job.Spec
	switch {
	case f.Resource.ResourceIdentifier == model.ResourceIdentifier{}:
		return 0, errors.New("the check reported a finding that names no resource")
	case f.Resource.ResourceType != s.ResourceType:
		return 0, fmt.Errorf("the check reported a resource of type %q, its Spec says %q", f.Resource.ResourceType, s.ResourceType)
	case f.ReasonCode == model.ReasonCodeResourceNotEvaluable:
		return uint32(len(s.ReasonCodes)), nil
	}
	for i := range s.ReasonCodes {
		if s.ReasonCodes[i].Code == f.ReasonCode {
			return uint32(i), nil
		}
	}
	return 0, fmt.Errorf("the check reported reason code %q, which its Spec does not declare", f.ReasonCode)
}

// hand puts what was reported into an outcome, and lets go of it.
func (x *run) hand(out *Outcome) {
	if x.found.n == 0 {
		return
	}
	f := x.found
	f.resourceType, f.codes = x.job.Spec.ResourceType, x.job.Spec.ReasonCodes
	if x.resources.n < f.n {
		f.distinct()
	}
	x.found, x.resources = found{}, hashes{}
	if x.job.Packed {
		out.found = &f
	} else {
		out.Findings = f.slice()
	}
}

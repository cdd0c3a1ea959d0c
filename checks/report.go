package checks

import (
	"errors"
	"fmt"
	"hash/maphash"
	"slices"

	"github.com/fleetaudit/fleetaudit/model"
)

// seed makes the hashes that tell resources apart; they never leave the process.
var seed = maphash.MakeSeed()

func (x *run) report(f Finding) {
	if f.Resource.ResourceType == "" {
		f.Resource.ResourceType = x.job.Spec.ResourceType
	}
	f = f.clone()
	lie := x.lie(f)
	h := maphash.Comparable(seed, f.Resource.ResourceIdentifier)

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
	case x.runner.MaxFindings > 0 && x.count >= x.runner.MaxFindings:
		x.cancel(fmt.Errorf("%w: %d", ErrTooManyFindings, x.runner.MaxFindings))
	default:
		for len(x.shards) <= f.shard {
			x.shards = append(x.shards, nil)
		}
		x.shards[f.shard] = append(x.shards[f.shard], f)
		x.count++
		if x.resources == nil {
			x.resources = make(map[uint64]struct{})
		}
		if _, known := x.resources[h]; !known {
			x.resources[h] = struct{}{}
			x.job.nonCompliant.Add(1)
		}
	}
}

// lie says how a finding contradicts its check's Spec, if it does.
func (x *run) lie(f Finding) error {
	s := x.job.Spec
	switch {
	case f.Resource.ResourceIdentifier == model.ResourceIdentifier{}:
		return errors.New("the check reported a finding that names no resource")
	case f.Resource.ResourceType != s.ResourceType:
		return fmt.Errorf("the check reported a resource of type %q, its Spec says %q", f.Resource.ResourceType, s.ResourceType)
	case f.ReasonCode == model.ReasonCodeResourceNotEvaluable:
		return nil
	case !slices.ContainsFunc(s.ReasonCodes, func(r ReasonCode) bool { return r.Code == f.ReasonCode }):
		return fmt.Errorf("the check reported reason code %q, which its Spec does not declare", f.ReasonCode)
	}
	return nil
}

// findings puts what was reported in the order of shards and reports, and drops what is there twice.
func (x *run) findings() []Finding {
	type fingerprint struct {
		resource model.ResourceIdentifier
		code     string
	}
	if x.count == 0 {
		return nil
	}
	of := func(f Finding) fingerprint { return fingerprint{f.Resource.ResourceIdentifier, f.ReasonCode} }
	all := make([]Finding, 0, x.count)
	first := make(map[uint64]int, x.count)
	for _, shard := range x.shards {
		for _, f := range shard {
			h := maphash.Comparable(seed, of(f))
			i, known := first[h]
			if known && of(all[i]) == of(f) { // two with one hash are kept
				continue
			}
			if !known {
				first[h] = len(all)
			}
			f.shard = 0
			all = append(all, f)
		}
	}
	return all
}

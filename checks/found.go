package checks

import (
	"hash/maphash"
	"iter"
	"math/bits"
	"slices"

	"github.com/fleetaudit/fleetaudit/model"
)

// found is what a check has found, by shard and in the order of reports. It takes a fraction of the memory that
// Findings do, most of whose members are empty.
type found struct {
	resourceType model.ResourceType // of all of them: the Spec's
	codes        []ReasonCode       // the Spec's
	shards       [][]piece
	n            int // without those that are there again
}

// piece is some findings that follow each other. One that is full is never copied to make room.
type piece struct {
	rows  []row
	texts []string // of the identities of the rows, one after the other
}

// A shard's first piece has room for so many findings, or for as many as shards have on average, and each one that follows
// for twice as many.
const (
	firstPiece = 4
	maxPiece   = 256
)

// row is what a finding says, but for the texts of its identity.
type row struct {
	set    uint16 // as in its identity
	again  bool   // one before it has its resource and its reason code
	code   uint32 // the place in codes; after the last one: RESOURCE_NOT_EVALUABLE
	reason string
	extra  *extra // nil: there is none
}

// extra is what few findings have.
type extra struct {
	info    map[string]string
	related []model.RelatedResource
}

// identity is a ResourceIdentifier in little room.
type identity struct {
	set   uint16 // which members are not empty, by their place
	texts []string
}

// members lists the strings that a resource identifier is made of.
func members(r *model.ResourceIdentifier) [13]*string {
	return [...]*string{
		&r.DeviceCertificateID, &r.CACertificateID, &r.CognitoIdentityPoolID, &r.ClientID,
		&r.PolicyVersionIdentifier.PolicyName, &r.PolicyVersionIdentifier.PolicyVersionID,
		&r.Account, &r.IAMRoleARN, &r.RoleAliasARN,
		&r.IssuerCertificateIdentifier.IssuerCertificateSubject, &r.IssuerCertificateIdentifier.IssuerID,
		&r.IssuerCertificateIdentifier.IssuerCertificateSerialNumber, &r.DeviceCertificateARN,
	}
}

// identify returns the identity of r, for which room may have room.
func identify(r *model.ResourceIdentifier, room []string) identity {
	id := identity{texts: room[:0]}
	for i, m := range members(r) {
		if *m != "" {
			id.set |= 1 << i
			id.texts = append(id.texts, *m)
		}
	}
	return id
}

// identifier undoes identify, for an r whose other members are empty.
func (id identity) identifier(r *model.ResourceIdentifier) {
	all, set := members(r), id.set
	for _, text := range id.texts {
		*all[bits.TrailingZeros16(set)] = text
		set &= set - 1
	}
}

func (id identity) equal(of identity) bool {
	return id.set == of.set && slices.Equal(id.texts, of.texts)
}

// hash tells identities apart, and with their codes findings.
func (id identity) hash(seed maphash.Seed, code uint32) uint64 {
	h := uint64(id.set) | uint64(code)<<16
	for _, s := range id.texts {
		h = (h ^ maphash.String(seed, s)) * 0x9e3779b97f4a7c15 // odd: nothing is lost
		h ^= h >> 32
	}
	return h
}

// add puts in a finding of a shard.
func (f *found) add(shard int, r row, id identity) {
	for len(f.shards) <= shard {
		f.shards = append(f.shards, nil)
	}
	pieces := f.shards[shard]
	last := len(pieces) - 1
	if last < 0 || len(pieces[last].rows) == cap(pieces[last].rows) {
		n := max(firstPiece, f.n/len(f.shards))
		if last >= 0 {
			n = 2 * cap(pieces[last].rows)
		}
		n = min(n, maxPiece)
		last++
		pieces = append(pieces, piece{make([]row, 0, n), make([]string, 0, n*len(id.texts))})
		f.shards[shard] = pieces
	}
	p := &pieces[last]
	p.rows, p.texts = append(p.rows, r), append(p.texts, id.texts...)
	f.n++
}

// each calls do for each row, until that is false.
func (f *found) each(do func(*row, identity) bool) {
	for _, pieces := range f.shards {
		for _, p := range pieces {
			texts := p.texts
			for i := range p.rows {
				r := &p.rows[i]
				n := bits.OnesCount16(r.set)
				if !r.again && !do(r, identity{r.set, texts[:n]}) {
					return
				}
				texts = texts[n:]
			}
		}
	}
}

// distinct marks the findings that have the resource and the reason code of one before them.
func (f *found) distinct() {
	type fingerprint struct {
		identity
		code uint32
	}
	first := make(map[uint64]fingerprint, f.n)
	f.each(func(r *row, id identity) bool {
		h := id.hash(seed, r.code)
		of, known := first[h]
		switch {
		case !known:
			first[h] = fingerprint{id, r.code}
		case of.code == r.code && of.equal(id): // two with one hash are kept
			r.again = true
			f.n--
		}
		return true
	})
}

// all yields each finding in the same place.
func (f *found) all(yield func(*Finding) bool) {
	v := &Finding{}
	v.Resource.ResourceType = f.resourceType
	var set uint16
	f.each(func(r *row, id identity) bool {
		if id.set != set {
			v.Resource.ResourceIdentifier, set = model.ResourceIdentifier{}, id.set
		}
		id.identifier(&v.Resource.ResourceIdentifier)
		v.Reason, v.ReasonCode = r.reason, model.ReasonCodeResourceNotEvaluable
		if int(r.code) < len(f.codes) {
			v.ReasonCode = f.codes[r.code].Code
		}
		v.Resource.AdditionalInfo, v.Related = nil, nil
		if r.extra != nil {
			v.Resource.AdditionalInfo, v.Related = r.extra.info, r.extra.related
		}
		return yield(v)
	})
}

// slice returns the findings as a slice.
func (f *found) slice() []Finding {
	all := make([]Finding, 0, f.n)
	for v := range f.all {
		all = append(all, *v)
	}
	return all
}

// All yields the Findings, also those of a Job that is Packed. A Finding that it yields must not be changed, and holds
// good until the next one: a copy of it lasts.
func (o *Outcome) All() iter.Seq[*Finding] {
	if o.found != nil {
		return o.found.all
	}
	return func(yield func(*Finding) bool) {
		for i := range o.Findings {
			if !yield(&o.Findings[i]) {
				return
			}
		}
	}
}

// Len returns how many findings All yields.
func (o *Outcome) Len() int {
	if o.found != nil {
		return o.found.n
	}
	return len(o.Findings)
}

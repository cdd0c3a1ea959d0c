package stores

import (
	"math"
	"slices"
	"time"

	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// index is an index of go-memdb and B-trees: findings ordered by a value, and those of the same value by
// place.
type index int

const (
	byPlace index = iota // of no value: the order of listings
	bySuppressed
	byResource
	byTask // tuned stores have neither this one nor those after it
	byCheck
	byTime
	indexCount
)

// indexes returns the indexes that a store has.
func (l *ledger) indexes() index {
	if l.tuned {
		return byTask
	}
	return indexCount
}

// narrowest returns the index to walk through for a query.
func (l *ledger) narrowest(f *filter) index {
	switch {
	case f.Resource != (model.ResourceIdentifier{}):
		return byResource
	case !l.tuned && f.TaskID != "":
		return byTask
	case !l.tuned && f.CheckName != "":
		return byCheck
	case !l.tuned && (f.from != math.MinInt64 || f.to != math.MaxInt64):
		return byTime
	case f.Suppressed != nil:
		return bySuppressed
	}
	return byPlace
}

// values are what indexes say of a finding, or are asked for.
type values struct {
	suppressed  bool
	resource    resource
	task, check string
	time        int64 // in milliseconds
}

// walker is a store with indexes, as one reader sees it.
type walker interface {
	// walk yields the findings with the one value that an index has, from a place on.
	walk(by index, v *values, from place, yield func(place, *model.AuditFinding) bool)
	// firstTime returns the first finding time from t on, if there is one.
	firstTime(t int64) (int64, bool)
}

// list fills a page.
func (l *ledger) list(w walker, f *filter) findings.Page {
	page := newPage(f.Limit)
	v := values{task: f.TaskID, check: f.CheckName}
	v.suppressed = f.Suppressed != nil && *f.Suppressed
	if f.Resource != (model.ResourceIdentifier{}) {
		var ok bool
		if v.resource, ok = l.key(&f.Resource); !ok {
			return page
		}
	}
	add := func(at place, row *model.AuditFinding) bool {
		switch {
		case !f.meets(row):
			return true
		case len(page.Findings) == f.Limit:
			page.Next = tokenOf(at)
			return false
		}
		page.Findings = show(page.Findings, row, at)
		return true
	}
	switch by := l.narrowest(f); {
	case l.tuned:
		jump(w, by, &v, f, add)
	case by == byTime:
		merge(w, &v, f, add)
	default:
		w.walk(by, &v, f.at, add)
	}
	return page
}

// jump yields the runs that are asked for, and leaves out the others with a jump each.
func jump(w walker, by index, v *values, f *filter, yield func(place, *model.AuditFinding) bool) {
	for r, at := f.next(f.at); r != nil; {
		again := false
		w.walk(by, v, at, func(p place, row *model.AuditFinding) bool {
			if !r.has(p) {
				if r, at = f.next(p); r == nil || !r.has(p) {
					again = r != nil
					return false
				}
			}
			return yield(p, row)
		})
		if !again {
			return
		}
	}
}

// merge yields a period. The index has the findings of each time in the order of listings; so what comes
// next is the first of what is left of any time. As all findings of a run have one time, that changes
// only from run to run.
func merge(w walker, v *values, f *filter, yield func(place, *model.AuditFinding) bool) {
	type head struct {
		place
		time int64
	}
	inOrder := func(a, b head) int { return compare(a.place, b.place) }
	var heads []head
	var ok bool
	for v.time, ok = w.firstTime(f.from); ok && v.time <= f.to; v.time, ok = w.firstTime(v.time + 1) {
		w.walk(byTime, v, f.at, func(p place, _ *model.AuditFinding) bool {
			heads = append(heads, head{p, v.time})
			return false
		})
	}
	slices.SortFunc(heads, inOrder)
	for more := true; more && len(heads) > 0; {
		first := heads[0]
		heads = heads[1:]
		v.time = first.time
		w.walk(byTime, v, first.place, func(p place, row *model.AuditFinding) bool {
			if len(heads) > 0 && compare(p, heads[0].place) > 0 {
				rest := head{p, v.time}
				i, _ := slices.BinarySearchFunc(heads, rest, inOrder)
				heads = slices.Insert(heads, i, rest)
				return false
			}
			more = yield(p, row)
			return more
		})
	}
}

// milliseconds returns a bound of a period, or what stands for none.
func milliseconds(t time.Time, none int64) int64 {
	if t.IsZero() {
		return none
	}
	return model.At(t).UnixMilli()
}

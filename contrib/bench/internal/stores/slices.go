package stores

import (
	"slices"
	"sort"
	"sync"

	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// slicemaps is the store that one writes by hand: findings in slices, and maps of positions. A position
// is how many findings were appended before; so each list of them ascends, and the times of runs, of which
// there are few, need no list. The runs say in which order to list the positions.
type slicemaps struct {
	ledger
	mu           sync.RWMutex
	runs         runs
	bySuppressed map[bool][]uint32
	// Of a natural store.
	byTask, byCheck map[string][]uint32
	byResource      map[resource][]uint32
	// Of a tuned one.
	byNumber [][]uint32
}

func newSlices(resources int, tuned bool) *slicemaps {
	s := &slicemaps{bySuppressed: make(map[bool][]uint32)}
	s.init(resources, tuned)
	if tuned {
		s.byNumber = make([][]uint32, 0, resources)
		return s
	}
	s.byTask, s.byCheck = make(map[string][]uint32), make(map[string][]uint32)
	s.byResource = make(map[resource][]uint32, resources)
	return s
}

// Append adds a run.
func (s *slicemaps) Append(given findings.Run, fs []findings.Finding) error {
	r, err := s.run(given, fs)
	if err != nil || len(fs) == 0 {
		return err
	}
	keys := s.keys(r.rows)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs = s.runs.with(r)
	yes, no := s.bySuppressed[true], s.bySuppressed[false]
	for i := range fs {
		if at := r.base + uint32(i); fs[i].Suppressed {
			yes = append(yes, at)
		} else {
			no = append(no, at)
		}
	}
	s.bySuppressed[true], s.bySuppressed[false] = yes, no
	if s.tuned {
		for i, key := range keys {
			if int(key.number) >= len(s.byNumber) {
				s.byNumber = append(s.byNumber, nil)
			}
			s.byNumber[key.number] = append(s.byNumber[key.number], r.base+uint32(i))
		}
		return nil
	}
	task := slices.Grow(s.byTask[r.audit.TaskID], len(fs))
	check := slices.Grow(s.byCheck[r.check], len(fs))
	for i, key := range keys {
		at := r.base + uint32(i)
		task, check = append(task, at), append(check, at)
		s.byResource[key] = append(s.byResource[key], at)
	}
	s.byTask[r.audit.TaskID], s.byCheck[r.check] = task, check
	return nil
}

// positions returns those of the narrowest index; false: there is none.
func (s *slicemaps) positions(q *findings.Query) ([]uint32, bool) {
	switch {
	case q.Resource != (model.ResourceIdentifier{}):
		key, ok := s.key(&q.Resource)
		switch {
		case !s.tuned:
			return s.byResource[key], true
		case ok && int(key.number) < len(s.byNumber): // a writer gives numbers before it takes the lock
			return s.byNumber[key.number], true
		}
		return nil, true
	case !s.tuned && q.TaskID != "":
		return s.byTask[q.TaskID], true
	case !s.tuned && q.CheckName != "":
		return s.byCheck[q.CheckName], true
	case q.Suppressed != nil:
		return s.bySuppressed[*q.Suppressed], true
	}
	return nil, false
}

// Page lists the runs one by one: of each, the positions that the narrowest index has.
func (s *slicemaps) Page(q findings.Query) (findings.Page, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	page := newPage(q.Limit)
	f, err := s.filter(&q, s.runs)
	if err != nil {
		return page, err
	}
	positions, indexed := s.positions(&q)
	for r, at := f.next(f.at); r != nil; r, at = f.next(r.end()) {
		i, rest := at.index(), positions
		if indexed {
			rest = rest[sort.Search(len(rest), func(j int) bool { return rest[j] >= r.base+i }):]
		}
		for ; int(i) < len(r.rows); i++ {
			if indexed {
				if len(rest) == 0 || rest[0]-r.base >= uint32(len(r.rows)) {
					break
				}
				i, rest = rest[0]-r.base, rest[1:]
			}
			row := &r.rows[i]
			if !f.meets(row) {
				continue
			}
			if len(page.Findings) == f.Limit {
				page.Next = tokenOf(r.place(int(i)))
				return page, nil
			}
			page.Findings = show(page.Findings, row, r.place(int(i)))
		}
	}
	return page, nil
}

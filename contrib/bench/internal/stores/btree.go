package stores

import (
	"cmp"
	"strings"
	"sync"

	"github.com/tidwall/btree"

	"github.com/fleetaudit/fleetaudit/findings"
	"github.com/fleetaudit/fleetaudit/model"
)

// trees is a store of B-trees, one for each index. Readers wait while a run is added: copies of trees for
// readers would make adding take half as long again.
type trees struct {
	ledger
	mu            sync.RWMutex
	runs          runs // of a tuned store
	places        tree[struct{}]
	suppressed    tree[uint8]
	resources     tree[resource]
	tasks, checks tree[string]
	times         tree[int64]
}

// entry leads from a value and a place to a finding.
type entry[V any] struct {
	place
	value V
	row   *model.AuditFinding
}

// tree is one index. The hint speeds up adding: most findings stand next to those before them.
type tree[V any] struct {
	*btree.BTreeG[entry[V]]
	hint *btree.PathHint
}

// degree is as fast as 32 and 128. google/btree was slower with each of them.
const degree = 64

func newTree[V any](less func(a, b entry[V]) bool) tree[V] {
	return tree[V]{btree.NewBTreeGOptions(less, btree.Options{Degree: degree, NoLocks: true}), new(btree.PathHint)}
}

func inOrder(a, b entry[struct{}]) bool { return a.before(b.place) }

func byValue[V cmp.Ordered](a, b entry[V]) bool {
	if a.value != b.value {
		return a.value < b.value
	}
	return a.before(b.place)
}

func byKey(a, b entry[resource]) bool {
	if a.value.number != b.value.number {
		return a.value.number < b.value.number
	}
	if c := strings.Compare(a.value.text, b.value.text); c != 0 {
		return c < 0
	}
	return a.before(b.place)
}

func newTrees(resources int, tuned bool) *trees {
	t := &trees{
		places: newTree(inOrder), suppressed: newTree(byValue[uint8]), resources: newTree(byKey),
		tasks: newTree(byValue[string]), checks: newTree(byValue[string]), times: newTree(byValue[int64]),
	}
	t.init(resources, tuned)
	return t
}

func bit(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// Append adds a run.
func (t *trees) Append(given findings.Run, fs []findings.Finding) error {
	r, err := t.run(given, fs)
	if err != nil || len(fs) == 0 {
		return err
	}
	keys := t.keys(r.rows)
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range r.rows {
		p, v, row := r.place(i), r.values(i), &r.rows[i]
		set(t.places, p, struct{}{}, row)
		set(t.suppressed, p, bit(v.suppressed), row)
		set(t.resources, p, keys[i], row)
		if !t.tuned {
			set(t.tasks, p, v.task, row)
			set(t.checks, p, v.check, row)
			set(t.times, p, v.time, row)
		}
	}
	if t.tuned {
		t.runs = t.runs.with(r)
	}
	return nil
}

func set[V any](t tree[V], p place, value V, row *model.AuditFinding) {
	t.SetHint(entry[V]{p, value, row}, t.hint)
}

// Page lists findings from the narrowest index.
func (t *trees) Page(q findings.Query) (findings.Page, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	f, err := t.filter(&q, t.runs)
	if err != nil {
		return findings.Page{}, err
	}
	return t.list(t, f), nil
}

func (t *trees) walk(by index, v *values, from place, yield func(place, *model.AuditFinding) bool) {
	switch by {
	case byPlace:
		ascend(t.places, struct{}{}, from, yield)
	case bySuppressed:
		ascend(t.suppressed, bit(v.suppressed), from, yield)
	case byResource:
		ascend(t.resources, v.resource, from, yield)
	case byTask:
		ascend(t.tasks, v.task, from, yield)
	case byCheck:
		ascend(t.checks, v.check, from, yield)
	case byTime:
		ascend(t.times, v.time, from, yield)
	}
}

func ascend[V comparable](t tree[V], value V, from place, yield func(place, *model.AuditFinding) bool) {
	t.Ascend(entry[V]{from, value, nil}, func(e entry[V]) bool { return e.value == value && yield(e.place, e.row) })
}

func (t *trees) firstTime(from int64) (first int64, ok bool) {
	t.times.Ascend(entry[int64]{place{}, from, nil}, func(e entry[int64]) bool {
		first, ok = e.value, true
		return false
	})
	return first, ok
}

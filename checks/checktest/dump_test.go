package checktest

import (
	"fmt"
	"math"
	"math/big"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"
)

type level int

// String hides which level it is, as the names of an enum may.
func (level) String() string { panic("not to be called") }

type node struct {
	name string
	next *node
}

type cached struct {
	Name string
	once sync.Once
	sum  int
}

type counted struct {
	hits atomic.Int64
	last string
	List []string
}

// everything has a field of each kind.
type everything struct {
	b      bool
	i      int8
	u      uint64
	p      uintptr
	f      float64
	c      complex64
	s      string
	level  level
	bytes  []byte
	list   []string
	array  [2]int
	set    map[string]*int
	nested map[level]map[bool]string
	any    any
	f0     func()
	ch     chan int
	at     time.Time
	big    *big.Int
	ring   *node
	self   map[string]any
	deep   **string
	unsafe unsafe.Pointer
	cached *cached
	once   *sync.Once
	count  counted
}

func full() *everything {
	one, text := 1, "text"
	deep := &text
	ring := &node{name: "a"}
	ring.next = &node{"b", ring}
	self := map[string]any{"x": 1}
	self["self"] = self
	return &everything{
		list: []string{"a", "b"}, bytes: []byte("bytes"), set: map[string]*int{"one": &one, "nil": nil},
		nested: map[level]map[bool]string{1: {true: "yes"}}, any: node{name: "any"}, ch: make(chan int, 1),
		at: time.Unix(1, 0), big: big.NewInt(1 << 40), ring: ring, self: self, deep: &deep,
		cached: &cached{Name: "n"}, once: new(sync.Once), f: math.NaN(),
	}
}

func TestDumpSeesEveryChange(t *testing.T) {
	for i, change := range []func(*everything){
		func(e *everything) { e.b = true },
		func(e *everything) { e.i = -1 },
		func(e *everything) { e.u = math.MaxUint64 },
		func(e *everything) { e.p = 1 },
		func(e *everything) { e.f = 0 },
		func(e *everything) { e.c = 1i },
		func(e *everything) { e.s = "s" },
		func(e *everything) { e.level = 1 },
		func(e *everything) { e.bytes[0]++ },
		func(e *everything) { e.bytes = nil },
		func(e *everything) { e.list[1] = "c" },
		func(e *everything) { e.list[0], e.list[1] = "a;b", "" },
		func(e *everything) { e.list = e.list[:1] },
		func(e *everything) { e.list = append(e.list, "c") },
		func(e *everything) { e.list = []string{} },
		func(e *everything) { e.list = nil },
		func(e *everything) { e.array[1] = 1 },
		func(e *everything) { *e.set["one"] = 2 },
		func(e *everything) { e.set["nil"] = e.set["one"] },
		func(e *everything) { delete(e.set, "nil") },
		func(e *everything) { e.set["two"] = nil },
		func(e *everything) { e.nested[1][true] = "no" },
		func(e *everything) { e.nested[2] = nil },
		func(e *everything) { e.any = &node{name: "any"} },
		func(e *everything) { e.any = nil },
		func(e *everything) {
			e.any = struct {
				name string
				next *node
			}{name: "any"}
		},
		func(e *everything) { e.f0 = func() {} },
		func(e *everything) { e.ch = make(chan int) },
		func(e *everything) { e.ch = nil },
		func(e *everything) { e.at = e.at.Add(1) },
		func(e *everything) { e.at = e.at.In(time.FixedZone("X", 3600)) },
		func(e *everything) { e.big.Add(e.big, big.NewInt(1)) },
		func(e *everything) { e.ring.next.name = "c" },
		func(e *everything) { e.ring.next.next = e.ring.next },
		func(e *everything) { e.ring.next.next = nil },
		func(e *everything) { e.self["x"] = 2 },
		func(e *everything) { e.self["self"] = nil },
		func(e *everything) { **e.deep = "other" },
		func(e *everything) { e.unsafe = unsafe.Pointer(e) },
		func(e *everything) { e.cached.Name = "m" },
		func(e *everything) { e.once = nil },
		func(e *everything) { e.count.List = []string{"x"} },
	} {
		e := full()
		before := dump(e)
		if again := dump(e); again != before {
			t.Fatalf("two dumps of the same differ:\n%s\n%s", before, again)
		}
		change(e)
		if dump(e) == before {
			t.Errorf("change %d was not seen", i)
		}
	}
}

// What is nobody's business: caches behind a lock, and a Location, which is read from files when it is needed.
func TestDumpOverlooksCaches(t *testing.T) {
	e := full()
	e.at = time.Now()
	before := dump(e)
	e.cached.once.Do(func() { e.cached.sum = 7 })
	e.once.Do(func() {})
	e.count.hits.Add(1)
	e.count.last = "x"
	_ = e.at.Format(time.RFC1123)
	for i := range 100 { // neither is the order of a map
		e.set[fmt.Sprint(i)] = nil
	}
	for i := range 100 {
		delete(e.set, fmt.Sprint(i))
	}
	if after := dump(e); after != before {
		t.Errorf("before %s\nafter  %s", before, after)
	}
}

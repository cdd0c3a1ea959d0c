package checktest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/fleetaudit/fleetaudit/checks"
)

// Kit is one trial of [Contract]. Its sources are made with [Source].
type Kit struct {
	t       testing.TB
	trial   trial
	names   []string        // of the sources that were made
	changed []func() string // for each source in place, what was changed
	read    atomic.Bool     // the check has begun to read a source
	reached atomic.Bool     // the trouble has come up
	over    chan struct{}   // closed when the trial has ended
}

// trial says what the sources of a trial do.
type trial struct {
	name    string
	inPlace bool   // they are slices that are watched; else they are streamed in shards
	seed    uint64 // of their order; zero: as given, one: the reverse

	source  int // which of them has trouble, in the order in which they are made
	point   point
	trouble func(context.Context, *Kit) error // what happens there, and the error that comes of it
}

// point is where in a source trouble comes up.
type point int

const (
	nowhere point = iota
	listing
	atFirst
	halfway
	atEnd
)

func (p point) String() string {
	return [...]string{"nowhere", "when its shards are listed", "before the first resource", "halfway", "after the last resource"}[p]
}

var errFault = errors.New("a fault that checktest put in")

// Source makes of a source, which it reads to its end, one that has what the trial needs: another order,
// faults, an eye on changes. The function that is given to [Contract] calls it for every source of the
// check. A nil src stays nil.
func Source[T any](k *Kit, src *checks.Source[T]) *checks.Source[T] {
	k.t.Helper()
	if src == nil {
		return nil
	}
	var items []T
	for v, err := range src.Read(k.t.Context(), new(checks.Pass)) {
		if err != nil {
			k.t.Fatalf("Contract cannot read what is to be checked: %v", err)
		}
		items = append(items, *v)
	}
	ordinal := len(k.names)
	k.names = append(k.names, src.Name)
	switch k.trial.seed {
	case 0:
	case 1: // two resources in a random order are often in the same
		slices.Reverse(items)
	default:
		rand.New(rand.NewPCG(k.trial.seed, uint64(ordinal))).Shuffle(len(items), func(i, j int) {
			items[i], items[j] = items[j], items[i]
		})
	}
	if k.trial.inPlace {
		k.watch(src.Name, len(items), func(i int) any { return &items[i] })
		return checks.Snapshot(src.Name, func() []T { k.read.Store(true); return items })
	}
	s := &stream[T]{kit: k, items: items}
	if k.trial.trouble != nil && k.trial.source == ordinal {
		s.point = k.trial.point
	}
	return &checks.Source[T]{Name: src.Name, Shards: s.shards}
}

// watch notes how the resources of a source are, and how to tell which of them were changed.
func (k *Kit) watch(name string, n int, item func(i int) any) {
	before := make([]string, n)
	for i := range before {
		before[i] = dump(item(i))
	}
	k.changed = append(k.changed, func() string {
		for i, was := range before {
			if dump(item(i)) != was {
				return fmt.Sprintf("resource %d of source %q", i, name)
			}
		}
		return ""
	})
}

// stream is a Source in at most three shards, with trouble at one point.
type stream[T any] struct {
	kit   *Kit
	items []T
	point point
}

func (s *stream[T]) shards(ctx context.Context) ([]checks.Shard[T], error) {
	s.kit.read.Store(true)
	if s.point == listing {
		return nil, s.fail(ctx)
	}
	n := len(s.items)
	// The index before which there is trouble; that after the last shard's is the end.
	trouble := map[point]int{nowhere: -1, atFirst: 0, halfway: n / 2, atEnd: n}[s.point]
	var shards []checks.Shard[T]
	first := 0
	for part := range slices.Chunk(s.items, n/3+1) {
		shards = append(shards, s.shard(part, trouble-first, first+len(part) == n))
		first += len(part)
	}
	if n == 0 {
		shards = append(shards, s.shard(nil, trouble, true))
	}
	return shards, nil
}

// shard streams items with trouble before one of them, or after the last one if there is no other shard
// that it could be in.
func (s *stream[T]) shard(items []T, trouble int, last bool) checks.Shard[T] {
	return func(ctx context.Context) iter.Seq2[T, error] {
		return func(yield func(T, error) bool) {
			var none T
			for i, v := range items {
				if i == trouble {
					yield(none, s.fail(ctx))
					return
				}
				if !yield(v, nil) {
					return
				}
			}
			if last && trouble == len(items) {
				yield(none, s.fail(ctx))
			}
		}
	}
}

func (s *stream[T]) fail(ctx context.Context) error {
	s.kit.reached.Store(true)
	return s.kit.trial.trouble(ctx, s.kit)
}

package checks

import (
	"context"
	"errors"
	"fmt"
	"iter"
)

// Source is a stream of resources of one type: a table, a registry, a slice. It is a handle: two Sources
// are the same exactly when they are the same pointer, and checks over the same Source share one scan.
// Its fields must not change once a check uses it; its functions are called from several goroutines.
type Source[T any] struct {
	// Name says for people what it holds: "device certificates".
	Name string
	// All streams every resource. An error that it yields fails the checks that are scanning. It must
	// stop soon after ctx ends.
	All func(ctx context.Context) iter.Seq2[T, error]
	// Shards, if not nil, is used instead of All: parts that can be scanned at the same time. Their
	// order is the order of findings. Dividing the same resources always in the same way keeps that
	// order the same from audit to audit.
	Shards func(ctx context.Context) ([]Shard[T], error)
	// Ready, if not nil, returns a channel that is closed once there is data. Until then checks wait
	// with status WAITING_FOR_DATA_COLLECTION, hold no slot, and use up no time limit. A check whose Spec
	// names the Source judges as of the end of the wait, and so sees what it waited for.
	Ready func() <-chan struct{}
	// Len, if not nil, tells how many resources a scan will bring, for progress only.
	Len func() int
	// Collect, if not nil, is told whether an enabled check uses the Source: true when collection must
	// begin, or go on; false when what was collected must be dropped. An Engine calls it when it is made,
	// and when the account's configuration changes the answer; its calls do not overlap. It must return soon
	// and not call the Engine. A Source that has it belongs to one Engine: another one, whose account does not
	// enable the checks, would have the data dropped.
	Collect func(on bool)

	items func() []T // of a Source that is a slice: scanned in place
}

// Shard streams a part of a Source.
type Shard[T any] func(ctx context.Context) iter.Seq2[T, error]

// Handle is a [Source] whatever its type.
type Handle interface {
	// SourceName returns the Source's Name.
	SourceName() string
	// SourceLen returns how many resources a scan will bring, and whether that is known.
	SourceLen() (int, bool)
	// SourceCollect calls the Source's Collect, if it has one.
	SourceCollect(on bool)

	problem() error
	wait(ctx context.Context, pass *Pass) error
	gather(r *Runner, expected int) gathering
}

func (s *Source[T]) problem() error {
	switch {
	case s == nil:
		return errors.New("the Source is nil")
	case s.All == nil && s.Shards == nil && s.items == nil:
		return s.fault(errors.New("it has neither All nor Shards"))
	}
	return nil
}

func (s *Source[T]) gather(r *Runner, expected int) gathering {
	return newGroup(r, s, expected)
}

// SourceName implements [Handle].
func (s *Source[T]) SourceName() string { return s.Name }

// SourceLen implements [Handle].
func (s *Source[T]) SourceLen() (int, bool) {
	switch {
	case s.Len != nil:
		return s.Len(), true
	case s.items != nil:
		return len(s.items()), true
	}
	return 0, false
}

// SourceCollect implements [Handle].
func (s *Source[T]) SourceCollect(on bool) {
	if s.Collect != nil {
		s.Collect(on)
	}
}

// Slice makes a Source of resources that are in memory. The caller must not change them while a check
// runs; scans do not copy them.
func Slice[T any](name string, items []T) *Source[T] {
	return Snapshot(name, func() []T { return items })
}

// Snapshot makes a Source of resources that are in memory and are replaced as a whole now and then:
// each scan asks once for the slice that is valid then. Such a slice must not change any more.
func Snapshot[T any](name string, items func() []T) *Source[T] {
	return &Source[T]{Name: name, items: items}
}

// sliceShard is how many resources of a slice make a shard.
const sliceShard = 8192

// batchSize is how many resources of a stream are read before they are judged.
const batchSize = 256

// Read streams every resource, shard by shard, for a check that is made with [New]. It waits until
// there is data, and does not count what it reads: the check does, with pass.Scanned. An error that it
// yields is the last.
func (s *Source[T]) Read(ctx context.Context, pass *Pass) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		err := s.problem()
		if err == nil {
			err = s.wait(ctx, pass)
		}
		if err != nil {
			yield(nil, err)
			return
		}
		parts, err := s.plan(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, p := range parts {
			for batch, err := range s.batches(ctx, p, batchSize) {
				if err == nil {
					err = context.Cause(ctx)
				}
				if err != nil {
					yield(nil, err)
					return
				}
				for i := range batch {
					if !yield(&batch[i], nil) {
						return
					}
				}
			}
		}
		// A source that stops because it was told to may not say so.
		if err := context.Cause(ctx); err != nil {
			yield(nil, err)
		}
	}
}

// part is a shard, or a stretch of a slice.
type part[T any] struct {
	stream Shard[T]
	items  []T
}

func (s *Source[T]) plan(ctx context.Context) ([]part[T], error) {
	switch {
	case s.items != nil:
		items := s.items()
		parts := make([]part[T], 0, len(items)/sliceShard+1)
		for len(items) > 0 {
			n := min(sliceShard, len(items))
			parts = append(parts, part[T]{items: items[:n]})
			items = items[n:]
		}
		return parts, nil
	case s.Shards != nil:
		shards, err := s.Shards(ctx)
		if err != nil {
			return nil, s.fault(err)
		}
		parts := make([]part[T], len(shards))
		for i, shard := range shards {
			if shard == nil {
				return nil, s.fault(fmt.Errorf("its Shards returned nil as shard %d", i))
			}
			parts[i] = part[T]{stream: shard}
		}
		return parts, nil
	default:
		return []part[T]{{stream: s.All}}, nil
	}
}

// batches streams a part in slices of at most size resources. A slice is the consumer's: it is never
// filled again.
func (s *Source[T]) batches(ctx context.Context, p part[T], size int) iter.Seq2[[]T, error] {
	return func(yield func([]T, error) bool) {
		if p.stream == nil {
			for items := p.items; len(items) > 0; {
				n := min(size, len(items))
				if !yield(items[:n], nil) {
					return
				}
				items = items[n:]
			}
			return
		}
		var batch []T
		for v, err := range p.stream(ctx) {
			if err != nil {
				if len(batch) > 0 && !yield(batch, nil) {
					return
				}
				yield(nil, s.fault(err))
				return
			}
			if batch == nil {
				batch = make([]T, 0, size)
			}
			batch = append(batch, v)
			if len(batch) == size {
				if !yield(batch, nil) {
					return
				}
				batch = nil
			}
		}
		if len(batch) > 0 {
			yield(batch, nil)
		}
	}
}

// wait returns once there is data, or ctx has ended.
func (s *Source[T]) wait(ctx context.Context, pass *Pass) error {
	if s.Ready == nil || pass.run != nil && pass.run.ready == Handle(s) {
		return nil
	}
	ready := s.Ready()
	if ready == nil {
		return s.fault(errors.New("its Ready returned no channel"))
	}
	select {
	case <-ready:
		return nil
	default:
	}
	if pass.run != nil {
		return pass.run.wait(ctx, ready)
	}
	select {
	case <-ready:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *Source[T]) fault(err error) error { return fmt.Errorf("source %q: %w", s.Name, err) }

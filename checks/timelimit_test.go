package checks_test

import (
	"context"
	"errors"
	"iter"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
)

// work is what a check does for a time.
func work(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// each is a check that works for a time on every resource.
func each(name string, src *checks.Source[int], d time.Duration) checks.Check {
	return checks.Each(spec(name), src, func(ctx context.Context, _ *checks.Pass, _ *int) error { return work(ctx, d) })
}

func plain(name string, d time.Duration) checks.Check {
	return checks.New(spec(name), func(ctx context.Context, _ *checks.Pass) error { return work(ctx, d) })
}

// around works before a scan, in it, and after it.
func around(name string, src *checks.Source[int], before, in, after time.Duration) checks.Check {
	s := spec(name)
	s.Source = src
	return checks.New(s, func(ctx context.Context, pass *checks.Pass) error {
		if err := work(ctx, before); err != nil {
			return err
		}
		err := checks.Scan(ctx, pass, src, func(ctx context.Context, _ *checks.Pass, _ *int) error { return work(ctx, in) })
		if err != nil {
			return err
		}
		return work(ctx, after)
	})
}

// slow is a Source whose resources take their time.
func slow(name string, items int, d time.Duration) *checks.Source[int] {
	return &checks.Source[int]{Name: name, All: func(ctx context.Context) iter.Seq2[int, error] {
		return func(yield func(int, error) bool) {
			for i := range items {
				if err := work(ctx, d); err != nil || !yield(i, nil) {
					return
				}
			}
		}
	}}
}

// TestTimeLimit runs audits with a limit of a minute a check. What a check does counts, and nothing that
// it waits for.
func TestTimeLimit(t *testing.T) {
	const s = time.Second
	ready := func(src *checks.Source[int], d time.Duration) *checks.Source[int] {
		src.Ready = func() <-chan struct{} {
			ch := make(chan struct{})
			time.AfterFunc(d, func() { close(ch) })
			return ch
		}
		return src
	}
	for _, row := range []struct {
		name  string
		slots int64
		audit func() []checks.Check
		late  string // which checks go beyond their limit, a letter each
		took  time.Duration
	}{
		{"at the limit", 0, func() []checks.Check {
			return []checks.Check{plain("A", 60*s-1), plain("B", 60*s+1)}
		}, ".x", 60 * s},
		{"waiting for a slot", 1, func() []checks.Check {
			return []checks.Check{plain("A", 50*s), plain("B", 50*s), plain("C", 50*s)}
		}, "...", 150 * s},
		{"waiting for the others of a scan to come", 0, func() []checks.Check {
			src := sharded("ints", 1)
			return []checks.Check{each("A", src, 50*s), around("B", src, 55*s, 1*s, 1*s), around("C", src, 30*s, 10*s, 10*s)}
		}, "...", (55 + 50 + 1 + 10 + 10) * s},
		{"waiting for the others of a scan to judge", 0, func() []checks.Check {
			src := sharded("ints", 50)
			return []checks.Check{each("A", src, 1*s), each("B", src, 1*s), each("C", src, 1*s)}
		}, "...", 150 * s},
		{"judging", 0, func() []checks.Check {
			src := sharded("ints", 61)
			return []checks.Check{each("A", src, 900*time.Millisecond), each("B", src, 1*s), each("C", src, 0)}
		}, ".x.", 0},
		{"judging in several shards counts once", 0, func() []checks.Check {
			src := sharded("ints", 50, 50, 50, 50)
			return []checks.Check{each("A", src, 1*s)}
		}, ".", 50 * s},
		{"judging in one shard after the other", 1, func() []checks.Check {
			src := sharded("ints", 50, 50)
			return []checks.Check{each("A", src, 1*s)}
		}, "x", 60 * s},
		{"waiting for a slot between shards", 1, func() []checks.Check {
			src := sharded("ints", 20, 20)
			// B waits in line behind A's scan, and is served between its shards.
			return []checks.Check{each("A", src, 1*s), plain("B", 50*s), plain("C", 50*s)}
		}, "...", 140 * s},
		{"before, in and after a scan", 0, func() []checks.Check {
			src := sharded("ints", 1)
			return []checks.Check{around("A", src, 19*s, 20*s, 20*s), around("B", src, 20*s, 20*s, 21*s)}
		}, ".x", 20*s + 40*s + 20*s},
		{"after a scan of nothing", 0, func() []checks.Check {
			return []checks.Check{around("A", sharded("ints"), 0, 0, 61*s)}
		}, "x", 60 * s},
		{"after two scans at the same time", 0, func() []checks.Check {
			src := sharded("ints", 1)
			return []checks.Check{checks.New(spec("A"), func(ctx context.Context, pass *checks.Pass) error {
				var scans sync.WaitGroup
				for range 2 {
					scans.Go(func() {
						checks.Scan(ctx, pass, src, func(ctx context.Context, _ *checks.Pass, _ *int) error { return work(ctx, 10*s) })
					})
				}
				scans.Wait()
				return work(ctx, 51*s)
			})}
		}, "x", 60 * s},
		{"judging in shards that begin one after the other", 0, func() []checks.Check {
			shard := func(items int, after time.Duration) checks.Shard[int] {
				return func(ctx context.Context) iter.Seq2[int, error] {
					return func(yield func(int, error) bool) {
						work(ctx, after)
						sequence(make([]int, items)...)(ctx)(yield)
					}
				}
			}
			src := &checks.Source[int]{Name: "ints", Shards: func(context.Context) ([]checks.Shard[int], error) {
				return []checks.Shard[int]{shard(70, 0), shard(70, 50*s)}, nil
			}}
			return []checks.Check{each("A", src, 1*s)}
		}, "x", 60 * s},
		{"waiting for data", 0, func() []checks.Check {
			src := ready(sharded("ints", 1), time.Hour)
			return []checks.Check{each("A", src, 50*s), around("B", src, 5*s, 50*s, 1*s)}
		}, "..", time.Hour + 5*s + 101*s},
		{"a source that takes its time", 0, func() []checks.Check {
			return []checks.Check{around("A", slow("ints", 50, 1*s), 0, 1*s, 0)}
		}, ".", 100 * s},
		{"a source that takes too long", 0, func() []checks.Check {
			src := slow("ints", 61, 1*s)
			return []checks.Check{around("A", src, 30*s, 0, 0), each("B", src, 0)}
		}, "xx", 90 * s},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				limiter, back := slots(t, row.slots)
				r := checks.Runner{Slots: limiter, TimeLimit: time.Minute}
				begin := time.Now()
				late := ""
				for i, out := range outcomes(&r, t.Context(), row.audit()...) {
					switch {
					case out.Err == nil:
						late += "."
					case errors.Is(out.Err, checks.ErrTimeLimit):
						late += "x"
					default:
						t.Errorf("check %d: %v", i, out.Err)
					}
				}
				if late != row.late {
					t.Errorf("checks beyond their limit: %s, want %s", late, row.late)
				}
				if took := time.Since(begin); took != row.took && row.took != 0 {
					t.Errorf("audit took %v, want %v", took, row.took)
				}
				if err := r.Wait(t.Context()); err != nil {
					t.Error(err)
				}
				back()
			})
		})
	}
}

// TestTimeLimitOfASource has sources that hang, with one slot: their checks fail, the next one works.
func TestTimeLimitOfASource(t *testing.T) {
	type seq = iter.Seq2[int, error]
	for _, row := range []struct {
		name string
		src  func(hang func(context.Context)) *checks.Source[int]
	}{
		{"Shards", func(hang func(context.Context)) *checks.Source[int] {
			return &checks.Source[int]{Name: "db", Shards: func(ctx context.Context) ([]checks.Shard[int], error) {
				hang(ctx)
				return nil, nil
			}}
		}},
		{"All", func(hang func(context.Context)) *checks.Source[int] {
			return &checks.Source[int]{Name: "db", All: func(ctx context.Context) seq {
				hang(ctx)
				return func(func(int, error) bool) {}
			}}
		}},
		{"at the first resource", func(hang func(context.Context)) *checks.Source[int] {
			return &checks.Source[int]{Name: "db", All: func(ctx context.Context) seq {
				return func(func(int, error) bool) { hang(ctx) }
			}}
		}},
		{"in the middle", func(hang func(context.Context)) *checks.Source[int] {
			return &checks.Source[int]{Name: "db", All: func(ctx context.Context) seq {
				return func(yield func(int, error) bool) {
					for i := range 1000 {
						if !yield(i, nil) {
							return
						}
					}
					hang(ctx)
				}
			}}
		}},
		{"slice", func(hang func(context.Context)) *checks.Source[int] {
			return checks.Snapshot("db", func() []int { hang(context.Background()); return nil })
		}},
	} {
		for _, listens := range []bool{true, false} {
			name := row.name + ", ignoring the context"
			if listens {
				name = row.name + ", until the context ends"
			}
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					stop := make(chan struct{})
					src := row.src(func(ctx context.Context) {
						if !listens {
							ctx = context.Background()
						}
						select {
						case <-ctx.Done():
						case <-stop:
						}
					})
					limiter, back := slots(t, 1)
					r := checks.Runner{Slots: limiter, TimeLimit: time.Minute}
					var next time.Duration
					begin := time.Now()
					outs := outcomes(&r, t.Context(), quiet("A", src), quiet("B", src), checks.New(spec("NEXT"), func(ctx context.Context, _ *checks.Pass) error {
						next = time.Since(begin)
						return nil
					}), quiet("LAST", sharded("ints", 1)))
					for i, out := range outs[:2] {
						if want := `source "db": went beyond the time limit of 1m0s`; out.Err == nil || out.Err.Error() != want || !errors.Is(out.Err, checks.ErrTimeLimit) {
							t.Errorf("check %d: error is %v, want %s", i, out.Err, want)
						}
					}
					for i, out := range outs[2:] {
						if out.Err != nil {
							t.Errorf("check %d: %v", 2+i, out.Err)
						}
					}
					if took := time.Since(begin); took > time.Minute+time.Second {
						t.Errorf("audit took %v, NEXT ran after %v", took, next)
					}
					if err := r.Wait(timeout(t, time.Minute)); (err == nil) != (listens && row.name != "slice") {
						t.Errorf("before the source went on: %v", err)
					}
					close(stop)
					if err := r.Wait(t.Context()); err != nil {
						t.Error(err)
					}
					back()
				})
			})
		}
	}
}

func timeout(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

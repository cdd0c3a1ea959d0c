package checks_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// TestSourceFaults scans broken sources in the two ways there are. Neither may make a check compliant.
func TestSourceFaults(t *testing.T) {
	failing := func(ctx context.Context) iter.Seq2[int, error] {
		return func(yield func(int, error) bool) {
			for i := range 300 {
				if !yield(i, nil) {
					return
				}
			}
			yield(0, errBroken)
		}
	}
	one := func(shard checks.Shard[int]) *checks.Source[int] {
		return &checks.Source[int]{Name: "db", All: shard}
	}
	bare := func(seq iter.Seq2[int, error]) *checks.Source[int] {
		return one(func(context.Context) iter.Seq2[int, error] { return seq })
	}
	shards := func(err error, all ...checks.Shard[int]) *checks.Source[int] {
		return &checks.Source[int]{Name: "db", Shards: func(context.Context) ([]checks.Shard[int], error) { return all, err }}
	}
	for _, row := range []struct {
		name string
		src  *checks.Source[int]
		want string
		is   error
		seen int // resources that were delivered before
	}{
		{"nil", nil, "the Source is nil", nil, 0},
		{"empty", &checks.Source[int]{Name: "db"}, `source "db": it has neither All nor Shards`, nil, 0},
		{"no snapshot", checks.Snapshot[int]("db", nil), `source "db": it has neither All nor Shards`, nil, 0},
		{"no channel", &checks.Source[int]{Name: "db", All: failing, Ready: func() <-chan struct{} { return nil }},
			`source "db": its Ready returned no channel`, nil, 0},
		{"Shards fails", shards(errBroken, failing), `source "db": disk on fire`, errBroken, 0},
		{"nil shard", shards(nil, sequence(1), nil), `source "db": its Shards returned nil as shard 1`, nil, 0},
		{"at once", bare(func(yield func(int, error) bool) { yield(7, errBroken) }), `source "db": disk on fire`, errBroken, 0},
		{"mid-stream", one(failing), `source "db": disk on fire`, errBroken, 300},
		{"in the second shard", shards(nil, sequence(-1, -2), failing), `source "db": disk on fire`, errBroken, 302},
		{"no permissions", bare(func(yield func(int, error) bool) { yield(7, checks.ErrInsufficientPermissions) }),
			`source "db": insufficient permissions`, checks.ErrInsufficientPermissions, 0},
		{"nil iterator", bare(nil), "panic: runtime error: invalid memory address or nil pointer dereference", nil, 0},
		{"iterator panics", bare(func(yield func(int, error) bool) { yield(1, nil); panic(errBroken) }), "panic: disk on fire", errBroken, 0},
		{"iterator panics with nil", bare(func(func(int, error) bool) { panic(nil) }), "panic: panic called with nil argument", nil, 0},
		{"iterator exits", bare(func(yield func(int, error) bool) { yield(1, nil); runtime.Goexit() }), "runtime.Goexit was called", nil, 0},
		{"All panics", one(func(context.Context) iter.Seq2[int, error] { panic("oh no") }), "panic: oh no", nil, 0},
		{"Shards panics", &checks.Source[int]{Name: "db", Shards: func(context.Context) ([]checks.Shard[int], error) { panic("oh no") }}, "panic: oh no", nil, 0},
		{"Shards exits", &checks.Source[int]{Name: "db", Shards: func(context.Context) ([]checks.Shard[int], error) {
			runtime.Goexit()
			return nil, nil
		}}, "runtime.Goexit was called", nil, 0},
		{"snapshot panics", checks.Snapshot("db", func() []int { panic("oh no") }), "panic: oh no", nil, 0},
		{"Ready panics", &checks.Source[int]{Name: "db", All: failing, Ready: func() <-chan struct{} { panic("oh no") }}, "panic: oh no", nil, 0},
	} {
		reports := func(pass *checks.Pass, n *int) error {
			pass.Report(finding(fmt.Sprint(*n)))
			return nil
		}
		scanning := checks.Each(spec("SCANNING"), row.src, func(_ context.Context, pass *checks.Pass, n *int) error { return reports(pass, n) })
		reading := checks.New(spec("READING"), func(ctx context.Context, pass *checks.Pass) error {
			for n, err := range row.src.Read(ctx, pass) {
				if err != nil {
					return err
				}
				if err := reports(pass, n); err != nil {
					return err
				}
			}
			return nil
		})
		for _, n := range limits {
			t.Run(row.name+"/"+slotted(n), func(t *testing.T) {
				limiter, back := slots(t, n)
				r := checks.Runner{Slots: limiter}
				outs := outcomes(&r, t.Context(), scanning, scanning, reading, quiet("OTHER", sharded("ints", 5)))
				for i, out := range outs[:3] {
					if out.Err == nil || !strings.Contains(out.Err.Error(), row.want) || row.is != nil && !errors.Is(out.Err, row.is) {
						t.Errorf("check %d: error is %v, want %s", i, out.Err, row.want)
					}
					if inScan := i < 2 && row.src != nil && row.name != "Ready panics"; inScan && !strings.HasPrefix(out.Err.Error(), `source "db": `) {
						t.Errorf("check %d: error %v does not name the source", i, out.Err)
					}
					// With an error in the stream, whatever came before it is kept; a panic may lose a batch. Of
					// several shards any may come first.
					if got := len(out.Findings); row.is != nil && !strings.HasPrefix(row.want, "panic") && got != row.seen && (row.src.Shards == nil || n == 1) {
						t.Errorf("check %d: %d findings, want %d", i, got, row.seen)
					}
				}
				if err := outs[3].Err; err != nil {
					t.Errorf("the other check: %v", err)
				}
				require.NoError(t, r.Wait(t.Context()))
				back()
			})
		}
	}
}

// Go stops an iterator that goes on after its loop has ended with a panic. That must not hide why it ended.
func TestSourceThatGoesOnAfterAnError(t *testing.T) {
	src := &checks.Source[int]{Name: "db", All: func(context.Context) iter.Seq2[int, error] {
		return func(yield func(int, error) bool) {
			yield(1, nil)
			yield(0, errBroken)
			yield(2, nil)
		}
	}}
	out := outcomes(new(checks.Runner), t.Context(), quiet("A", src))[0]
	if !errors.Is(out.Err, errBroken) || out.Scanned != 1 {
		t.Errorf("scanned %d, error is %v, want 1 and %v", out.Scanned, out.Err, errBroken)
	}
}

func TestSliceIsScannedInPlace(t *testing.T) {
	ints := make([]int, 20_000) // three shards
	asked := 0
	src := checks.Snapshot("ints", func() []int { asked++; return ints })
	look := func(pass *checks.Pass, n *int) {
		*n++ // each resource is seen by one goroutine at a time
	}
	each := checks.Each(spec("EACH"), src, func(_ context.Context, pass *checks.Pass, n *int) error { look(pass, n); return nil })
	read := checks.New(spec("READ"), func(ctx context.Context, pass *checks.Pass) error {
		i := 0
		for n, err := range src.Read(ctx, pass) {
			if err != nil {
				return err
			}
			if n != &ints[i] {
				return fmt.Errorf("resource %d is not the slice's", i)
			}
			look(pass, n)
			i++
		}
		return nil
	})
	var r checks.Runner
	for _, audit := range [][]checks.Check{{each, each, each}, {read}} {
		for _, out := range outcomes(&r, t.Context(), audit...) {
			require.NoError(t, out.Err)
		}
	}
	if asked != 2 {
		t.Errorf("the snapshot was asked for %d times in two scans", asked)
	}
	if i := slices.IndexFunc(ints, func(n int) bool { return n != 4 }); i >= 0 {
		t.Errorf("resource %d was seen %d times, want 4", i, ints[i])
	}
}

func TestSourceLen(t *testing.T) {
	type length struct {
		n     int
		known bool
	}
	for _, row := range []struct {
		name string
		src  checks.Handle
		want length
	}{
		{"slice", checks.Slice("ints", []int{1, 2, 3}), length{3, true}},
		{"nil slice", checks.Slice[int]("ints", nil), length{0, true}},
		{"stream", &checks.Source[int]{Name: "ints", All: sequence(1)}, length{0, false}},
		{"stream with Len", &checks.Source[int]{Name: "ints", All: sequence(1), Len: func() int { return 1 }}, length{1, true}},
	} {
		n, known := row.src.SourceLen()
		if diff := cmp.Diff(row.want, length{n, known}, cmp.AllowUnexported(length{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
		if name := row.src.SourceName(); name != "ints" {
			t.Errorf("%s: name is %q", row.name, name)
		}
	}
}

// TestByHand gives Scan and Read a Pass that no Runner made.
func TestByHand(t *testing.T) {
	src := sharded("ints", 300, 0, 300)
	src.Ready = func() <-chan struct{} {
		ch := make(chan struct{})
		close(ch)
		return ch
	}
	judged, scanned := 0, 0
	pass := checks.Pass{Scanned: func(n int) { scanned += n }}
	judge := func(_ context.Context, _ *checks.Pass, n *int) error {
		judged++
		switch {
		case *n%2 == 1:
			return checks.Skip
		case *n == 500:
			return errBroken
		}
		return nil
	}
	if err := checks.Scan(t.Context(), &pass, src, judge); !errors.Is(err, errBroken) {
		t.Errorf("error is %v, want %v", err, errBroken)
	}
	if judged != 501 || scanned != 250 {
		t.Errorf("judged %d resources and counted %d, want 501 and 250", judged, scanned)
	}

	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errBroken)
	for name, src := range map[string]*checks.Source[int]{
		"data":    sharded("ints", 1),
		"no data": sharded("ints"),
		"a source that stops when it is told to": {Name: "ints", All: func(ctx context.Context) iter.Seq2[int, error] {
			return func(yield func(int, error) bool) { <-ctx.Done() }
		}},
		"no data yet": {Name: "ints", All: sequence(1), Ready: func() <-chan struct{} {
			return make(chan struct{})
		}},
	} {
		if err := checks.Scan(ctx, &pass, src, judge); !errors.Is(err, errBroken) {
			t.Errorf("%s: error of a scan that was cancelled is %v, want %v", name, err, errBroken)
		}
	}
}

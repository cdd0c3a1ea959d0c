package checks_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// counted makes a Source that counts how often its resources were asked for.
func counted(name string, items int) (*checks.Source[int], *atomic.Int64) {
	var scans atomic.Int64
	ints := make([]int, items)
	for i := range ints {
		ints[i] = i
	}
	return &checks.Source[int]{Name: name, All: func(ctx context.Context) iter.Seq2[int, error] {
		scans.Add(1)
		return sequence(ints...)(ctx)
	}}, &scans
}

// scanner is a check that scans sources one after the other. It announces the first of them, or another.
func scanner(name string, announced checks.Handle, all ...*checks.Source[int]) checks.Check {
	s := spec(name)
	s.Source = announced
	return checks.New(s, func(ctx context.Context, pass *checks.Pass) error {
		for _, src := range all {
			err := checks.Scan(ctx, pass, src, func(context.Context, *checks.Pass, *int) error { return nil })
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// TestSharing counts how often sources A, B and C, of 300 resources, are scanned in one audit.
func TestSharing(t *testing.T) {
	type sources struct{ a, b, c *checks.Source[int] }
	for _, row := range []struct {
		name       string
		audit      func(sources) []checks.Check
		scans      [3]int64 // of A, B, C
		wantCounts []int64  // resources that each check judged
	}{
		{"one check", func(s sources) []checks.Check { return []checks.Check{quiet("X", s.a)} }, [3]int64{1, 0, 0}, []int64{300}},
		{"three checks", func(s sources) []checks.Check {
			return []checks.Check{quiet("X", s.a), quiet("Y", s.a), quiet("Z", s.a)}
		}, [3]int64{1, 0, 0}, []int64{300, 300, 300}},
		{"one Check twice", func(s sources) []checks.Check {
			x := quiet("X", s.a)
			return []checks.Check{x, x}
		}, [3]int64{1, 0, 0}, []int64{300, 300}},
		{"two sources", func(s sources) []checks.Check {
			return []checks.Check{quiet("W", s.a), quiet("X", s.b), quiet("Y", s.a), quiet("Z", s.b)}
		}, [3]int64{1, 1, 0}, []int64{300, 300, 300, 300}},
		{"a wrapper", func(s sources) []checks.Check {
			return []checks.Check{quiet("X", s.a), wrapped{quiet("Y", s.a), nil}, wrapped{wrapped{quiet("Z", s.a), nil}, nil}}
		}, [3]int64{1, 0, 0}, []int64{300, 300, 300}},
		{"New with Scan", func(s sources) []checks.Check {
			return []checks.Check{quiet("X", s.a), scanner("Y", s.a, s.a)}
		}, [3]int64{1, 0, 0}, []int64{300, 300}},
		{"not announced", func(s sources) []checks.Check {
			return []checks.Check{quiet("X", s.a), scanner("Y", nil, s.a)}
		}, [3]int64{2, 0, 0}, []int64{300, 300}},
		{"announced and never scanned", func(s sources) []checks.Check {
			return []checks.Check{quiet("X", s.a), scanner("Y", s.a), quiet("Z", s.a)}
		}, [3]int64{1, 0, 0}, []int64{300, 0, 300}},
		{"announced, and another is scanned", func(s sources) []checks.Check {
			return []checks.Check{quiet("X", s.a), scanner("Y", s.a, s.b), quiet("Z", s.b)}
		}, [3]int64{1, 2, 0}, []int64{300, 300, 300}},
		{"announced, and another is scanned before", func(s sources) []checks.Check {
			return []checks.Check{quiet("X", s.a), scanner("Y", s.a, s.b, s.a)}
		}, [3]int64{1, 1, 0}, []int64{300, 600}},
		{"a second scan", func(s sources) []checks.Check {
			return []checks.Check{scanner("X", s.a, s.a, s.a), quiet("Y", s.a)}
		}, [3]int64{2, 0, 0}, []int64{600, 300}},
		{"crosswise", func(s sources) []checks.Check {
			return []checks.Check{scanner("X", s.a, s.a, s.b), scanner("Y", s.b, s.b, s.a)}
		}, [3]int64{2, 2, 0}, []int64{600, 600}},
		{"crosswise, wrongly announced", func(s sources) []checks.Check {
			return []checks.Check{scanner("X", s.b, s.a, s.b), scanner("Y", s.a, s.b, s.a)}
		}, [3]int64{2, 2, 0}, []int64{600, 600}},
		{"round and round", func(s sources) []checks.Check {
			return []checks.Check{scanner("X", s.a, s.a, s.b, s.c), scanner("Y", s.b, s.b, s.c, s.a), scanner("Z", s.c, s.c, s.a, s.b)}
		}, [3]int64{3, 3, 3}, []int64{900, 900, 900}},
		{"within a scan", func(s sources) []checks.Check {
			return []checks.Check{checks.Each(spec("X"), s.a, func(ctx context.Context, pass *checks.Pass, n *int) error {
				if *n > 0 {
					return checks.Skip
				}
				return checks.Scan(ctx, pass, s.b, func(context.Context, *checks.Pass, *int) error { return nil })
			}), quiet("Y", s.a)}
		}, [3]int64{1, 1, 0}, []int64{301, 300}},
	} {
		for _, n := range limits {
			t.Run(row.name+"/"+slotted(n), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var s sources
					var scans [3]*atomic.Int64
					s.a, scans[0] = counted("A", 300)
					s.b, scans[1] = counted("B", 300)
					s.c, scans[2] = counted("C", 300)
					limiter, back := slots(t, n)
					r := checks.Runner{Slots: limiter}
					var counts []int64
					for i, out := range outcomes(&r, t.Context(), row.audit(s)...) {
						if out.Err != nil {
							t.Errorf("check %d: %v", i, out.Err)
						}
						counts = append(counts, out.Scanned)
					}
					if diff := cmp.Diff(row.wantCounts, counts); diff != "" {
						t.Errorf("resources judged (-want +got):\n%s", diff)
					}
					if got := [3]int64{scans[0].Load(), scans[1].Load(), scans[2].Load()}; got != row.scans {
						t.Errorf("scans of A, B, C: %v, want %v", got, row.scans)
					}
					require.NoError(t, r.Wait(t.Context()))
					back()
				})
			})
		}
	}
}

func TestTwoAuditsDoNotShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var scans atomic.Int64
		src := sharded("ints", 10)
		shards := src.Shards
		src.Shards = func(ctx context.Context) ([]checks.Shard[int], error) {
			scans.Add(1)
			return shards(ctx)
		}
		check := each("EACH", src, time.Second)
		var r checks.Runner
		var audits sync.WaitGroup
		for range 2 {
			audits.Go(func() {
				for _, out := range outcomes(&r, t.Context(), check, check) {
					if out.Err != nil || out.Scanned != 10 {
						t.Errorf("scanned %d, error %v", out.Scanned, out.Err)
					}
				}
			})
		}
		audits.Wait()
		if n := scans.Load(); n != 2 {
			t.Errorf("%d scans, want 2", n)
		}
	})
}

// TestManyChecks has 200 checks over 5 sources on few slots. Some of them fail, hang or read a second
// source.
func TestManyChecks(t *testing.T) {
	for _, n := range limits {
		t.Run(slotted(n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var sources []*checks.Source[int]
				var asked []*atomic.Int64
				for i := range 5 {
					src, n := counted(fmt.Sprint("source ", i), 300)
					sources, asked = append(sources, src), append(asked, n)
				}
				var audit []checks.Check
				want := make([]string, 200)
				for i := range 200 {
					src, name := sources[i%5], fmt.Sprint("CHECK_", i)
					want[i] = "300 <nil>"
					switch {
					case i%40 == 7:
						audit = append(audit, checks.Each(spec(name), src, func(ctx context.Context, _ *checks.Pass, n *int) error {
							if *n == 299 {
								<-ctx.Done()
							}
							return nil
						}))
						want[i] = "300 went beyond the time limit of 1m0s"
					case i%40 == 13:
						audit = append(audit, checks.Each(spec(name), src, func(context.Context, *checks.Pass, *int) error { panic(i) }))
						want[i] = fmt.Sprint("0 panic: ", i)
					case i%40 == 21:
						audit = append(audit, scanner(name, src, src, sources[(i+1)%5]))
						want[i] = "600 <nil>"
					default:
						audit = append(audit, quiet(name, src))
					}
				}
				limiter, back := slots(t, n)
				r := checks.Runner{Slots: limiter, TimeLimit: time.Minute}
				var got []string
				for _, out := range outcomes(&r, t.Context(), audit...) {
					got = append(got, fmt.Sprint(out.Scanned, " ", out.Err))
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				var scans []int64
				for _, n := range asked {
					scans = append(scans, n.Load())
				}
				if diff := cmp.Diff([]int64{1, 1, 6, 1, 1}, scans); diff != "" {
					t.Errorf("scans (-want +got):\n%s", diff)
				}
				require.NoError(t, r.Wait(t.Context()))
				back()
			})
		})
	}
}

// TestScanReturnsWhenNothingIsJudged has a judge that fails in one shard while it is busy in others, and
// looks at what they wrote as soon as Scan returns. The race detector would see a judge that goes on.
func TestScanReturnsWhenNothingIsJudged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := sharded("ints", 1, 1, 1, 1)
		var log lines
		var told [4]bool
		check := checks.New(spec("CHECK"), func(ctx context.Context, pass *checks.Pass) error {
			err := checks.Scan(ctx, pass, src, func(ctx context.Context, pass *checks.Pass, n *int) error {
				if *n == 0 {
					time.Sleep(time.Second) // until the others have begun
					return errBroken
				}
				<-ctx.Done() // the failure of the first shard tells the others to stop
				time.Sleep(time.Minute)
				pass.Report(finding(fmt.Sprint(*n)))
				told[*n] = true
				return nil
			})
			if want := [4]bool{false, true, true, true}; told != want {
				t.Errorf("judged when Scan returned: %v, want %v", told, want)
			}
			return err
		})
		job := checks.Job{Check: check, Spec: new(check.Spec()), Pass: checks.Pass{Logger: log.logger()}}
		job.End = func(out checks.Outcome) {
			if diff := cmp.Diff([]string{"1 BAD", "2 BAD", "3 BAD"}, clients(out.Findings)); diff != "" || out.Err != errBroken {
				t.Errorf("error is %v, findings (-want +got):\n%s", out.Err, diff)
			}
		}
		r := checks.Runner{Grace: 2 * time.Minute}
		r.Run(t.Context(), []*checks.Job{&job})
		if diff := cmp.Diff([]string(nil), log.all()); diff != "" {
			t.Errorf("log (-want +got):\n%s", diff)
		}
	})
}

// TestScanStops has a source without end, that does not look at its context, and a judge that is told to
// stop in the middle of a batch.
func TestScanStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &checks.Source[int]{Name: "numbers", All: func(context.Context) iter.Seq2[int, error] {
			return func(yield func(int, error) bool) {
				for i := 0; yield(i, nil); i++ {
				}
			}
		}}
		ctx, cancel := context.WithCancelCause(t.Context())
		last := 0
		check := checks.Each(spec("CHECK"), src, func(_ context.Context, _ *checks.Pass, n *int) error {
			if last = *n; last == 300 {
				cancel(errStopped)
				time.Sleep(time.Nanosecond)
			}
			return nil
		})
		var r checks.Runner
		if out := outcomes(&r, ctx, check)[0]; out.Err != errStopped || out.Scanned != 301 {
			t.Errorf("scanned %d, error %v, want 301 and %v", out.Scanned, out.Err, errStopped)
		}
		if err := r.Wait(t.Context()); err != nil || last != 300 {
			t.Errorf("the last resource that was judged is %d, want 300 (%v)", last, err)
		}
	})
}

// TestScanOutlivesItsFirstCheck has a source that obeys its context, and a check that comes first and
// gives up: that ends neither the source nor the other checks.
func TestScanOutlivesItsFirstCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := slow("ints", 30, time.Second)
		s := spec("FIRST")
		s.Source = src
		first := checks.New(s, func(ctx context.Context, pass *checks.Pass) error {
			ctx, cancel := context.WithTimeoutCause(ctx, 10*time.Second, errStopped)
			defer cancel()
			return checks.Scan(ctx, pass, src, func(context.Context, *checks.Pass, *int) error { return nil })
		})
		var r checks.Runner
		outs := outcomes(&r, t.Context(), first, around("SECOND", src, time.Second, 0, 0))
		if outs[0].Err != errStopped || outs[1].Err != nil || outs[1].Scanned != 30 {
			t.Errorf("errors %v and %v, the second judged %d resources", outs[0].Err, outs[1].Err, outs[1].Scanned)
		}
		require.NoError(t, r.Wait(t.Context()))
	})
}

// A check may keep the resources that it was given.
func TestResourcesStay(t *testing.T) {
	src := sharded("ints", 1000)
	check := checks.New(spec("KEEPS"), func(ctx context.Context, pass *checks.Pass) error {
		var kept []*int
		err := checks.Scan(ctx, pass, src, func(_ context.Context, _ *checks.Pass, n *int) error {
			kept = append(kept, n)
			return nil
		})
		for n, err := range src.Read(ctx, pass) {
			if err != nil {
				return err
			}
			kept = append(kept, n)
		}
		for i, n := range kept {
			if *n != i%1000 {
				return fmt.Errorf("resource %d is now %d", i, *n)
			}
		}
		return err
	})
	if out := outcomes(new(checks.Runner), t.Context(), check)[0]; out.Err != nil {
		t.Error(out.Err)
	}
}

// TestSkip counts what is in scope.
func TestSkip(t *testing.T) {
	check := checks.Each(spec("SKIPS"), sharded("ints", 300, 1, 300), func(_ context.Context, pass *checks.Pass, n *int) error {
		if *n%3 > 0 {
			return checks.Skip
		}
		return nil
	})
	var r checks.Runner
	outs := outcomes(&r, t.Context(), check, wrapped{check, nil})
	if i := slices.IndexFunc(outs, func(o checks.Outcome) bool { return o.Err != nil || o.Scanned != 201 }); i >= 0 {
		t.Errorf("check %d: scanned %d, want 201; error %v", i, outs[i].Scanned, outs[i].Err)
	}
}

package checks_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/semaphore"
)

// TestWaiting records what the Job of a check is told, with the minute of the audit in which it is. The
// sources "late" and "later" have their data after 10 and 20 minutes.
func TestWaiting(t *testing.T) {
	type ints = checks.Source[int]
	read := func(ctx context.Context, pass *checks.Pass, src *ints) error {
		for n, err := range src.Read(ctx, pass) {
			if err != nil {
				return err
			}
			pass.Report(finding(fmt.Sprint(*n)))
		}
		return nil
	}
	scan := func(ctx context.Context, pass *checks.Pass, src *ints) error {
		return checks.Scan(ctx, pass, src, func(_ context.Context, pass *checks.Pass, n *int) error {
			pass.Report(finding(fmt.Sprint(*n)))
			return nil
		})
	}
	both := func(ctx context.Context, pass *checks.Pass, a, b *ints) error {
		errs := make(chan error)
		for _, src := range []*ints{a, b} {
			go func() { errs <- scan(ctx, pass, src) }()
		}
		return errors.Join(<-errs, <-errs)
	}
	for _, row := range []struct {
		name string
		run  func(ctx context.Context, pass *checks.Pass, ready, late, later *ints) error
		want []string
	}{
		{"ready", func(ctx context.Context, pass *checks.Pass, ready, _, _ *ints) error {
			return errors.Join(read(ctx, pass, ready), scan(ctx, pass, ready))
		}, []string{"0 end <nil> [1 BAD]"}},
		{"read", func(ctx context.Context, pass *checks.Pass, _, late, _ *ints) error {
			return read(ctx, pass, late)
		}, []string{"0 true", "10 false", "10 end <nil> [1 BAD]"}},
		{"scan", func(ctx context.Context, pass *checks.Pass, _, late, _ *ints) error {
			return scan(ctx, pass, late)
		}, []string{"0 true", "10 false", "10 end <nil> [1 BAD]"}},
		{"one after the other", func(ctx context.Context, pass *checks.Pass, _, late, later *ints) error {
			return errors.Join(scan(ctx, pass, late), read(ctx, pass, later), read(ctx, pass, late))
		}, []string{"0 true", "10 false", "10 true", "20 false", "20 end <nil> [1 BAD]"}},
		{"two at the same time", func(ctx context.Context, pass *checks.Pass, _, late, later *ints) error {
			return both(ctx, pass, late, later)
		}, []string{"0 true", "20 false", "20 end <nil> [1 BAD]"}},
		{"within a scan", func(ctx context.Context, pass *checks.Pass, ready, late, _ *ints) error {
			return checks.Scan(ctx, pass, ready, func(ctx context.Context, pass *checks.Pass, _ *int) error {
				return scan(ctx, pass, late)
			})
		}, []string{"0 true", "10 false", "10 end <nil> [1 BAD]"}},
		{"given up", func(ctx context.Context, pass *checks.Pass, _, late, _ *ints) error {
			ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
			defer cancel()
			pass.Report(finding("early"))
			return read(ctx, pass, late)
		}, []string{"0 true", "5 false", "5 end context deadline exceeded [early BAD]"}},
		{"left behind", func(ctx context.Context, pass *checks.Pass, _, late, _ *ints) error {
			<-ctx.Done()
			time.Sleep(time.Hour)
			return read(context.Background(), pass, late)
		}, []string{"31 end disk on fire []"}},
		{"left behind while it waits", func(ctx context.Context, pass *checks.Pass, _, late, _ *ints) error {
			return read(context.Background(), pass, late)
		}, []string{"0 true", "31 end disk on fire []"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				source := func(delay time.Duration) *ints {
					at := make(chan struct{})
					time.AfterFunc(delay, func() { close(at) })
					return &ints{Name: "ints", All: sequence(1), Ready: func() <-chan struct{} { return at }}
				}
				ready, late, later := source(0), source(10*time.Minute), source(20*time.Minute)
				behind := strings.HasPrefix(row.name, "left behind")
				if behind { // what it waits for must come after the end
					late = source(2 * time.Hour)
				}
				synctest.Wait()
				var got []string
				note := func(v any) { got = append(got, fmt.Sprint(time.Since(begin).Round(time.Minute).Minutes(), " ", v)) }
				check := checks.New(spec("WAITING"), func(ctx context.Context, pass *checks.Pass) error {
					return row.run(ctx, pass, ready, late, later)
				})
				job := checks.Job{Check: check, Spec: new(check.Spec()),
					Waiting: func(waiting bool) { note(waiting) },
					End:     func(out checks.Outcome) { note(fmt.Sprint("end ", out.Err, " ", clients(out.Findings))) },
				}
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(30*time.Minute, func() { cancel(errBroken) })
				limiter, back := slots(t, 2)
				r := checks.Runner{Slots: limiter, TimeLimit: 11 * time.Minute, Grace: time.Minute}
				if behind {
					r.TimeLimit = 0
				}
				r.Run(ctx, []*checks.Job{&job})
				if err := r.Wait(t.Context()); err != nil {
					t.Error(err)
				}
				back()
				if diff := cmp.Diff(row.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestWaitingHoldsNoSlot has three checks that read from a source which is not ready, and one slot: others
// work in the meantime, and once there is data only one of the three works at a time.
func TestWaitingHoldsNoSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := make(chan struct{})
		time.AfterFunc(time.Hour, func() { close(at) })
		src := &checks.Source[int]{Name: "ints", All: sequence(1), Ready: func() <-chan struct{} { return at }}
		reads := checks.New(spec("READS"), func(ctx context.Context, pass *checks.Pass) error {
			for _, err := range src.Read(ctx, pass) {
				if err != nil {
					return err
				}
				time.Sleep(time.Minute)
			}
			return nil
		})
		limiter := semaphore.NewWeighted(1)
		r := checks.Runner{Slots: limiter, TimeLimit: time.Minute + time.Second}
		begin := time.Now()
		var plainAfter time.Duration
		outs := outcomes(&r, t.Context(), reads, reads, reads, checks.New(spec("PLAIN"), func(context.Context, *checks.Pass) error {
			plainAfter = time.Since(begin)
			return nil
		}))
		for i, out := range outs {
			if out.Err != nil {
				t.Errorf("check %d: %v", i, out.Err)
			}
		}
		if plainAfter != 0 {
			t.Errorf("the plain check ran after %v", plainAfter)
		}
		if got, want := time.Since(begin), time.Hour+3*time.Minute; got != want {
			t.Errorf("audit took %v, want %v", got, want)
		}
		if err := r.Wait(t.Context()); err != nil || !limiter.TryAcquire(1) {
			t.Errorf("slot was not given back (%v)", err)
		}
	})
}

// TestStart has a check start once its Spec's Source has data, and tells it as of when the check judges.
func TestStart(t *testing.T) {
	const delay = time.Hour
	for _, row := range []struct {
		name string
		now  func() time.Time
		stop time.Duration // before the data is there; zero: never
		want []string
	}{
		{"with a clock", time.Now, 0, []string{"waits", "starts at 1h0m0s, judging as of 1h0m0s", "ends"}},
		{"as of a fixed time", nil, 0, []string{"waits", "starts at 1h0m0s, judging as of 0s", "ends"}},
		{"told to stop", time.Now, time.Minute, []string{"waits", "ends"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				at := make(chan struct{})
				src := &checks.Source[int]{Name: "ints", All: sequence(1), Ready: func() <-chan struct{} { return at }}
				time.AfterFunc(delay, func() { close(at) })
				var got []string
				check := checks.Each(spec("STARTS"), src, func(context.Context, *checks.Pass, *int) error { return nil })
				job := checks.Job{Check: check, Spec: new(check.Spec()), Pass: checks.Pass{Time: begin}, Now: row.now,
					Start: func(at time.Time) {
						got = append(got, fmt.Sprint("starts at ", time.Since(begin), ", judging as of ", at.Sub(begin)))
					},
					Waiting: func(waiting bool) {
						if waiting {
							got = append(got, "waits")
						}
					},
					End: func(checks.Outcome) { got = append(got, "ends") },
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if row.stop > 0 {
					time.AfterFunc(row.stop, cancel)
				}
				var r checks.Runner
				r.Run(ctx, []*checks.Job{&job})
				if diff := cmp.Diff(row.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestNoWait has checks that would wait, by their Spec's Source, or in the midst of their work.
func TestNoWait(t *testing.T) {
	never := &checks.Source[int]{Name: "ints", All: sequence(1), Ready: func() <-chan struct{} { return make(chan struct{}) }}
	ready := checks.Slice("ints", []int{1})
	for name, check := range map[string]checks.Check{
		"Source": checks.Each(spec("WAITS"), never, func(context.Context, *checks.Pass, *int) error { return nil }),
		"Read": checks.New(spec("WAITS"), func(ctx context.Context, pass *checks.Pass) error {
			for _, err := range never.Read(ctx, pass) {
				return err
			}
			return nil
		}),
		"within a scan": checks.Each(spec("WAITS"), ready, func(ctx context.Context, pass *checks.Pass, _ *int) error {
			return checks.Scan(ctx, pass, never, func(context.Context, *checks.Pass, *int) error { return nil })
		}),
	} {
		t.Run(name, func(t *testing.T) {
			var got checks.Outcome
			job := checks.Job{
				Check: check, Spec: new(check.Spec()), NoWait: true,
				Waiting: func(bool) { t.Error("it waits") },
				End:     func(out checks.Outcome) { got = out },
			}
			var r checks.Runner
			r.Run(t.Context(), []*checks.Job{&job})
			if !errors.Is(got.Err, checks.ErrNoData) || !got.NoData {
				t.Errorf("got %v, NoData %t, want %v", got.Err, got.NoData, checks.ErrNoData)
			}
		})
	}
}

package checktest_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/checktest"
	"github.com/google/go-cmp/cmp"
)

// TestContractTime has checks that do not stop when they are told to, or depend on who is faster. In the
// bubble nobody has to wait for them.
func TestContractTime(t *testing.T) {
	for _, row := range []struct {
		name string
		run  func(ctx context.Context, pass *checks.Pass, src *source, stop <-chan struct{}) error
		want []string
	}{
		{"reads without its context", func(_ context.Context, pass *checks.Pass, src *source, _ <-chan struct{}) error {
			return readAll(context.Background(), pass, src)
		}, []string{
			`PASSWORD_CHECK, cancelled in source "devices" when its shards are listed: the check did not return within 5s after its context had ended`,
			`PASSWORD_CHECK, cancelled in source "devices" before the first resource: the check did not return within 5s after its context had ended`,
			`PASSWORD_CHECK, cancelled in source "devices" halfway: the check did not return within 5s after its context had ended`,
		}},
		{"tries again for ever", func(ctx context.Context, pass *checks.Pass, src *source, stop <-chan struct{}) error {
			for {
				if err := readAll(ctx, pass, src); err == nil {
					return nil
				}
				select {
				case <-stop:
					return nil
				case <-time.After(time.Second):
				}
			}
		}, []string{
			"PASSWORD_CHECK, cancelled before it begins: the check did not return within 5s after its context had ended",
			`PASSWORD_CHECK, cancelled in source "devices" `,
			`PASSWORD_CHECK, source "devices" fails `,
		}},
		{"sleeps before it looks", func(ctx context.Context, pass *checks.Pass, src *source, stop <-chan struct{}) error {
			select {
			case <-stop:
			case <-time.After(6 * time.Second):
			}
			return readAll(ctx, pass, src)
		}, []string{"PASSWORD_CHECK, cancelled before it begins: the check did not return within 5s after its context had ended"}},
		{"finds what it judges first", func(ctx context.Context, pass *checks.Pass, src *source, _ <-chan struct{}) error {
			var judged counter
			return checks.Scan(ctx, pass, src, func(ctx context.Context, pass *checks.Pass, d *device) error {
				if d.id == "lamp" {
					time.Sleep(time.Second)
				}
				if judged.next() == 1 {
					pass.Report(bad(d.id))
				}
				return nil
			})
		}, []string{
			"PASSWORD_CHECK, resources in shards: findings (- only undisturbed, + only now):\n",
			"PASSWORD_CHECK, several times at once: findings (- only undisturbed, + only now):\n",
			"PASSWORD_CHECK, resources in another order, number 1: findings (- only undisturbed, + only now):\n",
		}},
		{"hangs the second time", func() func(ctx context.Context, pass *checks.Pass, src *source, stop <-chan struct{}) error {
			var runs counter
			return func(ctx context.Context, pass *checks.Pass, src *source, stop <-chan struct{}) error {
				if runs.next() == 4 {
					<-stop
				}
				return readAll(ctx, pass, src)
			}
		}(), []string{"PASSWORD_CHECK, several times at once: the check failed: went beyond the time limit of 1m0s"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stop := make(chan struct{})
				got, _ := record(t, func(t testing.TB) {
					checktest.Contract(t, checktest.Case{}, func(k *checktest.Kit) checks.Check {
						src := checktest.Source(k, checks.Slice("devices", fleet()))
						return reading(func(ctx context.Context, pass *checks.Pass) error { return row.run(ctx, pass, src, stop) })
					})
				})
				close(stop)
				broken(t, row.want, got)
			})
		})
	}
}

// TestContractTries wants trials in number and kind: a kit that tried nothing would find every check good.
func TestContractTries(t *testing.T) {
	var orders []string
	var mu sync.Mutex
	builds := 0
	checktest.Contract(t, checktest.Case{Want: found}, func(k *checktest.Kit) checks.Check {
		builds++
		src := checktest.Source(k, checks.Slice("devices", fleet()))
		return reading(func(ctx context.Context, pass *checks.Pass) error {
			order := ""
			err := error(nil)
			for d, e := range src.Read(ctx, pass) {
				if err = e; e != nil {
					break
				}
				order += d.id + " "
				pass.Scanned(1)
				judge(ctx, pass, d)
			}
			mu.Lock()
			defer mu.Unlock()
			orders = append(orders, order)
			return err
		})
	})
	const straight, reversed = "lamp lock oven fan bell ", "bell fan oven lock lamp "
	count := make(map[string]int)
	for _, o := range orders {
		count[o]++
	}
	other := len(orders)
	for _, o := range []string{straight, reversed, "", "lamp lock "} {
		other -= count[o]
	}
	got := map[string]int{"straight": count[straight], "reversed": count[reversed], "none": count[""], "half": count["lamp lock "], "other": other, "builds": builds}
	want := map[string]int{
		"straight": 1 + 1 + 4 + 1, // undisturbed, in shards, several times, and a fault at the end
		"reversed": 1, "other": 3,
		"none":   1 + 2 + 2, // cancelled before, two faults, two cancellations
		"half":   1 + 1,
		"builds": 1 + 1 + 1 + 4 + 1 + 4 + 3,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s\n%q", diff, orders)
	}
}

package checks_test

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/google/go-cmp/cmp"
)

// TestOrderOfFindings has checks over sources of random shards, with random delays in sources and
// judges, random slots and company, and reports that are often there before. Whatever the interleaving,
// the findings are those of a plain loop over shards and resources.
func TestOrderOfFindings(t *testing.T) {
	pause := func(r *rand.Rand) { time.Sleep(time.Duration(r.IntN(1000)) * time.Millisecond) }
	for seed := range uint64(40) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(seed, 1))
				var sizes []int
				items := 0
				for range random.IntN(8) {
					size := random.IntN(4) * random.IntN(300)
					sizes = append(sizes, size)
					items += size
				}
				// reports says what is reported for a resource: a client and a reason code, few enough to
				// collide within and across shards, and a sentence that tells one report from the other.
				reports := func(n int) []checks.Finding {
					r := rand.New(rand.NewPCG(seed, uint64(n)))
					var all []checks.Finding
					for i := range r.IntN(3) {
						f := coded(fmt.Sprint(r.IntN(items/2+1)), []string{"BAD", "WORSE"}[r.IntN(2)])
						f.Reason = fmt.Sprint("report ", i, " of ", n)
						all = append(all, f)
					}
					return all
				}
				src := sharded("ints", sizes...)
				shards := src.Shards
				src.Shards = func(ctx context.Context) ([]checks.Shard[int], error) {
					all, err := shards(ctx)
					for i, shard := range all {
						all[i] = func(ctx context.Context) iter.Seq2[int, error] {
							r := rand.New(rand.NewPCG(seed, uint64(1000+i)))
							return func(yield func(int, error) bool) {
								pause(r)
								shard(ctx)(func(n int, err error) bool {
									if r.IntN(100) == 0 {
										pause(r)
									}
									return yield(n, err)
								})
							}
						}
					}
					return all, err
				}
				check := func(name string) checks.Check {
					return checks.Each(spec(name), src, func(_ context.Context, pass *checks.Pass, n *int) error {
						r := rand.New(rand.NewPCG(seed, uint64(*n)<<32+uint64(len(name))))
						for _, f := range reports(*n) {
							if r.IntN(20) == 0 {
								pause(r)
							}
							pass.Report(f)
						}
						return nil
					})
				}
				audit := []checks.Check{
					check("A"), check("BB"),
					wrapped{check("CCC"), func(next func(checks.Finding), f checks.Finding) { f.Reason = "w/ " + f.Reason; next(f) }},
				}

				var want []string
				seen, resources := map[string]bool{}, map[string]bool{}
				for n := range items {
					for _, f := range reports(n) {
						if key := clients([]checks.Finding{coded(f.Resource.ResourceIdentifier.ClientID, f.ReasonCode)})[0]; !seen[key] {
							seen[key] = true
							resources[f.Resource.ResourceIdentifier.ClientID] = true
							want = append(want, key+": "+f.Reason)
						}
					}
				}
				limiter, back := slots(t, random.Int64N(5))
				r := checks.Runner{Slots: limiter}
				outs := outcomes(&r, t.Context(), audit...)
				for i, out := range outs {
					for j := range out.Findings {
						if f := &out.Findings[j]; i == 2 {
							f.Reason = f.Reason[len("w/ "):]
						}
					}
					if diff := cmp.Diff(want, clients(out.Findings)); diff != "" || out.Err != nil {
						t.Errorf("check %d: error %v (-want +got):\n%s", i, out.Err, diff)
					}
					if int(out.Scanned) != max(items, len(resources)) || int(out.NonCompliant) != len(resources) {
						t.Errorf("check %d: scanned %d, non-compliant %d, want %d, %d", i, out.Scanned, out.NonCompliant, items, len(resources))
					}
				}
				if err := r.Wait(t.Context()); err != nil {
					t.Error(err)
				}
				back()
			})
		})
	}
}

package checktest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/checktest"
)

type source = checks.Source[device]

// reading makes a check that reads its sources itself.
func reading(run func(ctx context.Context, pass *checks.Pass) error) checks.Check {
	return checks.New(spec(), run)
}

// readAll judges the resources of src one after the other.
func readAll(ctx context.Context, pass *checks.Pass, src *source) error {
	for d, err := range src.Read(ctx, pass) {
		if err != nil {
			return err
		}
		pass.Scanned(1)
		if err := judge(ctx, pass, d); err != nil {
			return err
		}
	}
	return nil
}

// exempt is a check over two sources: the devices, and those of them that may have any password.
func exempt(devices, exceptions *source) checks.Check {
	s := spec()
	s.Source, s.Needs = devices, []checks.Handle{exceptions}
	return checks.New(s, func(ctx context.Context, pass *checks.Pass) error {
		except := make(map[string]bool)
		for d, err := range exceptions.Read(ctx, pass) {
			if err != nil {
				return err
			}
			except[d.id] = true
		}
		return checks.Scan(ctx, pass, devices, func(ctx context.Context, pass *checks.Pass, d *device) error {
			if except[d.id] {
				return checks.Skip
			}
			return judge(ctx, pass, d)
		})
	})
}

// TestContractKept has checks that keep it.
func TestContractKept(t *testing.T) {
	for name, build := range map[string]func(*checktest.Kit) checks.Check{
		"Each": func(k *checktest.Kit) checks.Check {
			return passwords(checktest.Source(k, checks.Slice("devices", fleet())))
		},
		"New": func(k *checktest.Kit) checks.Check {
			src := checktest.Source(k, checks.Slice("devices", fleet()))
			return reading(func(ctx context.Context, pass *checks.Pass) error { return readAll(ctx, pass, src) })
		},
		"a source that is not read": func(k *checktest.Kit) checks.Check {
			checktest.Source(k, checks.Slice("others", fleet()))
			return passwords(checktest.Source(k, checks.Slice("devices", fleet())))
		},
		"a source that is absent": func(k *checktest.Kit) checks.Check {
			if src := checktest.Source[device](k, nil); src != nil {
				t.Errorf("Source made %v of nil", src)
			}
			return passwords(checktest.Source(k, checks.Slice("devices", fleet())))
		},
		"a source that is empty": func(k *checktest.Kit) checks.Check {
			return exempt(checktest.Source(k, checks.Slice("devices", fleet())), checktest.Source(k, checks.Slice[device]("exceptions", nil)))
		},
		"many resources": func(k *checktest.Kit) checks.Check {
			all := fleet()
			for i := range 2000 {
				all = append(all, device{id: fmt.Sprint("sensor-", i)})
			}
			return passwords(checktest.Source(k, checks.Slice("devices", all)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			checktest.Contract(t, checktest.Case{Want: found}, build)
		})
	}
	t.Run("two sources", func(t *testing.T) {
		checktest.Contract(t, checktest.Case{Want: found[:2], WantScanned: 4}, func(k *checktest.Kit) checks.Check {
			return exempt(
				checktest.Source(k, checks.Slice("devices", fleet())),
				checktest.Source(k, checks.Slice("exceptions", []device{{id: "oven"}, {id: "hob"}})))
		})
	})
}

// counter counts over all trials, as a package variable of a careless check would.
type counter struct {
	mu sync.Mutex
	n  int
}

func (c *counter) next() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	return c.n
}

// TestContractBroken has checks that break it in one way each, and wants the kit to say which.
func TestContractBroken(t *testing.T) {
	devices := func(k *checktest.Kit) *source { return checktest.Source(k, checks.Slice("devices", fleet())) }
	each := func(judge func(context.Context, *checks.Pass, *device) error) func(*checktest.Kit) checks.Check {
		return func(k *checktest.Kit) checks.Check { return checks.Each(spec(), devices(k), judge) }
	}
	reads := func(run func(ctx context.Context, pass *checks.Pass, src *source) error) func(*checktest.Kit) checks.Check {
		return func(k *checktest.Kit) checks.Check {
			src := devices(k)
			return reading(func(ctx context.Context, pass *checks.Pass) error { return run(ctx, pass, src) })
		}
	}
	others := []string{"bell", "lamp", "oven"}
	for _, row := range []struct {
		name  string
		c     checktest.Case
		build func(k *checktest.Kit) checks.Check
		want  []string // the beginning of each failure
	}{
		{"changes a resource", checktest.Case{Want: found}, each(func(ctx context.Context, pass *checks.Pass, d *device) error {
			err := judge(ctx, pass, d)
			d.password = strings.ToUpper(d.password)
			return err
		}), []string{`PASSWORD_CHECK, undisturbed: the check changed resource 0 of source "devices", which it shares with other checks`}},
		{"changes what a resource points to", checktest.Case{}, each(func(ctx context.Context, pass *checks.Pass, d *device) error {
			if d.owner != nil {
				*d.owner = "nobody"
			}
			return judge(ctx, pass, d)
		}), []string{`PASSWORD_CHECK, undisturbed: the check changed resource 2 of source "devices", which it shares with other checks`}},
		{"changes a map of a resource it reads", checktest.Case{}, reads(func(ctx context.Context, pass *checks.Pass, src *source) error {
			for d, err := range src.Read(ctx, pass) {
				if err != nil {
					return err
				}
				delete(d.tags, "room")
			}
			return readAll(ctx, pass, src)
		}), []string{`PASSWORD_CHECK, undisturbed: the check changed resource 0 of source "devices", which it shares with other checks`}},

		{"not what is wanted", checktest.Case{Want: found[1:]}, each(judge), []string{"PASSWORD_CHECK: findings (- missing, + unexpected):\n+ DEFAULT_PASSWORD {\"clientId\":\"bell\"}\n"}},
		{"fails", checktest.Case{}, each(func(context.Context, *checks.Pass, *device) error { return errLost }), []string{"PASSWORD_CHECK failed: connection lost"}},
		{"another resource type", checktest.Case{}, each(func(_ context.Context, pass *checks.Pass, d *device) error {
			f := bad(d.id)
			f.Resource.ResourceType = "IAM_ROLE"
			pass.Report(f)
			return nil
		}), []string{`PASSWORD_CHECK failed: the check reported a resource of type "IAM_ROLE", its Spec says "CLIENT_ID"`}},
		{"finds nothing", checktest.Case{}, each(func(context.Context, *checks.Pass, *device) error { return nil }),
			[]string{"PASSWORD_CHECK finds nothing, so nothing can be tried: give it a resource that is not as it should be"}},

		{"looks at the first resource only", checktest.Case{}, reads(func(ctx context.Context, pass *checks.Pass, src *source) error {
			for d, err := range src.Read(ctx, pass) {
				if err != nil {
					return err
				}
				pass.Report(bad(d.id))
				break
			}
			return nil
		}), []string{
			"PASSWORD_CHECK, resources in another order, number 1: findings (- only undisturbed, + only now):\n+ DEFAULT_PASSWORD {\"clientId\":\"bell\"}\n- DEFAULT_PASSWORD {\"clientId\":\"lamp\"}\n",
		}},
		{"looks at neighbours", checktest.Case{}, reads(func(ctx context.Context, pass *checks.Pass, src *source) error {
			last := ""
			for d, err := range src.Read(ctx, pass) {
				if err != nil {
					return err
				}
				if last == "fan" || last == "bell" {
					pass.Report(bad("next to " + last))
				}
				last = d.id
			}
			pass.Report(bad("one of all"))
			return nil
		}), []string{"PASSWORD_CHECK, resources in another order, number 1: findings (- only undisturbed, + only now):\n+ DEFAULT_PASSWORD {\"clientId\":\"next to bell\"}\n"}},

		{"remembers what it has reported", checktest.Case{}, func(k *checktest.Kit) checks.Check {
			var reported sync.Map
			return checks.Each(spec(), devices(k), func(ctx context.Context, pass *checks.Pass, d *device) error {
				if _, known := reported.LoadOrStore(d.id, true); known {
					return nil
				}
				return judge(ctx, pass, d)
			})
		}, []string{"PASSWORD_CHECK, several times at once: findings (- only undisturbed, + only now):\n- {"}},
		{"counts its runs in its reasons", checktest.Case{}, func(k *checktest.Kit) checks.Check {
			var runs counter
			src := devices(k)
			return reading(func(ctx context.Context, pass *checks.Pass) error {
				f := bad("lamp")
				f.Reason = fmt.Sprint("Found in run ", runs.next(), ".")
				pass.Report(f)
				return readAll(ctx, pass, src)
			})
		}, []string{"PASSWORD_CHECK, several times at once: findings (- only undisturbed, + only now):\n"}},
		{"fails the second time", checktest.Case{}, func(k *checktest.Kit) checks.Check {
			var runs counter
			src := devices(k)
			return reading(func(ctx context.Context, pass *checks.Pass) error {
				if runs.next() > 1 {
					return errors.New("already run")
				}
				return readAll(ctx, pass, src)
			})
		}, []string{"PASSWORD_CHECK, several times at once: the check failed: already run"}},
		{"counts differently", checktest.Case{}, func(k *checktest.Kit) checks.Check {
			var runs counter
			src := devices(k)
			return reading(func(ctx context.Context, pass *checks.Pass) error {
				pass.Scanned(runs.next())
				return readAll(ctx, pass, src)
			})
		}, []string{"PASSWORD_CHECK, several times at once: the check counted "}},

		{"swallows the error of Read", checktest.Case{}, reads(func(ctx context.Context, pass *checks.Pass, src *source) error {
			for d, err := range src.Read(ctx, pass) {
				if err != nil {
					break
				}
				judge(ctx, pass, d)
			}
			return nil
		}), []string{
			`PASSWORD_CHECK, source "devices" fails when its shards are listed: the check completed; it must return the error`,
			`PASSWORD_CHECK, source "devices" fails before the first resource: the check completed; it must return the error`,
			`PASSWORD_CHECK, source "devices" fails halfway: the check completed; it must return the error`,
			`PASSWORD_CHECK, source "devices" fails after the last resource: the check completed; it must return the error`,
		}},
		{"swallows the error once it has found something", checktest.Case{}, reads(func(ctx context.Context, pass *checks.Pass, src *source) error {
			seen := 0
			for d, err := range src.Read(ctx, pass) {
				if err != nil && seen < 5 {
					return err
				} else if err != nil {
					break
				}
				judge(ctx, pass, d)
				seen++
			}
			return nil
		}), []string{`PASSWORD_CHECK, source "devices" fails after the last resource: the check completed; it must return the error`}},
		{"swallows the error of Scan", checktest.Case{}, reads(func(ctx context.Context, pass *checks.Pass, src *source) error {
			checks.Scan(ctx, pass, src, judge)
			return nil
		}), []string{`PASSWORD_CHECK, source "devices" fails `}},
		{"swallows the errors of its second source", checktest.Case{}, func(k *checktest.Kit) checks.Check {
			src, exceptions := devices(k), checktest.Source(k, checks.Slice[device]("exceptions", nil))
			return reading(func(ctx context.Context, pass *checks.Pass) error {
				n := 0
				for _, err := range exceptions.Read(ctx, pass) {
					if err == nil {
						n++
					}
				}
				return readAll(ctx, pass, src)
			})
		}, []string{
			`PASSWORD_CHECK, source "exceptions" fails when its shards are listed: the check completed; it must return the error`,
			`PASSWORD_CHECK, source "exceptions" fails before the first resource: the check completed; it must return the error`,
			`PASSWORD_CHECK, source "exceptions" fails halfway: the check completed; it must return the error`,
			`PASSWORD_CHECK, source "exceptions" fails after the last resource: the check completed; it must return the error`,
		}},
		{"loses the error", checktest.Case{}, reads(func(ctx context.Context, pass *checks.Pass, src *source) error {
			if err := readAll(ctx, pass, src); err != nil {
				return fmt.Errorf("reading devices: %v", err)
			}
			return nil
		}), []string{`PASSWORD_CHECK, source "devices" fails `}},
		{"uses what came with an error", checktest.Case{}, reads(func(ctx context.Context, pass *checks.Pass, src *source) error {
			for d := range src.Read(ctx, pass) {
				judge(ctx, pass, d)
			}
			return nil
		}), []string{`PASSWORD_CHECK, source "devices" fails `}},

		{"has a Spec of its mood", checktest.Case{}, func(k *checktest.Kit) checks.Check {
			return &moody{Check: passwords(devices(k))}
		}, []string{`PASSWORD_CHECK, undisturbed: the Spec was {Name:PASSWORD_CHECK Title:`}},
		{"changes its Spec", checktest.Case{}, func(k *checktest.Kit) checks.Check {
			s := spec()
			return checks.Each(s, devices(k), func(ctx context.Context, pass *checks.Pass, d *device) error {
				if d.id == "fan" {
					s.ReasonCodes[0].Doc = "It was a fan."
				}
				return judge(ctx, pass, d)
			})
		}, []string{`PASSWORD_CHECK, undisturbed: the Spec was {Name:PASSWORD_CHECK Title:`}},
		{"has a Spec of the trial", checktest.Case{}, func() func(k *checktest.Kit) checks.Check {
			var built counter
			return func(k *checktest.Kit) checks.Check {
				s := spec()
				s.Title = fmt.Sprint("Number ", built.next())
				return checks.Each(s, devices(k), judge)
			}
		}(), []string{`PASSWORD_CHECK, resources in shards: the Spec was {Name:PASSWORD_CHECK Title:Number 1 `}},
		{"has an invalid Spec", checktest.Case{}, func(k *checktest.Kit) checks.Check {
			s := spec()
			s.Name = "Password check"
			return checks.Each(s, devices(k), judge)
		}, []string{`the Spec is not valid: check 0: Name "Password check" must be `}},
		{"is nil", checktest.Case{}, func(k *checktest.Kit) checks.Check { devices(k); return nil }, []string{`the Spec is not valid: check 0: is nil`}},

		{"wants an error", checktest.Case{WantErr: errLost}, each(judge), []string{"Case.WantErr and WantErrText must be empty: a check that fails has no contract to keep"}},
		{"makes no source", checktest.Case{}, func(*checktest.Kit) checks.Check { return passwords(checks.Slice("devices", fleet())) },
			[]string{"the function that makes the check calls checktest.Source for none of its sources"}},
		{"reads another source", checktest.Case{}, func(k *checktest.Kit) checks.Check { devices(k); return passwords(checks.Slice("devices", fleet())) },
			[]string{"PASSWORD_CHECK reads none of the sources that checktest.Source made"}},
		{"has a source that fails", checktest.Case{}, func(k *checktest.Kit) checks.Check {
			return passwords(checktest.Source(k, &source{Name: "devices", Shards: func(context.Context) ([]checks.Shard[device], error) { return nil, errLost }}))
		}, []string{`Contract cannot read what is to be checked: source "devices": connection lost`}},
		{"makes nothing of it", checktest.Case{Want: []checktest.Finding{wanted(others[0])}}, each(func(_ context.Context, pass *checks.Pass, d *device) error {
			panic(d.id)
		}), []string{"PASSWORD_CHECK failed: panic: "}},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, _ := record(t, func(t testing.TB) { checktest.Contract(t, row.c, row.build) })
			broken(t, row.want, got)
		})
	}
}

// broken wants every failure to begin as one of want does, and each of want to be there.
func broken(t *testing.T, want, got []string) {
	t.Helper()
	seen := make(map[string]bool)
	for _, failure := range got {
		ok := false
		for _, w := range want {
			if strings.HasPrefix(failure, w) {
				ok, seen[w] = true, true
			}
		}
		if !ok {
			t.Errorf("not for this: %s", failure)
		}
	}
	for _, w := range want {
		if !seen[w] {
			t.Errorf("no failure: %s", w)
		}
	}
}

// moody is a check whose Spec is another one every time.
type moody struct {
	checks.Check
	asked counter
}

func (m *moody) Spec() checks.Spec {
	s := m.Check.Spec()
	s.Doc = fmt.Sprint("Asked ", m.asked.next(), " times.")
	return s
}

package fleet_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/fleet"
)

// connect is a policy document.
const connect = `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iot:Connect", "Resource": "x"}}`

// live is a Live fleet in a folder.
type live struct {
	*fleet.Live
	folder string

	mu  sync.Mutex
	log bytes.Buffer
}

func (l *live) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.log.Write(b)
}

// told returns the lines that were logged since it was last called.
func (l *live) told() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := l.log.String()
	l.log.Reset()
	return slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool { return line == "" })
}

// names returns the names of the policies that are there.
func (l *live) names(t *testing.T) []string {
	all := []string{}
	for v, err := range l.Inventory.PolicyVersions.Read(t.Context(), new(checks.Pass)) {
		require.NoError(t, err)
		all = append(all, v.Name)
	}
	slices.Sort(all)
	return all
}

func (l *live) path(name string) string { return filepath.Join(l.folder, name) }

func (l *live) write(t *testing.T, name, content string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(l.path(name)), 0o755))
	require.NoError(t, os.WriteFile(l.path(name), []byte(content), 0o644))
}

// follow makes a fleet of two policies, a and b, in the paths below a folder, and follows it while do runs, in a bubble.
func follow(t *testing.T, paths []string, do func(*testing.T, *live), before ...func(*live)) {
	synctest.Test(t, func(t *testing.T) {
		l := &live{folder: t.TempDir()}
		l.write(t, "fleet/a.json", connect)
		l.write(t, "fleet/sub/b.json", connect)
		l.write(t, "elsewhere/c.json", connect)
		for i, path := range paths {
			paths[i] = l.path(path)
		}
		log := slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == "took" {
				return slog.Attr{}
			}
			if a.Value.Kind() == slog.KindString { // before it is quoted, which depends on what folder it is
				a.Value = slog.StringValue(strings.ReplaceAll(a.Value.String(), l.folder, "F"))
			}
			return a
		}}))
		var err error
		l.Live, err = fleet.Open(t.Context(), paths, false, log)
		require.NoError(t, err)
		for _, prepare := range before {
			prepare(l)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		enough := errors.New("enough")
		var work sync.WaitGroup
		work.Go(func() {
			if err := l.Follow(ctx); err != enough {
				t.Errorf("Follow: %v, want %v", err, enough)
			}
		})
		defer work.Wait()
		defer cancel(enough)
		do(t, l)
	})
}

func TestFollow(t *testing.T) {
	const again = `level=INFO msg="the fleet was read again" `
	const stays = `level=ERROR msg="the fleet cannot be read again, and stays as it was" error=`
	const asWere = `level=INFO msg="the files of the fleet are as they were"`
	one := func(now, before string) []string {
		return []string{again + "fleet.policyVersions=" + now + " before.policyVersions=" + before + " problems=0"}
	}
	type step struct {
		what string
		edit func(*testing.T, *live)
		told []string
		want []string // the policies
	}
	rename := func(from, to string) func(*testing.T, *live) {
		return func(t *testing.T, l *live) { require.NoError(t, os.Rename(l.path(from), l.path(to))) }
	}
	remove := func(name string) func(*testing.T, *live) {
		return func(t *testing.T, l *live) { require.NoError(t, os.RemoveAll(l.path(name))) }
	}
	write := func(name, content string) func(*testing.T, *live) {
		return func(t *testing.T, l *live) { l.write(t, name, content) }
	}
	link := func(to, name string) func(*testing.T, *live) {
		return func(t *testing.T, l *live) { require.NoError(t, os.Symlink(to, l.path(name))) }
	}
	chmod := func(name string, mode os.FileMode) func(*testing.T, *live) {
		return func(t *testing.T, l *live) { require.NoError(t, os.Chmod(l.path(name), mode)) }
	}
	ab := []string{"a", "b"}
	// Who may read everything notices that modes are others, and no more.
	unreadable := []string{again + "problems=1", `level=WARN msg="something in the fleet cannot be read" file=F/fleet/sub offset=0 problem="cannot be read: permission denied"`}
	readable, rest := []string{again + "problems=0"}, []string{"a"}
	if os.Geteuid() == 0 {
		unreadable, rest = readable, ab
	} else {
		unreadable[0] = again + "fleet.policyVersions=1 before.policyVersions=2 problems=1"
		readable = one("2", "1")
	}
	for _, row := range []struct {
		name  string
		steps []step
	}{
		{"nothing", []step{{"", func(*testing.T, *live) {}, nil, ab}}},
		{"a file comes, and goes", []step{
			{"come", write("fleet/sub/deep/c.json", connect), one("3", "2"), []string{"a", "b", "c"}},
			{"go", remove("fleet/sub"), one("1", "3"), []string{"a"}},
		}},
		{"a file is put in the place of another", []step{
			{"prepare", write("next.json", strings.Replace(connect, "Allow", "Deny ", 1)), nil, ab},
			{"rename", rename("next.json", "fleet/a.json"), []string{again + "problems=1",
				`level=WARN msg="something in the fleet cannot be read" file=F/fleet/a.json offset=50 problem="Statement.Effect \"Deny \" must be Allow or Deny"`}, ab},
		}},
		{"of the same size and age", []step{
			{"prepare", func(t *testing.T, l *live) {
				l.write(t, "next.json", connect)
				info, err := os.Stat(l.path("fleet/a.json"))
				require.NoError(t, err)
				require.NoError(t, os.Chtimes(l.path("next.json"), time.Time{}, info.ModTime()))
			}, nil, ab},
			{"rename", rename("next.json", "fleet/a.json"), []string{again + "problems=0"}, ab},
		}},
		{"a file is another for a moment", []step{
			{"", func(t *testing.T, l *live) {
				rename("fleet/a.json", "a.json")(t, l)
				time.Sleep(2 * time.Second) // a look
				rename("a.json", "fleet/a.json")(t, l)
			}, nil, ab},
		}},
		{"links", []step{
			{"to a folder elsewhere", link("../elsewhere", "fleet/more"), one("3", "2"), []string{"a", "b", "c"}},
			{"in which a file comes", write("elsewhere/d.json", connect), one("4", "3"), []string{"a", "b", "c", "d"}},
			{"and a link to where it is", link("..", "elsewhere/fleet"), []string{again + "problems=0"}, []string{"a", "b", "c", "d"}},
		}},
		{"a link is moved on", []step{
			{"to a file", link("../elsewhere/c.json", "fleet/now.json"), one("3", "2"), []string{"a", "b", "now"}},
			{"to a longer file", write("elsewhere/c.json", connect+"\n"), []string{again + "problems=0"}, []string{"a", "b", "now"}},
			{"to nothing", remove("elsewhere"), []string{stays + `"F/fleet/now.json: cannot be read: no such file or directory (--allow-unread serves what can be read)"`},
				[]string{"a", "b", "now"}},
			{"it is told once", write("fleet/c.json", connect), []string{}, []string{"a", "b", "now"}},
			{"away", remove("fleet/now.json"), []string{again + "problems=0"}, []string{"a", "b", "c"}},
		}},
		{"the folder goes, and comes back", []step{
			{"go", rename("fleet", "away"), []string{stays + `"F/fleet: no such file or directory"`}, ab},
			{"back", rename("away", "fleet"), []string{asWere}, ab},
			{"go again", rename("fleet", "away"), []string{stays + `"F/fleet: no such file or directory"`}, ab},
			{"another comes", rename("elsewhere", "fleet"), one("1", "2"), []string{"c"}},
		}},
		{"all files go", []step{
			{"go", func(t *testing.T, l *live) { remove("fleet/a.json")(t, l); remove("fleet/sub")(t, l) },
				[]string{stays + `"nothing to audit was found: want certificates and CRLs in PEM or DER, or the rest of a fleet in JSON (see fleetaudit audit --help)"`}, ab},
			{"one comes", write("fleet/b.json", connect), one("1", "2"), []string{"b"}},
		}},
		{"all files become something else", []step{
			{"", func(t *testing.T, l *live) { remove("fleet/sub")(t, l); write("fleet/a.json", "{")(t, l) },
				[]string{stays + `"nothing to audit was found: F/fleet/a.json:1: is no JSON from here on: it ends too early"`}, ab},
		}},
		{"permissions", []step{
			{"gone", chmod("fleet/sub", 0), unreadable, rest},
			{"back", chmod("fleet/sub", 0o755), readable, ab},
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			follow(t, []string{"fleet"}, func(t *testing.T, l *live) {
				for _, s := range row.steps {
					s.edit(t, l)
					time.Sleep(10 * time.Second)
					synctest.Wait()
					told := l.told()
					if len(s.told) > 0 && strings.HasPrefix(s.told[0], stays) { // each look tries again
						if st := l.Status(); st.Failures < 2 {
							t.Errorf("%s: %d failures, want several", s.what, st.Failures)
						}
					}
					if diff := cmp.Diff(append([]string{}, s.told...), append([]string{}, told...)); diff != "" {
						t.Errorf("%s: log (-want +got):\n%s", s.what, diff)
					}
					if diff := cmp.Diff(s.want, l.names(t)); diff != "" {
						t.Errorf("%s: policies (-want +got):\n%s", s.what, diff)
					}
				}
			})
		})
	}
}

// TestFilesThatKeepChanging has a file that grows, and is read now and then nevertheless.
func TestFilesThatKeepChanging(t *testing.T) {
	follow(t, []string{"fleet"}, func(t *testing.T, l *live) {
		var readings []int
		for range 100 {
			f, err := os.OpenFile(l.path("fleet/a.json"), os.O_APPEND|os.O_WRONLY, 0)
			require.NoError(t, err)
			_, err = f.WriteString(" ")
			require.NoError(t, err)
			require.NoError(t, f.Close())
			time.Sleep(time.Second)
			readings = append(readings, l.Status().Readings)
		}
		synctest.Wait()
		if at := []int{readings[20], readings[40], readings[99]}; !slices.Equal(at, []int{1, 2, 4}) {
			t.Errorf("%v readings after 20, 40 and 100 seconds, want 1, 2 and 4", at)
		}
		time.Sleep(10 * time.Second) // it has settled
		synctest.Wait()
		if n := l.Status().Readings; n != 5 {
			t.Errorf("%d readings, want 5", n)
		}
	})
}

// TestHalfCopied has a file that is complete by the time of the second look.
func TestHalfCopied(t *testing.T) {
	follow(t, []string{"fleet"}, func(t *testing.T, l *live) {
		time.Sleep(time.Second)
		l.write(t, "fleet/c.json", connect[:30])
		time.Sleep(2 * time.Second)
		l.write(t, "fleet/c.json", connect)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if told := l.told(); len(told) > 0 {
			t.Errorf("it was read too early:\n%s", strings.Join(told, "\n"))
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if diff := cmp.Diff([]string{"a", "b", "c"}, l.names(t)); diff != "" {
			t.Errorf("policies (-want +got):\n%s", diff)
		}
	})
}

// TestSlowLooks counts looks that take long: there are few of them.
func TestSlowLooks(t *testing.T) {
	var looks atomic.Int32
	follow(t, []string{"fleet"}, func(t *testing.T, l *live) {
		time.Sleep(2*time.Second + 21*5*time.Second - 1)
		synctest.Wait()
		if n := looks.Load(); n != 5 {
			t.Errorf("%d looks, want 5", n)
		}
	}, func(l *live) {
		fleet.SetLook(l.Live, func(ctx context.Context, paths []string) (fleet.Digest, error) {
			looks.Add(1)
			time.Sleep(time.Second)
			return fleet.Look(ctx, paths)
		})
	})
}

// steady looks at files that are other files than those that were read.
func steady(context.Context, []string) (fleet.Digest, error) { return fleet.Digest{1}, nil }

// changing looks at files that are other files each time.
func changing() func(context.Context, []string) (fleet.Digest, error) {
	var looks byte
	return func(context.Context, []string) (fleet.Digest, error) {
		looks++
		return fleet.Digest{looks}, nil
	}
}

// TestSlowReadings takes down when files are read. A look takes no time.
func TestSlowReadings(t *testing.T) {
	for _, row := range []struct {
		name string
		look func(context.Context, []string) (fleet.Digest, error)
		took time.Duration
		err  error
		want []int // seconds
	}{
		// They are read at the second look that finds them so. It is rested for 20 times as long as that took.
		{"that fail", steady, 3 * time.Second, errors.New("no"), []int{4, 4 + 3 + 60 + 2, 4 + 2*(3+60+2)}},
		{"that fail at once", steady, 0, errors.New("no"), []int{4, 8, 12}},
		// The look after one is as late as it took; then they may change for 30 seconds and 20 times that.
		{"of what keeps changing", changing(), 3 * time.Second, nil, []int{2 + 30, 32 + 3 + 3 + 90, 128 + 3 + 3 + 90}},
		{"of it, in no time", changing(), 0, nil, []int{2 + 30, 32 + 2 + 30, 64 + 2 + 30}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var mu sync.Mutex
			var readings []int
			follow(t, []string{"fleet"}, func(t *testing.T, _ *live) {
				time.Sleep(1000*time.Second - 1)
				synctest.Wait()
				mu.Lock()
				defer mu.Unlock()
				require.GreaterOrEqual(t, len(readings), len(row.want))
				if diff := cmp.Diff(row.want, readings[:len(row.want)]); diff != "" {
					t.Errorf("seconds at which it reads (-want +got):\n%s", diff)
				}
			}, func(l *live) {
				began := time.Now()
				fleet.SetLook(l.Live, row.look)
				fleet.SetLoad(l.Live, func(ctx context.Context, paths []string) (inventory.Loaded, error) {
					mu.Lock()
					readings = append(readings, int(time.Since(began)/time.Second))
					mu.Unlock()
					time.Sleep(row.took)
					something := inventory.Contents{Accounts: make([]inventory.AccountSettings, 1)}
					return inventory.Loaded{Contents: something}, row.err
				})
			})
		})
	}
}

func TestTwoPaths(t *testing.T) {
	follow(t, []string{"fleet/a.json", "elsewhere"}, func(t *testing.T, l *live) {
		require.NoError(t, os.Remove(l.path("fleet/a.json")))
		l.write(t, "elsewhere/d.json", connect)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if diff := cmp.Diff([]string{"a", "c"}, l.names(t)); diff != "" {
			t.Errorf("policies (-want +got):\n%s", diff)
		}
		l.write(t, "fleet/a.json", connect)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if diff := cmp.Diff([]string{"a", "c", "d"}, l.names(t)); diff != "" {
			t.Errorf("policies (-want +got):\n%s", diff)
		}
	})
}

func TestOpenTellsProblems(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f.json")
	require.NoError(t, os.WriteFile(name, []byte(connect+strings.Repeat("{\"a\": 1}\n", 25)), 0o600))
	var log bytes.Buffer
	l, err := fleet.Open(t.Context(), []string{name}, false, slog.New(slog.NewTextHandler(&log, nil)))
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	const more = `level=WARN msg="more in the fleet cannot be read" count=5`
	if len(lines) != 21 || !strings.HasSuffix(lines[20], more) {
		t.Errorf("%d lines, want 21 and the last of them %s:\n%s", len(lines), more, log.String())
	}
	if s := l.Status(); s.Problems != 25 || s.Readings != 1 || s.Resources.PolicyVersions != 1 || s.ReadAt.IsZero() {
		t.Errorf("status %+v", s)
	}
}

//go:build unix

package crash_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/fleetaudit/fleetaudit/contrib/boltstore"
	"github.com/fleetaudit/fleetaudit/engine"
)

const (
	sector   = 512  // which disks write whole
	pageSize = 4096 // of the store's file; its first two pages say where the others are
)

// Without LazyFS, this is what can be known of a power cut: bbolt syncs all other pages before it writes one of the first
// two. So until then any of the sectors that a commit writes may be there or not, in any order, and the file may be as long as
// before, as after, or in between. All of that must open as if the commit had never been begun. That bbolt and the store do
// sync at these moments shows in TestPowerLoss alone.
func TestTornCommit(t *testing.T) {
	r := rand.New(rand.NewPCG(newSeed(t), 0))
	ctx, dir := context.Background(), t.TempDir()
	path := filepath.Join(dir, "fleetaudit.db")
	s, err := boltstore.Open(path, boltstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	rows := make(map[string]string)
	old := read(t, path)
	torn, refused := 0, 0
	for commit := range 40 {
		next := maps.Clone(rows)
		var changes []engine.Change
		for _, k := range r.Perm(80)[:1+r.IntN(12)] {
			c := engine.Change{Table: fmt.Sprint("table", k%3), Key: fmt.Append(nil, "key", k)}
			if id := c.Table + " " + string(c.Key); r.IntN(3) > 0 {
				c.Value = bytes.Repeat([]byte{byte(1 + commit)}, 1+r.IntN(6000))
				next[id] = string(c.Value)
			} else {
				delete(next, id)
			}
			changes = append(changes, c)
		}
		if err := s.Commit(ctx, changes); err != nil {
			t.Fatal(err)
		}
		now := read(t, path)
		for range 8 {
			image := old
			if len(now) > len(old) { // it grew
				image = append(bytes.Clone(old), make([]byte, r.IntN((len(now)-len(old))/sector+1)*sector)...)
			}
			image = bytes.Clone(image)
			wrote := 0
			for at := 2 * pageSize; at < len(image); at += sector {
				if r.IntN(2) == 0 && !bytes.Equal(image[at:at+sector], now[at:at+sector]) {
					copy(image[at:], now[at:at+sector])
					wrote++
				}
			}
			if wrote > 0 {
				torn++
			}
			name := filepath.Join(dir, "torn.db")
			if err := os.WriteFile(name, image, 0o600); err != nil {
				t.Fatal(err)
			}
			if have := load(t, name); !maps.Equal(have, rows) {
				t.Fatalf("of commit %d %d sectors were written: %d rows, want the %d of before", commit, wrote, len(have), len(rows))
			}
		}
		// A disk that does not keep that order shows that the images above have what they must have.
		if at := firstChange(old, now); at > 0 {
			image := bytes.Clone(now)
			copy(image[at:], old[at:at+sector])
			name := filepath.Join(dir, "wrong.db")
			if err := os.WriteFile(name, image, 0o600); err != nil {
				t.Fatal(err)
			}
			if s, err := boltstore.Open(name, boltstore.Options{}); err != nil {
				refused++
			} else if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		old, rows = now, next
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if have := load(t, path); !maps.Equal(have, rows) || torn == 0 || refused == 0 {
		t.Errorf("%d torn commits, %d wrong ones refused, and in the end %d rows, want %d", torn, refused, len(have), len(rows))
	}
}

// firstChange returns where the first sector is that differs, of those that both have, or 0.
func firstChange(old, now []byte) int {
	for at := 2 * pageSize; at < min(len(old), len(now)); at += sector {
		if !bytes.Equal(old[at:at+sector], now[at:at+sector]) {
			return at
		}
	}
	return 0
}

func read(t *testing.T, path string) []byte {
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// load returns the rows of a file, which it must be possible to go on with.
func load(t *testing.T, path string) map[string]string {
	t.Helper()
	s, err := boltstore.Open(path, boltstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	rows := make(map[string]string)
	err = s.Load(t.Context(), func(r engine.Row) error {
		rows[r.Table+" "+string(r.Key)] = string(r.Value)
		return nil
	})
	if err == nil {
		err = s.Commit(t.Context(), []engine.Change{{Table: "after", Key: []byte("torn"), Value: []byte("commit")}})
	}
	if err == nil {
		err = s.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	delete(rows, "after torn")
	return rows
}

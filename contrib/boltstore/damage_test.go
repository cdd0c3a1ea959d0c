package boltstore_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/fleetaudit/fleetaudit/contrib/boltstore"
	"github.com/fleetaudit/fleetaudit/engine"
)

// tries is how many files each test of random damage tries.
var tries = flag.Int("tries", 200, "how many files each test of random damage tries")

// sample is a file with all that bbolt's files can have: branches, leaves that go on, tables in place, free pages.
type sample struct {
	file  []byte
	rows  []string
	used  int    // bytes of file
	older []byte // the file some Commits before
}

func newSample(t testing.TB) sample {
	t.Helper()
	var made sample
	path := filepath.Join(t.TempDir(), "sample")
	s := open(t, path, boltstore.Options{}) // which makes the file longer than it has to be
	rng := rand.New(rand.NewPCG(1, 1))
	for round := range 12 {
		var changes []engine.Change
		for i := range 60 {
			key := fmt.Sprintf("%04d", round*40+i)
			changes = append(changes, put("audit", key, strings.Repeat(key, 1+rng.IntN(20))))
			if i%3 == 0 {
				changes = append(changes, drop("progress", fmt.Sprint(i)), put("run", key+strings.Repeat("k", 300), key))
			}
		}
		changes = append(changes, put("chunk", fmt.Sprint(round%5), strings.Repeat("c", 1000+rng.IntN(20_000))),
			put("meta", "a", fmt.Sprint(round)), drop("audit", fmt.Sprintf("%04d", round*35)))
		if round == 8 {
			made.older = read(t, path)
		}
		commit(t, s, changes...)
	}
	var backup bytes.Buffer
	require.NoError(t, s.Backup(&backup))
	made.used = backup.Len()
	var err error
	made.rows, err = load(s)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	made.file = read(t, path)
	require.Greater(t, len(made.file), made.used)
	require.Greater(t, len(made.rows), 400)
	return made
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return b
}

// opened tells whether a file, damaged or not, opens. If it does it has to hold the rows of want, take a Commit, and be whole
// afterwards. If it does not it has to be said what is damaged.
func opened(t *testing.T, what string, file []byte, want []string) bool {
	t.Helper()
	path := filepath.Join(t.TempDir(), "store")
	defer os.Remove(path) // there are thousands
	require.NoError(t, os.WriteFile(path, file, 0o600))
	s, err := boltstore.Open(path, unsynced)
	if err != nil {
		require.True(t, damaged(err), "%s: %v", what, err)
		require.Equal(t, file, read(t, path), "%s: it was refused, and written to", what)
		return false
	}
	rows, err := load(s)
	require.NoError(t, err, what)
	require.Equal(t, want, rows, what)
	commit(t, s, put("zone", "a", strings.Repeat("z", 9000)), put("audit", "0001", "z"))
	require.NoError(t, s.Close(), what)
	require.NoError(t, boltstore.Verify(path, unsynced), what)
	return true
}

func TestWholeSample(t *testing.T) {
	made := newSample(t)
	require.True(t, opened(t, "as it was", made.file, made.rows))
	require.True(t, opened(t, "without what is not used yet", made.file[:made.used], made.rows))
}

func TestTruncated(t *testing.T) {
	made := newSample(t)
	lengths := []int{0, 1, 511, 512, 4095, 4097, made.used - 1, made.used, made.used + 1}
	for n := 0; n < len(made.file); n += 4096 {
		lengths = append(lengths, n)
	}
	rng := rand.New(rand.NewPCG(2, 2))
	for range *tries {
		lengths = append(lengths, rng.IntN(made.used))
	}
	for _, n := range lengths {
		what := fmt.Sprintf("cut off at %d of %d bytes", n, made.used)
		require.Equal(t, n >= made.used, opened(t, what, made.file[:n], made.rows), what)
	}
}

// damages are ways to damage a file.
var damages = map[string]func(rng *rand.Rand, file []byte, made sample) string{
	"bit": func(rng *rand.Rand, file []byte, made sample) string {
		i, bit := rng.IntN(made.used), rng.IntN(8)
		file[i] ^= 1 << bit
		return fmt.Sprintf("bit %d of byte %#x", bit, i)
	},
	"bits of the head of a page": func(rng *rand.Rand, file []byte, made sample) string {
		i := rng.IntN(made.used/4096)*4096 + rng.IntN(80)
		file[i] ^= byte(1 + rng.IntN(255))
		return fmt.Sprintf("byte %#x", i)
	},
	"number": func(rng *rand.Rand, file []byte, made sample) string {
		i := rng.IntN(made.used/8) * 8
		copy(file[i:], []byte{byte(rng.IntN(made.used / 4096)), 0, 0, 0, 0, 0, 0, 0})
		return fmt.Sprintf("the number at %#x is %d", i, file[i])
	},
	"zeros": func(rng *rand.Rand, file []byte, made sample) string {
		i := rng.IntN(made.used/512) * 512
		clear(file[i : i+512])
		return fmt.Sprintf("zeros at %#x", i)
	},
	"exchanged pages": func(rng *rand.Rand, file []byte, made sample) string {
		i, j := rng.IntN(made.used/4096)*4096, rng.IntN(made.used/4096)*4096
		page := bytes.Clone(file[i : i+4096])
		copy(file[i:i+4096], file[j:])
		copy(file[j:], page)
		return fmt.Sprintf("the pages at %#x and %#x", i, j)
	},
	// Some sectors are those of some Commits before. Of the Commit just before it could be both metas' that are older,
	// which then say the same as they did before that Commit: that nothing in the file can tell.
	"old sectors": func(rng *rand.Rand, file []byte, made sample) string {
		var at []int
		for i := 0; i+512 <= min(made.used, len(made.older)); i += 512 {
			if !bytes.Equal(file[i:i+512], made.older[i:i+512]) {
				at = append(at, i)
			}
		}
		rng.Shuffle(len(at), func(i, j int) { at[i], at[j] = at[j], at[i] })
		at = at[:1+rng.IntN(min(6, len(at)-1))]
		for _, i := range at {
			copy(file[i:i+512], made.older[i:])
		}
		return fmt.Sprintf("old sectors at %#x", at)
	},
}

func TestDamaged(t *testing.T) {
	made := newSample(t)
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			refused := 0
			for seed := range uint64(*tries) {
				file := bytes.Clone(made.file)
				what := fmt.Sprintf("seed %d: %s", seed, damage(rand.New(rand.NewPCG(seed, 3)), file, made))
				if !opened(t, what, file, made.rows) {
					refused++
				}
			}
			t.Logf("%d of %d files were refused, the others held all rows", refused, *tries)
			require.Greater(t, refused, *tries/10)
		})
	}
}

// TestDamageIsReal has bbolt alone open files with the same damage, in a process of its own.
func TestDamageIsReal(t *testing.T) {
	made := newSample(t)
	path := filepath.Join(t.TempDir(), "store")
	raw := func(file []byte) string {
		require.NoError(t, os.WriteFile(path, file, 0o600))
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		c := child(ctx, t, "raw", path)
		out, err := c.Output()
		if err != nil {
			return "crash"
		}
		return string(out)
	}
	whole := raw(made.file)
	require.Contains(t, whole, "rows")
	require.Equal(t, "crash", raw(made.file[:made.used/2]))
	got := make(map[string]int)
	for _, damage := range damages {
		for seed := range uint64(12) {
			file := bytes.Clone(made.file)
			damage(rand.New(rand.NewPCG(seed, 4)), file, made)
			switch out := raw(file); out {
			case "crash", whole, "error":
				got[out]++
			default:
				got["other rows, and no error"]++
			}
		}
	}
	t.Logf("%v", got)
	require.Positive(t, got["crash"])
	require.Positive(t, got["other rows, and no error"])
}

// rawChild opens a file with bbolt, changes something, and prints a digest of what was in it.
func rawChild(args []string) {
	db, err := bbolt.Open(args[0], 0o600, nil)
	if err != nil {
		fmt.Print("error")
		return
	}
	rows, digest := 0, uint64(0)
	err = db.Update(func(tx *bbolt.Tx) error {
		err := tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
			return b.ForEach(func(k, v []byte) error {
				for _, c := range slices.Concat(name, k, v) {
					digest = digest*31 + uint64(c)
				}
				rows++
				return nil
			})
		})
		if err != nil {
			return err
		}
		return tx.Bucket([]byte("audit")).Put([]byte("0001"), []byte("z"))
	})
	if err != nil {
		fmt.Print("error")
		return
	}
	fmt.Printf("%d rows, %x", rows, digest)
}

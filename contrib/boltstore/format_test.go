package boltstore_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/fleetaudit/fleetaudit/contrib/boltstore"
)

var update = flag.Bool("update", false, "write testdata/version1.store again")

// alter changes a file with bbolt itself.
func alter(t *testing.T, path string, f func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoSync: true, NoGrowSync: true})
	require.NoError(t, err)
	require.NoError(t, db.Update(f))
	require.NoError(t, db.Close())
}

// formatTable is the bucket in which a file says what it is.
const formatTable = "_fleetaudit"

// TestVersion1 opens a file of version 1, which had no totals of tables.
func TestVersion1(t *testing.T) {
	const file = "testdata/version1.store"
	if *update {
		writeVersion1(t, file)
	}
	path := filepath.Join(t.TempDir(), "store")
	require.NoError(t, os.WriteFile(path, read(t, file), 0o600))
	require.NoError(t, boltstore.Verify(path, unsynced))
	require.Equal(t, read(t, file), read(t, path))
	want := append([]string{}, version1Rows()...)
	for range 2 {
		s := open(t, path, unsynced)
		holds(t, s, want)
		require.NoError(t, s.Close())
		alter(t, path, func(tx *bbolt.Tx) error {
			format := tx.Bucket([]byte(formatTable))
			require.Contains(t, string(format.Get([]byte("format"))), "fleetaudit boltstore 2")
			for _, table := range []string{"audit", "chunk", "meta"} {
				require.NotNil(t, format.Get([]byte("total/"+table)), table)
			}
			return nil
		})
	}
	s := open(t, path, unsynced)
	commit(t, s, put("audit", "c", "3"), drop("meta", "a"))
	require.NoError(t, s.Close())
	require.NoError(t, boltstore.Verify(path, unsynced))

	// What is missing was not noticed before; what is damaged was.
	missing := func(tx *bbolt.Tx) error { return tx.Bucket([]byte("audit")).Delete([]byte("a")) }
	alter(t, path, missing)
	require.ErrorContains(t, boltstore.Verify(path, unsynced), `table "audit": there are 2 rows of 3`)
	require.NoError(t, os.WriteFile(path, read(t, file), 0o600))
	alter(t, path, missing)
	holds(t, open(t, path, unsynced), want[1:])
	flipped := read(t, file)
	flipped[bytes.Index(flipped, []byte("seventeen"))]++
	require.NoError(t, os.WriteFile(path+"2", flipped, 0o600))
	_, err := boltstore.Open(path+"2", unsynced)
	require.True(t, damaged(err), "%v", err)
	require.ErrorContains(t, err, `table "audit": key 62: the checksum is not`)
}

// version1Rows are the rows of testdata/version1.store, as text.
func version1Rows() []string {
	return []string{`audit "a"="1"`, `audit "b"="seventeen"`, `chunk "\x00\xff"="` + strings.Repeat("c", 3000) + `"`, `meta "a"="2"`}
}

// writeVersion1 writes a file as version 1 was.
func writeVersion1(t *testing.T, path string) {
	t.Helper()
	made := filepath.Join(t.TempDir(), "made")
	db, err := bbolt.Open(made, 0o600, &bbolt.Options{PageSize: 4096})
	require.NoError(t, err)
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		for _, c := range []struct{ table, key, value string }{
			{formatTable, "format", "fleetaudit boltstore 1"},
			{"audit", "a", "1"}, {"audit", "b", "seventeen"}, {"chunk", "\x00\xff", strings.Repeat("c", 3000)}, {"meta", "a", "2"},
		} {
			b, err := tx.CreateBucketIfNotExists([]byte(c.table))
			require.NoError(t, err)
			require.NoError(t, b.Put([]byte(c.key), boltstore.Seal(c.table, []byte(c.key), []byte(c.value))))
		}
		return nil
	}))
	require.NoError(t, db.View(func(tx *bbolt.Tx) error { return tx.CopyFile(path, 0o644) }))
	require.NoError(t, db.Close())
}

// TestAltered opens files that are whole for bbolt, and for each row that is there.
func TestAltered(t *testing.T) {
	seal := func(table, key, value string) []byte { return boltstore.Seal(table, []byte(key), []byte(value)) }
	row := func(tx *bbolt.Tx, table, key string, kept []byte) error {
		return tx.Bucket([]byte(table)).Put([]byte(key), kept)
	}
	for _, r := range []struct {
		name string
		f    func(tx *bbolt.Tx) error
		want string
	}{
		{"a row that went", func(tx *bbolt.Tx) error { return tx.Bucket([]byte("audit")).Delete([]byte("b")) },
			`table "audit": there are 2 rows of 3`},
		{"a row more", func(tx *bbolt.Tx) error { return row(tx, "audit", "z", seal("audit", "z", "1")) },
			`table "audit": there are 4 rows of 3`},
		{"an older value", func(tx *bbolt.Tx) error { return row(tx, "audit", "b", seal("audit", "b", "older")) },
			`table "audit": of its 3 rows some are not those that were committed last`},
		{"a row instead of another", func(tx *bbolt.Tx) error {
			return row(tx, "audit", "b", tx.Bucket([]byte("audit")).Get([]byte("a")))
		}, `table "audit": key 62: the checksum is not`},
		{"a row of another table", func(tx *bbolt.Tx) error { return row(tx, "audit", "a", seal("meta", "a", "1")) },
			`table "audit": key 61: the checksum is not`},
		{"values exchanged", func(tx *bbolt.Tx) error {
			return row(tx, "audit", "b", append(seal("audit", "b", "2")[:9], "1"...))
		}, `table "audit": key 62: the checksum is not`},
		{"a short value", func(tx *bbolt.Tx) error { return row(tx, "audit", "a", []byte("short")) },
			`table "audit": key 61: the value has 5 bytes`},
		{"no value", func(tx *bbolt.Tx) error { return row(tx, "audit", "a", seal("audit", "a", "")) },
			`table "audit": key 61: the value has 9 bytes`},
		{"a bucket for a row", func(tx *bbolt.Tx) error {
			_, err := tx.Bucket([]byte("audit")).CreateBucket([]byte("z"))
			return err
		}, `table "audit": key 7a: it is a bucket`},
		{"a table that went", func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("audit")) },
			`table "audit": there are 0 rows of 3`},
		{"a table more", func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("new")); return err },
			`table "new": nothing says how many rows it has`},
		{"a total that went", func(tx *bbolt.Tx) error { return tx.Bucket([]byte(formatTable)).Delete([]byte("total/meta")) },
			`table "meta": nothing says how many rows it has`},
		{"a total of nothing", func(tx *bbolt.Tx) error {
			return row(tx, formatTable, "total/meta", seal(formatTable, "total/meta", "short"))
		}, `the total of a table has 5 bytes, not 16`},
		{"something unknown", func(tx *bbolt.Tx) error { return row(tx, formatTable, "zone", seal(formatTable, "zone", "1")) },
			`nothing of version 2 has this key`},
		{"no format", func(tx *bbolt.Tx) error { return tx.Bucket([]byte(formatTable)).Delete([]byte("format")) },
			`nothing of version 0 has this key`},
		{"a format of something else", func(tx *bbolt.Tx) error {
			return row(tx, formatTable, "format", seal(formatTable, "format", "something else"))
		}, `it says that it is "something else"`},
		{"no format table", func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte(formatTable)) },
			`a file of bbolt's, but it does not begin with what every file of fleetaudit begins with`},
		{"nothing", func(tx *bbolt.Tx) error {
			for _, table := range []string{formatTable, "audit", "meta"} {
				require.NoError(t, tx.DeleteBucket([]byte(table)))
			}
			return nil
		}, `a file of bbolt's with nothing in it`},
		{"a later version", func(tx *bbolt.Tx) error {
			_, err := tx.CreateBucket([]byte("zz of a later version"))
			require.NoError(t, err)
			return row(tx, formatTable, "format", seal(formatTable, "format", "fleetaudit boltstore 3"))
		}, `a later version wrote it: 3, and this one knows 2 and before`},
	} {
		path := filepath.Join(t.TempDir(), "store")
		s := open(t, path, unsynced)
		commit(t, s, put("audit", "a", "1"), put("audit", "b", "older"), put("audit", "c", "3"), put("meta", "a", "1"))
		commit(t, s, put("audit", "b", "2"))
		require.NoError(t, s.Close())
		alter(t, path, r.f)
		before := read(t, path)
		_, err := boltstore.Open(path, unsynced)
		require.ErrorContains(t, err, r.want, r.name)
		require.ErrorContains(t, err, path, r.name)
		if r.name == "a later version" {
			require.ErrorIs(t, err, boltstore.ErrVersion)
		} else {
			require.True(t, damaged(err), "%s: %v", r.name, err)
		}
		require.EqualError(t, boltstore.Verify(path, unsynced), err.Error(), r.name)
		require.Equal(t, before, read(t, path), r.name)
	}
}

// TestPreviousState opens files of which a meta page is damaged.
func TestPreviousState(t *testing.T) {
	older := []string{`audit "a"="1"`}
	newer := []string{`audit "a"="2"`}
	for _, commits := range []int{0, 1} { // so that the newer is either
		path := filepath.Join(t.TempDir(), "store")
		s := open(t, path, unsynced)
		for range commits {
			commit(t, s, put("audit", "a", "0"))
		}
		commit(t, s, put("audit", "a", "1"))
		commit(t, s, put("audit", "a", "2"))
		require.NoError(t, s.Close())
		whole := read(t, path)
		got := map[string]int{}
		for page := range 2 {
			for _, offset := range []int{16, 20, 24, 28, 32, 40, 48, 56, 64, 72} { // of everything a meta page says
				file := bytes.Clone(whole)
				file[page*4096+offset] ^= 0x10
				require.NoError(t, os.WriteFile(path, file, 0o600))
				_, err := boltstore.Open(path, unsynced)
				require.True(t, damaged(err), "page %d, byte %d: %v", page, offset, err)
				require.ErrorContains(t, err, "Options.PreviousState")
				require.EqualError(t, boltstore.Verify(path, unsynced), err.Error())
				accept := unsynced
				accept.PreviousState = true
				require.NoError(t, boltstore.Verify(path, accept))
				s := open(t, path, accept)
				rows, err := load(s)
				require.NoError(t, err)
				require.Contains(t, [][]string{older, newer}, rows)
				got[rows[0]]++
				require.NoError(t, s.Close())
				s = open(t, path, unsynced) // it is whole again
				holds(t, s, rows)
				commit(t, s, put("audit", "a", "3"))
				require.NoError(t, s.Close())
				require.NoError(t, boltstore.Verify(path, unsynced))
			}
		}
		require.Equal(t, map[string]int{older[0]: 10, newer[0]: 10}, got)
	}

	// Restored, they say the same, and may have each other's place.
	s := open(t, filepath.Join(t.TempDir(), "store"), unsynced)
	for i := range 4 {
		commit(t, s, put("audit", "a", fmt.Sprint(i)))
		path := filepath.Join(t.TempDir(), "restored")
		require.NoError(t, boltstore.Restore(path, bytes.NewReader(backup(t, s))))
		whole := read(t, path)
		for page := range 2 {
			file := bytes.Clone(whole)
			file[page*4096+20]++
			require.NoError(t, os.WriteFile(path, file, 0o600))
			accept := unsynced
			accept.PreviousState = true
			require.NoError(t, open(t, path, accept).Close())
			r := open(t, path, unsynced)
			holds(t, r, []string{fmt.Sprintf(`audit "a"="%d"`, i)})
			require.NoError(t, r.Close())
		}
	}
}

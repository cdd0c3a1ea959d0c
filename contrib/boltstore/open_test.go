package boltstore_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/boltstore"
)

func TestOpenOfWhatIsNoStore(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, os.WriteFile(at("empty"), nil, 0o600))
	require.NoError(t, os.WriteFile(at("text"), []byte("a file of something else\n"), 0o600))
	require.NoError(t, os.WriteFile(at("long text"), []byte(strings.Repeat("a file of something else\n", 1000)), 0o600))
	require.NoError(t, os.Symlink(at("nothing"), at("link")))
	for _, row := range []struct {
		name   string
		o      boltstore.Options
		wraps  error // nil: a DamageError
		want   string
		verify bool // says the same
	}{
		{"missing", boltstore.Options{MustExist: true}, boltstore.ErrMissing, "does not exist", false},
		{"none/store", boltstore.Options{}, fs.ErrNotExist, "no such file", true},
		{"none/store", boltstore.Options{MustExist: true}, boltstore.ErrMissing, "does not exist", false},
		{"text/store", boltstore.Options{}, errAny, "not a directory", true},
		{".", boltstore.Options{}, errAny, "it is a folder", true},
		{"empty", boltstore.Options{}, nil, "it is empty", true},
		{"empty", boltstore.Options{MustExist: true}, nil, "it is empty", true},
		{"text", boltstore.Options{}, nil, "page 0: neither it nor page 1 is a meta page", true},
		{"long text", boltstore.Options{}, nil, "page 0: neither it nor page 1 is a meta page", true},
		{"link", boltstore.Options{}, errAny, "it is a link to what does not exist", true},
	} {
		calls := map[string]error{}
		_, calls["Open"] = boltstore.Open(at(row.name), row.o)
		if row.verify {
			calls["Verify"] = boltstore.Verify(at(row.name), row.o)
		}
		for name, err := range calls {
			require.ErrorContains(t, err, row.want, "%s of %q", name, row.name)
			require.ErrorContains(t, err, filepath.Clean(at(row.name)), "%s of %q", name, row.name)
			switch row.wraps {
			case nil:
				require.True(t, damaged(err), "%s of %q: %v", name, row.name, err)
			case errAny:
			default:
				require.ErrorIs(t, err, row.wraps, "%s of %q", name, row.name)
			}
		}
	}
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 4, "something was made: %v", files)
}

var errAny = errors.New("any")

func TestOpenMakesAFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "store")
	left := []string{"store.partial-123", "store.partial-9"} // by a crash
	kept := []string{"other.partial-123", "store.partial-", "store.partial-12a", "store"}
	for _, name := range append(left, kept[:3]...) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("partial"), 0o600))
	}
	s := open(t, path, boltstore.Options{})
	info, err := os.Stat(path)
	require.NoError(t, err)
	if runtime.GOOS != "windows" {
		require.Equal(t, fs.FileMode(0o600), info.Mode())
	}
	holds(t, s, nil)
	var names []string
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, f := range files {
		names = append(names, f.Name())
	}
	require.ElementsMatch(t, kept, names)
	require.NoError(t, s.Close())
	require.NoError(t, boltstore.Verify(path, unsynced))
	holds(t, open(t, path, boltstore.Options{MustExist: true}), nil)
}

func TestRelativePath(t *testing.T) {
	t.Chdir(t.TempDir())
	s := open(t, "store", unsynced)
	t.Chdir(t.TempDir())
	commit(t, s, put("audit", "a", "1"))
	holds(t, s, []string{`audit "a"="1"`})
}

// TestNotAllowed has somebody open what they may not read, or not write.
func TestNotAllowed(t *testing.T) {
	dir, err := os.MkdirTemp("", "boltstore") // t.TempDir is in a folder that others may not enter
	require.NoError(t, err)
	t.Cleanup(func() { os.Chmod(dir, 0o700); os.RemoveAll(dir) })
	open(t, filepath.Join(dir, "readable"), unsynced).Close()
	open(t, filepath.Join(dir, "secret"), unsynced).Close()
	require.NoError(t, os.Chmod(filepath.Join(dir, "readable"), 0o444))
	require.NoError(t, os.Chmod(filepath.Join(dir, "secret"), 0))
	require.NoError(t, os.Chmod(dir, 0o555))
	out := asNobody(t, dir, "refuse")
	for _, name := range []string{"readable", "secret", "new"} {
		path := filepath.Join(dir, name)
		require.Regexp(t, "(?m)^Open: boltstore: "+path+": open "+path+".*: permission denied$", out)
		require.Regexp(t, "(?m)^Compact: .*"+path+".*(permission denied|no such file or directory)$", out)
	}
	require.Contains(t, out, "Verify: readable: <nil>")
	require.Regexp(t, "Restore: boltstore: "+dir+"/restored: open .*: permission denied", out)
}

// refuseChild says how opening files in a folder ends.
func refuseChild(args []string) {
	for _, name := range []string{"readable", "secret", "new"} {
		path := filepath.Join(args[0], name)
		_, err := boltstore.Open(path, boltstore.Options{})
		fmt.Println("Open:", err)
		_, _, err = boltstore.Compact(path, boltstore.Options{})
		fmt.Println("Compact:", err)
		fmt.Printf("Verify: %s: %v\n", name, boltstore.Verify(path, boltstore.Options{}))
	}
	fmt.Println("Restore:", boltstore.Restore(filepath.Join(args[0], "restored"), strings.NewReader("x")))
}

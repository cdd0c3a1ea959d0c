package data_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/contrib/boltstore"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/data"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// open opens a folder until the test is over.
func open(t *testing.T, name string) *data.Folder {
	t.Helper()
	f, err := data.Open(name)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	return f
}

// TestOpen makes a folder, and opens it again.
func TestOpen(t *testing.T) {
	name := filepath.Join(t.TempDir(), "new")
	f := open(t, name)
	info, err := os.Stat(name)
	require.NoError(t, err)
	if info.Mode().Perm() != 0o700 || !info.IsDir() {
		t.Errorf("the folder is %v", info.Mode())
	}
	info, err = os.Stat(f.Path)
	require.NoError(t, err)
	if info.Mode().Perm()&0o077 != 0 || f.Path != filepath.Join(name, "fleetaudit.db") {
		t.Errorf("%s is %v", f.Path, info.Mode())
	}
	row := engine.Change{Table: "t", Key: []byte("k"), Value: []byte("v")}
	require.NoError(t, f.Store.Commit(t.Context(), []engine.Change{row}))
	require.NoError(t, f.Close())
	rows := 0
	require.NoError(t, open(t, name+string(filepath.Separator)).Store.Load(t.Context(), func(engine.Row) error { rows++; return nil }))
	if rows != 1 {
		t.Errorf("%d rows, want 1", rows)
	}
}

// TestOpenErrors has folders that cannot be used. What cannot be is left as it was.
func TestOpenErrors(t *testing.T) {
	for _, row := range []struct {
		name string
		make func(t *testing.T, folder string)
		path string // below the folder
		want string // without the flag and its value; DIR is the folder
	}{
		{"a file", func(t *testing.T, folder string) { write(t, folder+"/f", "x") }, "f", "is a file: want a folder, in which a file fleetaudit.db is kept"},
		{"below a file", func(t *testing.T, folder string) { write(t, folder+"/f", "x") }, "f/d", "it cannot be made: not a directory"},
		{"no parent", nil, "a/b", "DIR/a: no such folder: make it first"},
		{"a link to nothing", func(t *testing.T, folder string) { require.NoError(t, os.Symlink("nowhere", folder+"/l")) }, "l", "no such file or directory"},
		{"the file is a folder", func(t *testing.T, folder string) { require.NoError(t, os.Mkdir(folder+"/fleetaudit.db", 0o700)) }, "", "DIR/fleetaudit.db: it is a folder"},
		{"in use", func(t *testing.T, folder string) { open(t, folder) }, "", "DIR/fleetaudit.db is in use by another fleetaudit: wait until that has ended, or name another folder"},
		{"empty", func(t *testing.T, folder string) { write(t, folder+"/fleetaudit.db", "") }, "",
			"DIR/fleetaudit.db is damaged: it is empty, which no Store's file ever is: put a backup in its place, or name another folder"},
		{"cut off", func(t *testing.T, folder string) {
			f, err := data.Open(folder)
			require.NoError(t, err)
			require.NoError(t, f.Close())
			require.NoError(t, os.Truncate(f.Path, 10_000))
		}, "", "DIR/fleetaudit.db is damaged: *: put a backup in its place, or name another folder"},
	} {
		t.Run(row.name, func(t *testing.T) {
			folder := t.TempDir()
			if row.make != nil {
				row.make(t, folder)
			}
			name := filepath.Join(folder, row.path)
			f, err := data.Open(name)
			require.Nil(t, f)
			got := strings.ReplaceAll(fmt.Sprint(err), folder, "DIR")
			want := fmt.Sprintf("--data %q: %s", strings.ReplaceAll(name, folder, "DIR"), row.want)
			if matches(want, got) {
				return
			}
			t.Errorf("(-want +got):\n%s", cmp.Diff(want, got))
		})
	}
}

// matches compares a text with one that may have a * for what is somebody else's.
func matches(want, got string) bool {
	before, after, any := strings.Cut(want, "*")
	return want == got || any && strings.HasPrefix(got, before) && strings.HasSuffix(got, after)
}

func write(t *testing.T, path, text string) {
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

// TestTold has errors that are hard to come by.
func TestTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fleetaudit.db")
	for _, row := range []struct {
		err  error
		want string
	}{
		{&fs.PathError{Op: "open", Path: path, Err: syscall.EACCES}, ": permission denied: whoever runs fleetaudit must be allowed to write to the folder and the file"},
		{&fs.PathError{Op: "open", Path: path, Err: syscall.EROFS}, ": read-only file system"},
		{fmt.Errorf("boltstore: %s: %w", path, boltstore.ErrVersion), " was written by a later version of fleetaudit: use that, or name another folder"},
		{&boltstore.DamageError{Path: path, Page: 3, What: "oh"}, " is damaged: page 3: oh: put a backup in its place, or name another folder"},
	} {
		if got, want := fmt.Sprint(data.Told("d", path, row.err)), `--data "d": `+path+row.want; got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
		if row.err = data.Told("d", path, row.err); errors.Unwrap(row.err) == nil && strings.Contains(row.want, "read-only") {
			t.Error("the cause is lost")
		}
	}
}

// What is only to be read is not made.
func TestOpenExisting(t *testing.T) {
	name := filepath.Join(t.TempDir(), "d")
	_, err := data.OpenExisting(name)
	require.EqualError(t, err, fmt.Sprintf("--data %q: %s does not exist: nothing has been kept there yet", name, filepath.Join(name, "fleetaudit.db")))
	require.NoDirExists(t, name)
	require.NoError(t, open(t, name).Close())
	f, err := data.OpenExisting(name)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

var nothing = checks.New(checks.Spec{
	Name: "NOTHING_CHECK", Severity: model.AuditFindingSeverityLow, ResourceType: model.ResourceTypeClientID, ReasonCodes: []checks.ReasonCode{{Code: "NOTHING"}},
}, func(context.Context, *checks.Pass) error { return nil })

// TestExplain opens what one account has written as another.
func TestExplain(t *testing.T) {
	use := func(f *data.Folder, account, region string) error {
		e, err := engine.New(engine.Config{Checks: []checks.Check{nothing}, AccountID: account, Region: region, Store: f.Store})
		if err != nil {
			return f.Explain(err)
		}
		return e.Close()
	}
	for _, row := range []struct{ region, otherAccount, otherRegion, want string }{
		{"eu-west-1", "000000000000", "eu-west-1", "is of the account 123456789012 in eu-west-1, and not of 000000000000 in eu-west-1: " +
			"give --account 123456789012 --region eu-west-1, or name another folder"},
		{"eu-west-1", "123456789012", "us-east-1", "is of the account 123456789012 in eu-west-1, and not of 123456789012 in us-east-1: " +
			"give --account 123456789012 --region eu-west-1, or name another folder"},
		{"eu-west-1", "123456789012", data.HistoryRegion, "holds what fleetaudit serve keeps: name another folder for audit"},
		{data.HistoryRegion, "123456789012", "us-east-1", "holds the history of fleetaudit audit: name another folder for serve"},
	} {
		f := open(t, filepath.Join(t.TempDir(), "d"))
		require.NoError(t, use(f, "123456789012", row.region))
		require.NoError(t, use(f, "123456789012", row.region), "again")
		want := fmt.Sprintf("--data %q: %s %s", filepath.Dir(f.Path), f.Path, row.want)
		if got := fmt.Sprint(use(f, row.otherAccount, row.otherRegion)); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
	// What is not about the folder stays as it is.
	f := open(t, filepath.Join(t.TempDir(), "d"))
	if got := use(f, "12", "eu-west-1"); got == nil || got.Error() != `engine: Config.AccountID "12" must be 12 digits` {
		t.Errorf("%v", got)
	}
	require.NoError(t, f.Store.Commit(t.Context(), []engine.Change{{Table: "meta", Key: []byte{0}, Value: []byte("?")}}))
	want := fmt.Sprintf("--data %q: %s cannot be read: *: put a backup in its place, or name another folder", filepath.Dir(f.Path), f.Path)
	if got := fmt.Sprint(use(f, "123456789012", "eu-west-1")); !matches(want, got) {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// TestKeeper has a Store that fails after some commits: nothing reaches it any more.
func TestKeeper(t *testing.T) {
	change := func(n byte) []engine.Change { return []engine.Change{{Table: "t", Key: []byte{n}, Value: []byte{n}}} }
	f := open(t, filepath.Join(t.TempDir(), "d"))
	k := f.Keep()
	require.NoError(t, k.Commit(t.Context(), change(1)))
	require.True(t, k.Keeps())
	require.NoError(t, f.Read().Commit(t.Context(), change(2)))
	require.False(t, f.Read().Keeps())
	bad := []engine.Change{{Table: "", Key: []byte{3}, Value: []byte{3}}}
	require.NoError(t, k.Commit(t.Context(), bad))
	require.ErrorContains(t, k.Err(), `the table ""`)
	require.False(t, k.Keeps())
	require.NoError(t, k.Commit(t.Context(), change(4)))
	var keys []byte
	require.NoError(t, k.Load(t.Context(), func(r engine.Row) error { keys = append(keys, r.Key...); return nil }))
	require.Equal(t, []byte{1}, keys)
	want, got := fmt.Sprintf(`--data %q: something is not kept: the table "" cannot be*`, filepath.Dir(f.Path)), f.Failed("something is not kept", k.Err()).Error()
	if !matches(want, got) {
		t.Errorf("%s\nwant %s", got, want)
	}
}

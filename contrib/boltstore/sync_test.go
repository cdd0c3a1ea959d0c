package boltstore_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/boltstore"
)

// disk remembers what a disk has for certain: a file as it was when it was synced last.
type disk struct {
	synced []string // the names of what was, in order
	bytes  []byte   // of the last file that was
	fail   int      // which sync fails, from 1
}

func (d *disk) sync(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	what := "file"
	if info.IsDir() {
		what = "folder"
	} else if strings.Contains(f.Name(), ".partial-") {
		what = "partial"
	}
	if d.synced = append(d.synced, what); len(d.synced) == d.fail {
		return errors.New("no sync")
	}
	if !info.IsDir() {
		d.bytes, err = os.ReadFile(f.Name())
	}
	return err
}

func (d *disk) options() boltstore.Options { return boltstore.OnSync(boltstore.Options{}, d.sync) }

// Whatever makes a file makes its contents durable, and then its name; Open makes durable what it finds.
func TestSyncs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	var backup bytes.Buffer
	for _, row := range []struct {
		name string
		do   func(o boltstore.Options) error
		want []string
	}{
		{"make", func(o boltstore.Options) error { return open(t, path, o).Close() }, []string{"partial", "folder", "file", "file", "folder"}},
		{"open", func(o boltstore.Options) error {
			s := open(t, path, o)
			commit(t, s, rows(300, strings.Repeat("v", 900))...)
			commit(t, s, rows(300, "short")...)
			require.NoError(t, s.Backup(&backup))
			return s.Close()
		}, []string{"file", "file", "folder"}},
		{"restore", func(o boltstore.Options) error { return boltstore.RestoreTo(path+"2", &backup, o) }, []string{"partial", "folder"}},
		{"compact", func(o boltstore.Options) error { _, _, err := boltstore.Compact(path, o); return err }, []string{"file", "file", "folder", "partial", "folder"}},
	} {
		d := new(disk)
		require.NoError(t, row.do(d.options()), row.name)
		if diff := cmp.Diff(row.want, d.synced); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
	for n := 1; n <= 3; n++ {
		_, err := boltstore.Open(path, (&disk{fail: n}).options())
		require.ErrorContains(t, err, "no sync", "%d", n)
	}
}

// A process died when it had written its newest state, and not synced it. The next one reads that, and commits; in the
// middle of it the power goes. What is on the disk then must be whole: the state that Open found.
func TestOpenMakesDurableWhatItFinds(t *testing.T) {
	for i := range 12 {
		path := filepath.Join(t.TempDir(), "store")
		s := open(t, path, unsynced)
		commit(t, s, rows(52+i, strings.Repeat("v", 200+i*13))...)
		for j := range i % 3 {
			commit(t, s, put("audit", fmt.Sprintf("%03d", j), "x"))
		}
		commit(t, s, put("audit", "050", "written, not synced"))
		require.NoError(t, s.Close())
		var d disk
		s = open(t, path, d.options())
		found, err := load(s)
		require.NoError(t, err)
		commit(t, s, put("audit", "051", "of which the data is written, and no meta page"))
		require.NoError(t, s.Close())
		after, err := os.ReadFile(path)
		require.NoError(t, err)
		page := os.Getpagesize()
		copy(after[:2*page], d.bytes[:2*page])
		require.NoError(t, os.WriteFile(path, after, 0o600))
		s = open(t, path, unsynced)
		got, err := load(s)
		require.NoError(t, err)
		if diff := cmp.Diff(found, got); diff != "" {
			t.Errorf("(-found +after the power went):\n%s", diff)
		}
		require.NoError(t, s.Close())
	}
}
